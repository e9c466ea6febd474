//! Types of partitions by the words that GNU parted 3.5 has for them, found by trying.

use disklayout::table::types::PartitionType;
use disklayout::table::{Flag, Kind};

/// What a flag does to a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It gets another type.
    Type(PartitionType),
    /// It is marked.
    Mark(Flag),
    /// Nothing that could be seen.
    Nothing,
}

/// The type that a partition gets for a filesystem, parted's `fs-type`.
///
/// # Errors
/// What there is, when the word isn't one.
pub(super) fn of_filesystem(word: &str, table: Kind) -> Result<PartitionType, String> {
    // parted's own lexer takes quotes away.
    let word = word.trim_matches(['\'', '"']);
    let (mbr, gpt) = match word {
        "ext2" | "ext3" | "ext4" | "btrfs" | "xfs" | "reiserfs" | "f2fs" | "jfs" | "nilfs2"
        | "zfs" => ("83", "linux"),
        "fat16" => ("0e", "basic-data"),
        "fat32" => ("0c", "basic-data"),
        "ntfs" | "udf" => ("07", "basic-data"),
        "linux-swap" | "linux-swap(v0)" | "linux-swap(v1)" => ("82", "swap"),
        "hfs" | "hfs+" => ("af", "48465300-0000-11AA-AA11-00306543ECAC"),
        _ => {
            return Err(format!(
                "'{word}' is no type of a filesystem; there are ext2, ext3, ext4, btrfs, xfs, f2fs, \
                 fat16, fat32, linux-swap, ntfs, hfs, hfs+, udf, jfs, reiserfs, nilfs2 and zfs"
            ));
        }
    };
    PartitionType::parse(if table == Kind::Gpt { gpt } else { mbr })
}

/// Flags by their names, with the type in an MBR and in a GPT.
#[rustfmt::skip]
const TYPES: [(&str, &str, &str); 17] = [
    ("atvrecv", "", "5265636F-7665-11AA-AA11-00306543ECAC"),
    ("bios_grub", "", "bios-boot"),
    ("bls_boot", "ea", "xbootldr"),
    ("chromeos_kernel", "", "FE3A2A5D-4F32-41A7-B725-ACCC3285A309"),
    ("diag", "12", "windows-recovery"),
    ("esp", "ef", "esp"),
    ("hp-service", "", "E2A1E728-32E3-11D6-A682-7B03A0000000"),
    ("irst", "84", "D3BFE2DE-3DAF-11DF-BA40-E3A556D89593"),
    ("linux-home", "", "home"),
    ("lvm", "8e", "lvm"),
    ("msftdata", "", "basic-data"),
    ("msftres", "27", "msr"),
    ("palo", "f0", ""),
    ("prep", "41", "prep"),
    ("raid", "fd", "raid"),
    ("swap", "82", "swap"),
    // The type of a GPT, and a mark in an MBR.
    ("boot", "", "esp"),
];

/// What a flag does in a table of this kind.
///
/// # Errors
/// Which there are, when there is no such flag.
pub(super) fn of_flag(name: &str, table: Kind) -> Result<Effect, String> {
    let is_gpt = table == Kind::Gpt;
    match name {
        "boot" if !is_gpt => return Ok(Effect::Mark(Flag::Boot)),
        // Of types that have it anyway.
        "lba" | "hidden" if !is_gpt => return Ok(Effect::Nothing),
        "hidden" => return Ok(Effect::Mark(Flag::Bit(0))),
        "legacy_boot" if is_gpt => return Ok(Effect::Mark(Flag::Bit(2))),
        "no_automount" if is_gpt => return Ok(Effect::Mark(Flag::Bit(63))),
        _ => {}
    }
    let of_table = |row: &(&'static str, &'static str, &'static str)| {
        let word = if is_gpt { row.2 } else { row.1 };
        (!word.is_empty()).then_some((row.0, word))
    };
    let mut known = TYPES.iter().filter_map(of_table);
    match known.clone().find(|(flag, _)| *flag == name) {
        Some((_, word)) => PartitionType::parse(word).map(Effect::Type),
        None => {
            let first = known
                .next()
                .map(|(flag, _)| flag.to_owned())
                .unwrap_or_default();
            let rest = known.fold(first, |list, (flag, _)| format!("{list}, {flag}"));
            let others = match is_gpt {
                true => "hidden, legacy_boot, no_automount",
                false => "boot, hidden, lba",
            };
            Err(format!(
                "'{name}' is no flag in this table; there are {rest}, {others}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_that_parted_gives() {
        let shown =
            |kind: Result<PartitionType, String>| kind.map(|kind| kind.to_string()).unwrap();
        for (word, mbr, gpt) in [
            ("ext4", "0x83", "0fc63daf-8483-4772-8e79-3d69d8477de4"),
            ("fat16", "0x0e", "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"),
            ("'fat32'", "0x0c", "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"),
            (
                "linux-swap(v1)",
                "0x82",
                "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
            ),
            ("ntfs", "0x07", "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"),
            ("hfs+", "0xaf", "48465300-0000-11aa-aa11-00306543ecac"),
        ] {
            let found = [Kind::Mbr, Kind::Gpt].map(|table| of_filesystem(word, table));
            let [found_mbr, found_gpt] = found;
            let expected = [mbr, gpt].map(PartitionType::parse);
            let [mbr, gpt] = expected;
            assert_eq!(shown(found_mbr), shown(mbr), "{word}");
            let is_same = |kind: &PartitionType| match kind {
                PartitionType::Named(named) => PartitionType::Guid(named.guid),
                other => *other,
            };
            let (found, expected) = (found_gpt.unwrap(), gpt.unwrap());
            assert_eq!(is_same(&found), is_same(&expected), "{word}");
        }
        assert!(
            of_filesystem("vfat", Kind::Gpt)
                .unwrap_err()
                .contains("fat32")
        );
    }

    #[test]
    fn flags_are_types_or_marks() {
        let esp = PartitionType::parse("esp").unwrap();
        assert_eq!(of_flag("boot", Kind::Mbr), Ok(Effect::Mark(Flag::Boot)));
        assert_eq!(of_flag("boot", Kind::Gpt), Ok(Effect::Type(esp)));
        assert_eq!(of_flag("esp", Kind::Gpt), Ok(Effect::Type(esp)));
        assert_eq!(
            of_flag("esp", Kind::Mbr),
            Ok(Effect::Type(PartitionType::Byte(0xEF)))
        );
        assert_eq!(
            of_flag("legacy_boot", Kind::Gpt),
            Ok(Effect::Mark(Flag::Bit(2)))
        );
        assert_eq!(of_flag("lba", Kind::Mbr), Ok(Effect::Nothing));
        for (flag, table) in [
            ("bios_grub", Kind::Mbr),
            ("lba", Kind::Gpt),
            ("root", Kind::Gpt),
        ] {
            assert!(
                of_flag(flag, table).unwrap_err().contains("there are"),
                "{flag}"
            );
        }
    }
}
