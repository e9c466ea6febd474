//! The smallest size that holds a content, and one sector less.

use disklayout::fs::{FsPlan, Request};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Lba, SectorSize};

use crate::contents::awkward_tree;
use crate::support::{
    KIB, MIB, Scratch, data, empty_tree, options, plan_at, put, request, smallest,
};

fn filled(bytes: u64) -> FileTree {
    let mut tree = empty_tree();
    for number in 0..bytes.div_ceil(1 << 20) {
        let length = (bytes - (number << 20)).min(1 << 20);
        put(&mut tree, &format!("/{number}"), &data(length));
    }
    tree
}

fn spare(plan: &dyn FsPlan) -> u64 {
    let summary = plan.summary();
    summary.free_blocks.unwrap() * u64::from(summary.block_size)
}

/// No smaller size leaves as much: each of hundreds of sectors less is tried, then some further away.
fn check(tree: &FileTree, free: u64, kind: &str, sector_size: SectorSize, start: u64) {
    let make = || Request {
        tree: tree.clone(),
        sector_size,
        start: Lba::new(start),
        ..request(kind)
    };
    let size = smallest(make(), free).unwrap();
    let plan = plan_at(size, make()).unwrap();
    assert!(spare(&*plan) >= free, "{kind} {size}: {}", spare(&*plan));
    Scratch::new().image("fits", size, &*plan);
    let steps = (1..150).chain((150..5000).step_by(97));
    let fewer = steps.map(|sectors: u64| size.saturating_sub(sectors * sector_size.get()));
    for less in fewer.take_while(|size| *size > 0) {
        let enough = plan_at(less, make()).is_ok_and(|plan| spare(&*plan) >= free);
        assert!(
            !enough,
            "{kind} with {free} free fits {less}, not only {size}"
        );
    }
}

#[test]
fn one_sector_less_is_too_small() {
    for (bytes, free, kind) in [
        (0, 0, "vfat"),
        (300_000, 0, "fat12"),
        (1_400_000, 0, "vfat"),
        (5 << 20, 0, "fat16"),
        (5 << 20, 3_600_000, "vfat"),
        (9 << 20, 1, "fat12"),
    ] {
        check(&filled(bytes), free, kind, SectorSize::B512, 2048);
    }
    check(&filled(3 << 20), 0, "fat32", SectorSize::B512, 0);
    check(&filled(40 << 20), 0, "fat32", SectorSize::B512, 0);
    check(&awkward_tree(), 10 * MIB, "vfat", SectorSize::B4096, 256);
}

/// Sizes of a floppy count where there is no partition.
#[test]
fn a_floppy_that_is_just_filled() {
    check(&filled(2847 * 512), 0, "vfat", SectorSize::B512, 0);
    let request = |bytes| Request {
        tree: filled(bytes),
        ..request("vfat")
    };
    // Two files in 2847 clusters.
    assert_eq!(smallest(request(2847 * 512), 0).unwrap(), 1440 * KIB);
    assert_ne!(smallest(request(2847 * 512 + 1), 0).unwrap(), 1440 * KIB);
}

#[test]
fn the_message_has_the_smallest_size() {
    let tree = filled(5 << 20);
    let make = || Request {
        tree: tree.clone(),
        ..request("vfat")
    };
    let error = plan_at(4 * MIB, make()).unwrap_err();
    let size = smallest(make(), 0).unwrap();
    assert_eq!(error.needed().map(Bytes::get), Some(size));
    let message =
        format!("doesn't fit into 4 MiB; the smallest size that holds it is {size} bytes");
    assert!(error.message().contains(&message), "{error}");
}

/// Beyond the entries that mkfs.fat makes room for, the root directory grows with the content.
#[test]
fn a_root_directory_of_thousands_of_entries() {
    let mut tree = empty_tree();
    for number in 0..2000 {
        put(&mut tree, &format!("/A long name of number {number}"), b"x");
    }
    for (kind, size) in [("fat12", 30), ("fat16", 40), ("fat32", 80)] {
        let plan = plan_at(
            size * MIB,
            Request {
                tree: tree.clone(),
                ..request(kind)
            },
        );
        let scratch = Scratch::new();
        let image = scratch.image(kind, size * MIB, &*plan.unwrap());
        assert_eq!(
            crate::readers::fatfs(&image),
            crate::readers::planned(&tree)
        );
    }
    let error = plan_at(
        40 * MIB,
        Request {
            tree,
            options: options(&[("root-entries", "512")]),
            ..request("fat16")
        },
    );
    let message =
        "the root directory needs 6000 entries and has 512; ask for more of them, or for FAT32";
    assert_eq!(error.unwrap_err().message(), message);
}
