//! Btrfs filesystems as `btrfs check` and the kernel see them.

use std::os::unix::fs::PermissionsExt;

use disklayout::fs::{Misfits, Options, Request};
use disklayout::tree::{Content, FileTree, NodeKind};
use disklayout::{ErrorKind, Timestamp};
use foreign::btrfs::BtrfsFormat;
use foreign::run::Runner;

use super::planned::{self, assert_refused, assert_stopped, tree, with_attribute};
use super::sample::sample;
use super::{
    check, comes_back, is_in_the_partition_of_a_table, make, same_bytes_for_everybody,
    smallest_size_holds,
};
use testkit::compare::assert_same;
use testkit::host;
use testkit::listing::{Knows, seen_by};
use testkit::mount::Mounted;
use testkit::root::is_root;
use testkit::scratch::Scratch;

use crate::rootfs::mounted::go_on_writing;

const MIB: u64 = 1 << 20;
const MIN: u64 = 114_294_784;

/// Holes are filled, by nothing that takes room in the image.
const KNOWS: Knows = Knows {
    times: true,
    names: true,
    devices: true,
    xattrs: true,
    allocated: false,
};

#[test]
fn everything_comes_back() {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path("btrfs-everything.img");
    make("-t btrfs -s 400M -L label", source.path(), &image).expect(0);
    check("btrfs", &image).unwrap();
    if is_root() {
        let mounted = Mounted::new(&image, "ro");
        let expected = seen_by(&host::list(source.path()), KNOWS);
        assert_same(
            "btrfs",
            &expected,
            &seen_by(&host::list(mounted.path()), KNOWS),
        );
        drop(mounted);
        go_on_writing(&image);
        check("btrfs", &image).unwrap();
    }
}

#[test]
fn sizes_labels_and_uuids_come_back() {
    for (size, options, label) in [
        (MIN, "", ""),
        (16 * MIB, "--mixed yes -L mixed", "mixed"),
        (
            MIN + 512 * 1001,
            "-L=-q --node-size 4096 --checksum sha256",
            "-q",
        ),
        (2 << 40, "-L large", "large"),
    ] {
        comes_back("btrfs", size, options, label);
    }
}

#[test]
fn it_is_in_the_partition_of_a_table() {
    is_in_the_partition_of_a_table("btrfs");
}

#[test]
fn the_smallest_size_holds_the_content() {
    smallest_size_holds("btrfs", 200 << 20);
}

#[test]
fn an_ordinary_user_gets_the_same_bytes_another_second() {
    same_bytes_for_everybody("btrfs");
}

fn request(tree: FileTree) -> Request<'static> {
    Request {
        tree,
        ..planned::request("btrfs")
    }
}

#[test]
fn what_cannot_be_is_refused_when_planning() {
    let long = "x".repeat(256);
    let empty = || FileTree::new(Timestamp::default());
    let big = NodeKind::File(Content::host("/big", MIN + 1));
    let options = |name, value| Options::default().with(name, value);
    for (size, request, kind, part) in [
        (
            MIN - 1,
            request(empty()),
            ErrorKind::DoesNotFit,
            "takes 114294784",
        ),
        (
            MIN,
            Request {
                label: Some(&long),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "256 bytes; Btrfs holds 255",
        ),
        (
            MIN,
            Request {
                options: options("checksum", "md5"),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "checksum",
        ),
        (
            MIN,
            Request {
                options: options("node-size", "2048"),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "power of two",
        ),
        (
            MIN,
            request(tree("/big", big)),
            ErrorKind::DoesNotFit,
            "the files need",
        ),
        (
            MIN,
            request(with_attribute("os2.a")),
            ErrorKind::Unsupported,
            "the extended attribute os2.a (Linux has user., trusted., security. and ACLs only), which Btrfs can't hold: leave it out, have such things dropped (--lossy",
        ),
    ] {
        assert_refused(&BtrfsFormat::default(), (request, size), kind, part);
    }
}

#[test]
fn what_cannot_be_is_left_out_with_a_warning() {
    let request = Request {
        misfits: Misfits::Drop,
        ..request(with_attribute("os2.a"))
    };
    let plan = planned::plan(&BtrfsFormat::default(), request, MIN).unwrap();
    assert!(plan.tree().nodes().all(|(_, node)| node.xattrs.is_empty()));
    assert_eq!(
        plan.warnings(),
        [
            "left out 1 extended attribute, which Btrfs can't hold: '/file' has the extended attribute os2.a (Linux has user., trusted., security. and ACLs only)"
        ]
    );
}

#[test]
fn without_the_program_the_error_names_the_package() {
    let empty = tempfile::tempdir().unwrap();
    let runner = Runner::with_search(vec![empty.path().to_owned()]);
    let request = planned::request("btrfs");
    let plan = planned::plan(&BtrfsFormat::new(runner), request, MIN).unwrap();
    let expected = "parts[0]: mkfs.btrfs isn't installed; install the package 'btrfs-progs' (Debian, Ubuntu, Fedora)";
    assert_stopped(&*plan, MIN, expected);
}

/// As the one of Debian 12 is, which has none of this.
#[test]
fn what_the_installed_program_is_too_old_for_is_refused() {
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("mkfs.btrfs");
    std::fs::write(
        &program,
        "#!/bin/sh\necho mkfs.btrfs, part of btrfs-progs v6.2\n",
    )
    .unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let runner = Runner::with_search(vec![programs.path().to_owned()]);
    for (name, value, since) in [
        ("subvolumes", "ro:a", "6.12"),
        ("compress", "zstd:3", "6.13"),
        ("features", "block-group-tree", "6.3"),
    ] {
        let request = Request {
            options: Options::default().with(name, value),
            ..request(tree("/a/file", NodeKind::Fifo))
        };
        let plan = planned::plan(&BtrfsFormat::new(runner.clone()), request, MIN).unwrap();
        let expected = format!(
            "parts[0].{name}: mkfs.btrfs 6.2 is installed, and this needs {since} or a later \
             one: install a newer 'btrfs-progs' (Debian, Ubuntu, Fedora), or leave it out"
        );
        assert_stopped(&*plan, MIN, &expected);
    }
}

#[test]
fn features_come_back() {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    for (features, missing) in [
        ("^no-holes,^extref", ["NO_HOLES", "EXTENDED_IREF"]),
        (
            "^free-space-tree,^skinny-metadata",
            ["FREE_SPACE_TREE", "SKINNY_METADATA"],
        ),
    ] {
        let image = scratch.path("btrfs-features.img");
        let line = format!("-t btrfs -s 400M --features {features}");
        make(&line, source.path(), &image).expect(0);
        check("btrfs", &image).unwrap();
        let args = ["inspect-internal", "dump-super"];
        let found = crate::checkers::approved_text("btrfs", &args, &image).unwrap();
        for name in [
            "NO_HOLES",
            "EXTENDED_IREF",
            "FREE_SPACE_TREE",
            "SKINNY_METADATA",
        ] {
            let is_missing = missing.contains(&name);
            assert_eq!(!found.contains(name), is_missing, "{name}: {found}");
        }
    }
}

/// The checker must be able to fail.
#[test]
fn the_checker_sees_changed_data() {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path("sample-btrfs-broken.img");
    make("-t btrfs -s 400M", source.path(), &image).expect(0);
    let bytes = std::fs::read(&image).unwrap();
    let data = std::fs::read(source.path().join("files/4097")).unwrap();
    let at = bytes.chunks(4096).position(|block| *block == data[..4096]);
    let at = at.unwrap() as u64 * 4096;
    let file = std::fs::File::options().write(true).open(&image).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"X", at).unwrap();
    check("btrfs", &image).unwrap_err();
}

/// mkfs.btrfs counts the data of a file once for each of its names, and for checksums.
#[test]
fn automatic_sizes_have_room_for_many_names() {
    let source = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let file = source.path().join("large");
    std::fs::write(&file, vec![7; 10 << 20]).unwrap();
    for number in 0..60 {
        std::fs::hard_link(&file, source.path().join(format!("{number}"))).unwrap();
    }
    let image = scratch.path().join("x.img");
    make("-t btrfs", source.path(), &image).expect(0);
    check("btrfs", &image).unwrap();
}

/// The names that a file has in a directory are in one item of a node, as an attribute is.
#[test]
fn what_no_node_holds_is_refused_when_planning() {
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("x.img");
    let source = tempfile::tempdir().unwrap();
    let name = |number: u32| source.path().join(format!("{number:0240}"));
    std::fs::write(name(0), "data").unwrap();
    // 250 bytes each, and 16,233 are to be had.
    for number in 1..64 {
        std::fs::hard_link(name(0), name(number)).unwrap();
    }
    make("-t btrfs", source.path(), &image).expect(0);
    check("btrfs", &image).unwrap();
    std::fs::remove_file(&image).unwrap();
    std::fs::hard_link(name(0), name(64)).unwrap();
    let run = make("-t btrfs", source.path(), &image).expect(3);
    run.says(["more names in '/' than a node of 16384 bytes holds; a larger node-size"]);
    assert!(!image.exists());
    make("-t btrfs --node-size 32768", source.path(), &image).expect(0);
    check("btrfs", &image).unwrap();
}
