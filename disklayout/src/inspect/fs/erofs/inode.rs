//! Inodes, compact and extended, and where their data is.

use crate::error::{Error, Result};
use crate::fs::erofs::format::{
    EROFS_CHUNK_FORMAT_BLKBITS_MASK, EROFS_I_DATALAYOUT_BIT, EROFS_I_EXTENDED,
    EROFS_INODE_CHUNK_BASED, EROFS_INODE_FLAT_INLINE, EROFS_INODE_FLAT_PLAIN, EROFS_NULL_ADDR,
    InodeCompact, InodeExtended, XattrIbodyHeader,
};
use crate::identity::Timestamp;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::erofs::Erofs;
use crate::inspect::fs::node::{Node, NodeKind, linux_device};

/// Chunks are described by inodes of 8 bytes instead of addresses of 4.
const CHUNK_INDEXES: u32 = 0x20;

/// An inode of either version.
#[derive(Debug)]
pub(super) struct Inode {
    nid: u64,
    layout: u16,
    mode: u16,
    size: u64,
    /// `i_u`: the first block, the number of a device, or the format of chunks.
    start: u32,
    owner: (u32, u32),
    links: u32,
    time: Timestamp,
    /// Where attributes are, and how many bytes they have.
    pub(super) xattrs: (u64, u64),
}

impl Erofs<'_> {
    pub(super) fn inode(&self, nid: u64) -> Result<Inode> {
        let place = format!("inode {nid}");
        let at = self.superblock.inode(nid).unwrap_or(u64::MAX);
        let compact: InodeCompact = self.area.structure(&place, at)?;
        let format = compact.i_format.get();
        let xattrs = match compact.i_xattr_icount.get() {
            0 => 0,
            count => size_of::<XattrIbodyHeader>() as u64 + u64::from(count - 1) * 4,
        };
        let layout = (format >> EROFS_I_DATALAYOUT_BIT) & 7;
        if format & EROFS_I_EXTENDED == 0 {
            return Ok(Inode {
                nid,
                layout,
                mode: compact.i_mode.get(),
                size: compact.i_size.get().into(),
                start: compact.i_u.get(),
                owner: (compact.i_uid.get().into(), compact.i_gid.get().into()),
                links: compact.i_nlink.get().into(),
                time: self.superblock.time,
                xattrs: (at + size_of::<InodeCompact>() as u64, xattrs),
            });
        }
        let inode: InodeExtended = self.area.structure(&place, at)?;
        Ok(Inode {
            nid,
            layout,
            mode: inode.i_mode.get(),
            size: inode.i_size.get(),
            start: inode.i_u.get(),
            owner: (inode.i_uid.get(), inode.i_gid.get()),
            links: inode.i_nlink.get(),
            time: Timestamp {
                seconds: inode.i_mtime.get() as i64,
                nanoseconds: inode.i_mtime_nsec.get().min(999_999_999),
            },
            xattrs: (at + size_of::<InodeExtended>() as u64, xattrs),
        })
    }
}

impl Inode {
    pub(super) fn place(&self) -> String {
        format!("inode {}", self.nid)
    }

    pub(super) fn corrupt(&self, message: impl Into<String>) -> Error {
        Error::corrupt(self.place(), message)
    }

    pub(super) fn node(&self, _: &Erofs<'_>) -> Result<Node> {
        let mode = self.mode;
        let kind = NodeKind::from_mode(mode, || linux_device(self.start));
        let kind = kind.ok_or_else(|| self.corrupt(format!("its mode is {mode:o}")))?;
        let has_data = matches!(
            kind,
            NodeKind::Directory | NodeKind::File | NodeKind::Symlink
        );
        Ok(Node {
            permissions: Some(mode & 0o7777),
            owner: Some(self.owner),
            links: Some(self.links),
            modified: Some(self.time),
            ..Node::new(self.nid, kind, if has_data { self.size } else { 0 })
        })
    }

    /// Where the bytes are.
    pub(super) fn data(&self, erofs: &Erofs<'_>) -> Result<Data> {
        let block = erofs.superblock.block_size;
        let mut data = Data::new(self.size);
        let start = u64::from(self.start) * block;
        match self.layout {
            EROFS_INODE_FLAT_PLAIN if self.size == 0 => {}
            EROFS_INODE_FLAT_PLAIN => {
                data.push(&erofs.area, &self.place(), (0, self.size, start))?;
            }
            EROFS_INODE_FLAT_INLINE => {
                let whole = self.size / block * block;
                if whole > 0 {
                    data.push(&erofs.area, &self.place(), (0, whole, start))?;
                }
                let (xattrs, len) = self.xattrs;
                let tail = self.size - whole;
                data.push(&erofs.area, &self.place(), (whole, tail, xattrs + len))?;
            }
            EROFS_INODE_CHUNK_BASED => self.chunks(erofs, &mut data)?,
            layout => {
                let message = format!("its data is compressed (layout {layout})");
                return Err(Error::unsupported(self.place(), message));
            }
        }
        Ok(data)
    }

    fn chunks(&self, erofs: &Erofs<'_>, data: &mut Data) -> Result<()> {
        let bits = self.start & EROFS_CHUNK_FORMAT_BLKBITS_MASK;
        let chunk = erofs.superblock.block_size.checked_shl(bits);
        let chunk = chunk.filter(|chunk| *chunk >> bits == erofs.superblock.block_size);
        let chunk = chunk.ok_or_else(|| self.corrupt(format!("chunks of 2^{bits} blocks")))?;
        let entry = if self.start & CHUNK_INDEXES != 0 {
            8
        } else {
            4
        };
        let (xattrs, len) = self.xattrs;
        let table = (xattrs + len).next_multiple_of(entry);
        let count = self.size.div_ceil(chunk);
        if !erofs.area.holds(table, count.saturating_mul(entry)) {
            return Err(self.corrupt(format!("{count} chunks")));
        }
        for index in 0..count {
            let at = table + index * entry;
            let mut bytes = [0; 4];
            // Behind the device's number, which is zero where there is one device only.
            erofs.area.fill(self.place(), at + entry - 4, &mut bytes)?;
            let address = u32::from_le_bytes(bytes);
            if address == EROFS_NULL_ADDR {
                continue;
            }
            let logical = index * chunk;
            let len = chunk.min(self.size - logical);
            let start = u64::from(address) * erofs.superblock.block_size;
            data.push(&erofs.area, &self.place(), (logical, len, start))?;
        }
        Ok(())
    }
}
