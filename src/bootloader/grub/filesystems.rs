//! The filesystems that GRUB reads.

/// A filesystem that GRUB reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filesystem {
    /// What GRUB calls it: its module, and what grub-probe says.
    pub(super) name: &'static str,
    /// The names that a description may have for it.
    formats: &'static [&'static str],
    /// How many sectors of 512 bytes core.img has at least that reads it: GRUB 2.06's, which is the
    /// smallest of 2.06, 2.12 and 2.14.
    pub(super) core_sectors: u64,
    /// The same where it is on a logical volume, for GRUB 2.06.
    pub(super) core_sectors_on_lvm: u64,
}

const fn read(
    name: &'static str,
    formats: &'static [&'static str],
    [core_sectors, core_sectors_on_lvm]: [u64; 2],
) -> Filesystem {
    Filesystem {
        name,
        formats,
        core_sectors,
        core_sectors_on_lvm,
    }
}

const FILESYSTEMS: &[Filesystem] = &[
    read("ext2", &["ext2", "ext3", "ext4"], [54, 70]),
    read(
        "fat",
        &["fat", "fat12", "fat16", "fat32", "msdos", "vfat"],
        [55, 70],
    ),
    read("xfs", &["xfs"], [56, 71]),
    read("btrfs", &["btrfs"], [141, 148]),
    read("f2fs", &["f2fs"], [55, 70]),
    read("exfat", &["exfat"], [55, 70]),
    read("ntfs", &["ntfs"], [59, 74]),
    read("squash4", &["squashfs"], [101, 116]),
];

/// Features of ext4 with which GRUB 2.06 takes the filesystem for an unknown one. Of those that may
/// be asked for here, large directories and seeds of checksums are none of them.
const UNREADABLE_FEATURES: [&str; 4] = ["bigalloc", "casefold", "ea_inode", "inline_data"];

/// The one that a description calls `format`, if GRUB reads it.
pub(super) fn of_format(format: &str) -> Option<&'static Filesystem> {
    let mut all = FILESYSTEMS.iter();
    all.find(|filesystem| filesystem.formats.contains(&format))
}

/// What GRUB reads, for messages.
pub(super) fn names() -> String {
    let names = FILESYSTEMS.iter().flat_map(|one| one.formats);
    names.copied().collect::<Vec<_>>().join(", ")
}

/// Which of the `features` that are asked for, by mke2fs's names, GRUB can't read. Those behind a
/// `^` are left out.
pub(super) fn unreadable(features: &str) -> Option<&'static str> {
    let asked: Vec<_> = features.split(',').map(str::trim).collect();
    let mut all = UNREADABLE_FEATURES.into_iter();
    all.find(|unreadable| asked.contains(unreadable))
}
