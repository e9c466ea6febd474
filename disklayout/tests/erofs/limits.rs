//! What is just within a limit of the format, and what is beyond.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};

use disklayout::ErrorKind;
use disklayout::tree::{Attributes, Content, Extent, FileTree, NodeKind};
use rustix::fs::{SeekFrom, seek};

use testkit::compare::assert_same;
use testkit::mount::Mounted;
use testkit::planned::planned;
use testkit::root::is_root;

use crate::checkers::{as_extracted, extracted};
use crate::support::{BLOCK, GIB, MIB, Scratch, TIME, fsck, image, plan, smallest, write_image};
use crate::trees;

/// Entries take 12 bytes and their name; the own two take 27 together.
#[test]
fn a_directory_that_just_fills_blocks_and_one_entry_more() {
    let with = |entries: usize, last: usize| {
        let mut tree = trees::empty();
        for number in 0..entries {
            trees::put(&mut tree, &format!("/d/{number:0244}"), b"");
        }
        trees::put(&mut tree, &format!("/d/z{}", "z".repeat(last - 1)), b"");
        tree
    };
    for blocks in [1_usize, 2] {
        // Fifteen entries of 256 bytes beside the own two, then sixteen in each block.
        let entries = blocks * 16 - 1;
        let room = if blocks == 1 { 229 } else { 256 } - 12;
        for last in [room - 1, room, room + 1] {
            let tree = with(entries - usize::from(blocks == 2), last);
            let scratch = Scratch::new();
            let name = format!("blocks-{blocks}-{last}");
            let image = image(&scratch, &name, &tree);
            let expected = as_extracted(&planned(&tree));
            assert_same(&name, &expected, &extracted(&image, &scratch));
        }
    }
}

/// A compact inode counts 65,535 links, and a directory as many.
#[test]
fn links_beyond_16_bits() {
    let mut tree = trees::empty();
    let files = [65_535, 65_536].map(|count| {
        let file = trees::put(&mut tree, &format!("/f{count}/first"), b"linked");
        for number in 1..count {
            let path = format!("/f{count}/{number}");
            tree.link("t", path.as_bytes(), file).unwrap();
        }
        file
    });
    assert_eq!(files.map(|file| tree.links(file)), [65_535, 65_536]);
    for count in [65_533, 65_534] {
        for number in 0..count {
            let path = format!("/d{count}/{number}");
            trees::put_kind(&mut tree, &path, NodeKind::Directory);
        }
    }
    let scratch = Scratch::new();
    let image = image(&scratch, "links", &tree);
    if !is_root() {
        return;
    }
    let mount = Mounted::new(&image, "ro");
    for (path, expected) in [
        ("f65535/77", 65_535),
        ("f65536/77", 65_536),
        ("d65533", 65_535),
        ("d65534", 65_536),
    ] {
        let metadata = fs::metadata(mount.path().join(path)).unwrap();
        assert_eq!(metadata.nlink(), expected, "{path}");
    }
}

#[test]
fn a_hundred_thousand_files() {
    let mut tree = trees::empty();
    for number in 0..100_000_u32 {
        let path = format!("/{}/{number}", number % 3);
        trees::put(&mut tree, &path, &number.to_be_bytes());
    }
    let scratch = Scratch::new();
    let image = image(&scratch, "many", &tree);
    if !is_root() {
        return;
    }
    let mount = Mounted::new(&image, "ro");
    for directory in 0..3 {
        let entries = fs::read_dir(mount.path().join(directory.to_string())).unwrap();
        assert_eq!(
            entries.count(),
            if directory == 0 { 33_334 } else { 33_333 }
        );
    }
    for number in (0..100_000_u32).step_by(101) {
        let path = mount.path().join(format!("{}/{number}", number % 3));
        assert_eq!(fs::read(path).unwrap(), number.to_be_bytes());
    }
}

/// A file of `len` bytes with data in some places, and a directory for its source.
fn sparse(scratch: &Scratch, len: u64, places: &[u64]) -> FileTree {
    let path = scratch.path("sparse");
    let file = File::create(&path).unwrap();
    file.set_len(len).unwrap();
    for place in places {
        file.write_all_at(b"here", *place).unwrap();
    }
    let extents = places.iter().map(|place| Extent {
        logical: *place,
        len: 4,
        offset: *place,
    });
    let content = Content::host_with_holes(&path, len, extents.collect());
    let mut tree = trees::empty();
    tree.put_file("t", b"/sparse", content, Attributes::file(TIME))
        .unwrap();
    tree
}

#[test]
fn files_beyond_4_gib_keep_their_holes() {
    let len = 5 * GIB + 123;
    let places = [0, 4096, GIB + 7, 4 * GIB - 2, len - 4];
    let scratch = Scratch::new();
    let tree = sparse(&scratch, len, &places);
    let image = image(&scratch, "sparse-5g", &tree);
    let metadata = image.metadata().unwrap();
    assert!(metadata.len() < 2 * MIB, "{}", metadata.len());
    assert!(metadata.blocks() * 512 < 2 * MIB, "{}", metadata.blocks());
    if !is_root() {
        return;
    }
    let mount = Mounted::new(&image, "ro");
    let file = File::open(mount.path().join("sparse")).unwrap();
    assert_eq!(file.metadata().unwrap().len(), len);
    for place in places {
        let start = place.saturating_sub(5000);
        let mut expected = vec![0; (len - start).min(10_000) as usize];
        let mut found = expected.clone();
        file.read_exact_at(&mut found, start).unwrap();
        for other in places.iter().filter(|other| place.abs_diff(**other) < 5000) {
            expected[(other - start) as usize..][..4].copy_from_slice(b"here");
        }
        assert!(found == expected, "{place}");
    }
    // The first two are neighbours.
    assert_eq!(data(&file, len), places.len() as u64 - 1);
}

/// How many stretches of data the kernel sees in a file, each not larger than a chunk.
fn data(file: &File, len: u64) -> u64 {
    let (mut end, mut count) = (0, 0);
    while let Ok(start) = seek(file, SeekFrom::Data(end)) {
        end = seek(file, SeekFrom::Hole(start)).unwrap();
        assert!(end - start <= MIB && end <= len);
        count += 1;
    }
    count
}

/// Without holes that are known, a large file is written in place; what is zero isn't.
#[test]
fn a_dense_file_beyond_4_gib() {
    let scratch = Scratch::new();
    let len = 4 * GIB + 5000;
    let path = scratch.path("zeroes");
    let file = File::create(&path).unwrap();
    file.set_len(len).unwrap();
    file.write_all_at(b"end", len - 3).unwrap();
    let mut tree = trees::empty();
    let content = Content::host(&path, len);
    tree.put_file("t", b"/dense", content, Attributes::file(TIME))
        .unwrap();
    let plan = plan(tree).unwrap();
    let size = plan.summary().blocks * BLOCK;
    let image = scratch.path("dense.img");
    write_image(&*plan, size, &image);
    assert!(image.metadata().unwrap().blocks() * 512 < MIB);
    fsck(&image).unwrap();
    if is_root() {
        let mount = Mounted::new(&image, "ro");
        let file = File::open(mount.path().join("dense")).unwrap();
        let mut found = [0; 5];
        file.read_exact_at(&mut found, len - 5).unwrap();
        assert_eq!(&found, b"\0\0end");
    }
}

#[test]
fn more_than_can_be_addressed_is_refused() {
    let with = |blocks: u64| {
        let mut tree = trees::empty();
        let content = Content::host("/nowhere", blocks * BLOCK);
        tree.put_file("t", b"/large", content, Attributes::file(TIME))
            .unwrap();
        smallest(&tree)
    };
    let most = u64::from(u32::MAX) - 2;
    assert_eq!(with(most).unwrap(), u64::from(u32::MAX) * BLOCK);
    let error = with(most + 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    assert!(error.message().contains("4294967295 blocks"), "{error}");
    with(u64::MAX / BLOCK).unwrap_err();
}

/// A header of attributes is looked for behind every inode, the last one of an image as well.
#[test]
fn something_follows_the_last_inode() {
    let scratch = Scratch::new();
    for (files, blocks) in [(62, 2), (63, 3), (64, 3)] {
        let mut tree = trees::empty();
        // 32 bytes for an inode, 12 and a name of 20 bytes for its entry in the root.
        for number in 0..files {
            trees::put(&mut tree, &format!("/{number:020}"), b"");
        }
        let image = image(&scratch, &format!("files-{files}"), &tree);
        assert_eq!(image.metadata().unwrap().len(), blocks * BLOCK, "{files}");
    }
}
