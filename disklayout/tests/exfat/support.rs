//! Plans, images and checkers in short.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use disklayout::disk::SparseFile;
use disklayout::fs::{FsPlan, Options, Registry, Request, Unwatched};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Error, Identity, Timestamp};
use tempfile::TempDir;

pub(crate) use crate::checker::run;
use crate::programs::accepted;
pub(crate) use crate::root::is_root;

pub(crate) const KIB: u64 = Bytes::KIB;
pub(crate) const MIB: u64 = Bytes::MIB;
pub(crate) const GIB: u64 = Bytes::GIB;
pub(crate) const TIB: u64 = Bytes::TIB;

/// When everything is made: 2000-01-01.
pub(crate) const TIME: Timestamp = Timestamp::from_seconds(946_684_800);

pub(crate) fn empty_tree() -> FileTree {
    FileTree::new(TIME)
}

pub(crate) fn request() -> Request<'static> {
    Request::new("parts[0]", "exfat", Identity::new("test", TIME))
}

/// What is asked for, in a filesystem of this size.
pub(crate) fn plan_at(size: u64, request: Request<'_>) -> Result<Box<dyn FsPlan>, Error> {
    Registry::native().draft(request)?.at(Bytes::new(size))
}

pub(crate) fn smallest(request: Request<'_>, free: u64) -> Result<u64, Error> {
    let smallest = Registry::native()
        .draft(request)?
        .smallest(Bytes::new(free));
    smallest.map(Bytes::get)
}

/// Names and values of options.
pub(crate) fn options(chosen: &[(&str, &str)]) -> Options {
    let chosen = chosen.iter();
    chosen.fold(Options::default(), |options, (name, value)| {
        options.with(name, value)
    })
}

pub(crate) fn plan_with(
    size: u64,
    chosen: &[(&str, &str)],
    tree: FileTree,
) -> Result<Box<dyn FsPlan>, Error> {
    let request = Request {
        options: options(chosen),
        tree,
        ..request()
    };
    plan_at(size, request)
}

pub(crate) fn plan(size: u64, tree: FileTree) -> Result<Box<dyn FsPlan>, Error> {
    plan_with(size, &[], tree)
}

/// A directory of its own for images, in memory where possible.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(
            TempDir::new_in("/dev/shm")
                .or_else(|_| TempDir::new())
                .unwrap(),
        )
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An image of `plan` that fsck.exfat has accepted.
    pub(crate) fn image(&self, name: &str, size: u64, plan: &dyn FsPlan) -> PathBuf {
        let path = self.path(name);
        write_image(plan, size, &path);
        fsck(&path).unwrap_or_else(|said| panic!("{name}: {said}"));
        path
    }
}

pub(crate) fn write_image(plan: &dyn FsPlan, size: u64, path: &Path) {
    let disk = SparseFile::create(File::create_new(path).unwrap(), size).unwrap();
    plan.write(&disk, &Unwatched).unwrap();
}

/// Whether fsck.exfat finds nothing to say.
pub(crate) fn fsck(image: &Path) -> Result<(), String> {
    let text = run("fsck.exfat", &[OsStr::new("-n"), image.as_os_str()])?;
    let complains = |line: &str| {
        let usual = line.starts_with("exfatprogs version") || line.contains(": clean. directories");
        !usual && !line.is_empty()
    };
    if !text.contains(": clean. directories") || text.lines().any(complains) {
        return Err(format!("fsck.exfat: {text}"));
    }
    accepted("fsck.exfat", image);
    Ok(())
}

/// What blkid tells of an image by that name, empty where nothing is.
pub(crate) fn blkid(image: &Path, name: &str) -> String {
    let arguments = ["-p", "-s", name, "-o", "value"].map(OsStr::new);
    let arguments = [&arguments[..], &[image.as_os_str()]].concat();
    let text = run("blkid", &arguments).unwrap_or_default();
    if !text.is_empty() {
        accepted("blkid", image);
    }
    text.trim_end().to_owned()
}

/// A loop device of an image, gone at the end of its scope.
pub(crate) struct Loop {
    pub(crate) device: PathBuf,
    image: PathBuf,
}

impl Loop {
    pub(crate) fn new(image: &Path, sector_size: &str) -> Self {
        let options = ["--find", "--show", "--sector-size", sector_size].map(OsStr::new);
        let arguments = [&options[..], &[image.as_os_str()]].concat();
        let device = run("losetup", &arguments).unwrap();
        Self {
            device: PathBuf::from(device.trim_end()),
            image: fs::canonicalize(image).unwrap(),
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        if let Err(said) = run(
            "losetup",
            &[OsStr::new("--detach"), self.device.as_os_str()],
        ) {
            eprintln!("{said}");
        }
        self.wait_for_the_last_close();
    }
}

impl Loop {
    /// Waits until nobody has the device open any more, which is when it lets go of its image: a
    /// driver for FUSE writes on when its filesystem is unmounted already.
    fn wait_for_the_last_close(&self) {
        let name = self.device.file_name().unwrap();
        let holds = Path::new("/sys/block").join(name).join("loop/backing_file");
        let is_open =
            || fs::read_to_string(&holds).is_ok_and(|it| Path::new(it.trim_end()) == self.image);
        while is_open() {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// An image mounted by the driver for FUSE, unmounted at the end of its scope.
pub(crate) struct Mount {
    pub(crate) point: PathBuf,
    _device: Loop,
}

impl Mount {
    pub(crate) fn new(image: &Path, scratch: &Scratch, options: &str) -> Self {
        let device = Loop::new(image, "512");
        let point = scratch.path("mounted");
        let _ = fs::create_dir(&point);
        let arguments = [
            OsStr::new("-o"),
            OsStr::new(options),
            device.device.as_os_str(),
            point.as_os_str(),
        ];
        run("mount.exfat-fuse", &arguments).unwrap();
        accepted("mount.exfat-fuse", image);
        Self {
            point,
            _device: device,
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Err(said) = run("umount", &[&self.point]) {
            eprintln!("{said}");
        }
    }
}
