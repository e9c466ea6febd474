//! Writes images: computing on a fixed number of threads, waiting for the disk on more.
//!
//! Most of the time of a small image is its sync. While one thread waits for that, another may
//! compute; and syncs that overlap share the filesystem's journal commits.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow};
use disklayout::Bytes;
use disklayout::archive::Facts;
use disklayout::disk::Disk;
use disklayout::fs::Progress;
use indicatif::BinaryBytes;
use rayon::ThreadPool;

use super::destination::Destination;
use super::event::{Event, Reporter};
use super::fill::Rest;
use super::outcome::{Built, Cause, Content};
use super::output::{Output, Published};
use super::plan::FilePlan;
use super::{Numbered, Settings};
use crate::checksum::Algorithm;
use crate::image::Stream;

/// How many images may wait for the disk beside those that are being computed.
const WAITING: usize = 8;

/// Writes onto a disk that has the right size and is empty, as often as it is called; what is known of it
/// then.
pub(super) type WriteDisk<'a> =
    dyn Fn(&dyn Disk, &dyn Progress) -> Result<Facts> + Send + Sync + 'a;

/// A disk in which everything is decided, and the images that it goes into.
pub(super) struct Job<'a> {
    /// The images; one at least.
    pub(super) images: Vec<JobImage<'a>>,
    /// The size of the disk.
    pub(super) size: Bytes,
    /// About how much of it has to be written.
    pub(super) cost: Bytes,
    /// What of the content isn't in it.
    pub(super) warnings: Vec<String>,
    /// What is in it; it needs somewhat more than the bytes of its files.
    pub(super) content: Content,
    /// Writes it.
    pub(super) write: Box<WriteDisk<'a>>,
}

/// One image of a disk.
pub(super) struct JobImage<'a> {
    /// Its file name.
    pub(super) name: &'a str,
    /// Its number in the run, from 1.
    pub(super) number: usize,
    /// Where it goes, if that is no file with its name.
    pub(super) stream: Option<&'a Stream>,
    /// Which sums of it are put beside it.
    pub(super) checksums: &'a [Algorithm],
    /// What it becomes.
    pub(super) plan: FilePlan,
}

/// An image that is complete.
struct Complete {
    image: Destination,
    rest: Rest,
}

/// What all threads share.
pub(super) struct Run<'a> {
    pub(super) settings: &'a Settings,
    pool: &'a ThreadPool,
    pub(super) reporter: &'a dyn Reporter,
    images: usize,
    disk_full: AtomicBool,
}

impl<'a> Run<'a> {
    /// A run of `images` images in all, which `pool` computes.
    pub(super) fn new(
        images: usize,
        settings: &'a Settings,
        pool: &'a ThreadPool,
        reporter: &'a dyn Reporter,
    ) -> Self {
        Self {
            settings,
            pool,
            reporter,
            images,
            disk_full: AtomicBool::new(false),
        }
    }

    /// Writes `jobs`, starting them in their order, and tells what came of each by its number.
    pub(super) fn write_all(&self, jobs: Vec<Job<'_>>) -> Vec<Numbered> {
        let threads = self.writers(jobs.len());
        let queue = Mutex::new(jobs.into_iter());
        side_by_side(threads, || self.build_next(&queue))
    }

    /// How many of `images` images are begun at a time.
    pub(super) fn writers(&self, images: usize) -> usize {
        images.min(self.settings.jobs.get() + WAITING)
    }

    /// Does `work` when one of the threads that compute has time for it.
    pub(super) fn compute<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }

    /// Builds the images of one disk and tells what came of each by its number.
    pub(super) fn build(&self, job: Job<'_>) -> Vec<Numbered> {
        let (names, content) = (names(&job), job.content);
        let written = self.compute(|| self.write(job));
        self.publish_all(&names, content, written)
    }

    /// Builds the images of the first disk in `queue` and tells what came of each by its number.
    fn build_next<'b>(
        &self,
        queue: &Mutex<impl Iterator<Item = Job<'b>> + Send>,
    ) -> Option<Vec<Numbered>> {
        // Taken on the pool, so that images are begun in their order whichever thread is first.
        let (names, content, written) = self.pool.install(|| {
            let job = lock(queue).next()?;
            let (names, content) = (names(&job), job.content);
            Some((names, content, self.write(job)))
        })?;
        Some(self.publish_all(&names, content, written))
    }

    /// Puts images that are complete into their places. What stopped one of a disk while it was being
    /// written stopped them all.
    fn publish_all(
        &self,
        names: &[(usize, &str)],
        content: Content,
        written: Result<Vec<Complete>, Cause>,
    ) -> Vec<Numbered> {
        let results: Vec<_> = match written {
            Ok(written) => names
                .iter()
                .zip(written)
                .map(|((_, name), complete)| self.publish_one(complete, name, content))
                .collect(),
            Err(cause) => cause.for_each_of(names.len()),
        };
        let all = names.iter().zip(results);
        all.map(|((number, name), result)| self.report(name, *number, result))
            .collect()
    }

    fn publish_one(
        &self,
        complete: Complete,
        name: &str,
        content: Content,
    ) -> Result<Built, Cause> {
        let Complete { mut image, rest } = complete;
        let published = image.publish(self.settings.sync).and_then(|published| {
            let beside = rest.beside;
            beside.map_or(Ok(()), |it| it.publish(name, self.settings))?;
            Ok(published)
        });
        let allocated = image.allocated().ok();
        let built = self.published(published, name, content, allocated)?;
        Ok(Built {
            facts: rest.facts,
            ..built
        })
    }

    /// Tells what came of an image.
    pub(super) fn report(
        &self,
        image: &str,
        number: usize,
        result: Result<Built, Cause>,
    ) -> Numbered {
        let images = self.images;
        let event = match &result {
            Ok(built) => Event::ImageBuilt {
                built,
                number,
                images,
            },
            Err(_) => Event::ImageFailed {
                image,
                number,
                images,
            },
        };
        self.reporter.report(&event);
        (number, result)
    }

    /// Tells that an image is being made, unless there is no room for any.
    pub(super) fn start(&self, image: &str, number: usize) -> Result<(), Cause> {
        if self.disk_full.load(Ordering::Relaxed) {
            return Err(Cause::NotTried);
        }
        let images = self.images;
        self.reporter.report(&Event::ImageStarted {
            image,
            number,
            images,
        });
        Ok(())
    }

    /// Puts an image that is complete into its place.
    pub(super) fn publish(
        &self,
        output: &mut Output,
        name: &str,
        content: Content,
    ) -> Result<Built, Cause> {
        let published = output.publish(self.settings.sync);
        self.published(published, name, content, output.allocated().ok())
    }

    /// What became of the image `name`, which takes `allocated` bytes so far.
    fn published(
        &self,
        published: Result<Published>,
        name: &str,
        content: Content,
        allocated: Option<Bytes>,
    ) -> Result<Built, Cause> {
        match published {
            Ok(published) => Ok(Built {
                image: name.to_owned(),
                size: published.size,
                allocated: published.allocated,
                content,
                facts: Facts::new(),
            }),
            Err(error) => Err(self.cause(error, name, content, allocated)),
        }
    }

    fn write(&self, job: Job<'_>) -> Result<Vec<Complete>, Cause> {
        let (name, content) = (job.images[0].name, job.content);
        for image in &job.images {
            self.start(image.name, image.number)?;
        }
        for message in &job.warnings {
            let image = name;
            self.reporter
                .report(&Event::ImageWarning { image, message });
        }
        let begun = job.images.iter().map(|image| self.begin(image));
        let begun: Result<Vec<_>> = begun.collect();
        let begun = begun.map_err(|error| self.cause(error, name, content, None))?;
        match contain_panic(|| self.fill(&job, &begun)) {
            Ok(rest) => {
                let complete = begun.into_iter().zip(rest);
                Ok(complete
                    .map(|(image, rest)| Complete { image, rest })
                    .collect())
            }
            Err(error) => {
                let allocated = begun
                    .iter()
                    .map(|to| to.allocated().unwrap_or_default().get());
                let allocated = Bytes::new(allocated.sum());
                Err(self.cause(error, name, content, Some(allocated)))
            }
        }
    }

    /// Makes the place that an image is written to.
    fn begin(&self, image: &JobImage<'_>) -> Result<Destination> {
        let Settings {
            directory,
            temporaries,
            ..
        } = self.settings;
        Ok(match image.stream {
            Some(stream) => Destination::Stream(stream.clone(), Arc::default()),
            None => Destination::File(Output::create(directory, temporaries, image.name)?),
        })
    }

    /// What stopped the image `name`, whose files have `content` bytes, when it took `written` bytes.
    pub(super) fn cause(
        &self,
        error: anyhow::Error,
        name: &str,
        content: Content,
        written: Option<Bytes>,
    ) -> Cause {
        if !is_disk_full(&error) {
            return Cause::Other(error);
        }
        self.disk_full.store(true, Ordering::Relaxed);
        let directory = &self.settings.directory;
        let free = match directory.free_bytes() {
            Ok(free) => format!("{} were free", BinaryBytes(free)),
            Err(error) => format!("how much was free is unknown: {error}"),
        };
        Cause::DiskFull(error.context(format!(
            "no space is left on the filesystem of '{}': {free}, {name} needs more than {}; free \
             some space, or choose a directory elsewhere with -C",
            directory.path().display(),
            BinaryBytes(written.unwrap_or_default().get().max(content.files.bytes)),
        )))
    }
}

/// The numbers and names of the images of a disk.
fn names<'a>(job: &Job<'a>) -> Vec<(usize, &'a str)> {
    let images = job.images.iter();
    images.map(|image| (image.number, image.name)).collect()
}

/// Does `next` on so many threads, this one among them, until there is nothing more to do; what came
/// of it by number. Where the system allows fewer threads, it takes longer.
pub(super) fn side_by_side(
    threads: usize,
    next: impl Fn() -> Option<Vec<Numbered>> + Sync,
) -> Vec<Numbered> {
    let results = Mutex::new(Vec::new());
    let work = || {
        while let Some(some) = next() {
            lock(&results).extend(some);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            let thread = std::thread::Builder::new();
            if let Err(error) = thread.spawn_scoped(scope, work) {
                tracing::debug!("fewer threads than {threads}: {error}");
                break;
            }
        }
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    results
}

/// Whether the cause of `error` is that the filesystem or the user's share of it is used up.
fn is_disk_full(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        })
}

/// Does the `work` for one image. Should it panic, only that image is lost.
pub(super) fn contain_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(anyhow!("internal error: {}", panic_message(&*panic))))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic without a message")
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::os::unix::fs::FileExt;
    use std::path::Path;
    use std::process::Command;

    use disklayout::fs::Options;
    use disklayout::{Identity, Timestamp, Zeroes, container};

    use super::*;
    use crate::engine::download::Downloads;
    use crate::engine::event::Silent;
    use crate::engine::{Conditions, Directory, Outcome, Temporaries};

    type Write = fn(&dyn Disk, &dyn Progress) -> Result<Facts>;

    fn settings(path: &Path, jobs: usize) -> Settings {
        Settings {
            directory: Arc::new(Directory::lock(path).unwrap()),
            temporaries: Temporaries::default(),
            jobs: NonZeroUsize::new(jobs).unwrap(),
            sync: true,
            zeroes: Zeroes::default(),
            conditions: Conditions {
                time: Timestamp::default(),
                latest: None,
                downloads: Downloads::default(),
            },
            install: crate::virtinstall::Settings::default(),
        }
    }

    fn raw(size: u64) -> FilePlan {
        let formats = container::Registry::default();
        let request = container::Request {
            place: &"image".into(),
            size: Bytes::new(size),
            options: &Options::default(),
            identity: &Identity::new("image", Timestamp::default()),
        };
        let raw = formats.format("raw").unwrap();
        FilePlan::Image(raw.plan(&request).unwrap())
    }

    fn build(path: &Path, jobs: usize, writes: &[(&str, Write)]) -> Outcome {
        let settings = settings(path, jobs);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .build()
            .unwrap();
        let list = writes.iter().zip(1..).map(|(&(name, write), number)| Job {
            images: vec![JobImage {
                name,
                number,
                stream: None,
                checksums: &[],
                plan: raw(1 << 20),
            }],
            size: Bytes::new(1 << 20),
            cost: Bytes::new(0),
            warnings: Vec::new(),
            content: Content::default(),
            write: Box::new(write),
        });
        let results = Run::new(writes.len(), &settings, &pool, &Silent).write_all(list.collect());
        let named = results
            .into_iter()
            .map(|(number, result)| (writes[number - 1].0.to_owned(), result));
        Outcome::sum_up(named.collect(), std::time::Duration::ZERO)
    }

    fn files(path: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(path).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn succeed(disk: &dyn Disk, _: &dyn Progress) -> Result<Facts> {
        disk.write_at(b"new", 4096)?;
        Ok(Facts::new())
    }

    fn fail(disk: &dyn Disk, _: &dyn Progress) -> Result<Facts> {
        disk.write_at(b"half", 0)?;
        Err(anyhow!("a reason"))
    }

    fn fill(disk: &dyn Disk, _: &dyn Progress) -> Result<Facts> {
        disk.write_at(b"half", 0)?;
        Err(io::Error::from(io::ErrorKind::StorageFull).into())
    }

    #[test]
    fn a_failure_or_panic_costs_one_image_and_keeps_the_old_one() {
        for jobs in [1, 4] {
            let root = tempfile::tempdir().unwrap();
            for name in ["a", "b", "c"] {
                std::fs::write(root.path().join(name), "old").unwrap();
            }
            let panic: Write = |_, _| panic!("a bug");
            let outcome = build(
                root.path(),
                jobs,
                &[("a", fail), ("b", succeed), ("c", panic), ("d", succeed)],
            );
            let built: Vec<_> = outcome.built.iter().map(|built| &built.image).collect();
            assert_eq!(built, ["b", "d"]);
            let failed: Vec<_> = outcome
                .failed
                .iter()
                .map(|failure| (failure.images.concat(), failure.error.to_string()))
                .collect();
            let expected = [("a", "a reason"), ("c", "internal error: a bug")];
            assert_eq!(
                failed,
                expected.map(|(name, text)| (name.into(), text.into()))
            );
            assert_eq!(files(root.path()), ["a", "b", "c", "d"]);
            for (name, expected) in [("a", &b"old"[..]), ("c", b"old")] {
                assert_eq!(std::fs::read(root.path().join(name)).unwrap(), expected);
            }
            for name in ["b", "d"] {
                let mut data = [0; 3];
                let file = std::fs::File::open(root.path().join(name)).unwrap();
                file.read_exact_at(&mut data, 4096).unwrap();
                assert_eq!((file.metadata().unwrap().len(), &data), (1 << 20, b"new"));
            }
        }
    }

    #[test]
    fn nothing_is_begun_on_a_full_disk_and_one_error_tells_all() {
        let root = tempfile::tempdir().unwrap();
        let outcome = build(
            root.path(),
            1,
            &[("a", succeed), ("b", fill), ("c", succeed), ("d", fill)],
        );
        assert_eq!(files(root.path()), ["a"]);
        let [failure] = outcome.failed.as_slice() else {
            panic!("{outcome:?}");
        };
        assert_eq!(failure.images, ["b", "c", "d"]);
        let text = format!("{:#}", failure.error);
        let directory = root.path().display().to_string();
        for part in [
            "no space is left",
            &directory,
            "b needs more than 4.00 KiB",
            "-C",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    /// The child of `a_disk_that_is_really_full_gives_one_error`; nothing by itself.
    #[test]
    fn on_a_small_filesystem() {
        let Some(root) = std::env::var_os("SMALL_FILESYSTEM") else {
            return;
        };
        let write_all: Write = |disk, _| {
            for block in 0..256 {
                disk.write_at(&[7; 4096], block * 4096)?;
            }
            Ok(Facts::new())
        };
        let names = ["a", "b", "c", "d"].map(|name| (name, write_all));
        let outcome = build(Path::new(&root), 2, &names);
        assert_eq!(outcome.failed.len(), 1, "{outcome:?}");
        assert_eq!(outcome.built.len() + outcome.failed_images(), 4);
        assert_eq!(files(Path::new(&root)).len(), outcome.built.len());
        let text = format!("{:#}", outcome.failed[0].error);
        assert!(
            text.contains("no space is left") && text.contains("os error 28"),
            "{text}"
        );
    }

    /// Mounts a filesystem of half a MiB in a namespace of its own; root isn't needed for that
    /// where users may have namespaces.
    #[test]
    fn a_disk_that_is_really_full_gives_one_error() {
        let root = tempfile::tempdir().unwrap();
        let script = "mount -t tmpfs -o size=512k none \"$SMALL_FILESYSTEM\" && exec \"$0\" \"$@\"";
        let output = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", script])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "engine::build::tests::on_a_small_filesystem"])
            .env("SMALL_FILESYSTEM", root.path())
            .output()
            .expect("unshare (package util-linux) is needed");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{output:?}"
        );
    }
}
