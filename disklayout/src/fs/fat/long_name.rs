//! Long names: which there can be, and how entries hold them (fatgen103, "FAT Long Directory
//! Entries").

use zerocopy::little_endian::U16;

use super::format::*;
use crate::fs::misfits::check_windows_name;
use crate::tree::NAME_MAX;

/// What a long name can't have besides control characters.
const FORBIDDEN: &[char] = &['"', '*', '/', ':', '<', '>', '?', '\\', '|'];

/// Names of trees have no more UTF-16 units than a long name holds, since they have no more bytes.
const _: () = assert!(NAME_MAX <= LONG_NAME_MAX);

/// Why a name can't be, or the same as text.
pub(super) fn check(name: &[u8]) -> Result<&str, String> {
    let Ok(name) = std::str::from_utf8(name) else {
        return Err("isn't UTF-8".to_owned());
    };
    if let Some(wrong) = name.chars().find(|c| *c < ' ' || FORBIDDEN.contains(c)) {
        return Err(format!("has '{}'", wrong.escape_debug()));
    }
    check_windows_name(name).map(|()| name)
}

/// What two names that FAT takes for the same have in common.
pub(super) fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_uppercase();
    }
    let upper = |c: char| {
        let mut all = c.to_uppercase();
        // Windows changes one character into one.
        all.next().filter(|_| all.next().is_none()).unwrap_or(c)
    };
    name.chars().map(upper).collect()
}

/// How many entries a long name takes.
pub(super) fn entries(name: &str) -> usize {
    name.encode_utf16().count().div_ceil(LONG_ENTRY_UNITS)
}

/// The entries of a long name in their order on the disk, its end first.
pub(super) fn render(name: &str, short: &[u8; 11]) -> Vec<LongNameEntry> {
    let mut units: Vec<u16> = name.encode_utf16().collect();
    let count = units.len().div_ceil(LONG_ENTRY_UNITS);
    // A name that doesn't fill its last entry ends with a NUL, and ones follow.
    if !units.len().is_multiple_of(LONG_ENTRY_UNITS) {
        units.push(0);
    }
    units.resize(count * LONG_ENTRY_UNITS, 0xFFFF);
    let checksum = checksum(short);
    let entries = units.chunks(LONG_ENTRY_UNITS).enumerate().rev();
    entries
        .map(|(before, units)| LongNameEntry {
            LDIR_Ord: match before + 1 == count {
                true => count as u8 | LAST_LONG_ENTRY,
                false => before as u8 + 1,
            },
            LDIR_Name1: std::array::from_fn(|i| U16::new(units[i])),
            LDIR_Attr: ATTR_LONG_NAME,
            LDIR_Type: 0,
            LDIR_Chksum: checksum,
            LDIR_Name2: std::array::from_fn(|i| U16::new(units[5 + i])),
            LDIR_FstClusLO: U16::new(0),
            LDIR_Name3: std::array::from_fn(|i| U16::new(units[11 + i])),
        })
        .collect()
}

/// What ties a long name to its short one (fatgen103, `ChkSum`).
pub(super) fn checksum(short: &[u8; 11]) -> u8 {
    short
        .iter()
        .fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_there_cannot_be() {
        for (name, why) in [
            (&b"a\xFF"[..], "isn't UTF-8"),
            (b"a:b", "has ':'"),
            (b"a\\b", "has '\\\\'"),
            (b"a\nb", "has '\\n'"),
            (b"a.", "ends with a dot or a space"),
            (b"a ", "ends with a dot or a space"),
            (b"con", "is the name of a device"),
            (b"Lpt9.txt", "is the name of a device"),
        ] {
            assert_eq!(check(name).unwrap_err(), why);
        }
        let long = [b'x'; 255];
        for name in [
            &b".a"[..],
            b" a",
            b"a.b.c",
            b"COM0",
            b"com",
            b"console",
            &long,
        ] {
            assert!(check(name).is_ok());
        }
    }

    #[test]
    fn case_folds_one_character_to_one() {
        assert_eq!(folded("a\u{e4}\u{df}"), "A\u{c4}\u{df}");
        assert_eq!(folded("Ab.c"), "AB.C");
    }

    /// The example of fatgen103, "Name Limits and Character Sets".
    #[test]
    fn the_example_of_the_specification() {
        let name = "The quick brown.fox";
        let short = b"THEQUI~1FOX";
        let [last, first] = <[_; 2]>::try_from(render(name, short)).unwrap();
        assert_eq!((last.LDIR_Ord, first.LDIR_Ord), (0x42, 1));
        let text = |units: &[U16]| units.iter().map(|unit| unit.get()).collect::<Vec<_>>();
        let wide = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        assert_eq!(text(&first.LDIR_Name1), wide("The q"));
        assert_eq!(text(&first.LDIR_Name2), wide("uick b"));
        assert_eq!(text(&first.LDIR_Name3), wide("ro"));
        assert_eq!(text(&last.LDIR_Name1), wide("wn.fo"));
        let ones = [u16::from(b'x'), 0, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF];
        assert_eq!(text(&last.LDIR_Name2), ones);
        assert_eq!(text(&last.LDIR_Name3), [0xFFFF, 0xFFFF]);
    }

    #[test]
    fn a_name_that_fills_its_entries_has_no_end() {
        for (length, count) in [(1, 1), (13, 1), (14, 2), (26, 2), (27, 3), (255, 20)] {
            let name = "n".repeat(length);
            assert_eq!(
                (entries(&name), render(&name, b"N~1        ").len()),
                (count, count)
            );
        }
        let [one] = <[_; 1]>::try_from(render(&"n".repeat(13), b"N~1        ")).unwrap();
        assert_eq!(one.LDIR_Name3[1].get(), u16::from(b'n'));
        // Characters beyond the first 65536 take two units.
        assert_eq!(
            entries("\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}"),
            2
        );
    }

    #[test]
    fn checksums_rotate() {
        assert_eq!(checksum(b"THEQUI~1FOX"), 0x07);
        assert_eq!(checksum(&[0; 11]), 0);
    }
}
