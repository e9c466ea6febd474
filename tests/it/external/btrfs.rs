//! Btrfs filesystems as `btrfs check` and the kernel see them.

use std::os::unix::fs::MetadataExt;

use createhdds::tools::btrfs::BtrfsFormatter;
use createhdds::tools::runner::Runner;
use disklayout::disk::MemDisk;
use disklayout::fs::{Formatter, Misfits, Options, Request, Unwatched};
use disklayout::tree::{Attributes, Content, FileTree, Node, NodeKind, Xattr, Xattrs};
use disklayout::{Bytes, ErrorKind, Identity, Timestamp};

use super::sample::sample;
use super::{as_nobody, blkid, check, make, make_in, partition};
use crate::rootfs::compare::assert_same;
use crate::rootfs::host;
use crate::rootfs::image::Scratch;
use crate::rootfs::listing::{Knows, seen_by};
use crate::rootfs::mounted::{Mounted, go_on_writing, is_root, is_root_user};

const UUID: &str = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";
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
    let scratch = Scratch::new();
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
    let empty = tempfile::tempdir().unwrap();
    let scratch = Scratch::new();
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
        let image = scratch.path(&format!("btrfs-{size}.img"));
        let line = format!("-t btrfs -s {size} -U {UUID} {options}");
        let run = make(&line, empty.path(), &image);
        run.expect(0);
        check("btrfs", &image).unwrap();
        assert_eq!(blkid(&image, "TYPE"), "btrfs");
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
        let image = scratch.path(&format!("btrfs-{table}.img"));
        make(
            &format!("-t btrfs -s 420M -p={table}"),
            source.path(),
            &image,
        )
        .expect(0);
        let volume = partition(&image);
        check("btrfs", volume.path()).unwrap();
    }
}

#[test]
fn the_smallest_size_holds_the_content() {
    let source = sample();
    let scratch = Scratch::new();
    std::fs::write(source.path().join("large"), vec![7; 200 << 20]).unwrap();
    let image = scratch.path("btrfs-auto.img");
    make("-t btrfs -s auto", source.path(), &image).expect(0);
    check("btrfs", &image).unwrap();
}

/// Numbers of inodes grow in memory, whatever else is made there meanwhile.
#[test]
fn an_ordinary_user_gets_the_same_bytes_another_second() {
    let source = sample();
    let scratch = Scratch::new();
    let (one, other) = (
        scratch.path("btrfs-one.img"),
        scratch.path("btrfs-other.img"),
    );
    make_in(
        std::path::Path::new("/dev/shm"),
        "-t btrfs -s 400M",
        &source.path().join("many"),
        &one,
    )
    .expect(0);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    match is_root_user() {
        true => as_nobody(
            std::path::Path::new("/dev/shm"),
            "-t btrfs -s 400M",
            &source.path().join("many"),
            &other,
        ),
        false => drop(
            make_in(
                std::path::Path::new("/dev/shm"),
                "-t btrfs -s 400M",
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
        ..Request::new("parts[0]", "btrfs", Bytes::new(MIN), identity)
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
    let long = "x".repeat(256);
    let empty = || FileTree::new(Timestamp::default());
    let big = NodeKind::File(Content::host("/big", MIN + 1));
    let options = |name, value| Options::default().with(name, value);
    for (request, kind, part) in [
        (
            Request {
                size: Bytes::new(MIN - 1),
                ..request(empty())
            },
            ErrorKind::DoesNotFit,
            "takes 114294784",
        ),
        (
            Request {
                label: Some(&long),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "256 bytes; Btrfs holds 255",
        ),
        (
            Request {
                options: options("checksum", "md5"),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "checksum",
        ),
        (
            Request {
                options: options("node-size", "2048"),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "power of two",
        ),
        (
            request(tree("/big", big)),
            ErrorKind::DoesNotFit,
            "the files need",
        ),
        (
            request(with_attribute("os2.a")),
            ErrorKind::Unsupported,
            "the extended attribute os2.a (mkfs.btrfs takes no namespace like this), which Btrfs can't hold: leave it out, have such things dropped (--lossy",
        ),
    ] {
        let error = BtrfsFormatter::default().plan(request).unwrap_err();
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
    let plan = BtrfsFormatter::default().plan(request).unwrap();
    assert!(plan.tree().nodes().all(|(_, node)| node.xattrs.is_empty()));
    assert_eq!(
        plan.warnings(),
        [
            "left out 1 extended attribute, which Btrfs can't hold: '/file' has the extended attribute os2.a (mkfs.btrfs takes no namespace like this)"
        ]
    );
}

#[test]
fn without_the_program_the_error_names_the_package() {
    let empty = tempfile::tempdir().unwrap();
    let runner = Runner::with_search(vec![empty.path().to_owned()]);
    let plan = BtrfsFormatter::new(runner)
        .plan(request(FileTree::new(Timestamp::default())))
        .unwrap();
    let disk = MemDisk::new(MIN);
    for error in [
        plan.check_tools().unwrap_err(),
        plan.write(&disk, &Unwatched).unwrap_err(),
    ] {
        let expected = "parts[0]: mkfs.btrfs isn't installed; install the package 'btrfs-progs' (Debian, Ubuntu, Fedora)";
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(disk.allocated(), 0);
}

/// The checker must be able to fail.
#[test]
fn the_checker_sees_changed_data() {
    let source = sample();
    let scratch = Scratch::new();
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
