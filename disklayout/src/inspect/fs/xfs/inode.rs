//! Inodes: fields, and behind them a fork for data and one for attributes.

use zerocopy::{FromZeros, IntoBytes};

use crate::error::{Error, Result};
use crate::identity::Timestamp;
use crate::inspect::fs::checksum::check_within;
use crate::inspect::fs::node::{Node, NodeKind};
use crate::inspect::fs::xfs::Xfs;
use crate::inspect::fs::xfs::blocks::u32_at;
use crate::inspect::fs::xfs::format::{
    DIFLAG_REALTIME, DIFLAG2_BIGTIME, DIFLAG2_NREXT64, DINODE_CRC, DINODE_MAGIC, DINODE_OLD,
    Dinode, FMT_DEV,
};

const NANOSECONDS: u64 = 1_000_000_000;
/// Where large times start, in seconds from 1970.
const BIGTIME_START: i64 = i32::MIN as i64;

/// An inode as it is stored.
#[derive(Debug)]
pub(super) struct Inode {
    pub(super) number: u64,
    raw: Dinode,
    /// All that is behind the fields.
    literal: Vec<u8>,
}

/// What leads to the data or to the attributes of an inode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fork<'a> {
    pub(super) format: u8,
    pub(super) extents: u64,
    pub(super) bytes: &'a [u8],
}

impl Xfs<'_> {
    pub(super) fn inode(&self, number: u64) -> Result<Inode> {
        let place = format!("inode {number}");
        let at = self.superblock.inode(&place, number)?;
        let bytes = self.area.bytes(&place, at, self.superblock.inode_size)?;
        let (version, fields) = match self.superblock.is_sealed {
            true => (3, size_of::<Dinode>()),
            false => (2, DINODE_OLD),
        };
        let mut raw = Dinode::new_zeroed();
        raw.as_mut_bytes()[..fields].copy_from_slice(&bytes[..fields]);
        // Of version 4, the first version has counts of names in another field.
        let is_known = raw.di_version == version || (version, raw.di_version) == (2, 1);
        if raw.di_magic != DINODE_MAGIC || !is_known {
            return Err(Error::corrupt(place, "it is none"));
        }
        if self.superblock.is_sealed {
            check_within(&place, &bytes, DINODE_CRC)?;
            if raw.di_ino.get() != number || raw.di_uuid != self.superblock.uuid() {
                let message = format!("it is inode {}, or another filesystem's", raw.di_ino);
                return Err(Error::corrupt(place, message));
            }
        }
        let literal = bytes[fields..].to_vec();
        if usize::from(raw.di_forkoff) * 8 >= literal.len() {
            return Err(Error::corrupt(place, "its fields exceed it"));
        }
        Ok(Inode {
            number,
            raw,
            literal,
        })
    }
}

impl Inode {
    pub(super) fn place(&self) -> String {
        format!("inode {}", self.number)
    }

    pub(super) fn corrupt(&self, message: impl Into<String>) -> Error {
        Error::corrupt(self.place(), message)
    }

    pub(super) fn size(&self) -> u64 {
        self.raw.di_size.get()
    }

    pub(super) fn is_realtime(&self) -> bool {
        self.raw.di_flags.get() & DIFLAG_REALTIME != 0
    }

    pub(super) fn is_directory(&self) -> bool {
        self.raw.di_mode.get() & 0xF000 == 0x4000
    }

    fn has_large_counts(&self) -> bool {
        self.raw.di_flags2.get() & DIFLAG2_NREXT64 != 0
    }

    /// What leads to the data.
    pub(super) fn data(&self) -> Fork<'_> {
        let end = match usize::from(self.raw.di_forkoff) * 8 {
            0 => self.literal.len(),
            end => end,
        };
        Fork {
            format: self.raw.di_format,
            extents: match self.has_large_counts() {
                true => self.raw.di_big_nextents.get(),
                false => self.raw.di_nextents.get().into(),
            },
            bytes: &self.literal[..end],
        }
    }

    /// What leads to the attributes, if it can have any.
    pub(super) fn attributes(&self) -> Option<Fork<'_>> {
        let start = usize::from(self.raw.di_forkoff) * 8;
        (start != 0).then(|| Fork {
            format: self.raw.di_aformat,
            extents: match self.has_large_counts() {
                true => self.raw.di_nextents.get().into(),
                false => self.raw.di_anextents.get().into(),
            },
            bytes: &self.literal[start..],
        })
    }

    /// As IRIX stores it: 14 bits and 18.
    fn device(&self) -> (u32, u32) {
        let number = match self.raw.di_format {
            FMT_DEV => u32_at(&self.literal, 0).unwrap_or_default(),
            _ => 0,
        };
        ((number >> 18) & 0x3FFF, number & 0x3_FFFF)
    }

    pub(super) fn node(&self) -> Result<Node> {
        let mode = self.raw.di_mode.get();
        let kind = NodeKind::from_mode(mode, || self.device());
        let kind = kind.ok_or_else(|| self.corrupt(format!("its mode is {mode:o}")))?;
        let size = match kind {
            NodeKind::Directory | NodeKind::File | NodeKind::Symlink => self.size(),
            _ => 0,
        };
        if i64::try_from(size).is_err() {
            return Err(self.corrupt(format!("it has {size} bytes")));
        }
        let links = match self.raw.di_version {
            1 => self.raw.di_onlink.get().into(),
            _ => self.raw.di_nlink.get(),
        };
        Ok(Node {
            permissions: Some(mode & 0o7777),
            owner: Some((self.raw.di_uid.get(), self.raw.di_gid.get())),
            links: Some(links),
            modified: Some(self.modified()),
            ..Node::new(self.number, kind, size)
        })
    }

    /// Seconds and nanoseconds in 32 bits each, or nanoseconds since the earliest such time.
    fn modified(&self) -> Timestamp {
        let stored = self.raw.di_mtime.get();
        if self.raw.di_flags2.get() & DIFLAG2_BIGTIME != 0 {
            return Timestamp {
                seconds: BIGTIME_START + (stored / NANOSECONDS) as i64,
                nanoseconds: (stored % NANOSECONDS) as u32,
            };
        }
        Timestamp {
            seconds: i64::from((stored >> 32) as i32),
            nanoseconds: (stored as u32).min(999_999_999),
        }
    }
}
