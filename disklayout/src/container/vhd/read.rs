//! Reads images back, as QEMU does.

use std::io;
use std::ops::Range;

use zerocopy::{FromZeros, IntoBytes};

use super::dynamic::bitmap_len;
use super::footer::size_of_disk;
use super::format::*;
use crate::container::read::{Find, Held, Read, Stretch, damaged};
use crate::disk::Disk;

/// Blocks of this size at most are believed.
const BLOCK_MAX: u64 = 1 << 30;

/// The disk in `file`, if that is an image.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let Some(footer) = footer_of(file)? else {
        return Ok(None);
    };
    let size = size_of_disk(&footer);
    match footer.disk_type.get() {
        FIXED => Ok(Some(Box::new(Read::new(file, size, Fixed(size))))),
        DYNAMIC => {
            let blocks = Blocks::of(file, &footer, size)?;
            Ok(Some(Box::new(Read::new(file, size, blocks))))
        }
        4 => {
            let message = "it is a differencing VHD, which needs the image that it differs from";
            Err(io::Error::new(io::ErrorKind::Unsupported, message))
        }
        other => Err(damaged(format!("{other} is no type of a VHD"))),
    }
}

/// The footer, or its copy at the beginning where there is none at the end.
fn footer_of(file: &dyn Disk) -> io::Result<Option<Footer>> {
    let Some(end) = file.len().checked_sub(SECTOR) else {
        return Ok(None);
    };
    let mut spoilt = false;
    for offset in [end, 0] {
        let mut footer = Footer::new_zeroed();
        file.read_at(footer.as_mut_bytes(), offset)?;
        let is_copy_of_fixed = offset == 0 && footer.disk_type.get() == FIXED;
        if footer.cookie != COOKIE || is_copy_of_fixed {
            continue;
        }
        let sum = footer.checksum.get();
        footer.checksum.set(0);
        if checksum(footer.as_bytes()) == sum {
            return Ok(Some(footer));
        }
        spoilt = true;
    }
    match spoilt {
        true => Err(damaged("the footer of the VHD has a wrong checksum")),
        false => Ok(None),
    }
}

/// The disk is the file without its footer.
#[derive(Debug)]
struct Fixed(u64);

impl Find for Fixed {
    fn find(&self, _: &dyn Disk, _: u64) -> io::Result<Stretch> {
        Ok(Stretch {
            range: 0..self.0,
            held: Held::At(0),
        })
    }
}

/// Where the blocks are.
#[derive(Debug)]
struct Blocks {
    table: u64,
    block: u64,
}

impl Blocks {
    fn of(file: &dyn Disk, footer: &Footer, size: u64) -> io::Result<Self> {
        let mut header = DynamicHeader::new_zeroed();
        file.read_at(header.as_mut_bytes(), footer.data_offset.get())
            .map_err(|_| damaged("the header of the VHD is outside of the file"))?;
        let block = u64::from(header.block_size.get());
        if header.cookie != DYNAMIC_COOKIE {
            return Err(damaged("the VHD has no header of a dynamic disk"));
        }
        if !block.is_power_of_two() || !(SECTOR..=BLOCK_MAX).contains(&block) {
            return Err(damaged(format!("blocks of the VHD have {block} bytes")));
        }
        let entries = u64::from(header.max_table_entries.get());
        if size.div_ceil(block) > entries {
            return Err(damaged(format!(
                "the table of the VHD has {entries} entries, too few for {size} bytes"
            )));
        }
        let table = header.table_offset.get();
        let end = table.checked_add(entries * 4);
        if end.is_none_or(|end| end > file.len()) {
            return Err(damaged("the table of the VHD is outside of the file"));
        }
        Ok(Self { table, block })
    }

    /// The place of a block's bytes, if it is there.
    fn place(&self, file: &dyn Disk, number: u64) -> io::Result<Option<u64>> {
        let mut entry = [0; 4];
        file.read_at(&mut entry, self.table + number * 4)?;
        let sector = u32::from_be_bytes(entry);
        let place = u64::from(sector) * SECTOR + bitmap_len(self.block);
        Ok((sector != UNUSED).then_some(place))
    }
}

impl Find for Blocks {
    /// Sectors of which the bitmap says that they aren't there are zero in the file too.
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch> {
        let number = offset / self.block;
        let start = number * self.block;
        let range: Range<u64> = start..start + self.block;
        let place = self.place(file, number)?;
        let held = place.map_or(Held::Nothing, Held::At);
        Ok(Stretch { range, held })
    }
}
