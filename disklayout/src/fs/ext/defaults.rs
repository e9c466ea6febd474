//! What mke2fs 1.47.0 chooses when it is asked for nothing but a type: Debian 12's mke2fs.conf.

use super::features::Features;
use super::format::*;
use crate::units::Bytes;

/// Which of the three formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    Ext2,
    Ext3,
    Ext4,
}

impl Flavor {
    pub(super) const NAMES: [&'static str; 3] = ["ext2", "ext3", "ext4"];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Ext2, Self::Ext3, Self::Ext4]
            .into_iter()
            .find(|flavor| flavor.name() == name)
    }

    pub(super) const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    pub(super) const fn features(self) -> Features {
        let base = Features {
            compat: EXT4_FEATURE_COMPAT_EXT_ATTR
                | EXT4_FEATURE_COMPAT_RESIZE_INODE
                | EXT4_FEATURE_COMPAT_DIR_INDEX,
            incompat: EXT4_FEATURE_INCOMPAT_FILETYPE,
            ro_compat: EXT4_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT4_FEATURE_RO_COMPAT_LARGE_FILE,
        };
        let journal = base.compat | EXT4_FEATURE_COMPAT_HAS_JOURNAL;
        match self {
            Self::Ext2 => base,
            Self::Ext3 => Features {
                compat: journal,
                ..base
            },
            Self::Ext4 => Features {
                compat: journal,
                incompat: base.incompat
                    | EXT4_FEATURE_INCOMPAT_EXTENTS
                    | EXT4_FEATURE_INCOMPAT_64BIT
                    | EXT4_FEATURE_INCOMPAT_FLEX_BG,
                ro_compat: base.ro_compat
                    | EXT4_FEATURE_RO_COMPAT_HUGE_FILE
                    | EXT4_FEATURE_RO_COMPAT_DIR_NLINK
                    | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE
                    | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM,
            },
        }
    }
}

/// Block size and bytes per inode for filesystems up to a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SizeClass {
    /// The class ends before this many bytes.
    below: u64,
    pub block_size: u32,
    pub bytes_per_inode: u64,
}

const fn class(below: u64, block_size: u32, bytes_per_inode: u64) -> SizeClass {
    SizeClass {
        below,
        block_size,
        bytes_per_inode,
    }
}

/// `floppy`, `small`, the defaults, `big` and `huge` of mke2fs.conf, by mke2fs's bounds.
const SIZE_CLASSES: [SizeClass; 5] = [
    class(3 * Bytes::MIB, 1024, 8192),
    class(512 * Bytes::MIB, 1024, 4096),
    class(4 * Bytes::TIB, 4096, 16384),
    class(16 * Bytes::TIB, 4096, 32768),
    class(u64::MAX, 4096, 65536),
];

/// The class of a filesystem on `size` bytes.
pub(super) fn size_class(size: Bytes) -> SizeClass {
    let found = SIZE_CLASSES
        .into_iter()
        .find(|class| size.get() < class.below);
    found.unwrap_or(SIZE_CLASSES[SIZE_CLASSES.len() - 1])
}

/// Where a class ends and the next one begins.
pub(super) fn size_class_bounds() -> impl Iterator<Item = u64> {
    let below = SIZE_CLASSES.into_iter().map(|class| class.below);
    below.take(SIZE_CLASSES.len() - 1)
}

pub(super) const INODE_SIZE: u32 = 256;
/// Of 10,000 blocks, those kept for root.
pub(super) const RESERVED: u32 = 500;
pub(super) const LOG_GROUPS_PER_FLEX: u8 = 4;
/// mke2fs rounds a device down to whole pages.
pub(super) const PAGE_SIZE: u64 = 4096;

/// Filesystems of fewer blocks have no journal.
pub(super) const JOURNAL_FROM: u64 = 2048;

/// The journal's blocks for filesystems of fewer than so many blocks (`ext2fs_default_journal_size`).
const JOURNAL_BLOCKS: [(u64, u32); 8] = [
    (JOURNAL_FROM, 0),
    (32_768, 1024),
    (256 * 1024, 4096),
    (512 * 1024, 8192),
    (4096 * 1024, 16_384),
    (8192 * 1024, 32_768),
    (16_384 * 1024, 65_536),
    (32_768 * 1024, 131_072),
];

/// The journal's blocks in a filesystem of `blocks` blocks; none when that is too small for one.
pub(super) fn journal_blocks(blocks: u64) -> u32 {
    let found = JOURNAL_BLOCKS.iter().find(|(below, _)| blocks < *below);
    found.map_or(262_144, |(_, journal)| *journal)
}

/// The numbers of blocks from which on the journal is larger.
pub(super) fn journal_bounds() -> impl Iterator<Item = u64> {
    JOURNAL_BLOCKS.into_iter().map(|(below, _)| below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_size_classes_starts_where_the_last_ends() {
        for (size, block_size, bytes_per_inode) in [
            (3 * Bytes::MIB - 1, 1024, 8192),
            (3 * Bytes::MIB, 1024, 4096),
            (512 * Bytes::MIB - 1, 1024, 4096),
            (512 * Bytes::MIB, 4096, 16384),
            (4 * Bytes::TIB - 1, 4096, 16384),
            (4 * Bytes::TIB, 4096, 32768),
            (16 * Bytes::TIB - 1, 4096, 32768),
            (16 * Bytes::TIB, 4096, 65536),
        ] {
            let class = size_class(Bytes::new(size));
            assert_eq!(
                (class.block_size, class.bytes_per_inode),
                (block_size, bytes_per_inode)
            );
        }
    }

    #[test]
    fn each_row_of_the_journal_sizes() {
        for (blocks, journal) in [
            (2047, 0),
            (2048, 1024),
            (32_767, 1024),
            (32_768, 4096),
            (262_144, 8192),
            (524_288, 16_384),
            (4_194_304, 32_768),
            (8_388_608, 65_536),
            (16_777_216, 131_072),
            (33_554_432, 262_144),
        ] {
            assert_eq!(journal_blocks(blocks), journal, "{blocks} blocks");
        }
    }
}
