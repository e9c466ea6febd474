//! Copies the data of many files to places on a disk that are decided already.
//!
//! What can be read in any order is copied in the order of the disk, by all threads of the current
//! rayon pool: neighbours on the disk become one write, and large pieces are left to the kernel.
//! What can only be read from its start is read once, by one thread, while others write it.

mod batch;
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
use part::Survey;
use stream::Buffers;

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

/// The files of `tree`, each of them in one piece at the byte that `offset` tells. Those that have no
/// bytes are complete as they are: `progress` is told of them.
pub fn whole_files<'a, F: Fn(NodeId) -> u64 + Clone + Send + 'a>(
    tree: &'a FileTree,
    progress: &dyn Progress,
    offset: F,
) -> impl Iterator<Item = Piece<'a>> + Clone + Send + use<'a, F> {
    let files = tree.nodes().filter_map(|(id, node)| match &node.kind {
        NodeKind::File(content) => Some((id, content)),
        _ => None,
    });
    let empty = files.clone().filter(|(_, content)| content.is_empty());
    progress.advance(empty.count() as u64, 0);
    let filled = files.filter(|(_, content)| !content.is_empty());
    filled.map(move |(id, content)| Piece {
        content,
        logical: 0,
        len: content.len(),
        disk: offset(id),
        ends_file: true,
    })
}

/// Copies all of `pieces` to `disk`, which reads as zero in their places, and tells `progress` of
/// all their bytes but those in holes. `place` is that of the filesystem, for errors. What a file leaves of its last
/// block of `block_size` bytes may be filled up with zeroes; all else on the disk stays. The pieces
/// are gone through twice, and not kept.
///
/// # Errors
/// `Io` when a source or the disk fails; the first one, after which the others are given up.
pub fn copy<'a, P>(
    place: &Place,
    block_size: u64,
    pieces: P,
    disk: &dyn Disk,
    progress: &dyn Progress,
) -> Result<()>
where
    P: IntoIterator<Item = Piece<'a>, IntoIter: Clone + Send + 'a>,
{
    let job = Job {
        place,
        block_size,
        disk,
        progress,
        failure: OnceLock::new(),
    };
    let pieces = pieces.into_iter();
    let survey = Survey::of(&mut pieces.clone());
    copy_all(job, survey, Queue::new(Box::new(pieces)))
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
        write_data(self.disk, bytes, offset).map_err(|error| {
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
