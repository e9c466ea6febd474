//! Writes data without its zeroes: what was never written reads as zero anyway.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::Disk;

/// Zeroes become a hole where they fill a stretch of this size, at a multiple of it on the disk.
/// Smaller ones would cost more writes than they save.
const HOLE: usize = 64 << 10;

/// A buffer of this size stays in the processor's cache between reading and writing.
const BUFFER: u64 = 256 << 10;

/// Writes `bytes` at `offset` of a disk that reads as zero there, but no long stretches of zeroes.
///
/// # Errors
/// What the disk says.
pub fn write_data<D: Disk + ?Sized>(disk: &D, bytes: &[u8], offset: u64) -> io::Result<()> {
    let to_boundary = HOLE - (offset % HOLE as u64) as usize;
    let (head, rest) = bytes.split_at(to_boundary.min(bytes.len()));
    let (mut start, mut end) = (0, 0);
    for stretch in std::iter::once(head).chain(rest.chunks(HOLE)) {
        if is_zero(stretch) {
            write_some(disk, &bytes[start..end], offset + start as u64)?;
            start = end + stretch.len();
        }
        end += stretch.len();
    }
    write_some(disk, &bytes[start..end], offset + start as u64)
}

fn write_some<D: Disk + ?Sized>(disk: &D, bytes: &[u8], offset: u64) -> io::Result<()> {
    match bytes.is_empty() {
        true => Ok(()),
        false => disk.write_at(bytes, offset),
    }
}

/// Copies `len` bytes of `source` from `from` to `offset` of a disk that reads as zero there.
pub(super) fn copy_through_buffer<D: Disk + ?Sized>(
    disk: &D,
    source: &File,
    from: u64,
    offset: u64,
    len: u64,
) -> io::Result<()> {
    let mut buffer = vec![0; len.min(BUFFER) as usize];
    let mut done = 0;
    while done < len {
        let bytes = &mut buffer[..(len - done).min(BUFFER) as usize];
        source.read_exact_at(bytes, from + done)?;
        write_data(disk, bytes, offset + done)?;
        done += bytes.len() as u64;
    }
    Ok(())
}

/// Whether all is zero. Within a chunk there is no way out early, which lets the processor look
/// at many bytes at once.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(4096)
        .all(|chunk| chunk.iter().fold(0, |all, byte| all | byte) == 0)
}

/// Writes zeroes where nothing was written of `range`.
pub(crate) fn fill_holes(disk: &dyn Disk, range: &Range<u64>) -> io::Result<()> {
    const PIECE: u64 = 1 << 20;
    let zeroes = vec![0; PIECE.min(range.end - range.start) as usize];
    let mut at = range.start;
    while at < range.end {
        let data = disk.next_data(at).min(range.end);
        while at < data {
            let count = (data - at).min(PIECE);
            disk.write_at(&zeroes[..count as usize], at)?;
            at += count;
        }
        at = disk.next_hole(at);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;

    #[test]
    fn whole_stretches_of_zeroes_are_left_out() {
        const K: usize = 1 << 10;
        for (offset, len, data, allocated) in [
            (0, 0, vec![], 0),
            (0, 300 * K, vec![], 0),
            (0, 300 * K, vec![0], 64),
            (4 * K, 300 * K, vec![0], 60),
            (0, 300 * K, vec![299 * K], 44),
            (0, 256 * K, vec![63 * K, 192 * K], 128),
            (0, 256 * K, vec![64 * K, 191 * K], 128),
            (4 * K, 4 * K, vec![17], 4),
        ] {
            let mut bytes = vec![0; len];
            data.iter().for_each(|&at| bytes[at] = 1);
            let disk = MemDisk::new(1 << 30);
            write_data(&disk, &bytes, offset as u64).unwrap();
            let mut read = vec![1; len];
            disk.read_at(&mut read, offset as u64).unwrap();
            assert!(read == bytes, "{offset} {len} {data:?}");
            let found = disk.allocated() / K as u64;
            assert_eq!(found, allocated, "{offset} {len} {data:?}");
        }
    }
}
