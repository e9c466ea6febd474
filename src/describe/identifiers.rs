//! What filesystems are known by: decided here, so that a boot loader and fstab can name them.

use disklayout::Identity;
use disklayout::layout::spec::{Disk, DiskTable, Filesystem};
use disklayout::volume::lvm::Id;

/// The option of formats that have a number of 32 bits.
const VOLUME_ID: &str = "volume-id";

/// What a filesystem is known by beside its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// A UUID.
    Uuid,
    /// A number of 32 bits, the option `volume-id`.
    VolumeId,
    /// Nothing that could be chosen.
    None,
}

impl Identifier {
    /// What a filesystem of the type `kind` is known by.
    pub fn of(kind: &str) -> Self {
        match kind {
            "exfat" => Self::VolumeId,
            "ntfs" | "squashfs" => Self::None,
            kind if is_fat(kind) => Self::VolumeId,
            _ => Self::Uuid,
        }
    }
}

/// Gives a filesystem what it is known by, unless that is chosen already: derived from `identity`.
/// Tells it as fstab has it, `6987-937D` on FAT; empty where it has none. `None` where the number
/// that is chosen is none of eight digits.
pub fn identify(filesystem: &mut Filesystem, identity: &Identity) -> Option<String> {
    match Identifier::of(&filesystem.format) {
        Identifier::None => Some(String::new()),
        Identifier::VolumeId => {
            let number = match filesystem.options.get(VOLUME_ID) {
                Some(text) => u32::from_str_radix(text, 16).ok()?,
                None => identity.number32("volume id"),
            };
            filesystem.options.set(VOLUME_ID, format!("{number:08x}"));
            Some(format!("{:04X}-{:04X}", number >> 16, number & 0xFFFF))
        }
        Identifier::Uuid => {
            let uuid = filesystem.uuid.get_or_insert_with(|| identity.uuid("uuid"));
            Some(uuid.to_string())
        }
    }
}

/// Gives partitions what the kernel knows them by, unless that is chosen already: derived from
/// `identity`. In an MBR that is the signature of the disk.
pub fn identify_partitions(disk: &mut Disk, identity: &Identity) {
    match &mut disk.table {
        DiskTable::None => {}
        DiskTable::Mbr { signature } => {
            signature.get_or_insert_with(|| identity.number32("signature"));
        }
        DiskTable::Gpt { .. } => {
            for (partition, number) in disk.partitions.iter_mut().zip(1..) {
                let identity = identity.child(&format!("partition {number}"));
                partition.guid.get_or_insert_with(|| identity.uuid("guid"));
            }
        }
    }
}

/// Gives groups of volumes and the volumes in them what LVM and boot loaders know them by, unless that is
/// chosen already: derived from `identity`.
pub fn identify_groups(disk: &mut Disk, identity: &Identity) {
    for group in &mut disk.groups {
        let identity = identity.child(&format!("group {}", group.name));
        group.uuid.get_or_insert_with(|| Id::new(&identity, "uuid"));
        for volume in &mut group.volumes {
            let purpose = format!("volume {}", volume.name);
            volume
                .uuid
                .get_or_insert_with(|| Id::new(&identity, &purpose));
        }
    }
}

/// What Linux mounts a filesystem of the type `kind` as.
pub fn mounted_as(kind: &str) -> &str {
    match kind {
        "msdos" => "msdos",
        kind if is_fat(kind) => "vfat",
        kind => kind,
    }
}

/// Whether this is one of the names of FAT.
pub(super) fn is_fat(kind: &str) -> bool {
    matches!(kind, "vfat" | "msdos" | "fat" | "fat12" | "fat16" | "fat32")
}

#[cfg(test)]
mod tests {
    use disklayout::Timestamp;
    use disklayout::fs::Request;
    use disklayout::tree::FileTree;
    use uuid::Uuid;

    use super::*;

    fn identity() -> Identity {
        Identity::new("t", Timestamp::default())
    }

    /// Every format is known by what it takes, and has no UUID that its own rules refuse.
    #[test]
    fn every_format_takes_what_it_is_known_by() {
        let registry = foreign::registry();
        for kind in registry.names() {
            let mut filesystem = Filesystem::new(kind, FileTree::new(Timestamp::default()));
            let known = identify(&mut filesystem, &identity()).unwrap();
            assert_eq!(known.is_empty(), Identifier::of(kind) == Identifier::None);
            let mut request = Request::new("p", kind, identity());
            request.uuid = filesystem.uuid;
            request.options = filesystem.options;
            registry.draft(request).unwrap();
        }
    }

    #[test]
    fn what_is_chosen_stays() {
        let mut ext4 = Filesystem::new("ext4", FileTree::new(Timestamp::default()));
        ext4.uuid = Some(Uuid::from_u128(1));
        let known = identify(&mut ext4, &identity()).unwrap();
        assert_eq!(known, "00000000-0000-0000-0000-000000000001");
        let mut fat = Filesystem::new("vfat", FileTree::new(Timestamp::default()));
        fat.options.set(VOLUME_ID, "1234abcd");
        assert_eq!(identify(&mut fat, &identity()).unwrap(), "1234-ABCD");
        fat.options.set(VOLUME_ID, "none");
        assert_eq!(identify(&mut fat, &identity()), None);
    }

    #[test]
    fn fstab_has_the_words_of_linux() {
        for (kind, word) in [
            ("fat32", "vfat"),
            ("vfat", "vfat"),
            ("msdos", "msdos"),
            ("ext4", "ext4"),
        ] {
            assert_eq!(mounted_as(kind), word);
        }
    }
}
