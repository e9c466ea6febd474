//! Extended attributes: debugfs stores them in the same bytes, and the kernel gives them back.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use disklayout::tree::{Attributes, Content, FileTree, Node, NodeKind, Xattr, Xattrs};

use crate::checkers::{debugfs, e2fsck, run};
use crate::support::{GIB, KINDS, MIB, Scratch, TIME, empty_tree, plan};
use testkit::metadata::{acl, getfattr};
use testkit::mount::Mounted;
use testkit::root::is_root;

const SELINUX: &[u8] = b"system_u:object_r:etc_t:s0";

/// user:1000 and group:100 beside the three of the mode, and a mask.
fn sample_acl() -> Vec<u8> {
    let nobody = u32::MAX;
    acl(&[
        (0x01, 6, nobody),
        (0x02, 7, 1000),
        (0x04, 4, nobody),
        (0x08, 5, 100),
        (0x10, 7, nobody),
        (0x20, 4, nobody),
    ])
}

/// In the order in which an inode and then a block list them. The first two fill an inode.
fn sample() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("user.a", b"1".to_vec()),
        ("security.selinux", SELINUX.to_vec()),
        ("user.bb", b"12345".to_vec()),
        ("user.name", vec![0xFF, 0x80]),
        ("system.posix_acl_access", sample_acl()),
        ("trusted.t", vec![b'x'; 100]),
    ]
}

fn xattrs(sample: &[(&str, Vec<u8>)]) -> Xattrs {
    Xattrs::new(sample.iter().map(|(name, value)| Xattr {
        name: name.as_bytes().into(),
        value: value.as_slice().into(),
    }))
}

fn tree_with(xattrs: Xattrs) -> FileTree {
    let mut tree = empty_tree();
    for (path, kind) in [
        ("/f", NodeKind::File(Content::inline(b"data"))),
        ("/d", NodeKind::Directory),
    ] {
        let attributes = Attributes {
            permissions: 0o674,
            ..Attributes::file(TIME)
        };
        let mut node = Node::new(kind, attributes);
        node.xattrs = xattrs.clone();
        tree.put("writes[0]", path.as_bytes(), node).unwrap();
    }
    tree
}

/// What `/f` has after its extra fields, and its block of attributes.
fn stored(image: &Path) -> (Vec<u8>, Vec<u8>) {
    let bytes = fs::read(image).unwrap();
    let place = debugfs("imap /f", image);
    let (_, place) = place.split_once("at block ").unwrap();
    let (block, offset) = place.split_once(", offset 0x").unwrap();
    let offset = usize::from_str_radix(offset.lines().next().unwrap(), 16).unwrap();
    let inode = block.parse::<usize>().unwrap() * 1024 + offset;
    let stat = debugfs("stat /f", image);
    let (_, block) = stat.split_once("File ACL: ").unwrap();
    let block: usize = block.lines().next().unwrap().parse().unwrap();
    let in_inode = bytes[inode + 160..][..96].to_vec();
    (in_inode, bytes[block * 1024..][..1024].to_vec())
}

/// debugfs leaves out the hash of all of a block, a checksum covers the block's number, and our
/// two inodes share their block.
#[test]
fn debugfs_stores_them_in_the_same_bytes() {
    let size = 16 * MIB;
    for kind in KINDS {
        let scratch = Scratch::new();
        let ours = plan(kind, size, tree_with(xattrs(&sample()))).unwrap();
        let ours = scratch.image(&format!("xattrs-{kind}.img"), size, &*ours);
        let theirs = plan(kind, size, tree_with(Xattrs::NONE)).unwrap();
        let theirs = scratch.image(&format!("sample-xattrs-{kind}.img"), size, &*theirs);
        let value_file = scratch.path("value");
        for (name, value) in sample() {
            fs::write(&value_file, value).unwrap();
            let request = format!("ea_set -f {} /f {name}", value_file.display());
            let arguments = [OsStr::new("-w"), OsStr::new("-R"), OsStr::new(&request)];
            run("debugfs", &[&arguments[..], &[theirs.as_os_str()]].concat()).unwrap();
        }
        e2fsck(&theirs).unwrap();
        let (mut ours, mut theirs) = (stored(&ours), stored(&theirs));
        assert_eq!(ours.0, theirs.0, "{kind}");
        for block in [&mut ours.1, &mut theirs.1] {
            block[4..8].fill(0);
            block[12..20].fill(0);
        }
        assert!(ours.1 == theirs.1, "{kind}: {:x?}\n{:x?}", ours.1, theirs.1);
    }
}

#[test]
fn the_kernel_gives_them_back() {
    if !is_root() {
        return;
    }
    let mut sample = sample();
    sample.push(("user.\u{e4}\u{20ac}", b"a name that isn't ASCII".to_vec()));
    sample.push(("user.empty", Vec::new()));
    for (kind, size) in KINDS
        .iter()
        .flat_map(|kind| [(kind, 16 * MIB), (kind, GIB)])
    {
        let scratch = Scratch::new();
        let plan = plan(kind, size, tree_with(xattrs(&sample))).unwrap();
        let image = scratch.image(
            &format!("xattrs-read-{kind}-{}.img", size / MIB),
            size,
            &*plan,
        );
        let mount = Mounted::new(&image, "rw,acl,user_xattr");
        for path in ["f", "d"].map(|name| mount.path().join(name)) {
            for (name, value) in &sample {
                assert_eq!(&getfattr(&path, name), value, "{kind}: {name}");
            }
            let arguments = ["-n", "user.bb", "-v", "changed"].map(OsStr::new);
            run("setfattr", &[&arguments[..], &[path.as_os_str()]].concat()).unwrap();
            assert_eq!(getfattr(&path, "user.bb"), b"changed");
        }
        drop(mount);
        e2fsck(&image).unwrap();
    }
}
