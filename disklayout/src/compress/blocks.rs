//! Blocks on their way through compression.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Compression;

/// What a block has become, and how many bytes it had.
pub(super) type Compressed = (io::Result<Vec<u8>>, usize);

/// Compresses blocks on the threads of the current rayon pool, and on the one that asks for them.
///
/// Whoever waits for a block that nobody has begun compresses it. So it goes on whatever the pool
/// does and whether the one who waits is one of its threads, and nobody waits for more than the
/// compression of a block: no job of the pool is run meanwhile, as rayon's own waiting would.
#[derive(Debug)]
pub(super) struct Blocks {
    shared: Arc<Shared>,
    /// How many jobs may work at the same time.
    workers: usize,
    /// The numbers of the next block to come and to go.
    coming: u64,
    going: u64,
}

#[derive(Debug)]
struct Shared {
    compression: Compression,
    state: Mutex<State>,
    /// Told when a block is compressed.
    compressed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(u64, Vec<u8>)>,
    compressed: BTreeMap<u64, Compressed>,
    workers: usize,
}

impl Blocks {
    pub(super) fn new(compression: Compression) -> Self {
        let threads = rayon::current_num_threads();
        let is_one_of_them = rayon::current_thread_index().is_some();
        Self {
            shared: Arc::new(Shared {
                compression,
                state: Mutex::default(),
                compressed: Condvar::new(),
            }),
            workers: threads - usize::from(is_one_of_them),
            coming: 0,
            going: 0,
        }
    }

    /// How many blocks have come and not gone.
    pub(super) const fn len(&self) -> u64 {
        self.coming - self.going
    }

    /// Takes in the next block.
    pub(super) fn push(&mut self, block: Vec<u8>) {
        let mut state = self.shared.lock();
        state.waiting.push_back((self.coming, block));
        self.coming += 1;
        let has_room = state.workers < self.workers;
        state.workers += usize::from(has_room);
        drop(state);
        if has_room {
            let shared = Arc::clone(&self.shared);
            rayon::spawn(move || shared.work());
        }
    }

    /// The oldest block, once it is compressed; none where no block is left.
    pub(super) fn pop(&mut self) -> Option<Compressed> {
        if self.len() == 0 {
            return None;
        }
        let number = self.going;
        self.going += 1;
        let mut state = self.shared.lock();
        loop {
            if let Some(compressed) = state.compressed.remove(&number) {
                return Some(compressed);
            }
            let next = state.waiting.pop_front();
            state = match next {
                Some((number, block)) => {
                    drop(state);
                    self.shared.compress(number, &block)
                }
                None => {
                    let waited = self.shared.compressed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

/// Blocks that nobody asks for any more aren't begun.
impl Drop for Blocks {
    fn drop(&mut self) {
        self.shared.lock().waiting.clear();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compresses blocks until none waits.
    fn work(&self) {
        let mut state = self.lock();
        while let Some((number, block)) = state.waiting.pop_front() {
            drop(state);
            state = self.compress(number, &block);
        }
        state.workers -= 1;
    }

    fn compress(&self, number: u64, block: &[u8]) -> MutexGuard<'_, State> {
        let compressed = self.compression.compress(block);
        let mut state = self.lock();
        state.compressed.insert(number, (compressed, block.len()));
        self.compressed.notify_all();
        state
    }
}
