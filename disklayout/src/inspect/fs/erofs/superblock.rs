//! The superblock.

use crate::error::{Error, Result};
use crate::fs::erofs::format::{
    EROFS_FEATURE_COMPAT_SB_CHKSUM, EROFS_SLOTSIZE, EROFS_SUPER_OFFSET, SuperBlock,
};
use crate::identity::Timestamp;
use crate::inspect::fs::area::Area;
use crate::inspect::fs::checksum::check;
use crate::inspect::fs::facts::{Facts, State, text, uuid};

const PLACE: &str = "superblock";

const COMPAT: &[(u32, &str)] = &[(0x1, "sb_csum"), (0x2, "mtime"), (0x4, "xattr_filter")];
const INCOMPAT: &[(u32, &str)] = &[
    (0x1, "0padding"),
    (0x2, "compr_cfgs"),
    (0x4, "chunked_file"),
    (0x8, "device_table"),
    (0x10, "ztailpacking"),
    (0x20, "fragments"),
    (0x40, "xattr_prefixes"),
    (0x80, "48bit"),
    (0x100, "metabox"),
];

/// Features under which inodes and directories are as usual.
const INCOMPAT_KNOWN: u32 = 0x7F;

/// Where everything is.
#[derive(Debug)]
pub(super) struct Super {
    pub(super) root: u64,
    pub(super) block_size: u64,
    pub(super) blocks: u64,
    pub(super) meta: u64,
    pub(super) xattrs: u64,
    pub(super) time: Timestamp,
    raw: SuperBlock,
}

impl Super {
    pub(super) fn read(area: &Area<'_>) -> Result<Self> {
        let raw: SuperBlock = area.structure(PLACE, EROFS_SUPER_OFFSET)?;
        let fail = |message: String| Err(Error::corrupt(PLACE, message));
        let bits = raw.blkszbits;
        if !(9..=16).contains(&bits) || raw.dirblkbits != 0 {
            return fail(format!("blocks of 2^{bits} bytes"));
        }
        let unknown = raw.feature_incompat.get() & !INCOMPAT_KNOWN;
        if unknown != 0 {
            let message = format!("features {unknown:#x} aren't known");
            return Err(Error::unsupported(PLACE, message));
        }
        let block_size = 1 << bits;
        let blocks = u64::from(raw.blocks.get());
        let found = Self {
            root: raw.root_nid.get().into(),
            block_size,
            blocks,
            meta: u64::from(raw.meta_blkaddr.get()) * block_size,
            xattrs: u64::from(raw.xattr_blkaddr.get()) * block_size,
            time: Timestamp {
                seconds: raw.build_time.get() as i64,
                nanoseconds: raw.build_time_nsec.get().min(999_999_999),
            },
            raw,
        };
        found.check(area)?;
        Ok(found)
    }

    /// The checksum covers the rest of the block, and the checksum itself as zero.
    fn check(&self, area: &Area<'_>) -> Result<()> {
        if self.raw.feature_compat.get() & EROFS_FEATURE_COMPAT_SB_CHKSUM == 0 {
            return Ok(());
        }
        let len = match self.block_size.checked_sub(EROFS_SUPER_OFFSET) {
            Some(len) if len > 0 => len,
            _ => self.block_size,
        };
        let mut bytes = area.bytes(PLACE, EROFS_SUPER_OFFSET, len as usize)?;
        bytes[4..8].fill(0);
        check(PLACE, self.raw.checksum.get(), !crc32c::crc32c(&bytes))
    }

    /// Where an inode is.
    pub(super) const fn inode(&self, nid: u64) -> Option<u64> {
        match nid.checked_mul(EROFS_SLOTSIZE) {
            Some(offset) => self.meta.checked_add(offset),
            None => None,
        }
    }

    pub(super) fn facts(&self) -> Facts {
        let raw = &self.raw;
        let set = |bits: u32, known: &[(u32, &str)]| -> Vec<String> {
            let known = known.iter().filter(|(mask, _)| bits & mask != 0);
            known.map(|(_, name)| (*name).to_owned()).collect()
        };
        let (compat, incompat) = (raw.feature_compat.get(), raw.feature_incompat.get());
        Facts {
            label: text(&raw.volume_name),
            uuid: uuid(raw.uuid),
            size: Some(self.blocks * self.block_size),
            block_size: Some(self.block_size),
            blocks: Some(self.blocks),
            free_blocks: Some(0),
            inodes: Some(raw.inos.get()),
            state: Some(State::Clean),
            features: [set(compat, COMPAT), set(incompat, INCOMPAT)].concat(),
            created: Some(self.time),
            ..Facts::new("erofs")
        }
    }
}
