//! Options of the programs called mkfs, as those of the formats here.

use disklayout::fs::Options;

use crate::describe::identifiers::is_fat;

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
    /// It is this option, a number of MiB.
    Mebibytes(&'static str),
    /// It is this option, a size whose unit may be a small letter.
    Size(&'static str),
    /// It is this option, 0 or 1.
    Switch(&'static str),
    /// It is a list of names, most of them with a value, and each means something of its own.
    List(&'static [(&'static str, Self)]),
}

use Meaning::{
    Fixed, Label, List, Mebibytes, Option as Named, Size, Switch, Useless, UselessValue, Uuid,
};

/// mke2fs(8). What writes tables later, or discards blocks, changes nothing that is written here.
const EXT: &[(char, Meaning)] = &[
    ('b', Named("block-size")),
    ('i', Named("bytes-per-inode")),
    ('I', Named("inode-size")),
    ('N', Named("inodes")),
    ('m', Named("reserved")),
    ('O', Named(FEATURES)),
    ('M', Named("last-mounted")),
    ('j', Fixed(FEATURES, "has_journal")),
    ('J', List(&[("size", Mebibytes("journal"))])),
    (
        'E',
        List(&[
            ("root_owner", Named("root-owner")),
            ("hash_seed", Named("hash-seed")),
            ("resize", Named("resize")),
            ("lazy_itable_init", Useless),
            ("lazy_journal_init", Useless),
            ("discard", Useless),
            ("nodiscard", Useless),
        ]),
    ),
    ('L', Label),
    ('U', Uuid),
    ('F', Useless),
    ('q', Useless),
    ('v', Useless),
    ('D', Useless),
];

/// mkfs.fat(8).
const FAT: &[(char, Meaning)] = &[
    ('F', Named("fat-size")),
    ('n', Label),
    ('i', Named("volume-id")),
    ('s', Named("sectors-per-cluster")),
    ('S', Named("logical-sector-size")),
    ('R', Named("reserved-sectors")),
    ('f', Named("fats")),
    ('h', Named("hidden-sectors")),
    ('r', Named("root-entries")),
    ('M', Named("media")),
    ('D', Named("drive-number")),
    ('g', Named("drive-geometry")),
    ('a', Fixed("align", "no")),
    ('v', Useless),
    ('I', Useless),
];

/// mkfs.exfat(8).
const EXFAT: &[(char, Meaning)] = &[
    ('L', Label),
    ('c', Size("cluster-size")),
    ('b', Size("boundary-align")),
    ('q', Useless),
    ('v', Useless),
];

/// mkfs.xfs(8), mkfs.btrfs(8), mkfs.f2fs(8), mkswap(8).
const XFS: &[(char, Meaning)] = &[
    ('b', List(&[("size", Size("block-size"))])),
    ('i', List(&[("size", Size("inode-size"))])),
    ('l', List(&[("size", Size("log-size"))])),
    ('m', List(&[("reflink", Switch("reflink")), ("uuid", Uuid)])),
    ('L', Label),
    ('f', Useless),
    ('q', Useless),
    ('K', Useless),
];
const BTRFS: &[(char, Meaning)] = &[
    ('L', Label),
    ('U', Uuid),
    ('f', Useless),
    ('q', Useless),
    ('K', Useless),
    ('M', Fixed("mixed", "yes")),
    ('O', Named(FEATURES)),
    ('n', Size("node-size")),
];
const F2FS: &[(char, Meaning)] = &[
    ('l', Label),
    ('U', Uuid),
    ('f', Useless),
    ('q', Useless),
    ('t', UselessValue),
    ('o', Named("overprovision")),
];
const SWAP: &[(char, Meaning)] = &[
    ('L', Label),
    ('U', Uuid),
    ('p', Named("page-size")),
    ('f', Useless),
    ('q', Useless),
];

/// The choice whose values add up.
const FEATURES: &str = "features";

/// The options of the program that makes a filesystem of this type.
fn table(kind: &str) -> &'static [(char, Meaning)] {
    match kind {
        "ext2" | "ext3" | "ext4" => EXT,
        "exfat" => EXFAT,
        "swap" | "linux-swap" => SWAP,
        "xfs" => XFS,
        "btrfs" => BTRFS,
        "f2fs" => F2FS,
        kind if is_fat(kind) => FAT,
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
            let option = format!("-{letter}");
            let found = table(kind).iter().find(|(known, _)| *known == letter);
            let Some((_, meaning)) = found else {
                return Err(format!(
                    "the option '{option}' of mkfs.{kind} can't be taken here"
                ));
            };
            if matches!(meaning, Useless | Fixed(..)) {
                chosen.take(&option, *meaning, "")?;
                continue;
            }
            // The rest of the word, or the next one.
            let rest = &word[1 + at + letter.len_utf8()..];
            let value = match rest {
                "" => words.next(),
                rest => Some(rest),
            };
            let value = value
                .ok_or_else(|| format!("the option '{option}' of mkfs.{kind} needs a value"))?;
            chosen.take(&option, *meaning, value)?;
            break;
        }
    }
    Ok(chosen)
}

impl Chosen {
    fn take(&mut self, option: &str, meaning: Meaning, value: &str) -> Result<(), String> {
        match meaning {
            Useless => self.useless.push(option.to_owned()),
            UselessValue => self.useless.push(format!("{option} {value}")),
            Label => self.label = Some(value.to_owned()),
            Uuid => self.uuid = Some(value.to_owned()),
            Fixed(FEATURES, value) => self.add_feature(value),
            Named(FEATURES) => self.add_feature(value),
            Fixed(name, value) => self.options.set(name, value),
            Named(name) => self.options.set(name, value),
            Mebibytes(name) => self.options.set(name, format!("{value}M")),
            Size(name) => self.options.set(name, value.to_ascii_uppercase()),
            Switch(name) => match value {
                "0" => self.options.set(name, "no"),
                "1" => self.options.set(name, "yes"),
                _ => return Err(format!("'{value}' of '{option}' is neither 0 nor 1")),
            },
            List(known) => return self.take_list(option, known, value),
        }
        Ok(())
    }

    fn add_feature(&mut self, value: &str) {
        let before = self.options.get(FEATURES);
        let all = before.map_or_else(|| value.to_owned(), |before| format!("{before},{value}"));
        self.options.set(FEATURES, all);
    }

    /// Takes each of `items`, names with commas between them, most of them with a value.
    fn take_list(
        &mut self,
        option: &str,
        known: &[(&str, Meaning)],
        items: &str,
    ) -> Result<(), String> {
        for item in items.split(',') {
            let (name, value) = match item.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (item, None),
            };
            let shown = format!("{option} {name}");
            let Some((_, meaning)) = known.iter().find(|(it, _)| *it == name) else {
                return Err(format!("the option '{shown}' can't be taken here"));
            };
            match (meaning, value) {
                (Useless, _) => self.take(&shown, Useless, "")?,
                (meaning, Some(value)) => self.take(&shown, *meaning, value)?,
                (_, None) => return Err(format!("the option '{shown}' needs a value")),
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
                options(&[("fat-size", "32"), ("sectors-per-cluster", "2")]),
            ),
            (
                "vfat",
                "-g 255/63",
                options(&[("drive-geometry", "255/63")]),
            ),
            (
                "ext2",
                "-j -O ^resize_inode",
                options(&[("features", "has_journal,^resize_inode")]),
            ),
            ("ext4", "-J size=8", options(&[("journal", "8M")])),
            (
                "ext4",
                "-E lazy_itable_init=0,root_owner=5:6,nodiscard,resize=4000000",
                options(&[("root-owner", "5:6"), ("resize", "4000000")]),
            ),
            ("exfat", "-c 32k", options(&[("cluster-size", "32K")])),
            (
                "btrfs",
                "-M -n 16k",
                options(&[("mixed", "yes"), ("node-size", "16K")]),
            ),
            (
                "xfs",
                "-b size=1k -m reflink=0",
                options(&[("block-size", "1K"), ("reflink", "no")]),
            ),
            ("f2fs", "-o 7", options(&[("overprovision", "7")])),
            ("swap", "-p 4096", options(&[("page-size", "4096")])),
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
            ("ext4", "-E stride=16", "'-E stride'"),
            ("ext4", "-E root_owner", "'-E root_owner' needs a value"),
            ("ext4", "-J device=x", "'-J device'"),
            ("ext4", "-T small", "'-T'"),
            ("xfs", "-m reflink=2", "neither 0 nor 1"),
            ("f2fs", "-O encrypt", "'-O'"),
            ("ext4", "--verbose", "'--verbose'"),
            ("ext4", "4096", "'4096'"),
            ("ext4", "-m", "'-m' of mkfs.ext4 needs a value"),
            ("ntfs", "-F", "'-F' of mkfs.ntfs"),
        ] {
            let error = parse(kind, text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
