//! Lists and pairs in options, which have one text each.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

/// What an option is, or why it can't be.
type Parsed<T> = Result<T, String>;

/// Arguments: an array of JSON, or else one word, whatever is in it.
pub(super) fn arguments(text: &str) -> Parsed<Vec<String>> {
    match text.starts_with('[') {
        true => json(text, "array"),
        false => Ok(vec![text.to_owned()]),
    }
}

/// Words: an array of JSON, or words with commas between them.
pub(super) fn list(text: &str) -> Parsed<Vec<String>> {
    match text.starts_with('[') {
        true => json(text, "array"),
        false => Ok(text.split(',').map(str::to_owned).collect()),
    }
}

/// Names with values: an object of JSON, or `NAME=VALUE` with commas between them. They come sorted by
/// name.
pub(super) fn pairs(text: &str) -> Parsed<BTreeMap<String, String>> {
    if text.starts_with('{') {
        return json(text, "object");
    }
    let mut pairs = BTreeMap::new();
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            let shown = pair.escape_debug();
            format!(
                "'{shown}' has to be NAME=VALUE; where values have commas in them, give an object \
                 of JSON, like {{\"NAME\": \"VALUE\"}}"
            )
        })?;
        let former = pairs.insert(name.to_owned(), value.to_owned());
        if former.is_some() {
            return Err(format!("'{}' is there twice", name.escape_debug()));
        }
    }
    Ok(pairs)
}

fn json<T: DeserializeOwned>(text: &str, what: &str) -> Parsed<T> {
    let parsed = serde_json::from_str(text);
    parsed.map_err(|error| format!("it is no {what} of texts in JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_json_or_as_they_stand() {
        let words = |all: &[&str]| Ok(all.iter().map(|it| (*it).to_owned()).collect());
        for (text, as_arguments, as_list) in [
            ("a b,c", &["a b,c"][..], &["a b", "c"][..]),
            (r#"["a,b", ""]"#, &["a,b", ""], &["a,b", ""]),
            ("[]", &[], &[]),
            ("", &[""], &[""]),
        ] {
            assert_eq!(arguments(text), words(as_arguments));
            assert_eq!(list(text), words(as_list));
        }
        for text in ["[", "[1]", r#"["a"] b"#, "[null]"] {
            let error = arguments(text).unwrap_err();
            assert!(error.starts_with("it is no array of texts"), "{error}");
            assert_eq!(list(text), Err(error));
        }
    }

    #[test]
    fn pairs_are_json_or_have_equals_signs() {
        for (text, expected) in [
            ("B=2,A=1", &[("A", "1"), ("B", "2")][..]),
            ("A==,B=", &[("A", "="), ("B", "")]),
            (r#"{"A": "1,2", "B": "\n"}"#, &[("A", "1,2"), ("B", "\n")]),
            ("{}", &[]),
        ] {
            let own = |it: &str| it.to_owned();
            let expected = expected.iter().map(|(name, value)| (own(name), own(value)));
            assert_eq!(pairs(text), Ok(expected.collect()), "{text}");
        }
        for text in ["", "A", "A=1,", "A=1,A=2", "{", r#"{"A": 1}"#, "{}x"] {
            pairs(text).expect_err(text);
        }
    }
}
