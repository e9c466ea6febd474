//! Installs systems, several at a time, beside the images that are written here.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use anyhow::{Result, anyhow};
use foreign::run::Runner;

use super::beside::Beside;
use super::build::{Run, contain_panic, lock, side_by_side};
use super::event::Event;
use super::memory::{Memory, OVERHEAD_MIB};
use super::outcome::{Built, Cause, Content};
use super::output::Output;
use super::{Numbered, Settings};
use crate::checksum::Algorithm;
use crate::virtinstall::{Installation, Note, Session};

/// What is left to the rest of the host, in MiB.
const RESERVE_MIB: u64 = 1024;

/// Installs each of `jobs`, and tells what came of it by its number.
pub(super) fn run(jobs: Vec<(usize, Installation)>, run: &Run<'_>) -> Vec<Numbered> {
    if jobs.is_empty() {
        return vec![];
    }
    let Settings {
        directory, install, ..
    } = run.settings;
    let runner = Runner::from_env();
    let session = match Session::begin(directory.path(), install, &runner) {
        Ok(session) => session,
        Err(error) => return none(&jobs, run, &error),
    };
    let largest = jobs.iter().map(|(_, job)| job.memory_mib).max();
    let available = Memory::of_host().map(|memory| memory.available_mib);
    let threads = at_a_time(install.jobs, largest.unwrap_or_default(), available);
    let threads = threads.get().min(jobs.len());
    tracing::debug!(threads, "installations at a time");
    let queue = Mutex::new(jobs.into_iter());
    let results = side_by_side(threads, || {
        let (number, installation) = lock(&queue).next()?;
        let result = make(&installation, number, &session, run);
        Some(vec![run.report(&installation.image, number, result)])
    });
    if let Err(error) = session.end() {
        tracing::warn!("{error:#}");
    }
    results
}

/// Tells of each of `jobs` that it can't be begun.
fn none(jobs: &[(usize, Installation)], run: &Run<'_>, error: &anyhow::Error) -> Vec<Numbered> {
    let results = jobs.iter().map(|(number, installation)| {
        let result = Err(Cause::Other(anyhow!("{error:#}")));
        run.report(&installation.image, *number, result)
    });
    results.collect()
}

/// Makes one image, with its checksum beside it if that is wanted.
fn make(
    installation: &Installation,
    number: usize,
    session: &Session<'_>,
    run: &Run<'_>,
) -> Result<Built, Cause> {
    let name = installation.image.as_str();
    let cause = |error| run.cause(error, name, Content::default(), None);
    run.start(name, number)?;
    let mut output = contain_panic(|| install_one(installation, session, run)).map_err(cause)?;
    let algorithms: &[_] = match installation.finish.checksum {
        true => &[Algorithm::Sha256],
        false => &[],
    };
    let beside = Beside::of(&output, name, algorithms, run.settings).map_err(cause)?;
    let built = run.publish(&mut output, name, Content::default())?;
    beside.publish(name, run.settings).map_err(cause)?;
    Ok(built)
}

/// Installs a system into a file that isn't in its place yet.
fn install_one(
    installation: &Installation,
    session: &Session<'_>,
    run: &Run<'_>,
) -> Result<Output> {
    let image = installation.image.as_str();
    let note = |note: &Note<'_>| {
        let note = *note;
        run.reporter.report(&Event::Installing { image, note });
    };
    let new_file = |stage| {
        let Settings {
            directory,
            temporaries,
            ..
        } = run.settings;
        Output::create_for_programs(directory, temporaries, image, stage)
    };
    let installed = new_file("")?;
    session.install(installation, installed.temporary_name(), &note)?;
    if !installation.finish.sparsify && !installation.finish.compress {
        return Ok(installed);
    }
    note(&Note::Finishing);
    let finished = new_file(".finished")?;
    let names = (installed.temporary_name(), finished.temporary_name());
    session.convert(installation, names.0, names.1)?;
    Ok(finished)
}

/// How many machines of `memory_mib` run at a time where `available_mib` are free: as many as
/// were asked for, else as many as fit, one at least.
fn at_a_time(
    asked: Option<NonZeroUsize>,
    memory_mib: u64,
    available_mib: Option<u64>,
) -> NonZeroUsize {
    if let Some(asked) = asked {
        return asked;
    }
    let free = available_mib.unwrap_or(0).saturating_sub(RESERVE_MIB);
    let fitting = free / (memory_mib + OVERHEAD_MIB);
    let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
    NonZeroUsize::new(fitting.min(super::default_jobs().get())).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_run_as_there_is_memory_for() {
        let processors = super::super::default_jobs().get();
        for (asked, memory, available, expected) in [
            (None, 3072, Some(1 << 20), processors),
            (None, 3072, Some(4607), 1),
            (None, 3072, Some(0), 1),
            (None, 3072, None, 1),
            (NonZeroUsize::new(7), 3072, Some(0), 7),
        ] {
            assert_eq!(at_a_time(asked, memory, available).get(), expected);
        }
    }
}
