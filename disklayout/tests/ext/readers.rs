//! Three readers that know nothing of each other: ext4-view, lwext4 and debugfs.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use disklayout::Timestamp;
use ext4_lwext4::{Ext4Fs, FileBlockDevice, OpenFlags};
use ext4_view::{Ext4, Metadata};

use crate::checkers;
use crate::listing::{Entry, Listing, data_of, of_host, with_rwx_only};
use crate::support::{Scratch, TIME};

/// All that ext4-view 1.0.0 reads. It refuses inodes whose lower 32 bits of time count as
/// negative, so it isn't for times before 1970 or from 2038 to 2106.
pub(crate) fn ext4_view(image: &Path) -> Listing {
    let fs = Ext4::load_from_path(image).unwrap();
    let mut listing = Listing::new();
    let root = fs.metadata("/").unwrap();
    listing.insert(Vec::new(), view_entry(&root, None));
    let mut pending = vec![Vec::from(b"/")];
    while let Some(directory) = pending.pop() {
        for entry in fs.read_dir(directory.as_slice()).unwrap() {
            let entry = entry.unwrap();
            if matches!(entry.file_name().as_ref(), b"." | b"..") {
                continue;
            }
            let path: Vec<u8> = entry.path().as_ref().to_vec();
            let metadata = entry.metadata().unwrap();
            let data = if metadata.is_dir() {
                pending.push(path.clone());
                None
            } else {
                Some(fs.read(path.as_slice()).unwrap())
            };
            listing.insert(path, view_entry(&metadata, data.as_deref()));
        }
    }
    listing
}

fn view_entry(metadata: &Metadata, data: Option<&[u8]>) -> Entry {
    let mtime = metadata.modified();
    Entry {
        data: data.and_then(data_of),
        permissions: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        mtime: Timestamp {
            seconds: mtime.seconds(),
            nanoseconds: mtime.nanoseconds(),
        },
    }
}

/// All that debugfs reads, but for times and special permissions: its dump sets no nanoseconds,
/// and the owner after the permissions, at which the kernel drops some.
pub(crate) fn debugfs(image: &Path) -> Listing {
    let scratch = Scratch::new();
    let target = scratch.path("dump");
    std::fs::create_dir(&target).unwrap();
    let said = checkers::debugfs(&format!("rdump / {}", target.display()), image);
    assert!(said.lines().count() <= 1, "{said}");
    let mut listing = with_rwx_only(of_host(&target));
    // The directory that is dumped into stands for the root; only what is below it is copied.
    listing.insert(Vec::new(), root_of(&listing));
    listing
}

/// A root directory as every tree of these tests has one.
fn root_of(listing: &Listing) -> Entry {
    Entry {
        permissions: 0o755,
        owner: (0, 0),
        ..listing[&Vec::new()].clone()
    }
}

/// lwext4 has two slots for mounts in a process and locks nothing.
static LWEXT4: Mutex<()> = Mutex::new(());

/// All that lwext4 reads of ext2 and ext3, but for times and names that are no text. It is built
/// without its extents, which are under another licence, so ext4 is beyond it.
pub(crate) fn lwext4(image: &Path) -> Listing {
    let _only_one = LWEXT4
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let device = FileBlockDevice::open_read_only(image).unwrap();
    let fs = Ext4Fs::mount(device, true).unwrap();
    let mut listing = Listing::new();
    let mut pending = vec![PathBuf::from("/")];
    while let Some(path) = pending.pop() {
        let name = path.to_str().unwrap();
        let metadata = fs.metadata(name).unwrap();
        let data = if metadata.file_type.is_dir() {
            let entries = fs.open_dir(name).unwrap().map(|entry| entry.unwrap().name);
            let below = entries.filter(|name| name != "." && name != "..");
            pending.extend(below.map(|name| path.join(name)));
            None
        } else {
            let mut bytes = Vec::new();
            let mut file = fs.open(name, OpenFlags::READ).unwrap();
            file.read_to_end(&mut bytes).unwrap();
            data_of(&bytes)
        };
        let entry = Entry {
            data,
            permissions: metadata.mode as u16,
            owner: (metadata.uid, metadata.gid),
            mtime: TIME,
        };
        let path = path.as_os_str().as_bytes();
        listing.insert(path.strip_suffix(b"/").unwrap_or(path).to_vec(), entry);
    }
    fs.umount().unwrap();
    listing
}
