//! The directory of the images: whether files can be made there, and whether there is room.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use indicatif::BinaryBytes;

use super::check::{Check, State, grouped};
use super::images::Images;
use crate::engine::{Directory, check_target};
use crate::image::Image;

/// What an installed system takes at least, whatever is chosen, in bytes.
const LEAST_INSTALLED: u64 = 256 << 20;

/// How many bytes of a file a block of its `blocks` has.
const STAT_BLOCK: u64 = 512;

/// The directory, and the room in it for all `images`, whose layouts write `least` bytes or more.
/// Its lock is held no longer than it takes to see that it can be had.
pub(super) fn checks(path: &Path, images: &Images<'_>, least: u64) -> Vec<Check> {
    let all = &images.all;
    let missing = |text: String| vec![Check::missing("directory", text).of(all)];
    let directory = match Directory::lock(path) {
        Ok(directory) => directory,
        Err(error) => return missing(format!("{error:#}")),
    };
    let shown = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let shown = shown.display();
    match directory.is_writable() {
        Ok(true) => {}
        Ok(false) => return missing(format!("files can't be made in '{shown}'")),
        Err(error) => return missing(format!("can't look at '{shown}': {error}")),
    }
    let text = format!("{shown}: writable, and no other run works there");
    let mut checks = vec![Check::ok("directory", text)];
    let refusals = all.iter().filter_map(|image| {
        let refusal = check_target(&directory, &image.file_name).err()?;
        Some((*image, format!("{refusal:#}")))
    });
    let refusals: Vec<_> = refusals.collect();
    checks.extend(grouped(&refusals, |text| Check::missing("names", text)));
    checks.push(room(&directory, images, least));
    checks
}

fn room(directory: &Directory, images: &Images<'_>, least: u64) -> Check {
    let free = match directory.free_bytes() {
        Ok(free) => free,
        Err(error) => {
            return Check::remark("space", format!("how much is free is unknown: {error}"));
        }
    };
    let present = images.all.iter();
    let present = present.map(|image| allocated(&directory.path().join(&image.file_name)));
    let sizes: Vec<_> = images
        .installs()
        .map(|(_, recipe)| recipe.size_gib << 30)
        .collect();
    let check = compare(free, present.sum(), least, &sizes);
    match check.state {
        State::Missing => check.of(&images.all),
        _ => check,
    }
}

/// How much of the filesystem the file at `path` takes.
fn allocated(path: &Path) -> u64 {
    path.symlink_metadata()
        .map_or(0, |found| found.blocks() * STAT_BLOCK)
}

/// Whether `free` bytes are enough for the whole set, of which `present` bytes are there already:
/// layouts of `least` bytes or more, and installations on disks of `sizes`.
fn compare(free: u64, present: u64, least: u64, sizes: &[u64]) -> Check {
    let installed = sizes.iter().map(|size| LEAST_INSTALLED.min(*size));
    let least = least.saturating_add(installed.sum());
    let most: u64 = sizes
        .iter()
        .fold(least, |sum, size| sum.saturating_add(*size));
    let room = free.saturating_add(present);
    let mut text = format!("{} are free", BinaryBytes(free));
    if present > 0 {
        text += &format!(" beside {} of images", BinaryBytes(present));
    }
    if room < least {
        text += &format!("; the whole set takes {} at least", BinaryBytes(least));
        return Check::missing("space", text);
    }
    if room < most {
        let all: u64 = sizes.iter().sum();
        text += &format!("; the disks of the installations are {}", BinaryBytes(all));
        text += " if they get full";
        return Check::remark("space", text);
    }
    Check::ok("space", text)
}

/// What keeps the user that libvirt's system runs machines as from `directory`: the first directory
/// on the way that isn't open to others.
pub(super) fn reach(directory: &Path, images: &[&Image]) -> io::Result<Check> {
    let check = match first_closed(&directory.canonicalize()?)? {
        None => Check::ok(
            "access",
            "virtual machines of the system can reach the directory",
        ),
        Some(closed) => Check::remark(
            "access",
            format!(
                "the user that libvirt's system runs virtual machines as may not get through '{}'; \
                 if so: chmod o+x it, choose another directory with -C, or use --connect \
                 qemu:///session",
                closed.display()
            ),
        ),
    };
    Ok(check.of(images))
}

/// The first of the directories from the root to `path` that others may not pass.
fn first_closed(path: &Path) -> io::Result<Option<PathBuf>> {
    const OTHERS_PASS: u32 = 0o001;
    let mut way: Vec<_> = path.ancestors().collect();
    way.reverse();
    for directory in way {
        if directory.metadata()?.permissions().mode() & OTHERS_PASS == 0 {
            return Ok(Some(directory.to_path_buf()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn room_is_compared_with_the_least_and_the_most() {
        const GIB: u64 = 1 << 30;
        for (free, present, least, sizes, expected) in [
            (0, 0, 0, &[][..], State::Ok),
            (99, 0, 100, &[], State::Missing),
            (99, 1, 100, &[], State::Ok),
            (100, 0, 100, &[], State::Ok),
            (LEAST_INSTALLED - 1, 0, 0, &[GIB], State::Missing),
            (LEAST_INSTALLED, 0, 0, &[GIB], State::Remark),
            (LEAST_INSTALLED, 0, 1, &[GIB], State::Missing),
            (2 * GIB, 0, 0, &[GIB], State::Ok),
            (2 * GIB, 0, 0, &[GIB, GIB], State::Remark),
            (u64::MAX, 0, u64::MAX, &[GIB], State::Ok),
        ] {
            let check = compare(free, present, least, sizes);
            assert_eq!(check.state, expected, "{check:?}");
        }
    }

    #[test]
    fn the_first_closed_directory_is_named() {
        let root = tempfile::tempdir_in("/tmp").unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        set(root.path(), 0o755);
        assert_eq!(first_closed(&inner).unwrap(), None);
        set(&inner, 0o750);
        assert_eq!(first_closed(&inner).unwrap(), Some(inner.clone()));
        set(&root.path().join("a"), 0o700);
        assert_eq!(first_closed(&inner).unwrap(), Some(root.path().join("a")));
        let check = reach(&inner, &[]).unwrap();
        assert_eq!(check.state, State::Remark);
        assert!(check.text.contains("/a'"), "{check:?}");
    }
}
