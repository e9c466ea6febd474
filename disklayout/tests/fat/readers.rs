//! What two readers see of an image, and what the tree says: a line for every entry.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use disklayout::tree::{FileTree, NodeKind};
use sha2::{Digest, Sha256};

use crate::checkers::{accepted, run};
use crate::support::Scratch;

/// Paths with a file's data and the time.
pub(crate) type Listing = BTreeMap<String, Entry>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Length and SHA-256 of a file.
    pub data: Option<(u64, Vec<u8>)>,
    /// In whole steps of two seconds.
    pub mtime: i64,
}

fn digest(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    Some((bytes.len() as u64, Sha256::digest(bytes).to_vec()))
}

/// What the tree has, its data being inline.
pub(crate) fn planned(tree: &FileTree) -> Listing {
    let mut listing = Listing::new();
    for (id, node) in tree.nodes().skip(1) {
        let data = match &node.kind {
            NodeKind::File(content) => digest(content.inline_bytes().unwrap()),
            _ => None,
        };
        let path = String::from_utf8(tree.path(id)).unwrap();
        let mtime = node
            .attributes
            .mtime
            .seconds
            .clamp(315_532_800, 4_354_819_199);
        let mtime = mtime / 2 * 2;
        listing.insert(path, Entry { data, mtime });
    }
    listing
}

/// What differs, a line each.
pub(crate) fn differences(planned: &Listing, read: &Listing) -> Vec<String> {
    let paths: BTreeSet<_> = planned.keys().chain(read.keys()).collect();
    let differ = paths
        .into_iter()
        .filter(|path| planned.get(*path) != read.get(*path));
    let short = |entry: Option<&Entry>| {
        entry.map(|it| (it.data.as_ref().map(|(len, sum)| (*len, sum[0])), it.mtime))
    };
    differ
        .map(|path| {
            format!(
                "{path:?}: {:?}, read {:?}",
                short(planned.get(path)),
                short(read.get(path))
            )
        })
        .collect()
}

/// Whether fatfs reads what is planned.
pub(crate) fn check_fatfs(image: &Path, tree: &FileTree) -> Result<(), String> {
    let found = differences(&planned(tree), &fatfs(image));
    match found.is_empty() {
        true => Ok(()),
        false => Err(found.join("\n")),
    }
}

/// What mcopy unpacks.
pub(crate) fn mtools(image: &Path) -> Listing {
    let scratch = Scratch::new();
    let target = scratch.path("unpacked");
    fs::create_dir(&target).unwrap();
    // Names of 255 characters from an image that has no geometry of a drive it knows.
    let before = ["LC_ALL=C.UTF-8", "TZ=UTC", "MTOOLS_SKIP_CHECK=1", "mcopy"];
    let options = ["-s", "-n", "-m", "-Q", "-i"];
    let mut arguments: Vec<_> = before.iter().chain(&options).map(OsStr::new).collect();
    arguments.push(image.as_os_str());
    arguments.push(OsStr::new("::*"));
    arguments.push(target.as_os_str());
    run("env", &arguments).unwrap();
    accepted("mcopy", image);
    let mut listing = Listing::new();
    walk(&target, "", &mut listing);
    listing
}

fn walk(directory: &Path, path: &str, listing: &mut Listing) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
        let metadata = entry.metadata().unwrap();
        let data = match metadata.is_dir() {
            true => {
                walk(&entry.path(), &path, listing);
                None
            }
            false => digest(&fs::read(entry.path()).unwrap()),
        };
        // Putting files into a directory changes its time.
        let mtime = if metadata.is_dir() {
            0
        } else {
            metadata.mtime()
        };
        listing.insert(path, Entry { data, mtime });
    }
}

/// A listing without the times of directories.
pub(crate) fn without_directory_times(mut listing: Listing) -> Listing {
    for entry in listing.values_mut().filter(|entry| entry.data.is_none()) {
        entry.mtime = 0;
    }
    listing
}

/// What the crate fatfs reads.
pub(crate) fn fatfs(image: &Path) -> Listing {
    let file = File::options().read(true).write(true).open(image).unwrap();
    let filesystem = fatfs::FileSystem::new(file, fatfs::FsOptions::new()).unwrap();
    let mut listing = Listing::new();
    walk_fatfs(filesystem.root_dir(), "", &mut listing);
    accepted("fatfs", image);
    listing
}

fn walk_fatfs(directory: fatfs::Dir<'_, File>, path: &str, listing: &mut Listing) {
    for entry in directory.iter() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name == "." || name == ".." {
            continue;
        }
        let path = format!("{path}/{name}");
        let data = match entry.is_dir() {
            true => {
                walk_fatfs(entry.to_dir(), &path, listing);
                None
            }
            false => {
                let mut bytes = Vec::new();
                entry.to_file().read_to_end(&mut bytes).unwrap();
                assert_eq!(bytes.len() as u64, entry.len());
                digest(&bytes)
            }
        };
        let mtime = seconds(&entry.modified());
        listing.insert(path, Entry { data, mtime });
    }
}

/// Seconds from 1970, by days counted from 1 March of a year 0 (Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms").
fn seconds(at: &fatfs::DateTime) -> i64 {
    let (year, month, day) = (
        i64::from(at.date.year),
        i64::from(at.date.month),
        i64::from(at.date.day),
    );
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    let (hour, minute, second) = (at.time.hour, at.time.min, at.time.sec);
    days * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)
}
