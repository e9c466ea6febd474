//! What is empty is never written, and what is written goes out in few pieces.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::Unwatched;
use disklayout::tree::{Attributes, Content, FileTree};

use crate::support::{GIB, KINDS, MIB, TIME, empty_tree, plan};
use crate::trees;

/// Counts the writes and refuses any that holds nothing but zeroes.
#[derive(Debug)]
struct NoZeroes {
    disk: MemDisk,
    writes: AtomicUsize,
}

impl Disk for NoZeroes {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        if buf.iter().all(|byte| *byte == 0) {
            return Err(io::Error::other("zeroes"));
        }
        self.disk.write_at(buf, offset)
    }
}

/// What a filesystem took: (allocated bytes, writes).
fn cost(kind: &str, size: u64, tree: FileTree) -> (u64, usize) {
    let disk = NoZeroes {
        disk: MemDisk::new(size),
        writes: AtomicUsize::new(0),
    };
    plan(kind, size, tree)
        .unwrap()
        .write_all(&disk, &Unwatched)
        .unwrap();
    (disk.disk.allocated(), disk.writes.into_inner())
}

#[test]
#[should_panic(expected = "zeroes")]
fn a_write_of_zeroes_is_noticed() {
    let disk = NoZeroes {
        disk: MemDisk::new(512),
        writes: AtomicUsize::new(0),
    };
    disk.write_at(&[0; 512], 0).unwrap();
}

#[test]
fn an_empty_filesystem_is_nearly_nothing() {
    let (allocated, writes) = cost("ext4", 25 * GIB, empty_tree());
    assert!(allocated < 6 * MIB, "{allocated} bytes");
    assert!(writes < 60, "{writes} writes");
    for kind in KINDS {
        let (allocated, _) = cost(kind, 64 * MIB, empty_tree());
        assert!(allocated < MIB, "{kind}: {allocated} bytes");
    }
}

#[test]
fn no_write_is_all_zeroes_whatever_the_content() {
    for kind in KINDS {
        cost(kind, 64 * MIB, trees::names(3000));
        cost(kind, 400 * MIB, trees::of_sizes(trees::awkward_sizes(1024)));
    }
}

#[test]
fn zeroes_in_a_file_of_the_host_stay_a_hole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("zeroes");
    let len = 100 * MIB;
    std::fs::File::create(&path).unwrap().set_len(len).unwrap();
    for kind in KINDS {
        let mut tree = empty_tree();
        let content = Content::host(&path, len);
        tree.put_file("writes[0]", b"/zeroes", content, Attributes::file(TIME))
            .unwrap();
        let (with, _) = cost(kind, GIB, tree);
        let (without, _) = cost(kind, GIB, empty_tree());
        // Indirect blocks of ext2 and ext3 and bitmaps with more in them.
        assert!(
            with < without + 200 * 1024,
            "{kind}: {with} and {without} bytes"
        );
    }
}
