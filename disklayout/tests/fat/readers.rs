//! What two readers see of an image, and what the tree says, as far as FAT keeps it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use disklayout::tree::FileTree;
use testkit::compare::differences;
use testkit::host;
use testkit::listing::{Entry, Kind, Knows, Listing, seen_by};
use testkit::log::accepted;
use testkit::program::run;
use testkit::scratch::Scratch;

/// What the tree has.
pub(crate) fn planned(tree: &FileTree) -> Listing {
    as_kept(&testkit::planned::planned(tree))
}

/// Nobody owns anything, the root has no time, and others have one of 1980 to 2107 in whole steps
/// of two seconds.
fn as_kept(listing: &Listing) -> Listing {
    let knows = Knows {
        times: true,
        ..Knows::NOTHING
    };
    let mut listing = seen_by(listing, knows);
    listing.remove(&b""[..]);
    for entry in listing.values_mut() {
        let seconds = entry.mtime.unwrap().0.clamp(315_532_800, 4_354_819_199);
        entry.mtime = Some((seconds / 2 * 2, 0));
        (entry.permissions, entry.owner) = (None, None);
    }
    listing
}

/// Whether fatfs reads what is planned.
pub(crate) fn check_fatfs(image: &Path, tree: &FileTree) -> Result<(), String> {
    let found = differences(&planned(tree), &fatfs(image));
    match found.is_empty() {
        true => Ok(()),
        false => Err(found.join("\n")),
    }
}

/// What mcopy unpacks, without the times of directories: putting files into one changes it.
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
    without_directory_times(as_kept(&host::list(&target)))
}

/// A listing without the times of directories.
pub(crate) fn without_directory_times(mut listing: Listing) -> Listing {
    for entry in listing.values_mut().filter(|it| it.kind.is_directory()) {
        entry.mtime = None;
    }
    listing
}

/// What the crate fatfs reads.
pub(crate) fn fatfs(image: &Path) -> Listing {
    let file = File::options().read(true).write(true).open(image).unwrap();
    let filesystem = fatfs::FileSystem::new(file, fatfs::FsOptions::new()).unwrap();
    let mut listing = Listing::new();
    walk(filesystem.root_dir(), "", &mut listing);
    accepted("fatfs", image);
    listing
}

fn walk(directory: fatfs::Dir<'_, File>, parent: &str, listing: &mut Listing) {
    for entry in directory.iter() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name == "." || name == ".." {
            continue;
        }
        let path = format!("{parent}{name}");
        let kind = match entry.is_dir() {
            true => {
                walk(entry.to_dir(), &format!("{path}/"), listing);
                Kind::Directory
            }
            false => {
                let mut bytes = Vec::new();
                entry.to_file().read_to_end(&mut bytes).unwrap();
                assert_eq!(bytes.len() as u64, entry.len());
                Kind::file(&bytes)
            }
        };
        let found = Entry {
            mtime: Some((seconds(&entry.modified()), 0)),
            ..Entry::of_kind(kind)
        };
        listing.insert(path.into_bytes(), found);
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
