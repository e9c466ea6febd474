//! Pieces of work that are done in any order, and come out in the one in which they came.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How many pieces may be on their way for every thread: one that is worked at, and the next.
const PIECES_PER_THREAD: u64 = 2;

/// Does pieces of work on the threads of the current rayon pool, and on the one that asks for them.
///
/// Whoever waits for a piece that nobody has begun does it. So it goes on whatever the pool does and
/// whether the one who waits is one of its threads, and nobody waits for more than one piece: no other
/// job of the pool is run meanwhile, as rayon's own waiting would.
pub(crate) struct Pipeline<T, R> {
    shared: Arc<Shared<T, R>>,
    /// How many jobs may work at the same time.
    workers: usize,
    /// How many pieces may be on their way.
    window: u64,
    /// The numbers of the next piece to come and to go.
    coming: u64,
    going: u64,
}

struct Shared<T, R> {
    work: Box<dyn Fn(T) -> R + Send + Sync>,
    state: Mutex<State<T, R>>,
    /// Told when a piece is done.
    done: Condvar,
}

struct State<T, R> {
    waiting: VecDeque<(u64, T)>,
    done: BTreeMap<u64, R>,
    workers: usize,
}

impl<T, R> Debug for Pipeline<T, R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("workers", &self.workers)
            .field("coming", &self.coming)
            .field("going", &self.going)
            .finish_non_exhaustive()
    }
}

impl<T: Send + 'static, R: Send + 'static> Pipeline<T, R> {
    /// Pieces to which `work` is done.
    pub(crate) fn new(work: impl Fn(T) -> R + Send + Sync + 'static) -> Self {
        let threads = rayon::current_num_threads();
        let is_one_of_them = rayon::current_thread_index().is_some();
        Self {
            shared: Arc::new(Shared {
                work: Box::new(work),
                state: Mutex::new(State {
                    waiting: VecDeque::new(),
                    done: BTreeMap::new(),
                    workers: 0,
                }),
                done: Condvar::new(),
            }),
            workers: threads - usize::from(is_one_of_them),
            window: threads as u64 * PIECES_PER_THREAD,
            coming: 0,
            going: 0,
        }
    }

    /// How many pieces have come and not gone.
    pub(crate) const fn len(&self) -> u64 {
        self.coming - self.going
    }

    /// Whether more pieces would only take memory.
    pub(crate) const fn is_full(&self) -> bool {
        self.len() >= self.window
    }

    /// Takes in the next piece.
    pub(crate) fn push(&mut self, piece: T) {
        let mut state = self.shared.lock();
        state.waiting.push_back((self.coming, piece));
        self.coming += 1;
        let has_room = state.workers < self.workers;
        state.workers += usize::from(has_room);
        drop(state);
        if has_room {
            let shared = Arc::clone(&self.shared);
            rayon::spawn(move || shared.work());
        }
    }

    /// What has become of the oldest piece, once it is done; none where no piece is left.
    pub(crate) fn pop(&mut self) -> Option<R> {
        if self.len() == 0 {
            return None;
        }
        let number = self.going;
        self.going += 1;
        let mut state = self.shared.lock();
        loop {
            if let Some(done) = state.done.remove(&number) {
                return Some(done);
            }
            let next = state.waiting.pop_front();
            state = match next {
                Some((number, piece)) => {
                    drop(state);
                    self.shared.finish(number, piece)
                }
                None => {
                    let waited = self.shared.done.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

/// Pieces that nobody asks for any more aren't begun.
impl<T, R> Drop for Pipeline<T, R> {
    fn drop(&mut self) {
        self.shared.lock().waiting.clear();
    }
}

impl<T, R> Shared<T, R> {
    fn lock(&self) -> MutexGuard<'_, State<T, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does pieces until none waits.
    fn work(&self) {
        let mut state = self.lock();
        while let Some((number, piece)) = state.waiting.pop_front() {
            drop(state);
            state = self.finish(number, piece);
        }
        state.workers -= 1;
    }

    fn finish(&self, number: u64, piece: T) -> MutexGuard<'_, State<T, R>> {
        let result = (self.work)(piece);
        let mut state = self.lock();
        state.done.insert(number, result);
        self.done.notify_all();
        state
    }
}
