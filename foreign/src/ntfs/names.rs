//! Which names and labels a volume can hold.
//!
//! NTFS itself stores nearly any name; the rules are those of the Win32 namespace ("Naming Files,
//! Paths, and Namespaces" in Microsoft's documentation), so that Windows can open every file.

use disklayout::fs::misfits::check_windows_name;
use disklayout::{Error, Place, Result};

/// The longest file name in UTF-16 units.
pub(super) const NAME_MAX_UNITS: usize = 255;

/// The longest label that mkntfs takes, in UTF-16 units.
pub(super) const LABEL_MAX_UNITS: usize = 128;

/// Names of the metadata files in the root directory.
const METADATA: [&str; 11] = [
    "$MFT", "$MFTMIRR", "$LOGFILE", "$VOLUME", "$ATTRDEF", "$BITMAP", "$BOOT", "$BADCLUS",
    "$SECURE", "$UPCASE", "$EXTEND",
];

/// Refuses a label that mkntfs would refuse.
///
/// # Errors
/// `InvalidSpec` at `place` when it is too long or has a NUL byte.
pub(super) fn check_label(place: &Place, label: &str) -> Result<()> {
    let units = label.encode_utf16().count();
    if units > LABEL_MAX_UNITS {
        return Err(Error::invalid(
            place,
            format!(
                "the NTFS label '{label}' has {units} UTF-16 units; the limit is {LABEL_MAX_UNITS}"
            ),
        ));
    }
    if label.contains('\0') {
        return Err(Error::invalid(place, "the NTFS label contains a NUL byte"));
    }
    Ok(())
}

/// What a name has in common with those that NTFS takes for the same.
///
/// # Errors
/// Why there can't be such a name.
pub(super) fn key(name: &[u8], is_in_root: bool) -> Result<String, String> {
    let folded = fold(check_name(name)?);
    match is_in_root && METADATA.contains(&folded.as_str()) {
        true => Err("is the name of a metadata file".to_owned()),
        false => Ok(folded),
    }
}

/// A name with the letters that $UpCase maps alike made alike. $UpCase maps single UTF-16 units,
/// so a letter whose capital form has several characters stays as it is.
fn fold(name: &str) -> String {
    name.chars()
        .map(|letter| {
            let mut upper = letter.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(upper), None) => upper,
                _ => letter,
            }
        })
        .collect()
}

/// The name as text if NTFS can hold it.
fn check_name(name: &[u8]) -> Result<&str, String> {
    let Ok(text) = std::str::from_utf8(name) else {
        return Err("isn't UTF-8".to_owned());
    };
    let units = text.encode_utf16().count();
    if units > NAME_MAX_UNITS {
        return Err(format!(
            "has {units} units of UTF-16, more than {NAME_MAX_UNITS}"
        ));
    }
    if let Some(bad) = text.chars().find(|&c| is_illegal(c)) {
        return Err(format!("has '{}'", bad.escape_debug()));
    }
    check_windows_name(text).map(|()| text)
}

fn is_illegal(c: char) -> bool {
    c < ' ' || matches!(c, '"' | '*' | '/' | ':' | '<' | '>' | '?' | '\\' | '|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_allowed() {
        let long = "x".repeat(255);
        for name in [
            "testfile",
            ".hidden",
            "a b",
            "console",
            "com10",
            "\u{65E5}\u{672C}\u{1F600}",
            &long,
        ] {
            key(name.as_bytes(), true).unwrap();
        }
        key(b"$MFT", false).unwrap();
    }

    #[test]
    fn impossible_names_are_refused() {
        for (name, why) in [
            (&b"\xFFx"[..], "isn't UTF-8"),
            (b"a:b", "has ':'"),
            (b"a\\b", "has '\\\\'"),
            (b"a\nb", "has '\\n'"),
            (b"a*", "has '*'"),
            (b"dir.", "ends with a dot or a space"),
            (b"x ", "ends with a dot or a space"),
            (b"CON", "is the name of a device"),
            (b"nul.txt", "is the name of a device"),
            (b"lpt9 .x", "is the name of a device"),
            (b"$mft", "is the name of a metadata file"),
        ] {
            assert_eq!(key(name, true).unwrap_err(), why);
        }
        let long = "x".repeat(256);
        let why = "has 256 units of UTF-16, more than 255";
        assert_eq!(key(long.as_bytes(), true).unwrap_err(), why);
    }

    #[test]
    fn names_that_differ_only_in_case_are_the_same() {
        let key = |name: &str| key(name.as_bytes(), false).unwrap();
        for (one, other) in [("Test", "tEST"), ("\u{E9}", "\u{C9}")] {
            assert_eq!(key(one), key(other));
        }
        assert_ne!(key("stra\u{DF}e"), key("STRASSE"));
    }

    #[test]
    fn labels_have_128_units_at_most() {
        check_label(&"p".into(), &"\u{E9}".repeat(128)).unwrap();
        check_label(&"p".into(), "").unwrap();
        for label in ["x".repeat(129), "\u{1F600}".repeat(65), "a\0b".to_owned()] {
            check_label(&"p".into(), &label).unwrap_err();
        }
    }
}
