//! Runs recipes: everything is planned first, then images are written side by side.

mod access;
pub mod accounts;
mod aside;
mod beside;
mod build;
mod container;
mod contents;
mod destination;
mod digest;
mod directory;
pub mod download;
mod event;
mod fetched;
mod fill;
mod input;
mod install;
mod interrupt;
pub mod keys;
mod mark;
mod memory;
mod outcome;
mod output;
mod plan;
mod progress;
mod replaced;
mod seed;
mod siblings;
mod temporaries;
mod threads;
pub mod time;
mod unfinished;

pub use crate::virtinstall::Note;
pub use contents::Find;
pub use destination::check_stdout;
pub use directory::Directory;
pub use event::{Event, Reporter, Silent};
pub use input::Opened;
pub use interrupt::exit_on_signals;
pub use memory::{Memory, OVERHEAD_MIB};
pub use outcome::{Amount, Built, Content, Failure, Outcome};
pub use output::{Output, Published, check_target};
use plan::Preparer;
pub use plan::{Conditions, Decided, FilePlan, Planned, Planner};
pub use replaced::check_replaced;
pub use temporaries::Temporaries;
pub use threads::start_common;
pub use unfinished::{TEMPORARY_SUFFIX, Unfinished};

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use disklayout::archive::Facts;
use disklayout::fs::Registry;
use disklayout::layout::DiskPlan;
use disklayout::{Bytes, Root, Zeroes};
use rayon::prelude::*;

use crate::image::{Image, Stream};
use crate::virtinstall::{self, Installation};
use build::{Job, JobImage};
use outcome::Cause;
use siblings::Siblings;

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
    /// Which zeroes are told where nothing is written.
    pub zeroes: Zeroes,
    /// What plans depend on.
    pub conditions: Conditions,
    /// How installations are run.
    pub install: virtinstall::Settings,
}

impl Settings {
    /// A file without a name beside the images, for what has to be kept until it is written.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn scratch(&self) -> io::Result<File> {
        self.temporaries.scratch(&self.directory)
    }
}

/// As many jobs as the machine can run at a time.
pub fn default_jobs() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Builds `images`; one that can't be built doesn't stop the others.
///
/// Every image that waits for no download is planned before the first one is written; the others
/// when their files have come, and nothing waits for the files of others. For an image that can't
/// be planned no file is touched.
///
/// # Errors
/// When no threads can be started. What becomes of single images is told by the outcome.
pub fn run(
    images: &[Image],
    settings: &Settings,
    registry: &Registry,
    find: &dyn Find,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    let started = Instant::now();
    let pool = threads::pool(settings.jobs)?;
    reporter.report(&Event::Started {
        images: images.len(),
    });
    let scratch = || settings.scratch();
    let planner = Planner::new(images, find, registry, &settings.conditions, &scratch);
    let planner = planner.with_keys();
    let preparer = Preparer::new(planner, find, settings);
    if let [image] = images {
        let image = &image.file_name;
        reporter.report(&Event::Planning { image });
    }
    let sets = Siblings::all(images);
    let plans = pool.install(|| {
        let contents = &preparer.planner.contents;
        contents.take_cached(&settings.conditions.downloads, reporter);
        plan_ready(images, &sets, &preparer, settings)
    });
    let (mut jobs, mut installs, mut results) = (vec![], vec![], vec![]);
    let mut waiting = vec![];
    for (set, plan) in sets.into_iter().zip(plans) {
        match plan {
            Some(Ok(Planned::Layout(plan))) => jobs.push(job(set, *plan, settings.zeroes)),
            Some(Ok(Planned::Install(installation))) => installs.push((set.number, *installation)),
            Some(Err(error)) => results.extend(not_planned(set, images.len(), error, reporter)),
            None => waiting.push(set),
        }
    }
    // What takes longest is begun first, so that it isn't what the others end up waiting for.
    jobs.sort_by_key(|job| Reverse(job.cost));
    let run = build::Run::new(images.len(), settings, &pool, reporter);
    results.extend(write_all(jobs, installs, waiting, &preparer, &run)?);
    let names: Vec<_> = images
        .iter()
        .map(|image| image.file_name.as_str())
        .collect();
    Ok(finish(&names, results, started, reporter))
}

/// Writes `jobs`, runs `installs` and builds what is `waiting` for files, of which none waits for the
/// others.
fn write_all(
    jobs: Vec<Job<'_>>,
    installs: Vec<(usize, Installation)>,
    waiting: Vec<Siblings<'_>>,
    preparer: &Preparer<'_>,
    run: &build::Run<'_>,
) -> Result<Vec<Numbered>> {
    let thread = std::thread::Builder::new;
    std::thread::scope(|scope| {
        let mut others = Vec::new();
        if !installs.is_empty() {
            let installed = thread().spawn_scoped(scope, || install::run(installs, run));
            others.push(installed.context("can't start a thread for installations")?);
        }
        if !waiting.is_empty() {
            let fetched = thread().spawn_scoped(scope, || fetched::run(waiting, preparer, run));
            others.push(fetched.context("can't start a thread for downloads")?);
        }
        let mut results = run.write_all(jobs);
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        Ok(results)
    })
}

/// What came of one image, by its number.
type Numbered = (usize, Result<Built, Cause>);

/// Tells that images aren't built because they can't be planned.
fn not_planned(
    set: Siblings<'_>,
    images: usize,
    error: anyhow::Error,
    reporter: &dyn Reporter,
) -> Vec<Numbered> {
    let causes = Cause::Other(error).for_each_of(set.images.len());
    let all = set.numbered().zip(causes).map(|((number, image), cause)| {
        let image = &image.file_name;
        reporter.report(&Event::ImageFailed {
            image,
            number,
            images,
        });
        (number, cause)
    });
    all.collect()
}

/// Sums up what came of the images called `names`, and tells it.
fn finish(
    names: &[&str],
    mut results: Vec<Numbered>,
    started: Instant,
    reporter: &dyn Reporter,
) -> Outcome {
    results.sort_by_key(|(number, _)| *number);
    let named = results
        .into_iter()
        .map(|(number, result)| (names[number - 1].to_owned(), result))
        .collect();
    let outcome = Outcome::sum_up(named, started.elapsed());
    reporter.report(&Event::Finished { outcome: &outcome });
    outcome
}

/// Plans every disk and looks whether its images could be written and published, in the order of
/// `images`. Downloads what they need; touches nothing else.
pub fn plan_all(
    images: &[Image],
    settings: &Settings,
    registry: &Registry,
    find: &dyn Find,
    reporter: &dyn Reporter,
) -> Vec<Result<Planned>> {
    let planner = Planner::gathering(images, find, registry, &settings.conditions, reporter);
    let preparer = Preparer::new(planner, find, settings);
    let plans = plan_ready(images, &Siblings::all(images), &preparer, settings);
    plans.into_iter().flatten().collect()
}

/// Plans every disk and looks whether its images could be written and published, in the order of
/// `sets`, which are all of `images`. `None` for one that still waits for a download.
fn plan_ready(
    images: &[Image],
    sets: &[Siblings<'_>],
    preparer: &Preparer<'_>,
    settings: &Settings,
) -> Vec<Option<Result<Planned>>> {
    let twice = repeated_names(images);
    let check = |(index, image): (usize, &Image)| {
        if twice.contains(&index) {
            bail!("'{}' is asked for more than once", image.file_name);
        }
        match image.stream() {
            Some(Stream::Stdout) => check_stdout(),
            Some(Stream::Nameless(_)) => Ok(()),
            None => check_target(&settings.directory, &image.file_name),
        }
    };
    let plan = |set: &Siblings<'_>| match set.indices().zip(set.images).try_for_each(check) {
        Err(error) => Some(Err(error)),
        Ok(()) if !preparer.planner.contents.is_ready(set.first()) => None,
        Ok(()) => Some(build::contain_panic(|| preparer.plan(*set))),
    };
    sets.par_iter().map(plan).collect()
}

/// The positions of images whose name another one has before them.
fn repeated_names(images: &[Image]) -> BTreeSet<usize> {
    let mut names = BTreeSet::new();
    let indices = 0..images.len();
    indices
        .filter(|&index| !names.insert(images[index].file_name.as_str()))
        .collect()
}

/// The job that writes what was decided about `set`.
fn job(set: Siblings<'_>, decided: Decided, zeroes: Zeroes) -> Job<'_> {
    let content = Content::of(&decided);
    let warnings = decided.warnings();
    let Decided { disk, files, .. } = decided;
    let images = set
        .numbered()
        .zip(files)
        .map(|((number, image), plan)| JobImage {
            name: &image.file_name,
            number,
            stream: image.stream(),
            checksums: image.checksums(),
            plan,
        });
    Job {
        images: images.collect(),
        size: disk.as_ref().map_or(Bytes::new(0), |disk| disk.size),
        cost: disk.as_ref().map_or(Bytes::new(content.files.bytes), cost),
        warnings,
        content,
        write: Box::new(move |to, progress| {
            let Some(disk) = &disk else {
                return Ok(Facts::new());
            };
            let roots = disklayout::build(disk, zeroes, to, progress)?;
            Ok(roots.iter().map(|root| root_hash(disk, root)).collect())
        }),
    }
}

/// What systemd is told of a hash tree, by the type of the partition that it belongs to.
fn root_hash(plan: &DiskPlan, root: &Root) -> (&'static str, String) {
    let mut partitions = plan.partitions.iter().map(|one| &one.record);
    let own = partitions.find(|record| record.number == root.of);
    let kind = own.and_then(|record| record.entry.type_name());
    let name = match kind.is_some_and(|kind| kind.contains("/usr")) {
        true => "usr_hash",
        false => "root_hash",
    };
    (name, root.hash.to_string())
}

/// About how many bytes writing takes.
fn cost(plan: &DiskPlan) -> Bytes {
    let filesystems = plan.filesystems().map(|one| one.cost().get());
    let bytes = plan.raw_bytes().map(|bytes| bytes.content.data_len());
    Bytes::new(filesystems.chain(bytes).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Stage;
    use crate::image::{DiskFormat, Finish, InstallRecipe, Recipe};

    fn install(file_name: &str, place: &str) -> Image {
        let recipe = InstallRecipe {
            place: place.into(),
            release: "9".into(),
            stage: Stage::Released,
            arch: "x86_64".into(),
            distribution: Arc::default(),
            variant: None,
            size_gib: 10,
            maxage_days: 0,
            bootopts: None,
            format: DiskFormat::default(),
            memory_mib: None,
            cpus: None,
            finish: Finish::default(),
        };
        Image {
            file_name: file_name.into(),
            group: "minimal".into(),
            recipe: Recipe::Install(Box::new(recipe)),
        }
    }

    #[test]
    fn what_cannot_be_planned_touches_no_file_and_names_its_images() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("d.img")).unwrap();
        let settings = Settings {
            directory: Arc::new(Directory::lock(root.path()).unwrap()),
            temporaries: Temporaries::default(),
            jobs: default_jobs(),
            sync: true,
            zeroes: Zeroes::default(),
            conditions: Conditions {
                time: disklayout::Timestamp::default(),
                latest: None,
                downloads: download::Downloads::default(),
            },
            install: virtinstall::Settings {
                connect: Some("qemu+unix:///system?socket=/nowhere".into()),
                ..virtinstall::Settings::default()
            },
        };
        let images = [
            install("a.qcow2", "virtinstall[0]"),
            install("b.qcow2", "virtinstall[1]"),
            install("c.qcow2", "virtinstall[0]"),
            install("a.qcow2", "virtinstall[0]"),
            install("d.img", "virtinstall[0]"),
            install("../e.img", "virtinstall[0]"),
        ];
        let find = |_: &str| bail!("no uploads here");
        let outcome = run(&images, &settings, &Registry::default(), &find, &Silent).unwrap();
        let failed: Vec<_> = outcome
            .failed
            .iter()
            .map(|failure| (failure.images.join(" "), format!("{:#}", failure.error)))
            .collect();
        let libvirt = match cfg!(feature = "libvirt") {
            true => "can't connect to libvirt",
            false => "is built without libvirt",
        };
        let expected = [
            ("a.qcow2 b.qcow2 c.qcow2", libvirt),
            ("a.qcow2", "'a.qcow2' is asked for more than once"),
            ("d.img", "is a directory, not a regular file"),
            ("../e.img", "'../e.img' is no file name"),
        ];
        assert_eq!(failed.len(), expected.len(), "{failed:?}");
        for ((names, text), (expected_names, part)) in failed.iter().zip(expected) {
            assert_eq!(names, expected_names);
            assert!(text.contains(part), "{text}");
        }
        assert!(outcome.built.is_empty() && !outcome.is_success());
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
