//! Images of one filesystem, mounted by the kernel. Needs root.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::checkers::{self, Verdict, approved, command};

/// Whether to go on as root; a run without is said to be incomplete.
pub(crate) fn is_root() -> bool {
    if is_root_user() && !may_do_without_root() {
        return true;
    }
    assert!(
        may_do_without_root(),
        "mounting needs root; CREATEHDDS_TEST_NO_ROOT=1 leaves this test out"
    );
    eprintln!("NOT RUN: mounting needs root");
    false
}

pub(crate) fn is_root_user() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn may_do_without_root() -> bool {
    std::env::var_os("CREATEHDDS_TEST_NO_ROOT").is_some_and(|value| value == "1")
}

/// A mounted image, unmounted at the end of its scope.
pub(crate) struct Mounted(tempfile::TempDir);

impl Mounted {
    /// Mounts with `ro` or `rw`.
    pub(crate) fn new(image: &Path, access: &str) -> Self {
        let point = tempfile::tempdir().unwrap();
        let mut mount = command("mount");
        mount.args(["-o", &format!("loop,{access}")]);
        let output = mount.arg(image).arg(point.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", image.display());
        checkers::log("mount", &image.file_name().unwrap().to_string_lossy());
        Self(point)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(said) = approved("umount", &[], self.path()) {
            eprintln!("{said}");
        }
    }
}

/// Lets the kernel make, fill, extend and remove files and directories in an image.
pub(crate) fn go_on_writing(image: &Path) {
    let mounted = Mounted::new(image, "rw");
    let new = mounted.path().join("written by the kernel");
    fs::create_dir(&new).unwrap();
    for number in 0..300 {
        fs::write(new.join(format!("{number}")), vec![7; number * 100]).unwrap();
    }
    for (index, path) in files(mounted.path()).into_iter().enumerate() {
        match index % 20 {
            0 => fs::remove_file(path).unwrap(),
            1 => append(&path),
            2 => fs::hard_link(&path, new.join(format!("link to {index}"))).unwrap(),
            _ => (),
        }
    }
}

fn append(path: &Path) {
    let mut file = File::options().append(true).open(path).unwrap();
    file.write_all(&[8; 10_000]).unwrap();
}

/// The regular files below `root`, sorted.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            pending.extend(entries.map(|entry| entry.unwrap().path()));
        } else if metadata.is_file() {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `e2fsck -fn` of an image that is one filesystem.
pub(crate) fn e2fsck(image: &Path) -> Verdict<()> {
    approved("e2fsck", &["-fn"], image)?;
    checkers::log("e2fsck", &image.file_name().unwrap().to_string_lossy());
    Ok(())
}
