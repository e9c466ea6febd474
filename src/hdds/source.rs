//! Where the data of an upload comes from.

use std::path::{Component, Path};

use foreign::address;

use crate::image::Source;

/// Reads the `source` of an upload.
///
/// # Errors
/// When it is neither the path of a file below `uploads/` nor an http or https address.
pub(super) fn parse_source(text: &str) -> Result<Source, String> {
    match text.split_once("://") {
        Some((scheme, rest)) => parse_url(text, scheme, rest),
        None => parse_path(text),
    }
}

fn parse_url(text: &str, scheme: &str, rest: &str) -> Result<Source, String> {
    let shown = address::masked(text).escape_debug().to_string();
    let is = |known: &str| scheme.eq_ignore_ascii_case(known);
    if !is("http") && !is("https") {
        let hint = match is("file") {
            true => "; a file of this machine goes into uploads/, and is given by its path there",
            false => "",
        };
        return Err(format!(
            "'{shown}' is neither an http nor an https address{hint}"
        ));
    }
    if address::has_user(text) {
        return Err(format!(
            "'{shown}' has a user name in it; download the file yourself, and put it into uploads/"
        ));
    }
    let odd = |c: char| c.is_whitespace() || c.is_control();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || text.contains(odd) {
        return Err(format!(
            "'{shown}' is not an address: it has no host, or blanks in it"
        ));
    }
    Ok(Source::Url(text.to_string()))
}

fn parse_path(text: &str) -> Result<Source, String> {
    let shown = text.escape_debug();
    let mut components = Path::new(text).components();
    let reason = if text.is_empty() {
        "is empty"
    } else if text.contains('\0') {
        "contains a NUL character"
    } else if text.starts_with('/') {
        "is an absolute path"
    } else if text.ends_with('/') {
        "is a directory"
    } else if components.any(|c| !matches!(c, Component::Normal(_))) {
        "contains '.' or '..'"
    } else {
        return Ok(Source::File(text.to_string()));
    };
    Err(format!(
        "'{shown}' {reason}; give the path of a file below uploads/, or an http or https address"
    ))
}

/// The SHA-256 that `text` spells, in lower case.
///
/// # Errors
/// When it isn't 64 hexadecimal digits.
pub(super) fn parse_sha256(text: &str) -> Result<String, String> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        let shown = text.escape_debug();
        return Err(format!(
            "'{shown}' is not a SHA-256: give its 64 hexadecimal digits"
        ));
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_below_uploads() {
        for text in ["updates.img", "sub/dir/file", "a..b", "...", "http:x"] {
            assert_eq!(parse_source(text), Ok(Source::File(text.to_string())));
        }
        for text in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "./a",
            "a/",
            "a\0b",
            "..",
        ] {
            parse_source(text).unwrap_err();
        }
    }

    #[test]
    fn addresses_are_http_or_https_and_have_a_host() {
        for text in ["http://host/a", "https://host", "HTTPS://host:8/a?b=c#d"] {
            assert_eq!(parse_source(text), Ok(Source::Url(text.to_string())));
        }
        for text in [
            "ftp://host/a",
            "file:///etc/passwd",
            "http://",
            "http:///a",
            "http://a b",
            "://x",
        ] {
            parse_source(text).unwrap_err();
        }
        let message = parse_source("file:///etc/passwd").unwrap_err();
        assert!(message.contains("uploads/"), "{message}");
    }

    #[test]
    fn passwords_are_refused_and_not_shown() {
        for text in [
            "http://u:secret@host/a",
            "https://secret@host",
            "ftp://u:secret@host/a",
            "http://u:se/secret@host/a",
            "http://u:secret@ho st/a",
        ] {
            let message = parse_source(text).unwrap_err();
            assert!(
                message.contains("***@ho") && !message.contains("secret"),
                "{message}"
            );
        }
    }

    #[test]
    fn checksums_are_64_hexadecimal_digits_of_either_case() {
        let upper = "ABCDEF0123456789".repeat(4);
        assert_eq!(parse_sha256(&upper), Ok(upper.to_lowercase()));
        for text in [
            "",
            &upper[1..],
            &upper.replace('A', "G"),
            &format!("{upper}0"),
        ] {
            parse_sha256(text).unwrap_err();
        }
    }
}
