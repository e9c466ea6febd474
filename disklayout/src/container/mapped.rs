//! An image file in which every unit of the disk that holds anything has a place of its own, so that
//! bytes go there from any thread, in any order.
//!
//! All but the data of files comes first and is kept in pages; then it is known which units there
//! are, and all around them is written at once.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::OnceLock;

use super::pages::Pages;
use super::runs::Runs;
use super::scratch::MakeFile;
use super::units::{Order, Units, allow_zeroes};
use super::zeroes::Zeroes;
use super::{Container, TargetFile};
use crate::disk::{Coming, Disk, SparseFile, check_range, write_data};

/// How much is moved from pages into the file at once.
const PIECE: usize = 256 << 10;

/// Where the units are in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Where the first unit begins.
    pub first: u64,
    /// How far the beginnings of two units that follow each other are apart.
    pub stride: u64,
    /// How long the file is.
    pub len: u64,
}

/// What decides where units go.
pub(super) trait Place: Debug + Sync {
    /// The places of these units, and with them all else in the file. Of the others, `zeroes` must
    /// read as zero.
    fn place(&self, units: &Runs, zeroes: &Zeroes) -> io::Result<Places>;

    /// Writes what is around the units. What is zero may be left out.
    fn write_around(&self, units: &Runs, zeroes: &Zeroes, file: &File) -> io::Result<()>;
}

/// A disk whose units have their places.
#[derive(Debug)]
pub(super) struct Mapped<'a, P> {
    units: Units,
    place: P,
    file: TargetFile,
    pages: Pages<'a>,
    /// Set when all but the data of files has come.
    map: OnceLock<Map>,
}

#[derive(Debug)]
struct Map {
    file: SparseFile,
    runs: Runs,
    first: u64,
    stride: u64,
}

impl<'a, P: Place> Mapped<'a, P> {
    /// A disk in `file`.
    pub(super) fn new(units: Units, place: P, file: TargetFile, make: &'a MakeFile<'a>) -> Self {
        Self {
            units,
            place,
            file,
            pages: Pages::new(units.size, make),
            map: OnceLock::new(),
        }
    }

    /// Where stretches of the disk are in the file, as long as they lie side by side there, if they
    /// are in it.
    fn stretches<'m>(
        &self,
        map: &'m Map,
        offset: u64,
        len: u64,
    ) -> impl Iterator<Item = (Range<u64>, Option<u64>)> + use<'m, P> {
        let (units, end) = (self.units, offset + len);
        let mut at = offset;
        std::iter::from_fn(move || {
            let start = at;
            let unit = start / units.size;
            (start < end).then(|| {
                let found = map.runs.rank(unit);
                let joined = found.filter(|_| map.stride == units.size);
                let count = joined.map_or(1, |(_, count)| count);
                at = end.min((unit + count).saturating_mul(units.size));
                let within = start - unit * units.size;
                let place = found.map(|(rank, _)| map.first + rank * map.stride + within);
                (start..at, place)
            })
        })
    }

    /// Moves what is in the pages to where it belongs.
    fn settle_pages(&self, map: &Map) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        let mut at = self.pages.next(0);
        while at < self.units.disk {
            let hole = self.pages.next_hole(at).min(self.units.disk);
            let count = (hole - at).min(PIECE as u64);
            let bytes = &mut buffer[..count as usize];
            self.pages.read(bytes, at)?;
            self.put(map, bytes, at)?;
            self.pages.forget(at, count);
            at = self.pages.next(at + count);
        }
        Ok(())
    }

    fn put(&self, map: &Map, buf: &[u8], offset: u64) -> io::Result<()> {
        for (range, to) in self.stretches(map, offset, buf.len() as u64) {
            let bytes = &buf[(range.start - offset) as usize..(range.end - offset) as usize];
            match to {
                Some(to) => write_data(&map.file, bytes, to)?,
                None => allow_zeroes(bytes, range.start)?,
            }
        }
        Ok(())
    }
}

impl<P: Place> Disk for Mapped<'_, P> {
    fn len(&self) -> u64 {
        self.units.disk
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_range(self.units.disk, offset, buf.len() as u64)?;
        let Some(map) = self.map.get() else {
            return self.pages.read(buf, offset);
        };
        buf.fill(0);
        for (range, from) in self.stretches(map, offset, buf.len() as u64) {
            // What has no place reads as zero.
            let Some(from) = from else { continue };
            let bytes = (range.start - offset) as usize..(range.end - offset) as usize;
            map.file.read_at(&mut buf[bytes], from)?;
        }
        Ok(())
    }

    fn next_data(&self, offset: u64) -> u64 {
        self.pages.next(offset).max(offset)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        let end = self.units.disk.max(offset);
        self.pages.next_hole(offset).min(end)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_range(self.units.disk, offset, buf.len() as u64)?;
        match self.map.get() {
            None => self.pages.write(buf, offset),
            Some(map) => self.put(map, buf, offset),
        }
    }

    fn wants_expectations(&self) -> bool {
        true
    }

    fn expect(&self, coming: &Coming<'_>) -> io::Result<()> {
        let order = Order::new(self.units, &self.pages, coming.data);
        let runs = Runs::of(self.units, &order);
        let zeroes = Zeroes::of(self.units, coming.zeroes);
        let places = self.place.place(&runs, &zeroes)?;
        let file = self.file.sparse(places.len)?;
        self.place.write_around(&runs, &zeroes, file.file())?;
        let map = self.map.get_or_init(|| Map {
            file,
            runs,
            first: places.first,
            stride: places.stride,
        });
        self.settle_pages(map)
    }

    fn settle(&self, offset: u64, len: u64) {
        let Some(map) = self.map.get() else { return };
        for (range, to) in self.stretches(map, offset, len.min(self.units.disk - offset)) {
            if let Some(to) = to {
                map.file.settle(to, range.end - range.start);
            }
        }
    }

    fn copies_files(&self) -> bool {
        true
    }

    fn copy_from(&self, source: &File, from: u64, offset: u64, len: u64) -> io::Result<()> {
        check_range(self.units.disk, offset, len)?;
        let map = self.map.get().ok_or_else(|| unexpected(offset))?;
        for (range, to) in self.stretches(map, offset, len) {
            let to = to.ok_or_else(|| unexpected(range.start))?;
            let from = from + (range.start - offset);
            map.file
                .copy_from(source, from, to, range.end - range.start)?;
        }
        Ok(())
    }
}

impl<P: Place> Container for Mapped<'_, P> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        match self.map.get() {
            Some(_) => Ok(()),
            None => self.expect(&Coming::default()),
        }
    }
}

fn unexpected(offset: u64) -> io::Error {
    io::Error::other(format!("the byte at {offset} wasn't expected"))
}
