//! Partition types: GUIDs of a GPT and the bytes that an MBR has for the same thing, by name.
//!
//! The GUIDs are those of the UEFI specification 2.10 (table 5-7) and of the Discoverable
//! Partitions Specification; the bytes those of fdisk, 0xE8 that of LUKS. The titles are fdisk's;
//! the names those of systemd-repart where it has one. An MBR has one byte, 0x83, for what a GPT
//! tells apart by the use and the processor of a Linux filesystem, and several for what is one
//! type in a GPT: Microsoft's basic data.

use std::fmt;

use uuid::{Uuid, uuid};

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

/// Of types that share a GUID or a byte, the first is what that is shown as.
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
    known(uuid!("44479540-F297-41B2-9AF7-D131D5F0458A"), Some(MBR_LINUX), "Linux root (x86)", &["root-x86"]),
    known(uuid!("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"), Some(MBR_LINUX), "Linux root (x86-64)", &["root-x86-64", "root-amd64"]),
    known(uuid!("6523F8AE-3EB1-4E2A-A05A-18B695AE656F"), Some(MBR_LINUX), "Linux root (Alpha)", &["root-alpha"]),
    known(uuid!("D27F46ED-2919-4CB8-BD25-9531F3C16534"), Some(MBR_LINUX), "Linux root (ARC)", &["root-arc"]),
    known(uuid!("69DAD710-2CE4-4E3C-B16C-21A1D49ABED3"), Some(MBR_LINUX), "Linux root (ARM)", &["root-arm"]),
    known(uuid!("B921B045-1DF0-41C3-AF44-4C6F280D3FAE"), Some(MBR_LINUX), "Linux root (ARM-64)", &["root-arm64", "root-aarch64"]),
    known(uuid!("993D8D3D-F80E-4225-855A-9DAF8ED7EA97"), Some(MBR_LINUX), "Linux root (IA-64)", &["root-ia64"]),
    known(uuid!("77055800-792C-4F94-B39A-98C91B762BB6"), Some(MBR_LINUX), "Linux root (LoongArch-64)", &["root-loongarch64"]),
    known(uuid!("37C58C8A-D913-4156-A25F-48B1B64E07F0"), Some(MBR_LINUX), "Linux root (MIPS-32 LE)", &["root-mips-le"]),
    known(uuid!("700BDA43-7A34-4507-B179-EEB93D7A7CA3"), Some(MBR_LINUX), "Linux root (MIPS-64 LE)", &["root-mips64-le"]),
    known(uuid!("1DE3F1EF-FA98-47B5-8DCD-4A860A654D78"), Some(MBR_LINUX), "Linux root (PPC)", &["root-ppc"]),
    known(uuid!("912ADE1D-A839-4913-8964-A10EEE08FBD2"), Some(MBR_LINUX), "Linux root (PPC64)", &["root-ppc64"]),
    known(uuid!("C31C45E6-3F39-412E-80FB-4809C4980599"), Some(MBR_LINUX), "Linux root (PPC64LE)", &["root-ppc64-le", "root-ppc64le"]),
    known(uuid!("60D5A7FE-8E7D-435C-B714-3DD8162144E1"), Some(MBR_LINUX), "Linux root (RISC-V-32)", &["root-riscv32"]),
    known(uuid!("72EC70A6-CF74-40E6-BD49-4BDA08E8F224"), Some(MBR_LINUX), "Linux root (RISC-V-64)", &["root-riscv64"]),
    known(uuid!("08A7ACEA-624C-4A20-91E8-6E0FA67D23F9"), Some(MBR_LINUX), "Linux root (S390)", &["root-s390"]),
    known(uuid!("5EEAD9A9-FE09-4A1E-A1D7-520D00531306"), Some(MBR_LINUX), "Linux root (S390X)", &["root-s390x"]),
    known(uuid!("C50CDD70-3862-4CC3-90E1-809A8C93EE2C"), Some(MBR_LINUX), "Linux root (TILE-Gx)", &["root-tilegx"]),
    known(uuid!("75250D76-8CC6-458E-BD66-BD47CC81A812"), Some(MBR_LINUX), "Linux /usr (x86)", &["usr-x86"]),
    known(uuid!("8484680C-9521-48C6-9C11-B0720656F69E"), Some(MBR_LINUX), "Linux /usr (x86-64)", &["usr-x86-64", "usr-amd64"]),
    known(uuid!("E18CF08C-33EC-4C0D-8246-C6C6FB3DA024"), Some(MBR_LINUX), "Linux /usr (Alpha)", &["usr-alpha"]),
    known(uuid!("7978A683-6316-4922-BBEE-38BFF5A2FECC"), Some(MBR_LINUX), "Linux /usr (ARC)", &["usr-arc"]),
    known(uuid!("7D0359A3-02B3-4F0A-865C-654403E70625"), Some(MBR_LINUX), "Linux /usr (ARM)", &["usr-arm"]),
    known(uuid!("B0E01050-EE5F-4390-949A-9101B17104E9"), Some(MBR_LINUX), "Linux /usr (ARM-64)", &["usr-arm64", "usr-aarch64"]),
    known(uuid!("4301D2A6-4E3B-4B2A-BB94-9E0B2C4225EA"), Some(MBR_LINUX), "Linux /usr (IA-64)", &["usr-ia64"]),
    known(uuid!("E611C702-575C-4CBE-9A46-434FA0BF7E3F"), Some(MBR_LINUX), "Linux /usr (LoongArch-64)", &["usr-loongarch64"]),
    known(uuid!("0F4868E9-9952-4706-979F-3ED3A473E947"), Some(MBR_LINUX), "Linux /usr (MIPS-32 LE)", &["usr-mips-le"]),
    known(uuid!("C97C1F32-BA06-40B4-9F22-236061B08AA8"), Some(MBR_LINUX), "Linux /usr (MIPS-64 LE)", &["usr-mips64-le"]),
    known(uuid!("7D14FEC5-CC71-415D-9D6C-06BF0B3C3EAF"), Some(MBR_LINUX), "Linux /usr (PPC)", &["usr-ppc"]),
    known(uuid!("2C9739E2-F068-46B3-9FD0-01C5A9AFBCCA"), Some(MBR_LINUX), "Linux /usr (PPC64)", &["usr-ppc64"]),
    known(uuid!("15BB03AF-77E7-4D4A-B12B-C0D084F7491C"), Some(MBR_LINUX), "Linux /usr (PPC64LE)", &["usr-ppc64-le", "usr-ppc64le"]),
    known(uuid!("B933FB22-5C3F-4F91-AF90-E2BB0FA50702"), Some(MBR_LINUX), "Linux /usr (RISC-V-32)", &["usr-riscv32"]),
    known(uuid!("BEAEC34B-8442-439B-A40B-984381ED097D"), Some(MBR_LINUX), "Linux /usr (RISC-V-64)", &["usr-riscv64"]),
    known(uuid!("CD0F869B-D0FB-4CA0-B141-9EA87CC78D66"), Some(MBR_LINUX), "Linux /usr (S390)", &["usr-s390"]),
    known(uuid!("8A4F5770-50AA-4ED3-874A-99B710DB6FEA"), Some(MBR_LINUX), "Linux /usr (S390X)", &["usr-s390x"]),
    known(uuid!("55497029-C7C1-44CC-AA39-815ED1558630"), Some(MBR_LINUX), "Linux /usr (TILE-Gx)", &["usr-tilegx"]),
];

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
    TYPES.iter().find(is_it)
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
    TYPES.iter().find(|kind| kind.guid == guid)
}

/// What an MBR calls `byte`.
pub(crate) fn title_of_byte(byte: u8) -> Option<&'static str> {
    let types = TYPES
        .iter()
        .filter_map(|kind| Some((kind.byte?, kind.title)));
    let mut all = types.chain(BYTES.iter().copied());
    all.find(|(known, _)| *known == byte)
        .map(|(_, title)| title)
}

/// The usual names of those that don't depend on a processor, for messages.
pub(crate) fn names() -> String {
    let names: Vec<_> = TYPES.iter().map(|kind| kind.names[0]).collect();
    let is_general = |name: &&&str| !name.starts_with("root-") && !name.starts_with("usr-");
    let general: Vec<_> = names.iter().filter(is_general).copied().collect();
    general.join(", ")
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
        let mut seen: std::collections::HashSet<_> =
            TYPES.iter().filter_map(|kind| kind.byte).collect();
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
        for kind in TYPES {
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
