//! Options of the programs called mkfs, as those of the formats here.

use disklayout::fs::Options;

/// What options say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The label.
    pub label: Option<String>,
    /// The UUID.
    pub uuid: Option<String>,
    /// All else.
    pub options: Options,
    /// Options that mean nothing here, as they change how a program works and not what it makes.
    pub useless: Vec<String>,
}

/// What becomes of an option.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// It takes no value, and means nothing here.
    Useless,
    /// It takes a value, and means nothing here.
    UselessValue,
    /// It is the label.
    Label,
    /// It is the UUID.
    Uuid,
    /// It is this option, with its value.
    Option(&'static str),
    /// It is this option, with a value of its own.
    Fixed(&'static str, &'static str),
    /// It is a number of sectors, and this option in bytes.
    Sectors(&'static str),
}

use Meaning::{Fixed, Label, Option as Named, Sectors, Useless, UselessValue, Uuid};

/// mke2fs(8).
const EXT: &[(char, Meaning)] = &[
    ('b', Named("block-size")),
    ('i', Named("bytes-per-inode")),
    ('I', Named("inode-size")),
    ('N', Named("inodes")),
    ('m', Named("reserved")),
    ('O', Named("features")),
    ('M', Named("last-mounted")),
    ('L', Label),
    ('U', Uuid),
    ('F', Useless),
    ('q', Useless),
    ('v', Useless),
    ('D', Useless),
    ('j', Useless),
];

/// mkfs.fat(8).
const FAT: &[(char, Meaning)] = &[
    ('F', Named("fat-size")),
    ('n', Label),
    ('i', Named("volume-id")),
    ('s', Sectors("cluster-size")),
    ('S', Named("logical-sector-size")),
    ('R', Named("reserved-sectors")),
    ('f', Named("fats")),
    ('h', Named("hidden-sectors")),
    ('r', Named("root-entries")),
    ('M', Named("media")),
    ('D', Named("drive-number")),
    ('a', Fixed("align", "no")),
    ('v', Useless),
    ('I', Useless),
];

/// mkfs.xfs(8), mkfs.btrfs(8), mkfs.f2fs(8).
const XFS: &[(char, Meaning)] = &[('L', Label), ('f', Useless), ('q', Useless), ('K', Useless)];
const BTRFS: &[(char, Meaning)] = &[
    ('L', Label),
    ('U', Uuid),
    ('f', Useless),
    ('q', Useless),
    ('K', Useless),
    ('O', Named("features")),
    ('n', Named("node-size")),
];
const F2FS: &[(char, Meaning)] = &[
    ('l', Label),
    ('U', Uuid),
    ('f', Useless),
    ('q', Useless),
    ('t', UselessValue),
    ('O', Named("features")),
];

/// The options of the program that makes a filesystem of this type.
fn table(kind: &str) -> &'static [(char, Meaning)] {
    match kind {
        "ext2" | "ext3" | "ext4" => EXT,
        "vfat" | "msdos" | "fat" | "fat12" | "fat16" | "fat32" => FAT,
        "xfs" => XFS,
        "btrfs" => BTRFS,
        "f2fs" => F2FS,
        _ => &[],
    }
}

/// What `text`, words with single spaces between them, says to the program that makes a filesystem of
/// this type.
///
/// # Errors
/// The option that can't be taken.
pub(super) fn parse(kind: &str, text: &str) -> Result<Chosen, String> {
    let mut chosen = Chosen::default();
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix('-').filter(|it| !it.starts_with('-')) else {
            return Err(format!(
                "the option '{word}' of mkfs.{kind} can't be taken here"
            ));
        };
        for (at, letter) in letters.char_indices() {
            let found = table(kind).iter().find(|(known, _)| *known == letter);
            let Some((_, meaning)) = found else {
                return Err(format!(
                    "the option '-{letter}' of mkfs.{kind} can't be taken here"
                ));
            };
            if matches!(meaning, Useless | Fixed(..)) {
                chosen.take(letter, *meaning, "")?;
                continue;
            }
            // The rest of the word, or the next one.
            let rest = &word[1 + at + letter.len_utf8()..];
            let value = match rest {
                "" => words.next(),
                rest => Some(rest),
            };
            let value = value
                .ok_or_else(|| format!("the option '-{letter}' of mkfs.{kind} needs a value"))?;
            chosen.take(letter, *meaning, value)?;
            break;
        }
    }
    Ok(chosen)
}

impl Chosen {
    fn take(&mut self, letter: char, meaning: Meaning, value: &str) -> Result<(), String> {
        match meaning {
            Useless => self.useless.push(format!("-{letter}")),
            UselessValue => self.useless.push(format!("-{letter} {value}")),
            Label => self.label = Some(value.to_owned()),
            Uuid => self.uuid = Some(value.to_owned()),
            Fixed(name, value) => self.options.set(name, value.to_owned()),
            Sectors(name) => {
                let sectors: u64 = value
                    .parse()
                    .map_err(|_| format!("'{value}' of '-{letter}' is no number of sectors"))?;
                self.options.set(name, (sectors * 512).to_string());
            }
            Named(name) => {
                // Lists of features add up.
                let before = match name {
                    "features" => self.options.get(name),
                    _ => None,
                };
                let value = match before {
                    Some(before) => format!("{before},{value}"),
                    None => value.to_owned(),
                };
                self.options.set(name, value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_the_format() {
        let options = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs.fold(Options::default(), |options, (name, value)| {
                options.with(name, *value)
            })
        };
        for (kind, text, expected) in [
            ("ext4", "", options(&[])),
            (
                "ext4",
                "-FO ^64bit,^metadata_csum",
                options(&[("features", "^64bit,^metadata_csum")]),
            ),
            (
                "ext4",
                "-O ^64bit -O quota",
                options(&[("features", "^64bit,quota")]),
            ),
            (
                "ext4",
                "-m 1 -i 8192",
                options(&[("reserved", "1"), ("bytes-per-inode", "8192")]),
            ),
            (
                "ext2",
                "-m1 -b4096",
                options(&[("reserved", "1"), ("block-size", "4096")]),
            ),
            (
                "vfat",
                "-F 32 -s 2",
                options(&[("fat-size", "32"), ("cluster-size", "1024")]),
            ),
            (
                "vfat",
                "-aF16",
                options(&[("align", "no"), ("fat-size", "16")]),
            ),
        ] {
            assert_eq!(
                parse(kind, text).map(|it| it.options),
                Ok(expected),
                "{text}"
            );
        }
        let chosen = parse("ext4", "-F -L root -q").unwrap();
        assert_eq!(chosen.label.as_deref(), Some("root"));
        assert_eq!(chosen.useless, ["-F", "-q"]);
    }

    #[test]
    fn what_has_no_counterpart_is_refused_by_name() {
        for (kind, text, part) in [
            ("ext4", "-E lazy_itable_init=0", "'-E'"),
            ("ext4", "--verbose", "'--verbose'"),
            ("ext4", "4096", "'4096'"),
            ("ext4", "-m", "'-m' of mkfs.ext4 needs a value"),
            ("vfat", "-s x", "number of sectors"),
            ("ntfs", "-F", "'-F' of mkfs.ntfs"),
        ] {
            let error = parse(kind, text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
