//! Partition types: GUIDs of a GPT and the bytes that an MBR has for the same thing, by name.
//!
//! The GUIDs are those of the UEFI specification 2.10 (table 5-7) and of the Discoverable
//! Partitions Specification; the bytes those of fdisk, 0xE8 that of LUKS. The titles are fdisk's;
//! the names those of systemd-repart where it has one. An MBR has one byte, 0x83, for what a GPT
//! tells apart by the use and the processor of a Linux filesystem, and several for what is one
//! type in a GPT: Microsoft's basic data.

mod processors;

use std::fmt;

use uuid::{Uuid, uuid};

use self::processors::PROCESSORS;
use crate::table::format::{EXTENDED_TYPES, GPT_PROTECTIVE};

/// The type of an MBR partition that nothing else is said about: a Linux filesystem.
pub(crate) const MBR_LINUX: u8 = 0x83;

/// The type of an extended partition that is addressed by sector numbers.
pub(crate) const MBR_EXTENDED: u8 = 0x0F;

/// The type of a GPT partition that nothing else is said about: a Linux filesystem.
pub(crate) const GPT_LINUX: Uuid = uuid!("0FC63DAF-8483-4772-8E79-3D69D8477DE4");

const BASIC_DATA: Uuid = uuid!("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7");

/// A partition type that has a name.
#[derive(Debug, PartialEq, Eq)]
pub struct Type {
    /// What a GPT has for it.
    pub guid: Uuid,
    /// What an MBR has for it, if it has anything.
    pub byte: Option<u8>,
    /// What fdisk calls it.
    pub title: &'static str,
    /// What it is asked for by, the usual name first.
    pub names: &'static [&'static str],
}

const fn known(
    guid: Uuid,
    byte: Option<u8>,
    title: &'static str,
    names: &'static [&'static str],
) -> Type {
    Type {
        guid,
        byte,
        title,
        names,
    }
}

/// What the firmware of UEFI starts from.
pub(crate) const ESP: Type = known(
    uuid!("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
    Some(0xEF),
    "EFI System",
    &["esp", "efi", "uefi"],
);

/// Those that are the same on every processor. Of types that share a GUID or a byte, the first is what
/// that is shown as.
#[rustfmt::skip]
const TYPES: &[Type] = &[
    known(GPT_LINUX, Some(MBR_LINUX), "Linux filesystem", &["linux", "generic", "ext4"]),
    known(uuid!("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"), Some(0x82), "Linux swap", &["swap"]),
    known(uuid!("E6D6D379-F507-44C2-A23C-238F2A3DF928"), Some(0x8E), "Linux LVM", &["lvm"]),
    known(uuid!("A19D880F-05FC-4D3B-A006-743F0F84911E"), Some(0xFD), "Linux RAID", &["raid"]),
    ESP,
    known(uuid!("21686148-6449-6E6F-744E-656564454649"), None, "BIOS boot", &["bios-boot", "bios"]),
    known(uuid!("BC13C2FF-59E6-4262-A352-B275FD6F7172"), Some(0xEA), "Linux extended boot", &["xbootldr"]),
    known(BASIC_DATA, Some(0x07), "Microsoft basic data", &["basic-data", "windows", "ntfs", "exfat"]),
    known(BASIC_DATA, Some(0x0C), "W95 FAT32 (LBA)", &["fat32", "fat", "vfat"]),
    known(BASIC_DATA, Some(0x0E), "W95 FAT16 (LBA)", &["fat16"]),
    known(BASIC_DATA, Some(0x01), "FAT12", &["fat12"]),
    known(uuid!("E3C9E316-0B5C-4DB8-817D-F92DF00215AE"), None, "Microsoft reserved", &["msr"]),
    known(uuid!("DE94BBA4-06D1-4D40-A16A-BFD50179D6AC"), Some(0x27), "Windows recovery environment", &["windows-recovery"]),
    known(uuid!("9E1A2D38-C612-4316-AA26-8B49521E5A8B"), Some(0x41), "PowerPC PReP boot", &["prep-boot", "prep"]),
    known(uuid!("CA7D7CCB-63ED-4C53-861C-1742536059CC"), Some(0xE8), "Linux LUKS", &["luks"]),
    known(uuid!("7FFEC5C9-2D00-49B7-8941-3EA10A5586B7"), None, "Linux dm-crypt", &["dm-crypt"]),
    known(uuid!("933AC7E1-2EB4-4F13-B844-0E14E2AEF915"), Some(MBR_LINUX), "Linux home", &["home"]),
    known(uuid!("3B8F8425-20E0-4F3B-907F-1A25A76F98E8"), Some(MBR_LINUX), "Linux server data", &["srv"]),
    known(uuid!("4D21B016-B534-45C2-A9FB-5C16E091FD2D"), Some(MBR_LINUX), "Linux variable data", &["var"]),
    known(uuid!("7EC6F557-3BC5-4ACA-B293-16EF5DF639D1"), Some(MBR_LINUX), "Linux temporary data", &["tmp"]),
    known(uuid!("773F91EF-66D4-49B5-BD83-D683BF40AD16"), Some(MBR_LINUX), "Linux user's home", &["user-home"]),
];

/// All types that have a name.
fn types() -> impl Iterator<Item = &'static Type> {
    TYPES.iter().chain(PROCESSORS.iter().flatten())
}

/// Bytes that nothing in a GPT stands for.
#[rustfmt::skip]
const BYTES: &[(u8, &str)] = &[
    (0x04, "FAT16 below 32 MiB"),
    (0x05, "Extended"),
    (0x06, "FAT16"),
    (0x0B, "W95 FAT32"),
    (0x0F, "Extended (LBA)"),
    (0x85, "Linux extended"),
    (0xA5, "FreeBSD"),
    (0xA6, "OpenBSD"),
    (0xA9, "NetBSD"),
    (0xEE, "GPT protective"),
];

/// A partition type, as somebody asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionType {
    /// That of a GPT.
    Guid(Uuid),
    /// That of an MBR.
    Byte(u8),
    /// One that has a name.
    Named(&'static Type),
}

impl PartitionType {
    /// The type that `text` spells: a GUID, a byte in hexadecimal digits, or a name.
    ///
    /// # Errors
    /// What is accepted, when `text` isn't.
    pub fn parse(text: &str) -> Result<Self, String> {
        match byte(text) {
            Some(byte) => Self::of_byte(byte),
            None => Self::parse_guid(text),
        }
    }

    /// The type that `text` spells: a GUID or a name.
    ///
    /// # Errors
    /// What is accepted, when `text` isn't.
    pub fn parse_guid(text: &str) -> Result<Self, String> {
        // The parser also takes 32 digits without hyphens and URNs, which no other program does.
        match text.parse::<Uuid>() {
            Ok(guid) if guid.is_nil() => Err(format!(
                "'{text}' marks an unused entry, so it can't be the type of a partition"
            )),
            Ok(guid) if matches!(text.len(), 36 | 38) => Ok(Self::Guid(guid)),
            _ => Self::parse_name(text, "GUID", "0FC63DAF-8483-4772-8E79-3D69D8477DE4"),
        }
    }

    /// The type that `text` spells: two hexadecimal digits, with or without `0x`, or a name.
    ///
    /// # Errors
    /// What is accepted, when `text` isn't.
    pub fn parse_byte(text: &str) -> Result<Self, String> {
        match byte(text) {
            Some(byte) => Self::of_byte(byte),
            None => Self::parse_name(text.trim(), "byte", "0x83"),
        }
    }

    fn parse_name(text: &str, what: &str, example: &str) -> Result<Self, String> {
        named(text).map(Self::Named).ok_or_else(|| {
            format!(
                "'{text}' is no {what} and names no type; one looks like {example}, names are {}, \
                 and root and usr with a processor: root-x86-64",
                names()
            )
        })
    }

    /// The type of an MBR that is this byte.
    ///
    /// # Errors
    /// Why it can't be that of a partition: it marks what is none.
    pub fn of_byte(byte: u8) -> Result<Self, String> {
        match byte {
            0 => {
                Err("0x00 marks an unused entry, so it can't be the type of a partition".to_owned())
            }
            GPT_PROTECTIVE => {
                Err("0xee says that the disk has a GPT; give the disk one instead".to_owned())
            }
            byte if EXTENDED_TYPES.contains(&byte) => Err(format!(
                "{byte:#04x} marks an extended partition; make it extended instead"
            )),
            byte => Ok(Self::Byte(byte)),
        }
    }
}

impl PartitionType {
    /// The type for the hash tree of a partition of this type (Discoverable Partitions Specification), if
    /// there is one.
    pub fn verity(self) -> Option<Self> {
        let own = self.guid()?;
        let mut pairs = PROCESSORS.iter().flat_map(|types| {
            let [root, root_tree, _, usr, usr_tree, _] = types;
            [(root, root_tree), (usr, usr_tree)]
        });
        let (_, tree) = pairs.find(|(data, _)| data.guid == own)?;
        Some(Self::Named(tree))
    }

    /// The byte that an MBR has for it, if it has one.
    pub(crate) fn byte(self) -> Option<u8> {
        match self {
            Self::Byte(byte) => Some(byte),
            Self::Guid(guid) => mbr_byte(guid),
            Self::Named(kind) => kind.byte,
        }
    }

    /// The GUID that a GPT has for it, which a byte alone doesn't tell.
    pub(crate) fn guid(self) -> Option<Uuid> {
        match self {
            Self::Byte(_) => None,
            Self::Guid(guid) => Some(guid),
            Self::Named(kind) => Some(kind.guid),
        }
    }
}

impl fmt::Display for PartitionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guid(guid) => write!(f, "{:X}", guid.hyphenated()),
            Self::Byte(byte) => write!(f, "{byte:#04x}"),
            Self::Named(kind) => write!(f, "'{}'", kind.names[0]),
        }
    }
}

/// The byte that one or two hexadecimal digits spell, with or without `0x`.
fn byte(text: &str) -> Option<u8> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is_byte = matches!(digits.len(), 1 | 2) && !digits.starts_with('+');
    u8::from_str_radix(digits, 16).ok().filter(|_| is_byte)
}

/// The type that `text` names: one of its names, with or without `linux-` or `microsoft-` before
/// it, or its title. Case doesn't count, nor does what stands between words.
pub fn named(text: &str) -> Option<&'static Type> {
    let word = plain(text);
    let prefixes = ["linux-", "microsoft-"].iter();
    let bare = prefixes
        .filter_map(|prefix| word.strip_prefix(prefix))
        .next();
    let is_it = |kind: &&Type| {
        let names = kind.names.iter();
        plain(kind.title) == word
            || names
                .copied()
                .any(|name| name == word || Some(name) == bare)
    };
    types().find(is_it)
}

/// Small letters and digits, with a hyphen for whatever is between them.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_ascii_lowercase()
}

/// The MBR's byte for what a GPT calls `guid`, where it has one.
pub(crate) fn mbr_byte(guid: Uuid) -> Option<u8> {
    of_guid(guid)?.byte
}

/// What a GPT calls `guid`.
pub(crate) fn of_guid(guid: Uuid) -> Option<&'static Type> {
    types().find(|kind| kind.guid == guid)
}

/// What an MBR calls `byte`.
pub(crate) fn title_of_byte(byte: u8) -> Option<&'static str> {
    let types = types().filter_map(|kind| Some((kind.byte?, kind.title)));
    let mut all = types.chain(BYTES.iter().copied());
    all.find(|(known, _)| *known == byte)
        .map(|(_, title)| title)
}

/// The usual names of those that don't depend on a processor, for messages.
pub(crate) fn names() -> String {
    let names: Vec<_> = TYPES.iter().map(|kind| kind.names[0]).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_mbr_knows_has_its_byte_and_nothing_else_does() {
        for (guid, byte) in [
            ("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", Some(0x82)),
            ("e6d6d379-f507-44c2-a23c-238f2a3df928", Some(0x8E)),
            ("A19D880F-05FC-4D3B-A006-743F0F84911E", Some(0xFD)),
            ("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", Some(0xEF)),
            ("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", Some(0x07)),
            ("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", Some(0x83)),
            ("0FC63DAF-8483-4772-8E79-3D69D8477DE4", Some(0x83)),
            ("21686148-6449-6E6F-744E-656564454649", None),
            ("00000000-0000-0000-0000-000000000000", None),
        ] {
            assert_eq!(mbr_byte(guid.parse().unwrap()), byte, "{guid}");
        }
    }

    #[test]
    fn bytes_have_one_title() {
        for (byte, title) in [
            (0x83, Some("Linux filesystem")),
            (0x0C, Some("W95 FAT32 (LBA)")),
            (0x05, Some("Extended")),
            (0xEE, Some("GPT protective")),
            (0x00, None),
        ] {
            assert_eq!(title_of_byte(byte), title, "{byte:#04x}");
        }
        let mut seen: std::collections::HashSet<_> = types().filter_map(|kind| kind.byte).collect();
        assert!(BYTES.iter().all(|(byte, _)| seen.insert(*byte)));
        let of = |byte: &u8| title_of_byte(*byte).unwrap();
        let extended = crate::table::format::EXTENDED_TYPES;
        assert!(
            extended
                .iter()
                .map(of)
                .all(|title| title.to_lowercase().contains("extended"))
        );
    }

    #[test]
    fn types_are_found_by_any_of_their_names() {
        for (text, title) in [
            ("esp", "EFI System"),
            ("EFI System", "EFI System"),
            ("linux", "Linux filesystem"),
            ("linux-generic", "Linux filesystem"),
            ("Linux_swap", "Linux swap"),
            ("linux-root-x86-64", "Linux root (x86-64)"),
            ("Linux root (x86-64)", "Linux root (x86-64)"),
            ("root-amd64", "Linux root (x86-64)"),
            ("linux-usr-ppc64le", "Linux /usr (PPC64LE)"),
            ("Linux /usr (PPC64LE)", "Linux /usr (PPC64LE)"),
            ("microsoft-basic-data", "Microsoft basic data"),
            ("fat32", "W95 FAT32 (LBA)"),
            ("linux-luks", "Linux LUKS"),
            ("user-home", "Linux user's home"),
        ] {
            assert_eq!(named(text).map(|kind| kind.title), Some(title), "{text}");
        }
        for text in ["", "-", "root", "linux-root", "ef", "83", "esp2"] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn no_name_means_two_types() {
        let mut seen = std::collections::HashSet::new();
        for kind in types() {
            // A title may be one of the names.
            let names = kind.names.iter().map(|name| plain(name));
            let words: std::collections::HashSet<_> = names.chain([plain(kind.title)]).collect();
            for word in words {
                assert!(seen.insert(word.clone()), "{word}");
            }
            assert!(kind.names.iter().all(|name| plain(name) == *name));
        }
    }
}
