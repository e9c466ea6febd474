//! Reads images back: those without a parent whose log is empty.

mod blocks;
mod header;
mod metadata;
mod regions;

use std::io;

use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::format::*;
use crate::container::read::{Read, damaged};
use crate::disk::Disk;
use blocks::Blocks;
use metadata::Metadata;
use regions::Regions;

/// The disk in `file`, if that is an image.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let mut signature = [0; FILE_SIGNATURE.len()];
    if file.len() < signature.len() as u64 {
        return Ok(None);
    }
    file.read_at(&mut signature, 0)?;
    if signature != FILE_SIGNATURE {
        return Ok(None);
    }
    header::check_log(file, &header::current(file)?)?;
    let regions = Regions::of(file)?;
    let metadata = Metadata::of(file, &regions.metadata)?;
    let table = metadata.table()?;
    let blocks = Blocks::of(table, &regions.bat)?;
    Ok(Some(Box::new(Read::new(file, table.size, blocks))))
}

/// The structure at `offset`.
fn structure<T: FromZeros + FromBytes + IntoBytes>(
    file: &dyn Disk,
    offset: u64,
    what: &str,
) -> io::Result<T> {
    let mut found = T::new_zeroed();
    read_exact(file, found.as_mut_bytes(), offset, what)?;
    Ok(found)
}

/// Fills `buf` from `offset`. What leaves the file is damage of the image.
fn read_exact(file: &dyn Disk, buf: &mut [u8], offset: u64, what: &str) -> io::Result<()> {
    let end = offset.checked_add(buf.len() as u64);
    if end.is_none_or(|end| end > file.len()) {
        return Err(damaged(format!("{what} is outside of the file")));
    }
    file.read_at(buf, offset)
}
