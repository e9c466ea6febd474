//! Filled filesystems, read back by mtools and fatfs.

use disklayout::fs::Request;
use disklayout::tree::{Attributes, Content, FileTree};
use disklayout::{Lba, SectorSize, Timestamp};

use testkit::compare::differences;
use testkit::image::bytes_of;

use crate::checkers::blkid;
use crate::readers::{self, planned, without_directory_times};
use crate::support::{
    MIB, Scratch, data, empty_tree, options, plan, plan_at, put, put_directory, request,
};

/// Names of all forms, times of all kinds, files around the size of a cluster.
pub(crate) fn awkward_tree() -> FileTree {
    let mut tree = empty_tree();
    for name in [
        "README.TXT",
        "readme.md",
        "Mixed.Case",
        "lower.EXT",
        "UPPER.ext",
        ".hidden",
        "two.dots.x",
        "sp ace",
        "+,;=[]",
        "a.longextension",
        "\u{fc}n\u{ef}c\u{f6}d\u{e9}.txt",
        "\u{65e5}\u{672c}\u{8a9e}",
        "\u{1F600}.emoji",
        "longname~1.txt",
        "LONGNA~1.TXT",
        "longname two.txt",
        "~",
        "$%'-_@~.!(#",
        "EFI/BOOT/BOOTX64.EFI",
        "EFI/debian/grub.cfg",
        "EFI/debian/empty",
        "d/e/e/p/e/r/f",
    ] {
        put(&mut tree, &format!("/{name}"), name.as_bytes());
    }
    for length in [1, 12, 13, 14, 25, 26, 27, 39, 40, 254, 255] {
        put(&mut tree, &format!("/names/{}", "n".repeat(length)), b"n");
    }
    for size in [
        0, 1, 511, 512, 513, 2047, 2048, 2049, 4095, 4096, 4097, 100_000,
    ] {
        put(&mut tree, &format!("/sizes/{size}"), &data(size));
    }
    for seconds in [
        i64::MIN,
        0,
        315_532_800,
        951_782_401,
        1_709_251_199,
        4_354_819_199,
        i64::MAX,
    ] {
        let attributes = Attributes::file(Timestamp::from_seconds(seconds));
        let path = format!("/times/{seconds}");
        tree.put_file("tree", path.as_bytes(), Content::inline(b""), attributes)
            .unwrap();
    }
    put_directory(&mut tree, "/empty directory");
    tree
}

fn check_read_back(name: &str, size: u64, tree: &FileTree, chosen: Request<'_>) {
    let plan = plan_at(
        size,
        Request {
            tree: tree.clone(),
            ..chosen
        },
    )
    .unwrap();
    let scratch = Scratch::new();
    let image = scratch.image(name, size, &*plan);
    readers::check_fatfs(&image, tree).unwrap_or_else(|found| panic!("{name}: {found}"));
    let mut unpacked = readers::mtools(&image);
    let mut expected = without_directory_times(planned(tree));
    // mtools 4.0 knows no characters of two units, and takes 2100 for a leap year.
    for listing in [&mut unpacked, &mut expected] {
        let is_known = |(seconds, _)| seconds < 4_102_444_800;
        listing.retain(|path, it| !path.ends_with(b".emoji") && it.mtime.is_none_or(is_known));
    }
    let found = differences(&expected, &unpacked);
    assert!(found.is_empty(), "{name}: {}", found.join("\n"));
}

#[test]
fn every_name_time_and_byte_is_read_back() {
    let tree = awkward_tree();
    for (kind, size) in [("fat12", 4), ("fat16", 40), ("fat32", 80), ("vfat", 600)] {
        let size = size * MIB;
        check_read_back(kind, size, &tree, request(kind));
    }
}

#[test]
fn every_choice_is_read_back() {
    let tree = awkward_tree();
    for (name, value) in [
        ("fats", "1"),
        ("reserved-sectors", "3"),
        ("root-entries", "1000"),
        ("align", "no"),
        ("cluster-size", "32K"),
        ("logical-sector-size", "4096"),
    ] {
        let chosen = Request {
            options: options(&[(name, value)]),
            ..request("vfat")
        };
        check_read_back(name, 70 * MIB, &tree, chosen);
    }
}

#[test]
fn sectors_of_4096_bytes() {
    let tree = awkward_tree();
    for kind in ["fat12", "fat16", "fat32"] {
        let size = if kind == "fat32" {
            300 * MIB
        } else {
            100 * MIB
        };
        let chosen = Request {
            sector_size: SectorSize::B4096,
            start: Lba::new(256),
            ..request(kind)
        };
        check_read_back(kind, size, &tree, chosen);
    }
}

#[test]
fn label_and_volume_id_are_in_both_places() {
    let scratch = Scratch::new();
    for (kind, size) in [("fat12", MIB), ("fat16", 40 * MIB), ("fat32", 80 * MIB)] {
        let plan = plan_at(
            size,
            Request {
                label: Some("Efi Sys"),
                options: options(&[("volume-id", "1234-ABCD")]),
                tree: awkward_tree(),
                ..request(kind)
            },
        );
        let image = scratch.image(kind, size, &*plan.unwrap());
        for (property, value) in [
            ("TYPE", "vfat"),
            ("LABEL", "Efi Sys"),
            ("LABEL_FATBOOT", "Efi Sys"),
            ("UUID", "1234-ABCD"),
        ] {
            assert_eq!(blkid(&image, property), value, "{kind}");
        }
        let expected = if kind == "fat32" { "FAT32" } else { "FAT16" };
        if kind != "fat12" {
            assert_eq!(blkid(&image, "VERSION"), expected);
        }
    }
    let plan = plan("vfat", MIB, empty_tree()).unwrap();
    let image = scratch.image("none", MIB, &*plan);
    assert_eq!(blkid(&image, "LABEL"), "");
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let size = 80 * MIB;
    let bytes = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let plan = plan("fat32", size, awkward_tree()).unwrap();
        pool.install(|| bytes_of(&*plan, size))
    };
    let one = bytes(1);
    assert!(one == bytes(7));
}

#[test]
fn holes_take_clusters_that_are_not_written() {
    let mut tree = empty_tree();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sparse");
    // fsck.fat 4.2 counts the bytes of a file's clusters in 32 bits: with one more, it finds none.
    let len = (1 << 32) - 4096;
    std::fs::File::create(&path).unwrap().set_len(len).unwrap();
    let content = Content::host_with_holes(&path, len, Vec::new());
    tree.put_file(
        "tree",
        b"/sparse",
        content,
        Attributes::file(crate::support::TIME),
    )
    .unwrap();
    put(&mut tree, "/behind", b"behind");
    let size = smallest_of("fat32", &tree);
    let plan = plan("fat32", size, tree).unwrap();
    assert!(plan.cost().get() < 20 * MIB);
    let scratch = Scratch::new();
    let image = scratch.image("sparse", size, &*plan);
    use std::os::unix::fs::MetadataExt;
    let allocated = std::fs::metadata(&image).unwrap().blocks() * 512;
    assert!(allocated < 20 * MIB, "{allocated}");
}

fn smallest_of(kind: &str, tree: &FileTree) -> u64 {
    let request = Request {
        tree: tree.clone(),
        ..request(kind)
    };
    crate::support::smallest(request, 0).unwrap()
}
