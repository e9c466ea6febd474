//! Short names, of eight and three characters, one for every long name of a directory.

use std::collections::{HashMap, HashSet};

use super::format::{CASE_LOWER_BASE, CASE_LOWER_EXT};
use super::label::padded;
use super::long_name;

/// A name as `DIR_Name` has it.
pub(super) type Raw = [u8; 11];

/// What short names may have beside letters and digits (fatgen103, "Short Directory Entry").
/// Spaces are allowed too, but other programs trip over them.
const OTHERS: &[u8] = b"$%'-_@~`!(){}^#&";

/// How long the number behind a `~` may be.
const DIGITS_MAX: usize = 6;

/// What the entries of a name hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ShortName {
    pub raw: Raw,
    /// `DIR_NTRes`.
    pub case: u8,
    /// How many entries of a long name come before it.
    pub long_entries: u8,
}

impl ShortName {
    /// How many entries there are.
    pub(super) const fn entries(&self) -> usize {
        self.long_entries as usize + 1
    }
}

/// The short names of a directory's names, in their order. They differ from each other, as
/// the names do whatever their case.
///
/// A name that is short but for its case keeps its characters, and takes no long name where flags
/// tell the case. Of all others the first ones that are allowed are followed by a number. It takes
/// time in proportion to the number of names, whatever they are.
pub(super) fn assign(names: &[&str]) -> Vec<ShortName> {
    let plain: Vec<_> = names.iter().map(|name| plain(name)).collect();
    let mut numbering = Numbering {
        taken: plain.iter().flatten().map(|short| short.raw).collect(),
        next: HashMap::new(),
    };
    let all = names.iter().zip(plain);
    all.map(|(name, plain)| plain.unwrap_or_else(|| numbering.number(name)))
        .collect()
}

/// A name that is short already, but for its case.
fn plain(name: &str) -> Option<ShortName> {
    let (base, extension) = match name.rsplit_once('.') {
        Some((_, "")) => return None,
        Some((base, extension)) => (base, extension),
        None => (name, ""),
    };
    let is_short = |text: &str| {
        text.bytes()
            .all(|byte| is_allowed(byte.to_ascii_uppercase()))
    };
    let has_length = (1..=8).contains(&base.len()) && extension.len() <= 3;
    if !has_length || !is_short(base) || !is_short(extension) {
        return None;
    }
    let case = lower(base, CASE_LOWER_BASE).zip(lower(extension, CASE_LOWER_EXT));
    Some(ShortName {
        raw: raw(
            base.to_ascii_uppercase().as_bytes(),
            extension.to_ascii_uppercase().as_bytes(),
        ),
        case: case.map_or(0, |(base, extension)| base | extension),
        long_entries: match case {
            Some(_) => 0,
            None => long_name::entries(name) as u8,
        },
    })
}

/// The flag for text that is all lower case, none where there isn't any; nothing for mixed case.
fn lower(text: &str, flag: u8) -> Option<u8> {
    let has_lower = text.bytes().any(|byte| byte.is_ascii_lowercase());
    let has_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    match (has_lower, has_upper) {
        (true, true) => None,
        (true, false) => Some(flag),
        (false, _) => Some(0),
    }
}

const fn is_letter_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn is_allowed(byte: u8) -> bool {
    is_letter_or_digit(byte) || OTHERS.contains(&byte)
}

fn raw(base: &[u8], extension: &[u8]) -> Raw {
    let mut raw = [b' '; 11];
    raw[..8].copy_from_slice(&padded::<8>(base));
    raw[8..].copy_from_slice(&padded::<3>(extension));
    raw
}

/// Gives out numbers so that no two names are alike.
struct Numbering {
    taken: HashSet<Raw>,
    /// The next number of so many digits for a beginning and an extension.
    next: HashMap<(Raw, usize), usize>,
}

impl Numbering {
    fn number(&mut self, name: &str) -> ShortName {
        let (base, extension) = basis(name);
        let long_entries = long_name::entries(name) as u8;
        for digits in 1..=DIGITS_MAX {
            // A beginning of one length and digits of one number make every name only once, so
            // that only names that were short already are ever met.
            let start = &base[..base.len().min(7 - digits)];
            let (first, end) = (10_usize.pow(digits as u32 - 1), 10_usize.pow(digits as u32));
            let next = self.next.entry((raw(start, &extension), digits));
            let next = next.or_insert(first);
            while *next < end {
                let numbered = [start, format!("~{next}").as_bytes()].concat();
                *next += 1;
                let raw = raw(&numbered, &extension);
                if self.taken.insert(raw) {
                    return ShortName {
                        raw,
                        case: 0,
                        long_entries,
                    };
                }
            }
        }
        // A directory has no more than 65,536 entries, and there are a million numbers.
        ShortName {
            raw: raw(&base, &extension),
            case: 0,
            long_entries,
        }
    }
}

/// What the short name is made of: at most six allowed characters, and three of the extension.
fn basis(name: &str) -> (Vec<u8>, Vec<u8>) {
    let name = name.trim_start_matches(['.', ' ']);
    let (base, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let allowed = |text: &str, most: usize| -> Vec<u8> {
        let kept = text.chars().filter(|c| !matches!(c, ' ' | '.'));
        let upper = kept.map(|c| match u8::try_from(c.to_ascii_uppercase()) {
            Ok(byte) if is_allowed(byte) => byte,
            _ => b'_',
        });
        upper.take(most).collect()
    };
    (allowed(base, 6), allowed(extension, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(names: &[&str]) -> Vec<String> {
        let text = |short: &ShortName| {
            let text = String::from_utf8(short.raw.to_vec()).unwrap();
            format!("{text}|{}|{}", short.case, short.long_entries)
        };
        assign(names).iter().map(text).collect()
    }

    #[test]
    fn short_names_stay_and_long_ones_are_numbered() {
        for (name, expected) in [
            ("README.TXT", "README  TXT|0|0"),
            ("readme.txt", "README  TXT|24|0"),
            ("readme.TXT", "README  TXT|8|0"),
            ("README.txt", "README  TXT|16|0"),
            ("12.3", "12      3  |0|0"),
            ("Readme.txt", "README  TXT|0|1"),
            ("grubx64.efi", "GRUBX64 EFI|24|0"),
            ("a.b.c", "AB~1    C  |0|1"),
            (".profile", "PROFIL~1   |0|1"),
            ("The quick brown.fox", "THEQUI~1FOX|0|2"),
            ("a+b", "A_B~1      |0|1"),
            ("a b", "AB~1       |0|1"),
            ("\u{65e5}\u{672c}.html", "__~1    HTM|0|1"),
            ("ninechars", "NINECH~1   |0|1"),
            ("initrd.image", "INITRD~1IMA|0|1"),
            (" .a", "A~1        |0|1"),
            ("x.", "X~1        |0|1"),
        ] {
            assert_eq!(assigned(&[name]), [expected], "{name}");
        }
    }

    #[test]
    fn numbers_avoid_names_that_are_short_already() {
        let found = assigned(&[
            "longname1.txt",
            "LONGNA~1.TXT",
            "longna~3.txt",
            "longname2.txt",
        ]);
        let expected = [
            "LONGNA~2TXT|0|1",
            "LONGNA~1TXT|0|0",
            "LONGNA~3TXT|24|0",
            "LONGNA~4TXT|0|1",
        ];
        assert_eq!(found, expected);
    }

    /// Beginnings that become alike when more digits need room, by the tens of thousands.
    #[test]
    fn tens_of_thousands_of_names_are_told_apart() {
        let names: Vec<_> = (0..60_000)
            .map(|i| format!("{:06x}-name", (i * 40_961_u64) % (1 << 24)))
            .collect();
        let same: Vec<_> = (0..60_000).map(|i| format!("abcdefgh{i}.data")).collect();
        for names in [names, same] {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let raw: HashSet<_> = assign(&names).iter().map(|short| short.raw).collect();
            assert_eq!(raw.len(), names.len());
        }
    }
}
