//! Copies the data of many files to places on a disk that are decided already.
//!
//! What can be read in any order is copied in the order of the disk, by all threads of the current
//! rayon pool: neighbours on the disk become one write, and large pieces are left to the kernel.
//! What can only be read from its start is read once, by one thread, while others write it.

mod batch;
mod data;
mod part;
mod progress;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use crate::disk::{Disk, write_data};
use crate::error::{Error, Result};
use crate::fs::Progress;
use crate::place::Place;
use crate::tree::{Content, FileTree, NodeId, NodeKind};

use batch::Queue;
use part::{RandomPart, Survey};
use stream::Buffers;

pub use data::{Data, Pieces};

/// About how much is read and written at once. A buffer of this size stays in the processor's
/// cache between the two.
const BATCH: u64 = 256 << 10;

/// So much at a time is handed on to the storage when it is complete.
const STRIDE: u64 = 16 << 20;

/// A part of a file's data and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The file.
    pub content: &'a Content,
    /// Where it starts in the file, in bytes.
    pub logical: u64,
    /// How many bytes it has. What is in holes of the file is among them and isn't written.
    pub len: u64,
    /// Where it starts on the disk.
    pub disk: u64,
    /// Whether nothing of the file comes after it.
    pub ends_file: bool,
}

impl<'a> Piece<'a> {
    /// All of a file without data, which has no place.
    pub const fn of_empty(content: &'a Content) -> Self {
        Self {
            content,
            logical: 0,
            len: 0,
            disk: 0,
            ends_file: true,
        }
    }
}

/// The files of `tree`, each of them in one piece at the byte that `offset` tells; it isn't asked for
/// files that have no bytes.
pub fn whole_files<'a, F: Fn(NodeId) -> u64 + Clone + Send + Sync + 'a>(
    tree: &'a FileTree,
    offset: F,
) -> impl Iterator<Item = Piece<'a>> + Clone + Send + Sync + use<'a, F> {
    tree.nodes().filter_map(move |(id, node)| match &node.kind {
        NodeKind::File(content) if content.is_empty() => Some(Piece::of_empty(content)),
        NodeKind::File(content) => Some(Piece {
            content,
            logical: 0,
            len: content.len(),
            disk: offset(id),
            ends_file: true,
        }),
        _ => None,
    })
}

/// Copies all of `data` to `disk`.
fn copy(data: &Data<'_>, disk: &dyn Disk, progress: &dyn Progress) -> Result<()> {
    let job = Job {
        place: data.place(),
        block_size: data.block_size(),
        disk,
        progress,
        failure: OnceLock::new(),
    };
    let survey = Survey::of(&mut data.pieces());
    copy_all(job, survey, Queue::new(data.pieces()))
}

fn copy_all(job: Job<'_>, survey: Survey<'_>, queue: Queue<'_>) -> Result<()> {
    let Survey {
        random,
        streams,
        mut stores,
        in_holes,
    } = survey;
    stores.extend(streams.iter().map(|(store, _)| *store));
    stores.iter().try_for_each(|store| store.check())?;
    in_holes.tell(job.progress);
    let threads = rayon::current_num_threads();
    let buffers = Buffers::new(threads);
    rayon::scope(|scope| {
        let (job, queue, buffers) = (&job, &queue, &buffers);
        for (store, parts) in streams {
            scope.spawn(move |scope| stream::copy(job, store, parts, buffers, scope));
        }
        for _ in 1..threads.min(random) {
            scope.spawn(move |_| queue.work(job));
        }
        queue.work(job);
    });
    job.failure.into_inner().map_or(Ok(()), Err)?;
    // What was read is of archives as they were planned if they still are.
    stores.iter().try_for_each(|store| store.check())
}

/// What all threads share.
#[derive(Debug)]
struct Job<'a> {
    place: &'a Place,
    block_size: u64,
    disk: &'a dyn Disk,
    progress: &'a dyn Progress,
    failure: OnceLock<Error>,
}

impl Job<'_> {
    fn has_failed(&self) -> bool {
        self.failure.get().is_some()
    }

    /// Whether `part` is handed over to the kernel as a whole.
    fn is_for_kernel(&self, part: &RandomPart<'_>) -> bool {
        part.is_for_kernel() && self.disk.copies_files()
    }

    /// How many bytes to fill with zeroes between data that end at `end` and others at `disk`, if
    /// nothing else can lie between them.
    fn filling(&self, end: u64, disk: u64) -> Option<u64> {
        let gap = disk.checked_sub(end)?;
        (disk <= end.next_multiple_of(self.block_size)).then_some(gap)
    }

    /// Remembers what failed, if nothing did before.
    fn note<T>(&self, result: Result<T>) -> Option<T> {
        match result {
            Ok(it) => Some(it),
            Err(error) => {
                // What came second is only a consequence, or as good as the first.
                let _ = self.failure.set(error);
                None
            }
        }
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let written = match self.disk.wants_expectations() {
            true => self.disk.write_at(bytes, offset),
            false => write_data(self.disk, bytes, offset),
        };
        written.map_err(|error| {
            let message = format!("can't write {} bytes at offset {offset}", bytes.len());
            Error::io(self.place, message, error)
        })?;
        self.has_written(offset, bytes.len() as u64);
        Ok(())
    }

    /// Settles what lies half a stride back, where no thread is writing any more. Writes come
    /// about in the order of the disk, so that each stride is settled once.
    fn has_written(&self, offset: u64, len: u64) {
        let strides_before = |end: u64| end.saturating_sub(STRIDE / 2) / STRIDE * STRIDE;
        let (start, end) = (strides_before(offset), strides_before(offset + len));
        if end > start {
            self.disk.settle(start, end - start);
        }
    }
}
