//! A disk that fails, and images that are damaged.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use disklayout::ErrorKind;
use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::Unwatched;

use crate::checkers::e2fsck;
use crate::support::{KINDS, MIB, Scratch, empty_tree, open, plan, read};
use crate::trees;

/// Fails the write with this number, once.
#[derive(Debug)]
struct Failing {
    disk: MemDisk,
    writes: AtomicUsize,
    failing: usize,
}

impl Failing {
    fn new(len: u64, failing: usize) -> Self {
        Self {
            disk: MemDisk::new(len),
            writes: AtomicUsize::new(0),
            failing,
        }
    }
}

impl Disk for Failing {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        if self.writes.fetch_add(1, Ordering::Relaxed) == self.failing {
            return Err(io::Error::other("the disk is on fire"));
        }
        self.disk.write_at(buf, offset)
    }
}

/// On one thread nobody else writes when a write fails.
#[test]
fn every_failing_write_is_an_error_that_names_the_place() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    let pool = pool.build().unwrap();
    let size = 40 * MIB;
    for kind in KINDS {
        let plan = plan(kind, size, trees::names(200)).unwrap();
        let mut failing = 0;
        let writes = loop {
            let disk = Failing::new(size, failing);
            match pool.install(|| plan.write_all(&disk, &Unwatched)) {
                Ok(()) => break disk.writes.into_inner(),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Io);
                    assert_eq!(error.place(), "parts[0]");
                    assert!(error.message().starts_with("can't write "), "{error}");
                }
            }
            assert_eq!(
                disk.writes.into_inner(),
                failing + 1,
                "went on after a failure"
            );
            failing += 1;
        };
        assert!(writes > 10, "{kind}: {writes} writes");
    }
}

/// The primary superblock makes it a filesystem, so nothing but the data of files comes after it.
#[test]
fn an_image_that_was_never_finished_is_no_filesystem() {
    let size = 40 * MIB;
    for kind in KINDS {
        let plan = plan(kind, size, empty_tree()).unwrap();
        let whole = Failing::new(size, usize::MAX);
        plan.write_all(&whole, &Unwatched).unwrap();
        let last = whole.writes.into_inner() - 1;
        let disk = Failing::new(size, last);
        plan.write_all(&disk, &Unwatched).unwrap_err();
        assert_eq!(read(&disk, 1024, 1024), [0; 1024]);
    }
}

#[test]
fn a_disk_that_is_too_small_is_an_error() {
    let plan = plan("ext4", 40 * MIB, empty_tree()).unwrap();
    for len in [0, 1024, MIB] {
        assert!(
            plan.write_all(&MemDisk::new(len), &Unwatched).is_err(),
            "{len} bytes"
        );
    }
}

/// With metadata_csum e2fsck notices any changed bit of what the filesystem keeps for itself:
/// superblock, descriptors, bitmaps, inodes, directories.
#[test]
fn damage_is_noticed() {
    let scratch = Scratch::new();
    let size = 8 * MIB;
    let plan = plan("ext4", size, trees::names(10)).unwrap();
    let image = scratch.image("damaged.img", size, &*plan);
    let disk = open(&image);
    let table = u64::from(u32::from_le_bytes(
        read(&disk, 2048 + 8, 4).try_into().unwrap(),
    ));
    let bitmap = u64::from(u32::from_le_bytes(read(&disk, 2048, 4).try_into().unwrap()));
    let root_inode = table * 1024 + 256;
    let root = u64::from(u32::from_le_bytes(
        read(&disk, root_inode + 0x28 + 20, 4).try_into().unwrap(),
    ));
    for offset in [
        1024 + 0x0C,
        1024 + 0x68,
        2048 + 0x0C,
        bitmap * 1024 + 200,
        root_inode,
        root_inode + 0x1A,
        root * 1024,
        root * 1024 + 40,
    ] {
        let whole = read(&disk, offset, 1);
        disk.write_at(&[whole[0] ^ 0x10], offset).unwrap();
        assert!(e2fsck(&image).is_err(), "offset {offset}");
        disk.write_at(&whole, offset).unwrap();
        e2fsck(&image).unwrap();
    }
}

/// A changed byte of a file is nothing to e2fsck, but the readers see it.
#[test]
fn changed_data_is_noticed() {
    let scratch = Scratch::new();
    let size = 8 * MIB;
    let tree = trees::of_sizes([5000]);
    let plan = plan("ext4", size, tree.clone()).unwrap();
    let image = scratch.image("changed.img", size, &*plan);
    let said = crate::checkers::debugfs("bmap /sizes/5000 2", &image);
    let block: u64 = said
        .lines()
        .find_map(|line| line.trim().parse().ok())
        .unwrap();
    open(&image).write_at(&[0xEE], block * 1024 + 7).unwrap();
    e2fsck(&image).unwrap();
    let found = crate::readers::ext4_view_differences(&tree, &image);
    assert_eq!(found.len(), 1, "{found:?}");
}
