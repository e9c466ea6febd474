//! Inodes.

use std::mem::offset_of;

use zerocopy::{FromZeros, IntoBytes};

use crate::error::{Error, Result};
use crate::fs::ext::format::{EXT4_GOOD_OLD_INODE_SIZE, Inode as RawInode, S_IFDIR, S_IFREG};
use crate::identity::Timestamp;
use crate::inspect::fs::ext::Ext;
use crate::inspect::fs::ext::checksum::{Crc, check};
use crate::inspect::fs::node::{Node, NodeKind, linux_device};

const OLD_SIZE: usize = EXT4_GOOD_OLD_INODE_SIZE as usize;
const CHECKSUM_LO: usize = offset_of!(RawInode, i_checksum_lo);
const CHECKSUM_HI: usize = offset_of!(RawInode, i_checksum_hi);

/// An inode as it is stored.
#[derive(Debug)]
pub(super) struct Inode {
    pub(super) number: u32,
    pub(super) raw: RawInode,
    /// All of its bytes.
    pub(super) bytes: Vec<u8>,
    /// What checksums of its blocks start from.
    pub(super) seed: Option<Crc>,
}

impl Ext<'_> {
    pub(super) fn inode_of(&self, node: &Node) -> Result<Inode> {
        self.inode(u32::try_from(node.number).unwrap_or(0))
    }

    pub(super) fn inode(&self, number: u32) -> Result<Inode> {
        let place = format!("inode {number}");
        let superblock = &self.superblock;
        let index = number.checked_sub(1);
        let Some(index) = index.filter(|index| *index < superblock.inodes) else {
            let message = format!("there are {} inodes", superblock.inodes);
            return Err(Error::corrupt(place, message));
        };
        let per_group = superblock.inodes_per_group;
        let group = self.group((index / per_group).into())?;
        let table = superblock.offset(&place, group.inode_table())?;
        let within = u64::from(index % per_group) * superblock.inode_size as u64;
        let offset = table.saturating_add(within);
        let bytes = self.area.bytes(&place, offset, superblock.inode_size)?;
        let mut raw = RawInode::new_zeroed();
        let stored = bytes.len().min(size_of::<RawInode>());
        raw.as_mut_bytes()[..stored].copy_from_slice(&bytes[..stored]);
        // What lies behind the extra fields in use belongs to attributes.
        let fields = OLD_SIZE + extra_size(&raw, &bytes).unwrap_or(0);
        if fields < size_of::<RawInode>() {
            raw.as_mut_bytes()[fields.max(OLD_SIZE)..].fill(0);
        }
        let seed = superblock.seed().map(|seed| {
            let seed = seed.then(&number.to_le_bytes());
            seed.then(raw.i_generation.as_bytes())
        });
        let inode = Inode {
            number,
            raw,
            bytes,
            seed,
        };
        inode.check()?;
        Ok(inode)
    }
}

/// How many bytes of extra fields are in use; `None` when there can't be so many.
fn extra_size(raw: &RawInode, bytes: &[u8]) -> Option<usize> {
    let room = bytes.len() - OLD_SIZE;
    if room == 0 {
        return Some(0);
    }
    let size = usize::from(raw.i_extra_isize.get());
    (size <= room && size.is_multiple_of(4)).then_some(size)
}

impl Inode {
    pub(super) fn place(&self) -> String {
        format!("inode {}", self.number)
    }

    pub(super) fn corrupt(&self, message: impl Into<String>) -> Error {
        Error::corrupt(self.place(), message)
    }

    /// Its checksum, and that its extra fields fit in.
    fn check(&self) -> Result<()> {
        let Some(extra) = extra_size(&self.raw, &self.bytes) else {
            let size = self.raw.i_extra_isize;
            return Err(self.corrupt(format!("{size} bytes of extra fields")));
        };
        let Some(seed) = self.seed else {
            return Ok(());
        };
        let mut bytes = self.bytes.clone();
        bytes[CHECKSUM_LO..][..2].fill(0);
        let has_high = OLD_SIZE + extra >= CHECKSUM_HI + 2;
        let mut stored = u32::from(self.raw.i_checksum_lo.get());
        let mut mask = 0xFFFF;
        if has_high {
            bytes[CHECKSUM_HI..][..2].fill(0);
            stored |= u32::from(self.raw.i_checksum_hi.get()) << 16;
            mask = !0;
        }
        let computed = seed.then(&bytes).get() & mask;
        check(&self.place(), stored, computed)
    }

    pub(super) fn mode(&self) -> u16 {
        self.raw.i_mode.get()
    }

    pub(super) fn is_directory(&self) -> bool {
        self.mode() & 0xF000 == S_IFDIR
    }

    /// Large files have the upper half too, and directories where `large_dir` lets them.
    pub(super) fn size(&self) -> u64 {
        let low = u64::from(self.raw.i_size_lo.get());
        let high = u64::from(self.raw.i_size_high.get()) << 32;
        let is_wide = self.mode() & 0xF000 == S_IFREG || self.is_directory();
        if is_wide { low | high } else { low }
    }

    pub(super) fn has(&self, flag: u32) -> bool {
        self.raw.i_flags.get() & flag != 0
    }

    /// What follows the extra fields; empty in the old, small inodes.
    pub(super) fn tail(&self) -> &[u8] {
        let extra = extra_size(&self.raw, &self.bytes).unwrap_or(0);
        &self.bytes[OLD_SIZE + extra..]
    }

    /// The `index`th number of the block map.
    pub(super) fn i_block(&self, index: usize) -> u32 {
        let bytes = &self.raw.i_block[index * 4..][..4];
        bytes.try_into().map_or(0, u32::from_le_bytes)
    }

    fn device(&self) -> (u32, u32) {
        match self.i_block(0) {
            0 => linux_device(self.i_block(1)),
            old => ((old >> 8) & 0xFF, old & 0xFF),
        }
    }

    pub(super) fn node(&self) -> Result<Node> {
        let raw = &self.raw;
        let mode = self.mode();
        let kind = NodeKind::from_mode(mode, || self.device());
        let kind = kind.ok_or_else(|| self.corrupt(format!("its mode is {mode:o}")))?;
        let wide = |low: u16, high: u16| u32::from(low) | (u32::from(high) << 16);
        let size = match kind {
            NodeKind::Directory | NodeKind::File | NodeKind::Symlink => self.size(),
            _ => 0,
        };
        Ok(Node {
            permissions: Some(mode & 0o7777),
            owner: Some((
                wide(raw.i_uid.get(), raw.i_uid_high.get()),
                wide(raw.i_gid.get(), raw.i_gid_high.get()),
            )),
            links: Some(raw.i_links_count.get().into()),
            modified: Some(self.modified()),
            ..Node::new(self.number.into(), kind, size)
        })
    }

    /// Seconds are signed; two more bits and nanoseconds are among the extra fields.
    fn modified(&self) -> Timestamp {
        let extra = self.raw.i_mtime_extra.get();
        let seconds = i64::from(self.raw.i_mtime.get() as i32);
        Timestamp {
            seconds: seconds + (i64::from(extra & 3) << 32),
            nanoseconds: (extra >> 2).min(999_999_999),
        }
    }
}
