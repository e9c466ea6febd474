//! The paths of an archive, which come from anybody.

use super::fault::{Fault, Result};

/// The longest path in bytes.
const PATH_MAX: usize = 65_535;

/// A path without `.`, doubled slashes and slashes at its ends; empty for the archive's top. With
/// `is_strict`, one that starts with a slash is refused.
pub(super) fn clean(path: &[u8], is_strict: bool) -> Result<Vec<u8>> {
    let refused = |why: &str| {
        let shown = path[..path.len().min(200)].escape_ascii();
        Err(Fault::invalid(format!("the path '{shown}' {why}")))
    };
    match path {
        b"" => return Err(Fault::corrupt("an entry without a path")),
        [b'/', ..] if is_strict => {
            return refused("is absolute; paths of an archive start at its top");
        }
        _ if path.len() > PATH_MAX => {
            return refused(&format!("has {} bytes, more than {PATH_MAX}", path.len()));
        }
        _ if path.contains(&0) => return refused("contains a NUL byte"),
        _ => {}
    }
    let mut clean = Vec::with_capacity(path.len());
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => return refused("leads upwards by '..'"),
            _ => {
                if !clean.is_empty() {
                    clean.push(b'/');
                }
                clean.extend_from_slice(name);
            }
        }
    }
    Ok(clean)
}

/// A path as the directory and the name in it.
pub(in crate::source) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_top_and_stay_below_it() {
        for (path, expected) in [
            ("a", Some("a")),
            ("./a//b/", Some("a/b")),
            ("a/./b/.", Some("a/b")),
            ("./", Some("")),
            (".", Some("")),
            ("...", Some("...")),
            ("/", Some("")),
            ("//", Some("")),
            ("/.", Some("")),
            ("//a/b", Some("a/b")),
            ("", None),
            ("../a", None),
            ("/../a", None),
            ("/..", None),
            ("a/../b", None),
            ("a/..", None),
            ("a\0b", None),
        ] {
            let [found, strict] = [false, true].map(|is_strict| clean(path.as_bytes(), is_strict));
            let (found, strict) = (found.ok(), strict.ok());
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{path:?}");
            let strictly = expected.filter(|_| !path.starts_with('/'));
            assert_eq!(strict.as_deref(), strictly.map(str::as_bytes), "{path:?}");
        }
        assert!(clean(&[b'a'; PATH_MAX], true).is_ok());
        assert!(clean(&[b'a'; PATH_MAX + 1], true).is_err());
        assert_eq!(split(b"a/b/c"), (&b"a/b"[..], &b"c"[..]));
        assert_eq!(split(b"c"), (&b""[..], &b"c"[..]));
    }
}
