//! Devices in the tree itself, where it can have no /dev of its own while a program runs.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::rooted::locate_followed;

/// Devices that every program may expect, with their numbers.
pub const DEVICES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// What was made in the tree's own /dev for a while.
#[derive(Debug)]
pub(super) struct Devices {
    dev: PathBuf,
    /// When it was changed before.
    modified: SystemTime,
    made: Vec<PathBuf>,
}

impl Devices {
    /// Makes devices, and `files` without content, where they aren't there.
    pub(super) fn make(tree: &Path, files: &[&str]) -> io::Result<Self> {
        let dev = locate_followed(tree, Path::new("dev"))?;
        if !dev.is_dir() {
            fs::create_dir(&dev)?;
        }
        let mut devices = Self {
            modified: fs::metadata(&dev)?.modified()?,
            dev,
            made: Vec::new(),
        };
        for (name, major, minor) in DEVICES {
            let device = makedev(major, minor);
            devices.put(name, |path| {
                let mode = Mode::from_raw_mode(0o666);
                mknodat(CWD, path, FileType::CharacterDevice, mode, device)?;
                fs::set_permissions(path, PermissionsExt::from_mode(0o666))
            })?;
        }
        for name in files {
            devices.put(name, make_empty)?;
        }
        Ok(devices)
    }

    /// Makes what is missing by `make`, with the directories above it.
    fn put(&mut self, name: &str, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
        let path = self.dev.join(name);
        let above = path.ancestors().skip(1).take_while(|it| *it != self.dev);
        let mut missing: Vec<_> = above
            .filter(|it| !it.exists())
            .map(Path::to_owned)
            .collect();
        missing.reverse();
        for directory in missing {
            fs::create_dir(&directory)?;
            self.made.push(directory);
        }
        if fs::symlink_metadata(&path).is_err() {
            make(&path)?;
            self.made.push(path);
        }
        Ok(())
    }

    /// Removes what was made, as far as it is still there and nothing else is in it.
    pub(super) fn remove(self) -> io::Result<()> {
        for path in self.made.iter().rev() {
            match path.is_dir() {
                // A program may have put something there.
                true => drop(fs::remove_dir(path)),
                false => drop(fs::remove_file(path)),
            }
        }
        File::open(&self.dev)?.set_modified(self.modified)
    }
}

/// Makes a file without content, and the directories above it.
pub(super) fn make_empty(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    File::create(path).map(drop)
}
