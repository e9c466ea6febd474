//! Reads images back, as QEMU does.

use std::io;

use zerocopy::big_endian::U32;
use zerocopy::{FromZeros, IntoBytes};

use super::MOST;
use super::dynamic::bitmap_len;
use super::footer::size_of_disk;
use super::format::*;
use crate::container::read::{Find, Held, Read, Stretch, damaged, unsupported};
use crate::disk::Disk;

/// Blocks of this size at most are believed.
const BLOCK_MAX: u64 = 1 << 30;

/// So many entries of the table are read at once.
const ENTRIES: usize = 1024;

/// The disk in `file`, if that is an image.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let Some(footer) = footer_of(file)? else {
        return Ok(None);
    };
    let size = size_of_disk(&footer);
    if size > MOST {
        let message = format!("the disk has {size} bytes, and {MOST} (2040 GiB) are the most");
        return Err(damaged(message));
    }
    match footer.disk_type.get() {
        FIXED => Ok(Some(Box::new(Read::new(
            file,
            size,
            Fixed::of(file, size)?,
        )))),
        DYNAMIC => {
            let blocks = Blocks::of(file, &footer, size)?;
            Ok(Some(Box::new(Read::new(file, size, blocks))))
        }
        DIFFERENCING => Err(unsupported(
            "it is a differencing disk, which needs the image that it differs from: merge them first",
        )),
        other => Err(damaged(format!("{other} is no type of a disk"))),
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
        let sum = std::mem::take(&mut footer.checksum);
        if checksum(footer.as_bytes()) == sum.get() {
            return Ok(Some(footer));
        }
        spoilt = true;
    }
    match spoilt {
        true => Err(damaged("the footer has a wrong checksum")),
        false => Ok(None),
    }
}

/// The disk is the file without its footer.
#[derive(Debug)]
struct Fixed(u64);

impl Fixed {
    fn of(file: &dyn Disk, size: u64) -> io::Result<Self> {
        if size + SECTOR > file.len() {
            let message = format!("the disk has {size} bytes, and the file isn't as long");
            return Err(damaged(message));
        }
        Ok(Self(size))
    }
}

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
    /// How many blocks the disk has, and bytes of one.
    count: u64,
    block: u64,
}

impl Blocks {
    fn of(file: &dyn Disk, footer: &Footer, size: u64) -> io::Result<Self> {
        let header = header_of(file, footer)?;
        let block = u64::from(header.block_size.get());
        if !block.is_power_of_two() || !(SECTOR..=BLOCK_MAX).contains(&block) {
            return Err(damaged(format!("blocks have {block} bytes")));
        }
        let entries = u64::from(header.max_table_entries.get());
        let count = size.div_ceil(block);
        if count > entries {
            return Err(damaged(format!(
                "the table has {entries} entries, too few for {size} bytes"
            )));
        }
        let table = header.table_offset.get();
        let end = table.checked_add(entries * 4);
        if end.is_none_or(|end| end > file.len()) {
            return Err(damaged("the table is outside of the file"));
        }
        Ok(Self {
            table,
            count,
            block,
        })
    }

    fn held(&self, entry: U32) -> Held {
        match entry.get() {
            UNUSED => Held::Nothing,
            sector => Held::At(u64::from(sector) * SECTOR + bitmap_len(self.block)),
        }
    }
}

/// The header of a dynamic image.
fn header_of(file: &dyn Disk, footer: &Footer) -> io::Result<DynamicHeader> {
    let mut header = DynamicHeader::new_zeroed();
    file.read_at(header.as_mut_bytes(), footer.data_offset.get())
        .map_err(|_| damaged("the header is outside of the file"))?;
    if header.cookie != DYNAMIC_COOKIE {
        return Err(damaged("it has no header of a dynamic disk"));
    }
    let sum = std::mem::take(&mut header.checksum);
    match checksum(header.as_bytes()) == sum.get() {
        true => Ok(header),
        false => Err(damaged("the header has a wrong checksum")),
    }
}

impl Find for Blocks {
    /// Like QEMU, without the bitmaps: sectors that they say aren't there are zero in the file too.
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch> {
        let first = offset / self.block;
        let mut entries = [U32::ZERO; ENTRIES];
        let count = (self.count - first).min(ENTRIES as u64) as usize;
        let entries = &mut entries[..count];
        file.read_at(entries.as_mut_bytes(), self.table + first * 4)?;
        let held = entries.iter().map(|entry| self.held(*entry));
        Ok(Stretch::joined(first, self.block, held))
    }
}
