//! Images mounted by the kernel, and devices of them. Needs root.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::log::accepted;
use crate::program::{arguments, run};

/// A mounted image of one filesystem, unmounted at the end of its scope.
#[derive(Debug)]
pub struct Mounted(TempDir);

impl Mounted {
    /// Mounts with `options`, such as `ro` or `rw`.
    pub fn new(image: &Path, options: &str) -> Self {
        let point = TempDir::new().unwrap();
        let options = format!("loop,{options}");
        run(
            "mount",
            &arguments(&["-o", &options], &[image, point.path()]),
        )
        .unwrap_or_else(|said| panic!("{}: {said}", image.display()));
        accepted("mount", image);
        Self(point)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(said) = run("umount", &[self.path()]) {
            eprintln!("{said}");
        }
    }
}

/// A loop device of an image, gone at the end of its scope.
#[derive(Debug)]
pub struct LoopDevice {
    pub path: PathBuf,
}

impl LoopDevice {
    /// A device with sectors of this many bytes.
    pub fn new(image: &Path, sector_size: &str) -> Self {
        let options = ["--find", "--show", "--sector-size", sector_size];
        let path = run("losetup", &arguments(&options, &[image])).unwrap();
        let path = PathBuf::from(path.trim_end());
        Self { path }
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        if let Err(said) = run("losetup", &arguments(&["--detach"], &[&self.path])) {
            eprintln!("{said}");
        }
    }
}
