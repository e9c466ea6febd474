//! Volume labels: eleven characters in the boot sector and in an entry of the root directory.

use crate::error::{Error, Result};
use crate::fs::Request;
use crate::place::Field;

/// Bytes of `BS_VolLab` and of the name of a directory entry.
const LABEL_MAX: usize = 11;

/// What short names, and so labels, can't have besides control characters (fatgen103, "Short
/// Directory Entry"). Space is allowed in labels.
const FORBIDDEN: &[u8] = b"\"*+,./:;<=>?[\\]|";

/// What stands in the boot sector for no label.
pub(super) const NO_NAME: [u8; LABEL_MAX] = *b"NO NAME    ";

/// The label that is asked for, as it is stored; none for an empty one, and for `NO NAME`, which
/// says that there is none.
///
/// ASCII only: above it, what a byte means depends on the machine that reads it. Lower case is
/// kept, as mkfs.fat keeps it, though Windows and DOS never write it.
///
/// # Errors
/// `InvalidSpec` for more than eleven characters and for those that labels can't have.
pub(super) fn check(request: &Request<'_>) -> Result<Option<[u8; LABEL_MAX]>> {
    let label = request.label.unwrap_or_default();
    let fail = |why: String| {
        let message = format!("label '{}' {why}", label.escape_debug());
        Err(Error::invalid(request.place.field(Field::Label), message))
    };
    let length = label.chars().count();
    if length > LABEL_MAX {
        return fail(format!("has {length} characters, FAT holds {LABEL_MAX}"));
    }
    let is_wrong = |c: &char| !matches!(c, ' '..='~') || FORBIDDEN.contains(&(*c as u8));
    if let Some(wrong) = label.chars().find(is_wrong) {
        return fail(format!(
            "has '{}', and a label on FAT has ASCII characters only, and none of {}",
            wrong.escape_debug(),
            String::from_utf8_lossy(FORBIDDEN)
        ));
    }
    if label.starts_with(' ') {
        return fail("begins with a space, which FAT doesn't allow".to_owned());
    }
    let stored = padded(label.as_bytes());
    Ok((!label.is_empty() && stored != NO_NAME).then_some(stored))
}

/// `text`, filled up with spaces.
pub(super) fn padded<const N: usize>(text: &[u8]) -> [u8; N] {
    std::array::from_fn(|i| text.get(i).copied().unwrap_or(b' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Identity, Timestamp};

    fn checked(label: &str) -> Result<Option<[u8; LABEL_MAX]>> {
        let identity = Identity::new("x", Timestamp::default());
        let request = Request::new("p", "vfat", identity);
        check(&Request {
            label: Some(label),
            ..request
        })
    }

    #[test]
    fn labels_are_filled_up_and_keep_their_case() {
        assert_eq!(checked("Efi sys").unwrap(), Some(*b"Efi sys    "));
        assert_eq!(checked("12345678901").unwrap(), Some(*b"12345678901"));
        assert_eq!(checked("").unwrap(), None);
        assert_eq!(checked("NO NAME").unwrap(), None);
    }

    #[test]
    fn labels_that_fat_does_not_hold() {
        for (label, why) in [
            ("123456789012", "has 12 characters, FAT holds 11"),
            ("A.B", "has '.'"),
            ("\u{e4}", "has '\u{e4}'"),
            ("a\tb", "has '\\t'"),
            (" a", "begins with a space"),
        ] {
            let error = checked(label).unwrap_err();
            assert_eq!(error.place(), "p.label");
            assert!(error.message().contains(why), "{error}");
        }
    }
}
