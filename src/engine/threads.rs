//! Threads: of those that can't be started, the user is told.

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use anyhow::{Context, Error, Result, anyhow};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// What becomes of threads that no pool has been made for.
static COMMON: OnceLock<Result<(), String>> = OnceLock::new();

/// As many threads as `jobs`, which compute.
///
/// # Errors
/// When they can't be started.
pub(super) fn pool(jobs: NonZeroUsize) -> Result<ThreadPool> {
    let pool = ThreadPoolBuilder::new().num_threads(jobs.get()).build();
    pool.with_context(|| refusal(jobs))
}

/// Starts the threads of what is computed outside of any run: planning without building.
///
/// # Errors
/// When they can't be started.
pub fn start_common(jobs: NonZeroUsize) -> Result<()> {
    let started = COMMON.get_or_init(|| {
        let built = ThreadPoolBuilder::new()
            .num_threads(jobs.get())
            .build_global();
        built.map_err(|error| format!("{:#}", Error::new(error).context(refusal(jobs))))
    });
    started.clone().map_err(|text| anyhow!(text))
}

fn refusal(jobs: NonZeroUsize) -> String {
    format!(
        "can't start {jobs} threads; ask for fewer with -j, or raise the limit of processes \
         (ulimit -u, pids.max)"
    )
}
