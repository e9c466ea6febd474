//! What is chosen for a filesystem: `parts[].mkfs`.

use disklayout::fs::Options;

use crate::config::{Findings, Value};

/// Reads an object of names and values. Which there are is for the filesystem to say.
pub(super) fn read(value: &Value<'_>, f: &mut Findings) -> Option<Options> {
    read_with(value, f, joined)
}

/// Reads an object of names and values, which become texts by `text`.
pub(super) fn read_with(
    value: &Value<'_>,
    f: &mut Findings,
    text: impl Fn(&Value<'_>, &mut Findings) -> Option<String>,
) -> Option<Options> {
    let entries = value.entries("an object of options", f)?;
    let read = entries
        .iter()
        .map(|(name, value)| Some((*name, text(value, f)?)));
    // All of them, so that everything that is wrong is told.
    let read: Vec<_> = read.collect();
    let read: Option<Vec<_>> = read.into_iter().collect();
    let options = read?.into_iter();
    Some(options.fold(Options::default(), |options, (name, text)| {
        options.with(name, text)
    }))
}

/// A list as its texts with commas between them, all else as [`text`] has it.
fn joined(value: &Value<'_>, f: &mut Findings) -> Option<String> {
    if value.is_list() {
        let texts = value.each("strings", f, Value::text)?;
        return Some(texts.join(","));
    }
    text(value, f)
}

/// A string, a number, true or false.
pub(super) fn text(value: &Value<'_>, f: &mut Findings) -> Option<String> {
    if value.is_boolean() {
        return Some(if value.boolean(f)? { "yes" } else { "no" }.to_owned());
    }
    value.text(f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests;

    fn options(json: &str) -> (Option<Options>, Vec<String>) {
        tests::read(json, read)
    }

    #[test]
    fn values_are_words_numbers_flags_and_lists() {
        let json = r#"{"journal": "none", "block-size": 4096, "reserved": 2.5, "x": true,
                       "features": ["^64bit", "quota"]}"#;
        let expected = Options::default()
            .with("journal", "none")
            .with("block-size", 4096)
            .with("reserved", 2.5)
            .with("x", "yes")
            .with("features", "^64bit,quota");
        assert_eq!(options(json), (Some(expected), vec![]));
    }

    #[test]
    fn anything_else_is_refused() {
        for (json, problem) in [
            ("7", ": expected an object of options, found the number 7"),
            (
                r#"{"a": null}"#,
                "a: expected a string or a number, found null",
            ),
            (
                r#"{"a": [[]]}"#,
                "a[0]: expected a string or a number, found a list",
            ),
        ] {
            let (options, problems) = options(json);
            assert_eq!(options, None);
            assert_eq!(problems.len(), 1);
            assert!(
                problem.ends_with(problems[0].trim_start_matches(": ")),
                "{problems:?}"
            );
        }
    }
}
