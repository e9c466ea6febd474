//! Bytes that lie here and there on a disk, kept until they are all there: in memory, and beyond a
//! limit in a scratch file.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::scratch::{MakeFile, Scratch};

/// No page is larger.
const PAGE_MAX: u64 = 64 << 10;

/// So many bytes at most are kept in memory.
const IN_MEMORY: u64 = 16 << 20;

/// A disk of any length of which only pages exist that were written to.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    /// Bytes of a page, each of which is at a multiple of it.
    size: u64,
    scratch: Scratch<'a>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    pages: BTreeMap<u64, Slot>,
    in_memory: u64,
    /// Places in the file that aren't used any more.
    free: Vec<u64>,
}

/// Where a page is.
#[derive(Debug)]
enum Slot {
    Memory(Box<[u8]>),
    File(u64),
}

impl<'a> Pages<'a> {
    /// No page belongs to two stretches of `unit` bytes.
    pub(super) fn new(unit: u64, make: &'a MakeFile<'a>) -> Self {
        Self {
            size: unit.min(PAGE_MAX),
            scratch: Scratch::new(make),
            inner: Mutex::default(),
        }
    }

    /// Fills `buf` from `offset`; what was never written is zero.
    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let inner = self.lock();
        for (page, within, range) in pieces(self.size, offset, buf.len()) {
            let target = &mut buf[range];
            match inner.pages.get(&page) {
                Some(Slot::Memory(bytes)) => {
                    target.copy_from_slice(&bytes[within..within + target.len()]);
                }
                Some(Slot::File(at)) => self.scratch.read(target, at + within as u64)?,
                None => target.fill(0),
            }
        }
        Ok(())
    }

    /// Keeps `buf` for `offset`.
    pub(super) fn write(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut inner = self.lock();
        for (page, within, range) in pieces(self.size, offset, buf.len()) {
            let bytes = &buf[range];
            match inner.slot(page, self)? {
                Slot::Memory(kept) => kept[within..within + bytes.len()].copy_from_slice(bytes),
                Slot::File(at) => self.scratch.write(bytes, *at + within as u64)?,
            }
        }
        Ok(())
    }

    /// Forgets all pages that begin in the `len` bytes from `start`.
    pub(super) fn forget(&self, start: u64, len: u64) {
        let mut inner = self.lock();
        let range = start.div_ceil(self.size)..start.saturating_add(len).div_ceil(self.size);
        let gone: Vec<_> = inner.pages.range(range).map(|(page, _)| *page).collect();
        for page in gone {
            match inner.pages.remove(&page) {
                Some(Slot::Memory(_)) => inner.in_memory -= self.size,
                Some(Slot::File(at)) => inner.free.push(at),
                None => {}
            }
        }
    }

    /// Where the first page is that ends behind `offset`; the end of everything when there is none.
    pub(super) fn next(&self, offset: u64) -> u64 {
        let inner = self.lock();
        let next = inner.pages.range(offset / self.size..).next();
        next.map_or(u64::MAX, |(page, _)| page * self.size)
    }

    /// Where the first byte from `offset` on is that is in no page.
    pub(super) fn next_hole(&self, offset: u64) -> u64 {
        let inner = self.lock();
        let first = offset / self.size;
        let run = inner.pages.range(first..).zip(first..);
        let written = run.take_while(|((page, _), number)| *page == number);
        ((first + written.count() as u64) * self.size).max(offset)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The page of this number, made of zeroes if there is none.
    fn slot(&mut self, page: u64, all: &Pages<'_>) -> io::Result<&mut Slot> {
        if !self.pages.contains_key(&page) {
            let slot = self.empty(all)?;
            self.pages.insert(page, slot);
        }
        let slot = self.pages.get_mut(&page);
        slot.ok_or_else(|| io::Error::other("a page is gone"))
    }

    fn empty(&mut self, all: &Pages<'_>) -> io::Result<Slot> {
        let zeroes = vec![0; all.size as usize].into_boxed_slice();
        if self.in_memory < IN_MEMORY {
            self.in_memory += all.size;
            return Ok(Slot::Memory(zeroes));
        }
        let at = match self.free.pop() {
            Some(at) => at,
            None => all.scratch.reserve(all.size)?,
        };
        all.scratch.write(&zeroes, at)?;
        Ok(Slot::File(at))
    }
}

/// Cuts `count` bytes at `offset` at pages: number, start in the page, and which of the bytes.
fn pieces(
    size: u64,
    offset: u64,
    count: usize,
) -> impl Iterator<Item = (u64, usize, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % size) as usize;
        let len = (size as usize - within).min(count - done);
        let piece = (at / size, within, done..done + len);
        done += len;
        (len > 0).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = PAGE_MAX;

    #[test]
    fn what_is_beyond_memory_is_in_the_file_and_reads_the_same() {
        let make = || tempfile::tempfile();
        let pages = Pages::new(1 << 20, &make);
        let count = 3 * IN_MEMORY / PAGE;
        let at = |number: u64| number * 3 * PAGE + PAGE - 2;
        for round in 0..2 {
            for number in 0..count {
                let bytes = [number as u8, (number >> 8) as u8, 7, round];
                pages.write(&bytes, at(number)).unwrap();
            }
            for number in (0..count).rev() {
                let mut found = [1; 6];
                pages.read(&mut found, at(number) - 1).unwrap();
                let expected = [0, number as u8, (number >> 8) as u8, 7, round, 0];
                assert_eq!(found, expected);
            }
            // The first half is forgotten, and its room used again.
            pages.forget(0, at(count / 2));
            assert_eq!(pages.next(0), (at(count / 2) / PAGE + 1) * PAGE);
        }
        assert!(pages.lock().in_memory <= IN_MEMORY);
        assert_eq!(
            pages.next_hole(at(count - 1)),
            (at(count - 1) / PAGE + 2) * PAGE
        );
        assert_eq!(pages.next(at(count)), u64::MAX);
    }
}
