//! XFS filesystems as xfs_repair and the kernel see them.

use disklayout::fs::{Misfits, Options, Request};
use disklayout::tree::{Attributes, Content, Device, FileTree, Node, NodeKind, Xattr, Xattrs};
use disklayout::{ErrorKind, Timestamp};
use foreign::run::Runner;
use foreign::xfs::XfsFormat;

use super::planned::{self, assert_refused, assert_stopped, tree};
use super::sample::sample;
use super::{
    check, comes_back, is_in_the_partition_of_a_table, make, same_bytes_for_everybody,
    smallest_size_holds,
};
use testkit::compare::assert_same;
use testkit::host;
use testkit::listing::Listing;
use testkit::mount::Mounted;
use testkit::root::is_root;
use testkit::scratch::Scratch;

use crate::rootfs::mounted::go_on_writing;

const MIB: u64 = 1 << 20;
const MIN: u64 = 300 * MIB;

/// Attributes as the kernel shows ACLs a second time aren't those of the source.
fn known(mut listing: Listing) -> Listing {
    for entry in listing.values_mut() {
        if let Some(xattrs) = &mut entry.xattrs {
            xattrs.retain(|name, _| !name.starts_with(b"trusted.SGI_ACL"));
        }
    }
    listing
}

#[test]
fn everything_comes_back() {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path("xfs-everything.img");
    make("-t xfs -s 400M -L label", source.path(), &image).expect(0);
    check("xfs", &image).unwrap();
    if is_root() {
        let mounted = Mounted::new(&image, "ro");
        let found = known(host::list(mounted.path()));
        assert_same("xfs", &host::list(source.path()), &found);
        drop(mounted);
        go_on_writing(&image);
        check("xfs", &image).unwrap();
    }
}

#[test]
fn sizes_labels_and_uuids_come_back() {
    for (size, options, label) in [
        (MIN, "", ""),
        (
            MIN + 512 * 1001,
            "-L twelve-bytes --inode-size 1024",
            "twelve-bytes",
        ),
        (
            MIN + 4096 * 77,
            "-L=-q --block-size 1024 --reflink no --log-size 70M",
            "-q",
        ),
        (2 << 40, "-L large --sector-size 4096", "large"),
    ] {
        comes_back("xfs", size, options, label);
    }
}

#[test]
fn it_is_in_the_partition_of_a_table() {
    is_in_the_partition_of_a_table("xfs");
}

#[test]
fn the_smallest_size_holds_the_content() {
    smallest_size_holds("xfs", 310 << 20);
}

#[test]
fn an_ordinary_user_gets_the_same_bytes_another_second() {
    same_bytes_for_everybody("xfs");
}

fn request(tree: FileTree) -> Request<'static> {
    Request {
        tree,
        ..planned::request("xfs")
    }
}

#[test]
fn what_cannot_be_is_refused_when_planning() {
    let file = || NodeKind::File(Content::inline(b""));
    let link = NodeKind::Symlink(vec![b't'; 1024].into());
    let empty = || FileTree::new(Timestamp::default());
    for (size, request, kind, part) in [
        (
            MIN - 1,
            request(empty()),
            ErrorKind::DoesNotFit,
            "takes 314572800",
        ),
        (
            MIN,
            Request {
                label: Some("thirteen-byte"),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "13 bytes; XFS holds 12",
        ),
        (
            MIN,
            Request {
                options: Options::default().with("inode-size", 4096),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "inode-size",
        ),
        (
            MIN,
            Request {
                options: Options::default().with("block-size", 3000),
                ..request(empty())
            },
            ErrorKind::InvalidSpec,
            "power of two",
        ),
        (
            MIN,
            request(tree("/ ", file())),
            ErrorKind::Unsupported,
            "'/ ' has a name of which mkfs.xfs can't be told, which XFS can't hold: leave it out, have such things dropped (--lossy",
        ),
        (
            MIN,
            request(tree("/link", link)),
            ErrorKind::Unsupported,
            "1024 bytes",
        ),
        (
            MIN,
            request(tree("/big", NodeKind::File(Content::host("/big", MIN)))),
            ErrorKind::DoesNotFit,
            "the files need",
        ),
    ] {
        assert_refused(&XfsFormat::default(), (request, size), kind, part);
    }
}

/// Directories with more in them than others fill the groups unevenly.
#[test]
fn the_smallest_size_holds_uneven_groups() {
    let source = tempfile::tempdir().unwrap();
    for directory in 0..12 {
        let path = source.path().join(format!("{directory:02}"));
        std::fs::create_dir(&path).unwrap();
        // The root was in the first group, every fourth one after it is in the log's.
        let count = if directory % 4 == 1 { 500 } else { 1 };
        for file in 0..count {
            std::fs::write(path.join(file.to_string()), vec![7; 200_000]).unwrap();
        }
    }
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path("xfs-uneven.img");
    make("-t xfs -s auto", source.path(), &image).expect(0);
    check("xfs", &image).unwrap();
}

/// What is planned for leaves nothing to what groups keep for themselves.
#[test]
fn where_there_is_no_room_the_error_tells_how_much_is_enough() {
    let source = tempfile::tempdir().unwrap();
    for file in 0..1229 {
        let path = source.path().join((file % 12).to_string());
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join(file.to_string()), vec![7; 200_000]).unwrap();
    }
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path("xfs-full.img");
    let run = make("-t xfs -s 300M", source.path(), &image);
    run.expect(3)
        .says(["as mkfs.xfs spreads them", "bytes are enough"]);
    assert!(!image.exists());
}

#[test]
fn features_come_back() {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    for features in [
        "^finobt,^inobtcount,^sparse,^reflink",
        "nrext64,bigtime",
        "^bigtime",
    ] {
        let image = scratch.path("xfs-features.img");
        let line = format!("-t xfs -s 400M --features {features}");
        make(&line, source.path(), &image).expect(0);
        check("xfs", &image).unwrap();
        let args = ["-r", "-f", "-c", "version"];
        let found = crate::checkers::approved_text("xfs_db", &args, &image).unwrap();
        let found = found.to_lowercase();
        for feature in features.split(',') {
            let bare = feature
                .trim_start_matches('^')
                .replace("inobtcount", "inobtcnt");
            let bare = bare.replace("sparse", "sparse_inodes");
            assert_eq!(
                found.contains(&bare),
                !feature.starts_with('^'),
                "{feature}: {found}"
            );
        }
    }
}

#[test]
fn what_cannot_be_is_left_out_with_a_warning() {
    let mut tree = tree("/ ", NodeKind::Fifo);
    let mut put = |path: &str, kind, seconds| {
        let time = Timestamp::from_seconds(seconds);
        let node = Node::new(kind, Attributes::file(time));
        tree.put("t", path.as_bytes(), node).unwrap()
    };
    put("/link", NodeKind::Symlink(vec![b't'; 337].into()), 0);
    let device = Device {
        major: 512,
        minor: 3,
    };
    put("/device", NodeKind::BlockDevice(device), 0);
    let file = put("/file", NodeKind::Fifo, -(1 << 31) - 1);
    let xattrs = [("os2.a", 4), ("user.long", 256), ("user.short", 2)].map(|(name, len)| Xattr {
        name: name.as_bytes().into(),
        value: vec![0; len].into(),
    });
    tree.set_xattrs(file, Xattrs::new(xattrs));
    let request = Request {
        misfits: Misfits::Drop,
        ..request(tree)
    };
    let plan = planned::plan(&XfsFormat::default(), request, MIN).unwrap();
    let expected = [
        "left out 1 entry with names that XFS can't hold: '/ ' has a name of which mkfs.xfs can't be told",
        "left out 1 symbolic link with targets that XFS can't hold: '/link' is a symbolic link of 337 bytes, more than the 336 of an inode of 512 (a larger inode-size has more)",
        "left out 1 device with numbers that XFS can't hold: '/device' is device 512:3, beyond 511:262143",
        "left out 2 extended attributes, which XFS can't hold: '/file' has the extended attribute os2.a (Linux has user., trusted., security. and ACLs only), and others",
        "changed 1 time to the nearest that XFS can hold: '/file' is of -2147483649 s from 1970",
    ];
    assert_eq!(plan.warnings(), expected);
    let tree = plan.tree();
    assert_eq!(tree.nodes().count(), 2);
    let file = tree.node(tree.find(b"/file").unwrap());
    assert_eq!(file.attributes.mtime.seconds, -(1 << 31));
    assert_eq!(file.xattrs.iter().len(), 1);
}

#[test]
fn without_the_program_the_error_names_the_package() {
    let empty = tempfile::tempdir().unwrap();
    let runner = Runner::with_search(vec![empty.path().to_owned()]);
    let request = planned::request("xfs");
    let plan = planned::plan(&XfsFormat::new(runner), request, MIN).unwrap();
    let expected = "parts[0]: mkfs.xfs isn't installed; install the package 'xfsprogs' (Debian, Ubuntu, Fedora, Rocky)";
    assert_stopped(&*plan, MIN, expected);
}

/// The checker must be able to fail.
#[test]
fn the_checker_sees_a_changed_inode() {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path("sample-xfs-broken.img");
    make("-t xfs -s 400M", source.path(), &image).expect(0);
    let file = std::fs::File::options()
        .write(true)
        .read(true)
        .open(&image)
        .unwrap();
    // The root directory's inode, 128, begins at block 16.
    std::os::unix::fs::FileExt::write_all_at(&file, b"X", 128 * 512 + 60).unwrap();
    check("xfs", &image).unwrap_err();
}
