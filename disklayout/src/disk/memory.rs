//! Storage in memory: only the pages that were written exist.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

use super::{Disk, check_bounds};

const PAGE: u64 = 4096;

type Page = Box<[u8; PAGE as usize]>;

/// A sparse disk in memory, of any length.
#[derive(Debug)]
pub struct MemDisk {
    len: u64,
    pages: Mutex<BTreeMap<u64, Page>>,
}

impl MemDisk {
    /// A disk of `len` bytes that reads as zero.
    pub fn new(len: u64) -> Self {
        Self {
            len,
            pages: Mutex::default(),
        }
    }

    /// How many bytes of storage were ever written to, in whole 4 KiB pages.
    pub fn allocated(&self) -> u64 {
        self.lock().len() as u64 * PAGE
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Page>> {
        self.pages
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Cuts `count` bytes at `offset` at page boundaries: (page number, start in page, start, length).
fn pieces(offset: u64, count: usize) -> impl Iterator<Item = (u64, usize, usize, usize)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % PAGE) as usize;
        let length = (PAGE as usize - within).min(count - done);
        let piece = (at / PAGE, within, done, length);
        done += length;
        (length > 0).then_some(piece)
    })
}

impl Disk for MemDisk {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_bounds(self.len, offset, buf.len())?;
        let pages = self.lock();
        for (page, within, start, length) in pieces(offset, buf.len()) {
            let target = &mut buf[start..start + length];
            match pages.get(&page) {
                Some(page) => target.copy_from_slice(&page[within..within + length]),
                None => target.fill(0),
            }
        }
        Ok(())
    }

    fn next_data(&self, offset: u64) -> u64 {
        let pages = self.lock();
        let next = pages.range(offset / PAGE..).next();
        next.map_or(u64::MAX, |(page, _)| (page * PAGE).max(offset))
    }

    fn next_hole(&self, offset: u64) -> u64 {
        let pages = self.lock();
        let first = offset / PAGE;
        let run = pages.range(first..).zip(first..);
        let written = run.take_while(|((page, _), number)| *page == number);
        let end = (first + written.count() as u64) * PAGE;
        end.clamp(offset, self.len.max(offset))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_bounds(self.len, offset, buf.len())?;
        let mut pages = self.lock();
        for (page, within, start, length) in pieces(offset, buf.len()) {
            let page = pages
                .entry(page)
                .or_insert_with(|| Box::new([0; PAGE as usize]));
            page[within..within + length].copy_from_slice(&buf[start..start + length]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwritten_bytes_read_as_zero_and_writes_cross_pages() {
        let disk = MemDisk::new(1 << 40);
        disk.write_at(b"hello", (1 << 30) - 2).unwrap();
        let mut buf = [0xFF; 8];
        disk.read_at(&mut buf, (1 << 30) - 3).unwrap();
        assert_eq!(&buf, b"\0hello\0\0");
        assert_eq!(disk.allocated(), 2 * PAGE);
        let first = (1 << 30) - PAGE;
        assert_eq!(
            [0, first + 1].map(|at| disk.next_data(at)),
            [first, first + 1]
        );
        assert_eq!(disk.next_data((1 << 30) + PAGE), u64::MAX);
    }

    #[test]
    fn the_end_is_a_bound() {
        let disk = MemDisk::new(10);
        assert!(disk.write_at(&[1; 4], 6).is_ok());
        assert!(disk.write_at(&[1; 4], 7).is_err());
        assert!(disk.read_at(&mut [0; 1], u64::MAX).is_err());
    }
}
