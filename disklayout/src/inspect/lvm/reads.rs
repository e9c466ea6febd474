//! Reads that tell what couldn't be read, and LVM's checksum.

use zerocopy::{FromBytes, IntoBytes};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::volume::lvm::format::INITIAL_CRC;

/// The `len` bytes of `disk` from `offset`, which are `place`.
pub(super) fn bytes(disk: &dyn Disk, place: &str, offset: u64, len: usize) -> Result<Vec<u8>> {
    let end = offset.checked_add(len as u64);
    if end.is_none_or(|end| end > disk.len()) {
        let message = format!(
            "{len} bytes at {offset} lie behind the end at {}",
            disk.len()
        );
        return Err(Error::corrupt(place, message));
    }
    let mut bytes = vec![0; len];
    disk.read_at(&mut bytes, offset)
        .map_err(|error| Error::io(place, "can't read it", error))?;
    Ok(bytes)
}

/// The structure at the start of `bytes`, and what is behind it.
pub(super) fn structure<'a, T>(place: &str, bytes: &'a [u8]) -> Result<(T, &'a [u8])>
where
    T: FromBytes + IntoBytes,
{
    T::read_from_prefix(bytes)
        .map_err(|_| Error::corrupt(place, "it ends in the middle of a structure"))
}

/// Compares a checksum with that of `pieces`.
pub(super) fn check(place: &str, stored: u32, pieces: &[&[u8]]) -> Result<()> {
    // Others invert before and behind; LVM does neither.
    let mut hasher = crc32fast::Hasher::new_with_initial(!INITIAL_CRC);
    pieces.iter().for_each(|piece| hasher.update(piece));
    let computed = !hasher.finalize();
    if stored == computed {
        return Ok(());
    }
    let message = format!("it has the checksum {stored:08x} instead of {computed:08x}");
    Err(Error::corrupt(place, message))
}
