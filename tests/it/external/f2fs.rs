//! F2FS filesystems as fsck.f2fs and dump.f2fs see them, and the kernel where it can.

use std::os::unix::fs::MetadataExt;

use createhdds::tools::f2fs::F2fsFormatter;
use createhdds::tools::runner::Runner;
use disklayout::disk::MemDisk;
use disklayout::fs::{Formatter, Misfits, Options, Request, Unwatched};
use disklayout::tree::{Attributes, Content, FileTree, Node, NodeKind, Xattr, Xattrs};
use disklayout::{Bytes, ErrorKind, Identity, Timestamp};

use super::dumped;
use super::sample::sample;
use super::{as_nobody, blkid, check, make, make_in, partition};
use crate::rootfs::image::Scratch;
use crate::rootfs::mounted::is_root_user;

const UUID: &str = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";
const MIB: u64 = 1 << 20;
const MIN: u64 = 54_525_952;

/// The same for one that holds anything.
const MIN_FILLED: u64 = 64 << 20;

#[test]
fn everything_comes_back() {
    let source = sample();
    let scratch = Scratch::new();
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
    let empty = tempfile::tempdir().unwrap();
    let scratch = Scratch::new();
    for (size, options, label) in [
        (MIN, "", ""),
        (128 * MIB + 512 * 1001, "-L=-q --overprovision 20", "-q"),
        (MIN + 512 * 1001, "", ""),
        (60 << 30, "-L large", "large"),
    ] {
        let image = scratch.path(&format!("f2fs-{size}.img"));
        let line = format!("-t f2fs -s {size} -U {UUID} {options}");
        let run = make(&line, empty.path(), &image);
        run.expect(0);
        check("f2fs", &image).unwrap();
        assert_eq!(blkid(&image, "TYPE"), "f2fs");
        assert_eq!(blkid(&image, "LABEL"), label);
        assert_eq!(blkid(&image, "UUID"), UUID);
        let metadata = std::fs::metadata(&image).unwrap();
        assert_eq!(metadata.len(), size);
        assert!(metadata.blocks() * 512 < 32 * MIB, "{}", metadata.blocks());
    }
}

#[test]
fn it_is_in_the_partition_of_a_table() {
    let source = sample();
    let scratch = Scratch::new();
    for table in ["mbr", "gpt"] {
        let image = scratch.path(&format!("f2fs-{table}.img"));
        make(
            &format!("-t f2fs -s 420M -p={table}"),
            source.path(),
            &image,
        )
        .expect(0);
        let volume = partition(&image);
        check("f2fs", volume.path()).unwrap();
    }
}

#[test]
fn the_smallest_size_holds_the_content() {
    let source = sample();
    let scratch = Scratch::new();
    std::fs::write(source.path().join("large"), vec![7; 200 << 20]).unwrap();
    let image = scratch.path("f2fs-auto.img");
    make("-t f2fs -s auto", source.path(), &image).expect(0);
    check("f2fs", &image).unwrap();
}

#[test]
fn an_ordinary_user_gets_the_same_bytes_another_second() {
    let source = sample();
    let scratch = Scratch::new();
    let (one, other) = (scratch.path("f2fs-one.img"), scratch.path("f2fs-other.img"));
    make_in(
        &std::env::temp_dir(),
        "-t f2fs -s 400M",
        &source.path().join("many"),
        &one,
    )
    .expect(0);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    match is_root_user() {
        true => as_nobody(
            &std::env::temp_dir(),
            "-t f2fs -s 400M",
            &source.path().join("many"),
            &other,
        ),
        false => drop(
            make_in(
                &std::env::temp_dir(),
                "-t f2fs -s 400M",
                &source.path().join("many"),
                &other,
            )
            .expect(0),
        ),
    }
    assert!(std::fs::read(one).unwrap() == std::fs::read(other).unwrap());
}

fn request(tree: FileTree) -> Request<'static> {
    let identity = Identity::new("disk", Timestamp::default());
    Request {
        tree,
        ..Request::new("parts[0]", "f2fs", Bytes::new(MIN_FILLED), identity)
    }
}

fn tree(path: &str, kind: NodeKind) -> FileTree {
    let mut tree = FileTree::new(Timestamp::default());
    let node = Node::new(kind, Attributes::file(Timestamp::default()));
    tree.put("t", path.as_bytes(), node).unwrap();
    tree
}

#[test]
fn what_cannot_be_is_refused_when_planning() {
    let long = "x".repeat(513);
    let empty = || FileTree::new(Timestamp::default());
    let big = NodeKind::File(Content::host("/big", MIN_FILLED + 1));
    let options = |name, value| Options::default().with(name, value);
    for (request, kind, part) in [
        (
            Request {
                size: Bytes::new(MIN - 1),
                ..request(empty())
            },
            ErrorKind::DoesNotFit,
            "takes 54525952",
        ),
        (
            Request {
                label: Some(&long),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "513 bytes; F2FS holds 512",
        ),
        (
            Request {
                options: options("overprovision", "0"),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "overprovision",
        ),
        (
            Request {
                size: Bytes::new(MIN_FILLED - 1),
                ..request(tree("/fifo", NodeKind::Fifo))
            },
            ErrorKind::DoesNotFit,
            "67108864",
        ),
        (
            request(tree("/big", big)),
            ErrorKind::DoesNotFit,
            "the files need",
        ),
        (
            request(with_attribute("os2.a")),
            ErrorKind::Unsupported,
            "the extended attribute os2.a (F2FS has user., trusted., security. and ACLs only), which F2FS can't hold: leave it out, have such things dropped (--lossy",
        ),
    ] {
        let error = F2fsFormatter::default().plan(request).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

fn with_attribute(name: &str) -> FileTree {
    let mut tree = tree("/file", NodeKind::Fifo);
    let file = tree.find(b"/file").unwrap();
    let xattr = Xattr {
        name: name.as_bytes().into(),
        value: [0; 4].into(),
    };
    tree.set_xattrs(file, Xattrs::new([xattr]));
    tree
}

#[test]
fn what_cannot_be_is_left_out_with_a_warning() {
    let request = Request {
        misfits: Misfits::Drop,
        ..request(with_attribute("os2.a"))
    };
    let plan = F2fsFormatter::default().plan(request).unwrap();
    assert!(plan.tree().nodes().all(|(_, node)| node.xattrs.is_empty()));
    assert_eq!(
        plan.warnings(),
        [
            "left out 1 extended attribute, which F2FS can't hold: '/file' has the extended attribute os2.a (F2FS has user., trusted., security. and ACLs only)"
        ]
    );
}

#[test]
fn without_the_program_the_error_names_the_package() {
    let empty = tempfile::tempdir().unwrap();
    let runner = Runner::with_search(vec![empty.path().to_owned()]);
    let plan = F2fsFormatter::new(runner)
        .plan(request(FileTree::new(Timestamp::default())))
        .unwrap();
    let disk = MemDisk::new(MIN_FILLED);
    for error in [
        plan.check_tools().unwrap_err(),
        plan.write(&disk, &Unwatched).unwrap_err(),
    ] {
        let expected = "parts[0]: mkfs.f2fs isn't installed; install the package 'f2fs-tools' (Debian, Ubuntu, Fedora)";
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(disk.allocated(), 0);
}

/// The checker must be able to fail.
#[test]
fn the_checker_sees_a_changed_node() {
    let source = sample();
    let scratch = Scratch::new();
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
