//! Plans, images and the driver for FUSE in short.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use disklayout::Error;
use disklayout::fs::{FsPlan, Request};
use disklayout::tree::FileTree;

pub(crate) use testkit::checkers::blkid_value as blkid;
pub(crate) use testkit::image::write_image;
pub(crate) use testkit::mount::LoopDevice;
pub(crate) use testkit::program::run;
pub(crate) use testkit::root::is_root;
pub(crate) use testkit::scratch::Scratch;
pub(crate) use testkit::trees::{TIME, empty_tree, options, plan_at, smallest};
pub(crate) use testkit::{GIB, KIB, MIB, TIB};

use testkit::log::accepted;
use testkit::program::command;

pub(crate) fn request() -> Request<'static> {
    testkit::trees::request("exfat")
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

/// Whether fsck.exfat finds nothing to say.
pub(crate) fn fsck(image: &Path) -> Result<(), String> {
    testkit::checkers::fsck("exfat", image)
}

/// An image mounted by the driver for FUSE; at the end of its scope it is unmounted, and the driver
/// has written everything.
pub(crate) struct Mount {
    pub(crate) point: PathBuf,
    driver: Child,
    _device: LoopDevice,
}

impl Mount {
    pub(crate) fn new(image: &Path, scratch: &Scratch, options: &str) -> Self {
        let device = LoopDevice::new(image, "512");
        let point = scratch.path("mounted");
        let _ = fs::create_dir(&point);
        // In the foreground: where it is a daemon, nothing tells when it has ended.
        let driver = command("mount.exfat-fuse")
            .args(["-d", "-o", options])
            .args([&device.path, &point])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut mount = Self {
            point,
            driver,
            _device: device,
        };
        mount.wait_until_there();
        accepted("mount.exfat-fuse", image);
        mount
    }

    fn wait_until_there(&mut self) {
        while run("mountpoint", &[&self.point]).is_err() {
            let ended = self.driver.try_wait().unwrap();
            assert!(ended.is_none(), "mount.exfat-fuse: {ended:?}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        match run("umount", &[&self.point]) {
            Ok(_) => drop(self.driver.wait()),
            Err(said) => eprintln!("{said}"),
        }
    }
}
