//! What is installed: `distribution`, a known one or what is different of one.

use foreign::address;

use super::reader::{Findings, Object, Value};
use super::{keys, names};
use crate::distribution::{Distribution, NAMES, check_tree};

/// What is filled in in the short name of an operating system.
const OS_PLACEHOLDERS: [&str; 2] = ["{release}", "{major}"];

/// Reads the distribution; `None` when anything is wrong with it.
pub(super) fn read(value: &Value<'_>, f: &mut Findings) -> Option<Distribution> {
    if value.is_object() {
        return read_object(value, f);
    }
    known(value, f)
}

fn known(value: &Value<'_>, f: &mut Findings) -> Option<Distribution> {
    let name = value.string(f)?;
    let names = NAMES.join(", ");
    let message = format!(
        "unknown distribution '{}'; known are {names}: for another one, give an object with its \
         'prefix'",
        name.escape_debug()
    );
    f.check(value.place(), Distribution::known(name).ok_or(message))
}

fn read_object(value: &Value<'_>, f: &mut Findings) -> Option<Distribution> {
    let object = value.object(&keys::DISTRIBUTION, f)?;
    let base = object.optionally("base", f, known);
    let prefix = checked(&object, "prefix", f, check_prefix);
    let tree = checked(&object, "tree", f, |tree| check_tree(tree, ""));
    let os_variants = object.optionally("os_variant", f, os_variants);
    let release_url = checked(&object, "release_url", f, check_url);
    let base = base?.unwrap_or_default();
    let moved = tree?.map_or(base.clone(), |tree| at(base, tree));
    Some(Distribution {
        prefix: prefix?.unwrap_or(moved.prefix),
        os_variants: os_variants?.unwrap_or(moved.os_variants),
        release_url: release_url?.unwrap_or(moved.release_url),
        ..moved
    })
}

/// The same distribution in a place of one's own, which is that of all its releases.
fn at(base: Distribution, tree: String) -> Distribution {
    Distribution {
        staged: None,
        development: base.development.map(|_| tree.clone()),
        tree,
        ..base
    }
}

/// The string of `key`, if there is any and `check` has nothing against it.
fn checked(
    object: &Object<'_>,
    key: &str,
    f: &mut Findings,
    check: impl FnOnce(&str) -> Result<(), String>,
) -> Option<Option<String>> {
    object.optionally(key, f, |value, f| {
        let text = value.string(f)?;
        f.check(value.place(), check(text))?;
        Some(text.to_owned())
    })
}

fn check_prefix(prefix: &str) -> Result<(), String> {
    names::check_word(prefix)?;
    if prefix.contains('_') || prefix.ends_with(|c: char| c.is_ascii_digit()) {
        return Err(format!(
            "'{prefix}' has a '_' in it, or ends in a digit; the release stands right behind it"
        ));
    }
    Ok(())
}

fn check_url(url: &str) -> Result<(), String> {
    let shown = address::masked(url).escape_debug().to_string();
    let is_http = ["http://", "https://"].iter().any(|it| url.starts_with(it));
    match is_http && !address::has_user(url) {
        true => Ok(()),
        false => Err(format!(
            "'{shown}' is no http or https address, or has a user name in it"
        )),
    }
}

/// One short name, or several of which the first one counts that is known.
fn os_variants(value: &Value<'_>, f: &mut Findings) -> Option<Vec<String>> {
    if !value.is_list() {
        return os_variant(value, f).map(|variant| vec![variant]);
    }
    let variants = value.each("short names", f, os_variant)?;
    if variants.is_empty() {
        return f.refuse(value.place(), "the list is empty");
    }
    Some(variants)
}

fn os_variant(value: &Value<'_>, f: &mut Findings) -> Option<String> {
    let text = value.string(f)?;
    let plain = OS_PLACEHOLDERS
        .iter()
        .fold(text.to_owned(), |text, word| text.replace(word, ""));
    let is_short = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.is_empty() || !plain.chars().all(is_short) {
        let message = format!(
            "'{}' is no short name of libosinfo; only {} are filled in",
            text.escape_debug(),
            OS_PLACEHOLDERS.join(" and ")
        );
        return f.refuse(value.place(), message);
    }
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hdds::document;

    fn parse(json: &str) -> Result<Distribution, String> {
        let node = document::parse(json, "t").unwrap();
        let mut findings = Findings::default();
        let distribution = read(&Value::root(&node), &mut findings);
        let problems = findings.errors.iter().chain(&findings.warnings);
        let problems: Vec<_> = problems.map(ToString::to_string).collect();
        distribution
            .filter(|_| problems.is_empty())
            .ok_or(problems.join("\n"))
    }

    #[test]
    fn known_ones_are_words_and_others_are_like_them() {
        for name in NAMES {
            let known = Distribution::known(name);
            assert_eq!(parse(&format!("{name:?}")).ok(), known);
            assert_eq!(parse(&format!(r#"{{"base": {name:?}}}"#)).ok(), known);
        }
        let ours = parse(
            r#"{"base": "fedora", "prefix": "x", "tree": "http://m/{release}", "os_variant": "a",
                "release_url": "https://m/releases.json"}"#,
        )
        .unwrap();
        let expected = Distribution {
            prefix: "x".into(),
            tree: "http://m/{release}".into(),
            development: Some("http://m/{release}".into()),
            os_variants: vec!["a".into()],
            release_url: "https://m/releases.json".into(),
            ..Distribution::known("fedora").unwrap()
        };
        assert_eq!(ours, expected);
        let variants = parse(r#"{"os_variant": ["centos{major}", "centos-stream"]}"#).unwrap();
        assert_eq!(variants.os_variants, ["centos{major}", "centos-stream"]);
        assert_eq!(variants.prefix, "rocky");
        let moved = parse(r#"{"tree": "/srv/rocky"}"#).unwrap();
        assert_eq!((moved.staged, moved.development), (None, None));
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        for (json, part) in [
            (
                r#""Rocky""#,
                "unknown distribution 'Rocky'; known are rocky, almalinux, fedora",
            ),
            ("7", "expected a string, found the number 7"),
            (
                r#"{"base": "centos"}"#,
                "base: unknown distribution 'centos'",
            ),
            (r#"{"name": "rocky"}"#, "unknown key 'name'"),
            (r#"{"prefix": ""}"#, "prefix: '' is empty"),
            (r#"{"prefix": "a_b"}"#, "prefix: 'a_b'"),
            (r#"{"prefix": "el8"}"#, "prefix: 'el8'"),
            (r#"{"prefix": "a/b"}"#, "prefix: 'a/b'"),
            (r#"{"tree": "pub"}"#, "tree: give an address"),
            (
                r#"{"tree": "http://m/{version}"}"#,
                "tree: only {release}, {arch} and {variant}",
            ),
            (r#"{"os_variant": []}"#, "os_variant: the list is empty"),
            (r#"{"os_variant": "a,b"}"#, "os_variant: 'a,b'"),
            (r#"{"os_variant": ["{arch}"]}"#, "os_variant[0]: '{arch}'"),
            (r#"{"release_url": "ftp://m"}"#, "release_url: 'ftp://m'"),
            (
                r#"{"release_url": "http://u:secret@m"}"#,
                "release_url: 'http://***@m'",
            ),
        ] {
            let message = parse(json).unwrap_err();
            assert!(
                message.contains(part) && !message.contains("secret"),
                "{message}"
            );
        }
    }
}
