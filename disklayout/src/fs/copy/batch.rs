//! Copies what can be read in any order, in batches of neighbours on the disk.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use super::part::{self, Origin, Part, RandomPart};
use super::progress::{Amount, Meter};
use super::{BATCH, Job, Pieces};
use crate::error::{Error, Result};

/// So many parts at most are read for one write, that threads end at about the same time.
const PARTS: usize = 256;

/// So many parts at least are put in the order of the disk at a time, in which files mostly are.
const SORTED: usize = 1 << 14;

/// Parts in the order of the disk, of which every thread takes the next batch.
pub(super) struct Queue<'a>(Mutex<Left<'a>>);

/// What hasn't been taken yet.
struct Left<'a> {
    pieces: Pieces<'a>,
    /// The parts of the pieces before those.
    sorted: Vec<RandomPart<'a>>,
    /// The first of them that is left.
    next: usize,
    /// How much of that part has been taken.
    taken: u64,
}

impl<'a> Queue<'a> {
    pub(super) fn new(pieces: Pieces<'a>) -> Self {
        Self(Mutex::new(Left {
            pieces,
            sorted: Vec::new(),
            next: 0,
            taken: 0,
        }))
    }

    /// Copies until nothing is left or something failed.
    pub(super) fn work(&self, job: &Job<'_>) {
        let (mut batch, mut buffer) = (Vec::new(), Vec::new());
        let mut meter = Meter::new(job.progress);
        while !job.has_failed() {
            self.take(job, &mut batch);
            if batch.is_empty() {
                break;
            }
            if let Some(amount) = job.note(copy(job, &batch, &mut buffer)) {
                meter.add(amount);
            }
        }
    }

    /// Fills `batch` with neighbours up to the next multiple of [`BATCH`] on the disk, so that
    /// writes begin and end with whole pages; or with one part that the kernel can copy. Nothing
    /// is in it at the end.
    fn take(&self, job: &Job<'_>, batch: &mut Vec<RandomPart<'a>>) {
        batch.clear();
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut end = u64::MAX;
        while batch.len() < PARTS
            && let Some(part) = left.first()
        {
            match batch.last() {
                None if job.is_for_kernel(&part) => {
                    batch.push(part);
                    left.pass();
                    return;
                }
                None => end = (part.disk / BATCH + 1) * BATCH,
                Some(last) => {
                    let joins = job.filling(last.end(), part.disk).is_some();
                    if !joins || part.disk >= end || job.is_for_kernel(&part) {
                        return;
                    }
                }
            }
            if part.end() > end {
                let len = end - part.disk;
                batch.push(part.up_to(len));
                left.taken += len;
                return;
            }
            batch.push(part);
            left.pass();
        }
    }
}

impl<'a> Left<'a> {
    /// What is left of the first part.
    fn first(&mut self) -> Option<RandomPart<'a>> {
        if self.next == self.sorted.len() {
            self.sort_more();
        }
        let part = self.sorted.get(self.next)?;
        Some(part.from(self.taken))
    }

    fn sort_more(&mut self) {
        (self.next, self.taken) = (0, 0);
        self.sorted.clear();
        while self.sorted.len() < SORTED
            && let Some(piece) = self.pieces.next()
        {
            self.sorted.extend(part::cut(piece).flat_map(Part::shares));
        }
        self.sorted.sort_unstable_by_key(|part| part.disk);
    }

    /// Goes on behind the first part.
    const fn pass(&mut self) {
        self.next += 1;
        self.taken = 0;
    }
}

/// Copies neighbours with one write, or one part that is too large for that.
fn copy(job: &Job<'_>, batch: &[RandomPart<'_>], buffer: &mut Vec<u8>) -> Result<Amount> {
    match batch {
        [large] if job.is_for_kernel(large) => copy_large(job, large)?,
        _ => copy_neighbours(job, batch, buffer)?,
    }
    let mut amount = Amount::default();
    batch.iter().for_each(|part| amount += part.amount());
    Ok(amount)
}

fn copy_neighbours(job: &Job<'_>, batch: &[RandomPart<'_>], buffer: &mut Vec<u8>) -> Result<()> {
    let start = batch[0].disk;
    let len = (batch[batch.len() - 1].end() - start) as usize;
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    let bytes = &mut buffer[..len];
    let mut done = 0;
    for part in batch {
        let begin = (part.disk - start) as usize;
        let end = begin + part.len as usize;
        bytes[done..begin].fill(0);
        read(part, &mut bytes[begin..end])?;
        done = end;
    }
    job.write(bytes, start)
}

fn read(part: &RandomPart<'_>, bytes: &mut [u8]) -> Result<()> {
    match part.from {
        Origin::Inline(all) => bytes.copy_from_slice(slice(all, part)),
        Origin::Host(host) => {
            let file = host.open()?;
            file.read_exact_at(bytes, part.offset)?;
            file.check()?;
        }
        Origin::Store(store, file) => {
            let read = file.read_exact_at(bytes, part.offset);
            read.map_err(|error| store.read_error(error))?;
        }
    }
    Ok(())
}

fn slice<'a>(all: &'a [u8], part: &RandomPart<'_>) -> &'a [u8] {
    &all[part.offset as usize..][..part.len as usize]
}

fn copy_large(job: &Job<'_>, part: &RandomPart<'_>) -> Result<()> {
    match part.from {
        Origin::Inline(all) => job.write(slice(all, part), part.disk),
        Origin::Host(host) => {
            let file = host.open()?;
            let copied = copy_from(job, file.file(), part);
            copied.map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => file.read_error(error),
                _ => copy_error(job, &host.path().display(), part, error),
            })?;
            file.check()
        }
        Origin::Store(store, file) => {
            copy_from(job, file, part).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => store.read_error(error),
                _ => copy_error(job, &store.name(), part, error),
            })
        }
    }
}

fn copy_from(job: &Job<'_>, file: &File, part: &RandomPart<'_>) -> io::Result<()> {
    job.disk.copy_from(file, part.offset, part.disk, part.len)?;
    job.has_written(part.disk, part.len);
    Ok(())
}

/// Reading or writing failed; the storage doesn't tell which.
fn copy_error(job: &Job<'_>, name: &dyn Display, part: &RandomPart<'_>, error: io::Error) -> Error {
    let message = format!(
        "can't copy {} bytes at offset {} of {name} to offset {}",
        part.len, part.offset, part.disk
    );
    Error::io(job.place, message, error)
}
