//! Where the bytes of a file are.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::inspect::fs::btrfs::Btrfs;
use crate::inspect::fs::btrfs::format::{
    EXTENT_DATA, EXTENT_INLINE, EXTENT_REGULAR, EXTENT_RESERVED, ExtentPlace, FileExtent,
};
use crate::inspect::fs::btrfs::key::Key;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::node::{Node, NodeKind};
use crate::inspect::fs::packed::{Packed, Packing};

/// What is compressed at once has no more bytes, before and after.
const PACKED_MAX: u64 = 128 << 10;

struct Extents<'a, 'b> {
    btrfs: &'a Btrfs<'b>,
    place: String,
    data: Data,
}

/// The data of a file, or the target of a link.
pub(super) fn data(btrfs: &Btrfs<'_>, node: &Node) -> Result<Data> {
    let subvolume = btrfs.subvolume_of(node)?;
    let mut extents = Extents {
        btrfs,
        place: node.place(),
        data: Data::new(node.size),
    };
    let mut range = Key::all(node.number, EXTENT_DATA);
    if node.kind == NodeKind::Symlink {
        // A target is in one item.
        range.1 = range.0;
    }
    btrfs.nodes.each(subvolume.tree, range, &mut |key, item| {
        extents.add(key.offset, item)?;
        Ok(true)
    })?;
    Ok(extents.data)
}

impl Extents<'_, '_> {
    fn wrong(&self, message: impl Into<String>) -> Error {
        Error::corrupt(&*self.place, message)
    }

    /// Adds what an item tells of the bytes from `logical` on.
    fn add(&mut self, logical: u64, item: &[u8]) -> Result<()> {
        let short = || self.wrong("an extent of it exceeds its item");
        let (head, behind) = FileExtent::read_from_prefix(item).map_err(|_| short())?;
        let packing = match head.compression {
            0 => None,
            1 => Some(Packing::Zlib),
            2 => Some(Packing::Lzo {
                sector: self.btrfs.sector,
            }),
            3 => Some(Packing::Zstd),
            other => return Err(self.unsupported(format!("it is compressed by method {other}"))),
        };
        if head.encryption != 0 || head.other_encoding.get() != 0 {
            return Err(self.unsupported("it is encrypted or encoded".to_owned()));
        }
        let unpacked = head.ram_bytes.get();
        if packing.is_some() && unpacked > PACKED_MAX {
            return Err(self.wrong(format!("{unpacked} bytes that were compressed at once")));
        }
        match head.kind {
            EXTENT_INLINE => self.add_inline(logical, behind, packing, unpacked),
            EXTENT_RESERVED => Ok(()),
            EXTENT_REGULAR => {
                let (at, _) = ExtentPlace::read_from_prefix(behind).map_err(|_| short())?;
                self.add_regular(logical, &at, packing, unpacked)
            }
            kind => Err(self.wrong(format!("an extent of it is of the kind {kind}"))),
        }
    }

    fn unsupported(&self, message: String) -> Error {
        Error::unsupported(&*self.place, message)
    }

    fn add_inline(
        &mut self,
        logical: u64,
        bytes: &[u8],
        packing: Option<Packing>,
        unpacked: u64,
    ) -> Result<()> {
        if logical != 0 {
            return Err(self.wrong(format!("an extent at {logical} is in its item")));
        }
        let bytes = match packing {
            None => bytes.to_vec(),
            Some(packing) => packing.unpack(&self.place, bytes, unpacked as usize)?,
        };
        self.data.put_inline(bytes);
        Ok(())
    }

    fn add_regular(
        &mut self,
        logical: u64,
        at: &ExtentPlace,
        packing: Option<Packing>,
        unpacked: u64,
    ) -> Result<()> {
        let (start, len) = (at.disk_bytenr.get(), at.num_bytes.get());
        // A hole.
        if start == 0 {
            return Ok(());
        }
        let skip = at.offset.get();
        let sector = u64::from(self.btrfs.sector);
        if [logical, skip, len].iter().any(|bytes| bytes % sector != 0) {
            let message = format!("{len} bytes at {skip} of an extent are its byte {logical}");
            return Err(self.wrong(message));
        }
        let (area, chunks) = (&self.btrfs.nodes.area, &self.btrfs.nodes.chunks);
        let Some(packing) = packing else {
            let first = start.checked_add(skip);
            let first = first.ok_or_else(|| self.wrong("an extent of it is behind all places"))?;
            let place = chunks.place(&self.place, first, len)?;
            return self.data.push(area, &self.place, (logical, len, place));
        };
        let stored = at.disk_num_bytes.get();
        let end = skip.checked_add(len);
        if stored > PACKED_MAX || end.is_none_or(|end| end > unpacked) {
            let message = format!("{len} bytes at {skip} of {unpacked} compressed to {stored}");
            return Err(self.wrong(message));
        }
        let packed = Packed {
            packing,
            at: chunks.place(&self.place, start, stored)?,
            // Limited above.
            len: stored as u32,
            unpacked: unpacked as u32,
            skip: skip as u32,
        };
        self.data
            .push_packed(area, &self.place, (logical, len), packed)
    }
}
