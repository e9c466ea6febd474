//! Two readers of images that have nothing to do with the kernel or with each other: ext4-view
//! for ext4, lwext4 for ext2 and ext3. Both read all data.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;

use ext4_lwext4::{Ext4Fs, FileBlockDevice, FileType as LwType, OpenFlags};
use ext4_view::{Ext4, FileType, Metadata};

use crate::listing::{Entry, Kind, Knows, Listing};

/// What [`ext4_view()`] knows.
pub const VIEW_KNOWS: Knows = Knows {
    times: true,
    ..Knows::NOTHING
};
/// What [`lwext4`] knows.
pub const LWEXT4_KNOWS: Knows = Knows::NOTHING;

/// All that ext4-view 1.0.0 reads. It refuses inodes whose lower 32 bits of time count as
/// negative, so it isn't for times before 1970 or from 2038 to 2106.
pub fn ext4_view(image: &Path) -> Listing {
    let fs = Ext4::load_from_path(image).unwrap();
    let mut listing = Listing::new();
    let mut pending = VecDeque::from([b"/".to_vec()]);
    while let Some(path) = pending.pop_front() {
        let metadata = fs.symlink_metadata(path.as_slice()).unwrap();
        if metadata.is_dir() {
            for entry in fs.read_dir(path.as_slice()).unwrap() {
                let entry = entry.unwrap();
                if !matches!(entry.file_name().as_ref(), b"." | b"..") {
                    pending.push_back(entry.path().as_ref().to_vec());
                }
            }
        }
        listing.insert(path[1..].to_vec(), view_entry(&fs, &path, &metadata));
    }
    listing
}

fn view_entry(fs: &Ext4, path: &[u8], metadata: &Metadata) -> Entry {
    let kind = match metadata.file_type() {
        FileType::Directory => Kind::Directory,
        FileType::Regular => Kind::file(&fs.read(path).unwrap()),
        FileType::Symlink => Kind::Symlink(fs.read_link(path).unwrap().as_ref().to_vec()),
        FileType::CharacterDevice => Kind::CharacterDevice(None),
        FileType::BlockDevice => Kind::BlockDevice(None),
        FileType::Fifo => Kind::Fifo,
        FileType::Socket => Kind::Socket,
    };
    let mtime = metadata.modified();
    Entry {
        kind,
        permissions: Some(u32::from(metadata.mode() & 0o7777)),
        owner: Some((metadata.uid(), metadata.gid())),
        mtime: Some((mtime.seconds(), mtime.nanoseconds())),
        names: None,
        xattrs: None,
        allocated: None,
    }
}

/// lwext4 has two slots for mounts in a process and locks nothing.
static LWEXT4: Mutex<()> = Mutex::new(());

/// All that lwext4 reads of ext2 and ext3, but for times and names that are no text. It is built
/// without its extents, which are under another licence, so ext4 is beyond it.
pub fn lwext4(image: &Path) -> Listing {
    let _only_one = LWEXT4
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let device = FileBlockDevice::open_read_only(image).unwrap();
    let fs = Ext4Fs::mount(device, true).unwrap();
    let mut listing = Listing::new();
    let mut pending = VecDeque::from(["/".to_owned()]);
    while let Some(path) = pending.pop_front() {
        let entry = lwext4_entry(&fs, &path);
        if entry.kind == Kind::Directory {
            let names = fs.open_dir(&path).unwrap().map(|entry| entry.unwrap().name);
            let names = names.filter(|name| name != "." && name != "..");
            let parent = path.trim_end_matches('/');
            pending.extend(names.map(|name| format!("{parent}/{name}")));
        }
        listing.insert(path.as_bytes()[1..].to_vec(), entry);
    }
    fs.umount().unwrap();
    listing
}

fn lwext4_entry(fs: &Ext4Fs, path: &str) -> Entry {
    let metadata = fs.metadata(path).unwrap();
    let kind = match metadata.file_type {
        LwType::Directory => Kind::Directory,
        LwType::RegularFile => Kind::file(&lwext4_data(fs, path)),
        LwType::Symlink => Kind::Symlink(fs.readlink(path).unwrap().into_bytes()),
        LwType::CharDevice => Kind::CharacterDevice(None),
        LwType::BlockDevice => Kind::BlockDevice(None),
        LwType::Fifo => Kind::Fifo,
        LwType::Socket => Kind::Socket,
        LwType::Unknown => panic!("{path} is of no known type"),
    };
    Entry {
        kind,
        permissions: Some(metadata.mode & 0o7777),
        owner: Some((metadata.uid, metadata.gid)),
        mtime: None,
        names: None,
        xattrs: None,
        allocated: None,
    }
}

fn lwext4_data(fs: &Ext4Fs, path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = fs.open(path, OpenFlags::READ).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}
