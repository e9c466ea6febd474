//! Exactly as much as there can be, and one more.

use disklayout::fs::Request;
use disklayout::tree::{Attributes, Content, FileTree};
use disklayout::{ErrorKind, SectorSize};

use testkit::listing::Kind;

use crate::readers;
use crate::support::{
    GIB, KIB, MIB, Scratch, TIME, data, empty_tree, options, plan, plan_at, put, request,
    write_image,
};

/// A directory of `entries` entries, its own two among them.
fn directory_of(entries: usize) -> FileTree {
    let mut tree = empty_tree();
    crate::support::put_directory(&mut tree, "/d");
    for number in 2..entries {
        put(&mut tree, &format!("/d/{number:08x}"), b"");
    }
    tree
}

#[test]
fn a_directory_that_fills_its_clusters_and_one_more() {
    let scratch = Scratch::new();
    // Clusters of 512 bytes: 16 entries. Then of 2048.
    for (kind, size) in [("fat32", 40 * MIB), ("fat12", 4 * MIB)] {
        for entries in [15, 16, 17, 32, 33, 63, 64, 65, 128, 129] {
            let tree = directory_of(entries);
            let plan = plan(kind, size, tree.clone()).unwrap();
            let image = scratch.image(&format!("{kind}-{entries}"), size, &*plan);
            readers::check_fatfs(&image, &tree).unwrap();
        }
    }
}

#[test]
fn the_most_entries_of_a_directory() {
    let tree = directory_of(65_536);
    let plan_of = |tree| plan("fat32", 64 * MIB, tree);
    let scratch = Scratch::new();
    let image = scratch.path("most");
    // fsck.fat takes half a minute to compare all names with each other.
    write_image(&*plan_of(tree.clone()).unwrap(), 64 * MIB, &image);
    let arguments = ["-b", "-i", image.to_str().unwrap(), "::/d"];
    let listed = crate::checkers::run("mdir", &arguments).unwrap();
    assert_eq!(listed.lines().count(), 65_534);
    let error = plan_of(directory_of(65_537)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    let message = "the directory '/d' needs 65537 entries";
    assert!(error.message().starts_with(message), "{error}");
}

#[test]
fn ten_thousand_long_names_in_one_directory() {
    let mut tree = empty_tree();
    for number in 0..10_000 {
        put(&mut tree, &format!("/d/Same beginning {number}"), b"x");
    }
    let scratch = Scratch::new();
    let image = scratch.image(
        "many",
        64 * MIB,
        &*plan("fat32", 64 * MIB, tree.clone()).unwrap(),
    );
    readers::check_fatfs(&image, &tree).unwrap();
}

#[test]
fn files_of_whole_clusters() {
    let scratch = Scratch::new();
    for (kind, size, cluster) in [("fat12", 4 * MIB, 2048), ("fat32", 600 * MIB, 4096)] {
        let mut tree = empty_tree();
        for length in [cluster - 1, cluster, cluster + 1, 2 * cluster, 7 * cluster] {
            put(&mut tree, &format!("/{length}"), &data(length));
        }
        let plan = plan(kind, size, tree.clone()).unwrap();
        let used = plan.summary().blocks - plan.summary().free_blocks.unwrap();
        assert_eq!(used, 1 + 1 + 2 + 2 + 7 + u64::from(kind == "fat32"));
        let image = scratch.image(kind, size, &*plan);
        readers::check_fatfs(&image, &tree).unwrap();
    }
}

#[test]
fn a_file_of_4_gib_is_one_byte_too_large() {
    let tree_of = |len| {
        let mut tree = empty_tree();
        let content = Content::host("/nowhere", len);
        tree.put_file("tree", b"/large", content, Attributes::file(TIME))
            .unwrap();
        tree
    };
    assert!(plan("fat32", 5 * GIB, tree_of(4 * GIB - 1)).is_ok());
    let error = plan("fat32", 5 * GIB, tree_of(4 * GIB)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error
            .message()
            .contains("has 4294967296 bytes, more than 4294967295"),
        "{error}"
    );
}

#[test]
fn the_smallest_and_the_largest_of_each_type() {
    let scratch = Scratch::new();
    for (kind, sector_size) in [
        ("fat12", SectorSize::B512),
        ("fat16", SectorSize::B512),
        ("fat32", SectorSize::B512),
        ("vfat", SectorSize::B512),
        ("fat12", SectorSize::B4096),
        ("fat16", SectorSize::B4096),
        ("fat32", SectorSize::B4096),
    ] {
        let plan_of = |size| {
            plan_at(
                size,
                Request {
                    sector_size,
                    ..request(kind)
                },
            )
        };
        let error = plan_of(1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DoesNotFit);
        let (_, limits) = error.message().split_once("can have ").unwrap();
        let mut numbers = limits
            .split(' ')
            .filter_map(|word| word.parse::<u64>().ok());
        let (least, most) = (numbers.next().unwrap(), numbers.next().unwrap());
        for size in [least, most] {
            let plan = plan_of(size).unwrap_or_else(|error| panic!("{size}: {error}"));
            if size <= 9 * GIB {
                let name = format!("{kind}-{}-{size}", sector_size.get());
                scratch.image(&name, size, &*plan);
            }
        }
        assert!(
            plan_of(least - 1).is_err() && plan_of(most + 1).is_err(),
            "{kind}"
        );
        let error = plan_of(most + 1).unwrap_err();
        assert!(error.message().contains("is too large for"), "{error}");
    }
}

#[test]
fn the_limits_are_these() {
    let message = |kind, size| {
        plan(kind, size, empty_tree())
            .unwrap_err()
            .message()
            .to_owned()
    };
    assert_eq!(
        message("fat32", MIB),
        "1 MiB is too small for FAT32: it can have 34095104 to 2199023256063 bytes (65525 to \
         268435445 clusters)"
    );
    assert_eq!(
        message("fat16", 5 * GIB),
        "5 GiB is too large for FAT16: it can have 8404992 to 4294660607 bytes (4087 to 65524 \
         clusters)"
    );
    let kib = 40 * KIB;
    assert!(message("vfat", kib).starts_with("40 KiB is too small for FAT: it can have 51200 to"));
}

#[test]
fn two_terabytes() {
    let mut tree = empty_tree();
    put(&mut tree, "/a/b", &data(100_000));
    let size = (1 << 41) - 512;
    let plan = plan("vfat", size, tree).unwrap();
    let scratch = Scratch::new();
    let image = scratch.path("huge");
    write_image(&*plan, size, &image);
    let numbers = crate::boot_sector::numbers(&image);
    assert_eq!(numbers["sectors (32 bits)"], 4_294_967_292);
    // fsck.fat would read 512 MiB of FATs: mtools reads what it needs.
    let read = readers::mtools(&image);
    let kind = &read[&b"a/b"[..]].kind;
    assert!(matches!(kind, Kind::File { len: 100_000, .. }), "{kind:?}");
}

#[test]
fn the_most_entries_of_a_fixed_root() {
    let tree_of = |entries: usize| {
        let mut tree = empty_tree();
        for number in 0..entries {
            put(&mut tree, &format!("/{number:08x}"), b"");
        }
        tree
    };
    // Whole clusters of four sectors.
    assert!(plan("fat16", 64 * MIB, tree_of(65_472)).is_ok());
    let error = plan("fat16", 64 * MIB, tree_of(65_521)).unwrap_err();
    let message = "the root directory needs 65521 entries, and has 65520 at most; ask for FAT32";
    assert_eq!(error.message(), message);
    assert!(plan("vfat", 64 * MIB, tree_of(65_521)).is_ok());
}

/// The root directory of FAT12 and FAT16 ends inside what would be a cluster of 32 KiB.
#[test]
fn a_root_directory_shorter_than_a_cluster_leaves_the_first_file_alone() {
    let scratch = Scratch::new();
    let sizes = [
        (57_344, "fat12"),
        (1200 * MIB, "fat16"),
        (2047 * MIB, "fat16"),
    ];
    for (size, kind) in sizes {
        let mut request = request(kind);
        request.options = options(&[("sectors-per-cluster", "64")]);
        put(&mut request.tree, "/A", &data(511));
        let plan = plan_at(size, request).unwrap();
        let image = scratch.image(&format!("{size}.img"), size, &*plan);
        readers::check_fatfs(&image, plan.tree()).unwrap();
    }
}
