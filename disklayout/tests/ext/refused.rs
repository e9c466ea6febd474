//! What can't be is refused by planning, before anything is written.

use disklayout::disk::MemDisk;
use disklayout::fs::Unwatched;
use disklayout::fs::ext::{self, Inodes};
use disklayout::tree::{Attributes, Content, FileTree};
use disklayout::{ErrorKind, Timestamp};

use crate::support::{GIB, KINDS, MIB, TIB, TIME, empty_tree, plan, plan_labelled, plan_with};
use crate::trees::{data, put};

#[test]
fn labels_that_no_superblock_holds() {
    for label in [
        "seventeen letters",
        "nul\0",
        "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}x",
    ] {
        let error = plan_labelled("ext4", MIB, Some(label), empty_tree()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert_eq!(error.place(), "parts[0].label", "{error}");
    }
}

#[test]
fn times_that_no_inode_holds() {
    for seconds in [i64::MIN, -(1 << 31) - 1, (1 << 34) - (1 << 31), i64::MAX] {
        let time = Timestamp::from_seconds(seconds);
        let mut tree = empty_tree();
        put(&mut tree, b"/a/b", b"", Attributes::file(time));
        for tree in [tree, FileTree::new(time)] {
            let error = plan("ext3", 2 * MIB, tree).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let message = format!("is of {seconds} s from 1970");
            assert!(error.message().contains(&message), "{error}");
        }
    }
}

#[test]
fn more_files_than_inodes() {
    let tree = |files: usize| {
        let mut tree = empty_tree();
        for number in 0..files {
            put(
                &mut tree,
                format!("/{number}").as_bytes(),
                b"",
                Attributes::file(TIME),
            );
        }
        tree
    };
    for kind in KINDS {
        let with = |files, inodes| {
            let options = ext::Options {
                inodes,
                ..ext::Options::default()
            };
            plan_with(kind, 2 * MIB, options, tree(files))
        };
        assert!(with(5, Inodes::Count(16)).is_ok());
        let error = with(6, Inodes::Count(16)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DoesNotFit);
        let message = "the content needs 17 inodes and there are 16; ask for more of them";
        assert_eq!(error.message(), message);
        let error = with(6, Inodes::BytesPerInode(131_072)).unwrap_err();
        assert!(
            error.message().ends_with("ask for fewer bytes per inode"),
            "{error}"
        );
        // Nobody asked for a number: there are as many as it takes.
        let inodes = with(800, Inodes::Default).unwrap().summary().inodes;
        assert!(inodes.is_some_and(|inodes| inodes >= 811), "{inodes:?}");
    }
}

fn host(path: &std::path::Path, len: u64) -> FileTree {
    let mut tree = empty_tree();
    let content = Content::host(path, len);
    tree.put_file("writes[0]", b"/dir/file", content, Attributes::file(TIME))
        .unwrap();
    tree
}

/// ext2 and ext3 count a file's sectors in 32 bits, ext4 its blocks; and no room is no room.
#[test]
fn files_larger_than_the_format_counts() {
    let nowhere = std::path::Path::new("/nowhere");
    for (kind, size, len) in [
        ("ext2", 8 * TIB, 2 * TIB),
        ("ext3", 8 * TIB, 4 * TIB),
        ("ext4", 20 * TIB, 16 * TIB),
    ] {
        let error = plan(kind, size, host(nowhere, len)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("too large"), "{error}");
        assert!(error.message().contains("/dir/file"), "{error}");
        assert!(error.message().contains("--lossy"), "{error}");
    }
    assert!(plan("ext4", 20 * TIB, host(nowhere, 16 * TIB - 4096)).is_ok());
    for kind in KINDS {
        for len in [GIB, 16 * TIB, u64::MAX] {
            let error = plan(kind, GIB, host(nowhere, len)).unwrap_err();
            let message = error.message();
            assert!(
                message.contains("doesn't fit") || message.contains("too large"),
                "{error}"
            );
        }
    }
}

#[test]
fn a_host_file_that_changed_since_it_was_planned() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("source");
    std::fs::write(&path, data(100_000)).unwrap();
    let plan = plan("ext4", 8 * MIB, host(&path, 100_000)).unwrap();
    for length in [99_999, 100_001, 0] {
        std::fs::write(&path, data(length)).unwrap();
        let error = plan
            .write_all(&MemDisk::new(8 * MIB), &Unwatched)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.place(), path.to_str().unwrap());
    }
    std::fs::remove_file(&path).unwrap();
    assert!(plan.write_all(&MemDisk::new(8 * MIB), &Unwatched).is_err());
    std::fs::write(&path, data(100_000)).unwrap();
    plan.write_all(&MemDisk::new(8 * MIB), &Unwatched).unwrap();
}
