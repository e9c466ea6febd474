//! Reads images back.

use std::io;

use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use crate::container::read::{Find, Held, Read, Stretch, damaged, unsupported};
use crate::disk::Disk;

/// Blocks of this size at most are believed.
const BLOCK_MAX: u64 = 1 << 30;

/// The disk in `file`, if that is an image.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let mut header = Header::new_zeroed();
    let len = file.len().min(SECTOR) as usize;
    file.read_at(&mut header.as_mut_bytes()[..len], 0)?;
    if header.signature.get() != SIGNATURE {
        return Ok(None);
    }
    let map = Map::of(file, &header)?;
    Ok(Some(Box::new(Read::new(file, header.disk_size.get(), map))))
}

/// Where the blocks are.
#[derive(Debug)]
struct Map {
    offset: u64,
    data: u64,
    block: u64,
    /// Bytes in front of each block that aren't of the disk.
    extra: u64,
}

impl Map {
    fn of(file: &dyn Disk, header: &Header) -> io::Result<Self> {
        let version = header.version.get();
        if version >> 16 != VERSION >> 16 {
            let message = format!("version {}.{} isn't known", version >> 16, version & 0xFFFF);
            return Err(unsupported(message));
        }
        if ![DYNAMIC, STATIC].contains(&header.image_type.get()) || header.uuid_parent != [0; 16] {
            let message = "it holds differences only, which needs the image that it differs from";
            return Err(unsupported(message));
        }
        let block = u64::from(header.block_size.get());
        if !block.is_power_of_two() || !(SECTOR..=BLOCK_MAX).contains(&block) {
            return Err(damaged(format!("blocks have {block} bytes")));
        }
        let blocks = u64::from(header.blocks.get());
        if header.disk_size.get().div_ceil(block) > blocks {
            let message = format!("it has {blocks} blocks, too few for its disk");
            return Err(damaged(message));
        }
        let offset = u64::from(header.map_offset.get());
        if offset + blocks * 4 > file.len() {
            return Err(damaged("the map is outside of the file"));
        }
        Ok(Self {
            offset,
            data: header.data_offset.get().into(),
            block,
            extra: header.block_extra.get().into(),
        })
    }
}

impl Find for Map {
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch> {
        let number = offset / self.block;
        let start = number * self.block;
        let mut entry = [0; 4];
        file.read_at(&mut entry, self.offset + number * 4)?;
        let held = match u32::from_le_bytes(entry) {
            FREE | ZERO => Held::Nothing,
            place => {
                let stride = self.extra + self.block;
                let place = u64::from(place).saturating_mul(stride);
                Held::At(place.saturating_add(self.data + self.extra))
            }
        };
        Ok(Stretch {
            range: start..start + self.block,
            held,
        })
    }
}
