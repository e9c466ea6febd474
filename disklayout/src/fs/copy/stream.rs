//! Copies what can only be read from its start: one thread reads, others write what it has read.

use std::sync::{Mutex, PoisonError};

use rayon::Scope;

use super::part::StreamPart;
use super::progress::Amount;
use super::{BATCH, Job};
use crate::error::Result;
use crate::tree::{Store, StoreReader};

/// A buffer is handed over for writing when it holds this much.
const FULL: usize = 4 * BATCH as usize;

/// The buffers that no thread uses. Without one the reader writes what it has read itself, so
/// that it waits for nobody and memory stays bounded.
#[derive(Debug)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    pub(super) fn new(count: usize) -> Self {
        Self(Mutex::new(vec![Vec::new(); count]))
    }

    fn take(&self) -> Option<Vec<u8>> {
        self.lock().pop()
    }

    fn put_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.lock().push(bytes);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies all of `parts` from `store` until something fails.
pub(super) fn copy<'a>(
    job: &'a Job<'_>,
    store: &Store,
    mut parts: Vec<StreamPart>,
    buffers: &'a Buffers,
    scope: &Scope<'a>,
) {
    parts.sort_unstable_by_key(|part| (part.offset, part.disk));
    while !parts.is_empty() && !job.has_failed() {
        let again = take_overlapping(&mut parts);
        let reader = Reader {
            job,
            buffers,
            scope,
            filled: Filled::default(),
        };
        job.note(reader.copy(store, &parts));
        parts = again;
    }
}

/// Leaves those that can be read in one pass; tells those that need another one, because what
/// they begin with belongs to another part too.
fn take_overlapping(parts: &mut Vec<StreamPart>) -> Vec<StreamPart> {
    let mut position = 0;
    let overlaps = |part: &mut StreamPart| {
        let overlaps = part.offset < position;
        if !overlaps {
            position = part.offset + part.len;
        }
        overlaps
    };
    parts.extract_if(.., overlaps).collect()
}

/// One pass through a stream.
struct Reader<'r, 'a, 'j> {
    job: &'a Job<'j>,
    buffers: &'a Buffers,
    scope: &'r Scope<'a>,
    filled: Filled,
}

impl Reader<'_, '_, '_> {
    fn copy(mut self, store: &Store, parts: &[StreamPart]) -> Result<()> {
        let Some(first) = parts.first() else {
            return Ok(());
        };
        let mut from = store.open_at(first.offset)?;
        for part in parts {
            self.copy_part(&mut from, part)?;
            if self.job.has_failed() {
                return Ok(());
            }
        }
        self.hand_over()
    }

    fn copy_part(&mut self, from: &mut StoreReader<'_>, part: &StreamPart) -> Result<()> {
        let mut done = 0;
        while done < part.len {
            let room = FULL.saturating_sub(self.filled.bytes.len()).max(1);
            let count = (part.len - done).min(room as u64);
            let target = self
                .filled
                .extend(self.job, part.disk + done, count as usize);
            from.read_exact_at(target, part.offset + done)?;
            done += count;
            self.filled.amount.bytes += count;
            if done == part.len {
                self.filled.amount.files += part.amount().files;
                self.filled.may_be_filled_up = part.ends_piece;
            }
            if self.filled.bytes.len() >= FULL {
                self.hand_over()?;
            }
        }
        Ok(())
    }

    /// Lets another thread write what was read, or writes it if there is no other buffer.
    fn hand_over(&mut self) -> Result<()> {
        let job = self.job;
        let Some(bytes) = self.buffers.take() else {
            self.filled.write(job)?;
            self.filled.clear();
            return Ok(());
        };
        let empty = Filled {
            bytes,
            ..Filled::default()
        };
        let filled = std::mem::replace(&mut self.filled, empty);
        let buffers = self.buffers;
        self.scope.spawn(move |_| {
            if !job.has_failed() {
                job.note(filled.write(job));
            }
            buffers.put_back(filled.bytes);
        });
        Ok(())
    }
}

/// Bytes that were read, and where they go.
#[derive(Debug, Default)]
struct Filled {
    bytes: Vec<u8>,
    stretches: Vec<Stretch>,
    /// Whether nothing else belongs behind the last of them, up to the end of its block: not what
    /// another pass reads of the same file.
    may_be_filled_up: bool,
    amount: Amount,
}

/// From here on, up to the next stretch, bytes lie side by side on the disk.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: usize,
    disk: u64,
}

impl Filled {
    /// Room for `count` bytes that go to `disk`.
    fn extend(&mut self, job: &Job<'_>, disk: u64, count: usize) -> &mut [u8] {
        let len = self.bytes.len();
        let end = self
            .stretches
            .last()
            .map(|last| last.disk + (len - last.start) as u64);
        let filling = end
            .and_then(|end| job.filling(end, disk))
            .filter(|gap| *gap == 0 || self.may_be_filled_up);
        let start = match filling {
            Some(filling) => len + filling as usize,
            None => {
                self.stretches.push(Stretch { start: len, disk });
                len
            }
        };
        self.may_be_filled_up = false;
        self.bytes.resize(start + count, 0);
        &mut self.bytes[start..]
    }

    fn write(&self, job: &Job<'_>) -> Result<()> {
        let ends = self.stretches.iter().skip(1).map(|next| next.start);
        let ends = ends.chain([self.bytes.len()]);
        for (stretch, end) in self.stretches.iter().zip(ends) {
            job.write(&self.bytes[stretch.start..end], stretch.disk)?;
        }
        self.amount.tell(job.progress);
        Ok(())
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.stretches.clear();
        self.amount = Amount::default();
    }
}
