//! F2FS filesystems as fsck.f2fs and dump.f2fs see them, and the kernel where it can.

use disklayout::fs::{Misfits, Options, Request};
use disklayout::tree::{Content, FileTree, NodeKind};
use disklayout::{ErrorKind, Timestamp};
use foreign::f2fs::F2fsFormat;
use foreign::run::Runner;

use super::dumped;
use super::planned::{self, assert_refused, assert_stopped, tree, with_attribute};
use super::sample::sample;
use super::{
    check, comes_back, is_in_the_partition_of_a_table, make, same_bytes_for_everybody,
    smallest_size_holds,
};
use testkit::scratch::Scratch;

const MIB: u64 = 1 << 20;
const MIN: u64 = 54_525_952;

/// The same for one that holds anything.
const MIN_FILLED: u64 = 64 << 20;

#[test]
fn everything_comes_back() {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path("f2fs-everything.img");
    make("-t f2fs -s 400M -L label", source.path(), &image).expect(0);
    check("f2fs", &image).unwrap();
    let expected = dumped::of_host(source.path());
    let found = dumped::of_image(&image, expected.len());
    for (path, expected) in &expected {
        assert_eq!(found.get(path), Some(expected), "{path:?}");
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn sizes_labels_and_uuids_come_back() {
    for (size, options, label) in [
        (MIN, "", ""),
        (128 * MIB + 512 * 1001, "-L=-q --overprovision 20", "-q"),
        (MIN + 512 * 1001, "", ""),
        (60 << 30, "-L large", "large"),
    ] {
        comes_back("f2fs", size, options, label);
    }
}

#[test]
fn it_is_in_the_partition_of_a_table() {
    is_in_the_partition_of_a_table("f2fs");
}

#[test]
fn the_smallest_size_holds_the_content() {
    smallest_size_holds("f2fs", 200 << 20);
}

#[test]
fn an_ordinary_user_gets_the_same_bytes_another_second() {
    same_bytes_for_everybody("f2fs");
}

fn request(tree: FileTree) -> Request<'static> {
    Request {
        tree,
        ..planned::request("f2fs")
    }
}

#[test]
fn what_cannot_be_is_refused_when_planning() {
    let long = "x".repeat(513);
    let empty = || FileTree::new(Timestamp::default());
    let big = NodeKind::File(Content::host("/big", MIN_FILLED + 1));
    let options = |name, value| Options::default().with(name, value);
    for (size, request, kind, part) in [
        (
            MIN - 1,
            request(empty()),
            ErrorKind::DoesNotFit,
            "takes 54525952",
        ),
        (
            MIN_FILLED,
            Request {
                label: Some(&long),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "513 bytes; F2FS holds 512",
        ),
        (
            MIN_FILLED,
            Request {
                options: options("overprovision", "0"),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "overprovision",
        ),
        (
            MIN_FILLED - 1,
            request(tree("/fifo", NodeKind::Fifo)),
            ErrorKind::DoesNotFit,
            "67108864",
        ),
        (
            MIN_FILLED,
            request(tree("/big", big)),
            ErrorKind::DoesNotFit,
            "the files need",
        ),
        (
            MIN_FILLED,
            request(with_attribute("os2.a")),
            ErrorKind::Unsupported,
            "the extended attribute os2.a (Linux has user., trusted., security. and ACLs only), which F2FS can't hold: leave it out, have such things dropped (--lossy",
        ),
    ] {
        assert_refused(&F2fsFormat::default(), (request, size), kind, part);
    }
}

#[test]
fn what_cannot_be_is_left_out_with_a_warning() {
    let request = Request {
        misfits: Misfits::Drop,
        ..request(with_attribute("os2.a"))
    };
    let plan = planned::plan(&F2fsFormat::default(), request, MIN_FILLED).unwrap();
    assert!(plan.tree().nodes().all(|(_, node)| node.xattrs.is_empty()));
    assert_eq!(
        plan.warnings(),
        [
            "left out 1 extended attribute, which F2FS can't hold: '/file' has the extended attribute os2.a (Linux has user., trusted., security. and ACLs only)"
        ]
    );
}

#[test]
fn without_the_program_the_error_names_the_package() {
    let empty = tempfile::tempdir().unwrap();
    let runner = Runner::with_search(vec![empty.path().to_owned()]);
    let request = planned::request("f2fs");
    let plan = planned::plan(&F2fsFormat::new(runner), request, MIN_FILLED).unwrap();
    let expected = "parts[0]: mkfs.f2fs isn't installed; install the package 'f2fs-tools' (Debian, Ubuntu, Fedora)";
    assert_stopped(&*plan, MIN_FILLED, expected);
}

/// The checker must be able to fail.
#[test]
fn the_checker_sees_a_changed_node() {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path("sample-f2fs-broken.img");
    make("-t f2fs -s 400M", source.path(), &image).expect(0);
    let bytes = std::fs::read(&image).unwrap();
    // An inode has its number twice at its end.
    let is_inode =
        |block: &[u8]| block[4072..4076] == [9, 0, 0, 0] && block[4076..4080] == [9, 0, 0, 0];
    let at = bytes.chunks(4096).position(is_inode).unwrap() as u64 * 4096;
    let file = std::fs::File::options().write(true).open(&image).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[77], at + 4072).unwrap();
    check("f2fs", &image).unwrap_err();
}
