//! Runs recipes: everything is planned first, then images are written side by side.

mod build;
mod contents;
mod digest;
mod directory;
pub mod download;
mod event;
mod interrupt;
mod outcome;
mod output;
mod plan;
mod temporaries;
pub mod time;

pub use contents::{Contents, FindFile};
pub use directory::Directory;
pub use event::{Event, Reporter, Silent};
pub use interrupt::exit_on_signals;
pub use outcome::{Built, Failure, Outcome};
pub use output::{Output, Published, TEMPORARY_SUFFIX, check_target};
pub use plan::plan_image;
pub use temporaries::Temporaries;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use disklayout::fs::Registry;
use disklayout::layout::DiskPlan;
use disklayout::{Bytes, Timestamp};
use rayon::prelude::*;

use crate::image::Image;
use build::Job;
use download::Downloads;
use outcome::Cause;

/// How a run works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the images go.
    pub directory: Arc<Directory>,
    /// The list that an interrupt removes the temporary files of.
    pub temporaries: Temporaries,
    /// How many images are computed at a time.
    pub jobs: NonZeroUsize,
    /// Whether an image is on disk before it counts as built.
    pub sync: bool,
    /// The time that every image is given.
    pub time: Timestamp,
    /// How files come from the network.
    pub downloads: Downloads,
}

/// As many jobs as the machine can run at a time.
pub fn default_jobs() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Builds `images`; one that can't be built doesn't stop the others.
///
/// Downloads come first, then every image is planned, and only then is the first one written.
/// For an image that can't be planned no file is touched.
///
/// # Errors
/// When no threads can be started. What becomes of single images is told by the outcome.
pub fn run(
    images: &[Image],
    settings: &Settings,
    registry: &Registry,
    find: &FindFile<'_>,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    let started = Instant::now();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(settings.jobs.get())
        .build()
        .with_context(|| format!("can't start {} threads", settings.jobs))?;
    reporter.report(&Event::Started {
        images: images.len(),
    });
    let plans = pool.install(|| plan_all(images, settings, registry, find, reporter));
    let mut jobs = Vec::new();
    let mut results = Vec::new();
    for (index, (image, plan)) in images.iter().zip(plans).enumerate() {
        let (name, number) = (image.file_name.as_str(), index + 1);
        match plan {
            Ok(plan) => jobs.push(job(name, number, plan)),
            Err(error) => {
                reporter.report(&Event::ImageFailed {
                    image: name,
                    number,
                    images: images.len(),
                });
                results.push((number, Err(Cause::Other(error))));
            }
        }
    }
    results.extend(build::run(jobs, images.len(), settings, &pool, reporter));
    results.sort_by_key(|(number, _)| *number);
    let named = results
        .into_iter()
        .map(|(number, result)| (images[number - 1].file_name.clone(), result))
        .collect();
    let outcome = Outcome::sum_up(named, started.elapsed());
    reporter.report(&Event::Finished { outcome: &outcome });
    Ok(outcome)
}

/// Plans every image and looks whether it could be published, in the order of `images`.
fn plan_all(
    images: &[Image],
    settings: &Settings,
    registry: &Registry,
    find: &FindFile<'_>,
    reporter: &dyn Reporter,
) -> Vec<Result<DiskPlan>> {
    let contents = Contents::gather(images, find, &settings.downloads, reporter);
    let twice = repeated_names(images);
    images
        .par_iter()
        .enumerate()
        .map(|(index, image)| {
            if twice.contains(&index) {
                bail!("'{}' is asked for more than once", image.file_name);
            }
            check_target(&settings.directory, &image.file_name)?;
            plan_image(image, &contents, registry, settings.time)
        })
        .collect()
}

/// The positions of images whose name another one has before them.
fn repeated_names(images: &[Image]) -> BTreeSet<usize> {
    let mut names = BTreeSet::new();
    let indices = 0..images.len();
    indices
        .filter(|&index| !names.insert(images[index].file_name.as_str()))
        .collect()
}

/// The job that writes `plan`.
fn job(name: &str, number: usize, plan: DiskPlan) -> Job<'_> {
    let files = plan
        .partitions
        .iter()
        .filter_map(|partition| partition.filesystem.as_ref())
        .flat_map(|filesystem| filesystem.tree().files());
    Job {
        name,
        number,
        size: plan.size,
        content: Bytes::new(files.map(|(_, content)| content.len()).sum()),
        write: Box::new(move |disk| Ok(disklayout::build(&plan, disk)?)),
    }
}
