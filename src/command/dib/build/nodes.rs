//! Devices in the tree. Nobody may make them in a sandbox: files without content stand for them, and
//! become them in the image.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use disklayout::Timestamp;
use disklayout::source::{Entry, EntryKind};
use disklayout::tree::Device;

use crate::sandbox::DEVICES;

/// The file among the records that tells what stands for which device.
const RECORD: &str = "devices";

/// Devices beside those of every program that are known by their names in /dev, where nobody has said
/// what they are.
const CONSOLES: [(&str, u32, u32); 2] = [("console", 5, 1), ("ptmx", 5, 2)];

/// The devices of `tree`, of which the `records` tell, sorted by their paths. For scripts outside of
/// the tree it was at `place`.
///
/// # Errors
/// When records can't be read, or tell of what can't be a device.
pub(super) fn find(records: &Path, tree: &Path, place: &Path) -> Result<Vec<Entry>> {
    let mut kinds = BTreeMap::new();
    for (name, major, minor) in DEVICES.into_iter().chain(CONSOLES) {
        let device = Device { major, minor };
        kinds.insert(
            Path::new("/dev").join(name),
            EntryKind::CharacterDevice(device),
        );
    }
    let record = match fs::read_to_string(records.join(RECORD)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        record => record.context("can't read which devices were made")?,
    };
    for line in record.lines() {
        let (path, kind) = recorded(line, place)?;
        kinds.insert(path, kind);
    }
    let found = kinds.into_iter();
    let found = found.map(|(path, kind)| entry(tree, &path, kind));
    Ok(found
        .collect::<io::Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// A line of the record: `c 1 3 /dev/null`.
fn recorded(line: &str, place: &Path) -> Result<(PathBuf, EntryKind)> {
    let words: Vec<_> = line.splitn(4, ' ').collect();
    let number = |word: &str, most: u32| {
        let number = word.parse().ok().filter(|number| *number <= most);
        number.with_context(|| {
            format!("'{line}' is no device: its numbers are up to 4095 and 1048575")
        })
    };
    let [kind, major, minor, path] = words[..] else {
        bail!("'{line}' is no device");
    };
    let device = Device {
        major: number(major, 4095)?,
        minor: number(minor, (1 << 20) - 1)?,
    };
    let path = Path::new(path);
    let path = match path.strip_prefix(place) {
        Ok(below) => Path::new("/").join(below),
        Err(_) => path.to_owned(),
    };
    let kind = match kind {
        "b" => EntryKind::BlockDevice(device),
        _ => EntryKind::CharacterDevice(device),
    };
    Ok((path, kind))
}

/// The device at `path`, if what stands for it is still there.
fn entry(tree: &Path, path: &Path, kind: EntryKind) -> io::Result<Option<Entry>> {
    let below = path.strip_prefix("/").unwrap_or(path);
    let metadata = match fs::symlink_metadata(tree.join(below)) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() || metadata.len() > 0 {
        return Ok(None);
    }
    let mtime = Timestamp {
        seconds: metadata.mtime(),
        nanoseconds: u32::try_from(metadata.mtime_nsec()).unwrap_or(0),
    };
    let entry = Entry::new(path.as_os_str().as_bytes().to_vec(), kind, mtime);
    Ok(Some(Entry {
        uid: Some(metadata.uid()),
        gid: Some(metadata.gid()),
        mode: Some(metadata.mode() & 0o7777),
        ..entry
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_content_become_what_they_stand_for() {
        let root = tempfile::tempdir().unwrap();
        let tree = root.path().join("tree");
        for path in ["dev/null", "dev/other", "odd/a b", "odd/written", "dev/x"] {
            let path = tree.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::write(tree.join("odd/written"), "text").unwrap();
        let record = "b 8 1 /top/mnt/odd/a b\nc 1 3 /odd/written\nc 4 2 /gone\nc 1 11 /dev/x\n";
        fs::write(root.path().join(RECORD), record).unwrap();
        let place = Path::new("/top/mnt");
        let found = find(root.path(), &tree, place).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|it| (std::str::from_utf8(&it.path).unwrap(), &it.kind))
            .collect();
        let device = |major, minor| Device { major, minor };
        let expected = [
            ("/dev/null", &EntryKind::CharacterDevice(device(1, 3))),
            ("/dev/x", &EntryKind::CharacterDevice(device(1, 11))),
            ("/odd/a b", &EntryKind::BlockDevice(device(8, 1))),
        ];
        assert_eq!(found, expected);
        for wrong in ["c 1 /x", "c 4096 1 /x", "c x 1 /x"] {
            fs::write(root.path().join(RECORD), wrong).unwrap();
            find(root.path(), &tree, place).unwrap_err();
        }
    }
}
