//! Partition types: GUIDs of a GPT and the bytes that an MBR has for the same thing.
//!
//! The GUIDs are those of the UEFI specification 2.10 (table 5-7) and of the Discoverable
//! Partitions Specification; the bytes those of fdisk. An MBR has one byte, 0x83, for what a GPT
//! tells apart by the use and the processor of a Linux filesystem.

use uuid::{Uuid, uuid};

/// The type of an MBR partition that nothing else is said about: a Linux filesystem.
pub(crate) const MBR_LINUX: u8 = 0x83;

/// The type of an extended partition that is addressed by sector numbers.
pub(crate) const MBR_EXTENDED: u8 = 0x0F;

/// The type of a GPT partition that nothing else is said about: a Linux filesystem.
pub(crate) const GPT_LINUX: Uuid = uuid!("0FC63DAF-8483-4772-8E79-3D69D8477DE4");

/// A partition type that both tables know.
struct Type {
    guid: Uuid,
    byte: u8,
    name: &'static str,
}

const fn known(guid: Uuid, byte: u8, name: &'static str) -> Type {
    Type { guid, byte, name }
}

#[rustfmt::skip]
const TYPES: &[Type] = &[
    known(GPT_LINUX,                                    MBR_LINUX, "Linux filesystem"),
    known(uuid!("933AC7E1-2EB4-4F13-B844-0E14E2AEF915"), MBR_LINUX, "Linux home"),
    known(uuid!("3B8F8425-20E0-4F3B-907F-1A25A76F98E8"), MBR_LINUX, "Linux server data"),
    known(uuid!("4D21B016-B534-45C2-A9FB-5C16E091FD2D"), MBR_LINUX, "Linux variable data"),
    known(uuid!("7EC6F557-3BC5-4ACA-B293-16EF5DF639D1"), MBR_LINUX, "Linux temporary data"),
    known(uuid!("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"), MBR_LINUX, "Linux root (x86-64)"),
    known(uuid!("44479540-F297-41B2-9AF7-D131D5F0458A"), MBR_LINUX, "Linux root (x86)"),
    known(uuid!("B921B045-1DF0-41C3-AF44-4C6F280D3FAE"), MBR_LINUX, "Linux root (ARM-64)"),
    known(uuid!("69DAD710-2CE4-4E3C-B16C-21A1D49ABED3"), MBR_LINUX, "Linux root (ARM)"),
    known(uuid!("72EC70A6-CF74-40E6-BD49-4BDA08E8F224"), MBR_LINUX, "Linux root (RISC-V-64)"),
    known(uuid!("77055800-792C-4F94-B39A-98C91B762BB6"), MBR_LINUX, "Linux root (LoongArch-64)"),
    known(uuid!("C31C45E6-3F39-412E-80FB-4809C4980599"), MBR_LINUX, "Linux root (PPC64LE)"),
    known(uuid!("912ADE1D-A839-4913-8964-A10EEE08FBD2"), MBR_LINUX, "Linux root (PPC64)"),
    known(uuid!("5EEAD9A9-FE09-4A1E-A1D7-520D00531306"), MBR_LINUX, "Linux root (S390X)"),
    known(uuid!("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"), 0x82, "Linux swap"),
    known(uuid!("E6D6D379-F507-44C2-A23C-238F2A3DF928"), 0x8E, "Linux LVM"),
    known(uuid!("A19D880F-05FC-4D3B-A006-743F0F84911E"), 0xFD, "Linux RAID"),
    known(uuid!("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"), 0xEF, "EFI System"),
    known(uuid!("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"), 0x07, "Microsoft basic data"),
];

/// The MBR's byte for what a GPT calls `guid`, where it has one.
pub(crate) fn mbr_byte(guid: Uuid) -> Option<u8> {
    let found = TYPES.iter().find(|kind| kind.guid == guid);
    found.map(|kind| kind.byte)
}

/// Everything that [`mbr_byte`] knows, for messages.
pub(crate) fn mbr_names() -> String {
    let names: Vec<_> = TYPES.iter().map(|kind| kind.name).collect();
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
    fn no_type_is_listed_twice() {
        for (index, kind) in TYPES.iter().enumerate() {
            let earlier = &TYPES[..index];
            assert!(
                earlier
                    .iter()
                    .all(|other| other.guid != kind.guid && other.name != kind.name),
                "{}",
                kind.name
            );
        }
    }
}
