//! Partition types by the names that people call them.

use uuid::{Uuid, uuid};

use crate::layout::EntryPlan;

/// Types of an MBR, by the names of fdisk.
#[rustfmt::skip]
const BYTES: &[(u8, &str)] = &[
    (0x01, "FAT12"),
    (0x04, "FAT16 below 32 MiB"),
    (0x05, "Extended"),
    (0x06, "FAT16"),
    (0x07, "HPFS/NTFS/exFAT"),
    (0x0B, "FAT32"),
    (0x0C, "FAT32 (LBA)"),
    (0x0E, "FAT16 (LBA)"),
    (0x0F, "Extended (LBA)"),
    (0x27, "Hidden NTFS (Windows RE)"),
    (0x41, "PPC PReP Boot"),
    (0x82, "Linux swap"),
    (0x83, "Linux"),
    (0x85, "Linux extended"),
    (0x8E, "Linux LVM"),
    (0xA5, "FreeBSD"),
    (0xA6, "OpenBSD"),
    (0xA9, "NetBSD"),
    (0xEE, "GPT protective"),
    (0xEF, "EFI (FAT)"),
    (0xFD, "Linux RAID"),
];

/// Types of a GPT: UEFI specification 2.10, table 5-7, and the Discoverable Partitions
/// Specification.
#[rustfmt::skip]
const GUIDS: &[(Uuid, &str)] = &[
    (uuid!("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"), "EFI System"),
    (uuid!("21686148-6449-6E6F-744E-656564454649"), "BIOS boot"),
    (uuid!("9E1A2D38-C612-4316-AA26-8B49521E5A8B"), "PowerPC PReP boot"),
    (uuid!("0FC63DAF-8483-4772-8E79-3D69D8477DE4"), "Linux filesystem"),
    (uuid!("BC13C2FF-59E6-4262-A352-B275FD6F7172"), "Linux extended boot"),
    (uuid!("933AC7E1-2EB4-4F13-B844-0E14E2AEF915"), "Linux home"),
    (uuid!("3B8F8425-20E0-4F3B-907F-1A25A76F98E8"), "Linux server data"),
    (uuid!("4D21B016-B534-45C2-A9FB-5C16E091FD2D"), "Linux variable data"),
    (uuid!("7EC6F557-3BC5-4ACA-B293-16EF5DF639D1"), "Linux temporary data"),
    (uuid!("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"), "Linux root (x86-64)"),
    (uuid!("44479540-F297-41B2-9AF7-D131D5F0458A"), "Linux root (x86)"),
    (uuid!("B921B045-1DF0-41C3-AF44-4C6F280D3FAE"), "Linux root (ARM-64)"),
    (uuid!("69DAD710-2CE4-4E3C-B16C-21A1D49ABED3"), "Linux root (ARM)"),
    (uuid!("72EC70A6-CF74-40E6-BD49-4BDA08E8F224"), "Linux root (RISC-V-64)"),
    (uuid!("77055800-792C-4F94-B39A-98C91B762BB6"), "Linux root (LoongArch-64)"),
    (uuid!("C31C45E6-3F39-412E-80FB-4809C4980599"), "Linux root (PPC64LE)"),
    (uuid!("912ADE1D-A839-4913-8964-A10EEE08FBD2"), "Linux root (PPC64)"),
    (uuid!("5EEAD9A9-FE09-4A1E-A1D7-520D00531306"), "Linux root (S390X)"),
    (uuid!("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"), "Linux swap"),
    (uuid!("E6D6D379-F507-44C2-A23C-238F2A3DF928"), "Linux LVM"),
    (uuid!("A19D880F-05FC-4D3B-A006-743F0F84911E"), "Linux RAID"),
    (uuid!("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"), "Microsoft basic data"),
    (uuid!("E3C9E316-0B5C-4DB8-817D-F92DF00215AE"), "Microsoft reserved"),
    (uuid!("DE94BBA4-06D1-4D40-A16A-BFD50179D6AC"), "Windows recovery"),
];

/// What people call the type of a partition; `None` when it isn't among the better known.
pub fn type_name(entry: &EntryPlan) -> Option<&'static str> {
    match entry {
        EntryPlan::None => None,
        EntryPlan::Mbr { kind, .. } => BYTES
            .iter()
            .find(|(byte, _)| byte == kind)
            .map(|(_, name)| *name),
        EntryPlan::Gpt { kind, .. } => GUIDS
            .iter()
            .find(|(guid, _)| guid == kind)
            .map(|(_, name)| *name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_has_two_names() {
        let bytes: std::collections::HashSet<_> = BYTES.iter().map(|(byte, _)| byte).collect();
        let guids: std::collections::HashSet<_> = GUIDS.iter().map(|(guid, _)| guid).collect();
        assert_eq!((bytes.len(), guids.len()), (BYTES.len(), GUIDS.len()));
        assert_eq!(
            type_name(&EntryPlan::Mbr {
                kind: 0x83,
                active: false
            }),
            Some("Linux")
        );
        assert_eq!(
            type_name(&EntryPlan::Mbr {
                kind: 0,
                active: false
            }),
            None
        );
    }
}
