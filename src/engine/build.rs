//! Writes images: computing on a fixed number of threads, waiting for the disk on more.
//!
//! Most of the time of a small image is its sync. While one thread waits for that, another may
//! compute; and syncs that overlap share the filesystem's journal commits.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow};
use disklayout::Bytes;
use disklayout::disk::SparseFile;
use disklayout::fs::Progress;
use indicatif::BinaryBytes;
use rayon::ThreadPool;

use super::event::{Event, Reporter};
use super::outcome::{Built, Cause, Content};
use super::output::Output;
use super::progress::Watch;
use super::{Numbered, Settings};

/// How many images may wait for the disk beside those that are being computed.
const WAITING: usize = 8;

/// Writes an image onto a file that has its size and is empty.
type WriteImage<'a> = dyn FnOnce(&SparseFile, &dyn Progress) -> Result<()> + Send + 'a;

/// An image in which everything is decided.
pub(super) struct Job<'a> {
    /// Its file name.
    pub(super) name: &'a str,
    /// Its number in the run, from 1.
    pub(super) number: usize,
    /// Its size.
    pub(super) size: Bytes,
    /// About how much of it has to be written.
    pub(super) cost: Bytes,
    /// What of the content isn't in it.
    pub(super) warnings: Vec<String>,
    /// What is in it; it needs somewhat more than the bytes of its files.
    pub(super) content: Content,
    /// Writes it.
    pub(super) write: Box<WriteImage<'a>>,
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

    /// Builds one image and tells what came of it by its number.
    pub(super) fn build(&self, job: Job<'_>) -> Numbered {
        let (name, number, content) = (job.name, job.number, job.content);
        let output = self.compute(|| self.write(job));
        let result = output.and_then(|mut output| self.publish(&mut output, name, content));
        self.report(name, number, result)
    }

    /// Builds the first image in `queue` and tells what came of it by its number.
    fn build_next<'b>(
        &self,
        queue: &Mutex<impl Iterator<Item = Job<'b>> + Send>,
    ) -> Option<Numbered> {
        // Taken on the pool, so that images are begun in their order whichever thread is first.
        let (name, number, content, output) = self.pool.install(|| {
            let job = lock(queue).next()?;
            let (name, number, content) = (job.name, job.number, job.content);
            Some((name, number, content, self.write(job)))
        })?;
        let result = output.and_then(|mut output| self.publish(&mut output, name, content));
        Some(self.report(name, number, result))
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
        match output.publish(self.settings.sync) {
            Ok(published) => Ok(Built {
                image: name.to_owned(),
                size: published.size,
                allocated: published.allocated,
                content,
            }),
            Err(error) => Err(self.cause(error, name, content, Some(output))),
        }
    }

    fn write(&self, job: Job<'_>) -> Result<Output, Cause> {
        let (name, content) = (job.name, job.content);
        self.start(name, job.number)?;
        for message in &job.warnings {
            let image = name;
            self.reporter
                .report(&Event::ImageWarning { image, message });
        }
        let Settings {
            directory,
            temporaries,
            ..
        } = self.settings;
        let output = Output::create(directory, temporaries, name, job.size)
            .map_err(|error| self.cause(error, name, content, None))?;
        let output = if self.settings.sync {
            output.settling()
        } else {
            output
        };
        let watch = Watch::new(name, content.files, self.reporter);
        match contain_panic(|| (job.write)(output.disk(), &watch)) {
            Ok(()) => Ok(output),
            Err(error) => Err(self.cause(error, name, content, Some(&output))),
        }
    }

    /// What stopped the image `name`, whose files have `content` bytes. `output` still takes its
    /// room, so that the figures are those of the moment of failure.
    pub(super) fn cause(
        &self,
        error: anyhow::Error,
        name: &str,
        content: Content,
        output: Option<&Output>,
    ) -> Cause {
        if !is_disk_full(&error) {
            return Cause::Other(error);
        }
        let written = output.and_then(|output| output.allocated().ok());
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

/// Does `next` on so many threads, this one among them, until there is nothing more to do; what came
/// of it by number. Where the system allows fewer threads, it takes longer.
pub(super) fn side_by_side(
    threads: usize,
    next: impl Fn() -> Option<Numbered> + Sync,
) -> Vec<Numbered> {
    let results = Mutex::new(Vec::new());
    let work = || {
        while let Some(result) = next() {
            lock(&results).push(result);
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
    use std::sync::Arc;

    use disklayout::Timestamp;
    use disklayout::disk::Disk;

    use super::*;
    use crate::engine::download::Downloads;
    use crate::engine::event::Silent;
    use crate::engine::{Conditions, Directory, Outcome, Temporaries};

    type Write = fn(&SparseFile, &dyn Progress) -> Result<()>;

    fn settings(path: &Path, jobs: usize) -> Settings {
        Settings {
            directory: Arc::new(Directory::lock(path).unwrap()),
            temporaries: Temporaries::default(),
            jobs: NonZeroUsize::new(jobs).unwrap(),
            sync: true,
            explicit_zeros: false,
            conditions: Conditions {
                time: Timestamp::default(),
                latest: None,
                downloads: Downloads::default(),
            },
            install: crate::virtinstall::Settings::default(),
        }
    }

    fn build(path: &Path, jobs: usize, writes: &[(&str, Write)]) -> Outcome {
        let settings = settings(path, jobs);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .build()
            .unwrap();
        let list = writes.iter().zip(1..).map(|(&(name, write), number)| Job {
            name,
            number,
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

    fn succeed(disk: &SparseFile, _: &dyn Progress) -> Result<()> {
        Ok(disk.write_at(b"new", 4096)?)
    }

    fn fail(disk: &SparseFile, _: &dyn Progress) -> Result<()> {
        disk.write_at(b"half", 0)?;
        Err(anyhow!("a reason"))
    }

    fn fill(disk: &SparseFile, _: &dyn Progress) -> Result<()> {
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
            Ok(())
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
