//! What is in a filesystem: a line for every path, in a form that planned and read contents share.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use disklayout::tree::{Content, ContentReader, Device, FileTree, Node, NodeId, NodeKind};
use rustix::buffer::spare_capacity;
use rustix::fs::{lgetxattr, llistxattr, major, minor};
use sha2::{Digest, Sha256};

/// By the absolute path, the root being empty.
pub(crate) type Listing = BTreeMap<Vec<u8>, String>;

/// The longest list of names and the longest value that Linux has.
const XATTR_MAX: usize = 64 << 10;

/// What a filesystem with this tree has to hold.
pub(crate) fn planned(tree: &FileTree) -> Listing {
    let mut listing = Listing::new();
    let mut pending = vec![(Vec::new(), FileTree::ROOT)];
    while let Some((path, id)) = pending.pop() {
        for (name, child) in tree.entries(id) {
            pending.push(([&path[..], b"/", name].concat(), child));
        }
        listing.insert(path, line_of(tree, id));
    }
    listing
}

fn line_of(tree: &FileTree, id: NodeId) -> String {
    let node = tree.node(id);
    let own = node.attributes;
    let xattrs = node.xattrs.iter();
    let xattrs = xattrs.map(|it| (it.name.to_vec(), it.value.to_vec()));
    let subdirectories = tree.entries(id);
    let subdirectories = subdirectories.filter(|(_, child)| tree.node(*child).kind.is_directory());
    let links = match node.kind {
        NodeKind::Directory => 2 + subdirectories.count() as u64,
        _ => u64::from(tree.links(id)),
    };
    line(
        &kind_of(node),
        (own.permissions.into(), own.uid, own.gid),
        (own.mtime.seconds, i64::from(own.mtime.nanoseconds)),
        links,
        xattrs.collect(),
    )
}

fn kind_of(node: &Node) -> String {
    match &node.kind {
        NodeKind::File(content) => file(content.len(), &mut reader(content)),
        NodeKind::Symlink(target) => format!("link to {}", target.escape_ascii()),
        NodeKind::CharacterDevice(it) => device("character", *it),
        NodeKind::BlockDevice(it) => device("block", *it),
        other => other.noun().to_owned(),
    }
}

/// What the kernel shows below a directory of the host.
pub(crate) fn of_host(root: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            pending.extend(entries.map(|entry| entry.unwrap().path()));
        }
        let below = &path.as_os_str().as_bytes()[root.as_os_str().len()..];
        let line = line(
            &kind_on_host(&path, &metadata),
            (metadata.mode() & 0o7777, metadata.uid(), metadata.gid()),
            (metadata.mtime(), metadata.mtime_nsec()),
            metadata.nlink(),
            xattrs(&path),
        );
        listing.insert(below.to_vec(), line);
    }
    listing
}

fn kind_on_host(path: &Path, metadata: &fs::Metadata) -> String {
    let numbers = Device {
        major: major(metadata.rdev()),
        minor: minor(metadata.rdev()),
    };
    match metadata.file_type() {
        kind if kind.is_dir() => "directory".to_owned(),
        kind if kind.is_symlink() => {
            let target = fs::read_link(path).unwrap().into_os_string().into_vec();
            format!("link to {}", target.escape_ascii())
        }
        kind if kind.is_char_device() => device("character", numbers),
        kind if kind.is_block_device() => device("block", numbers),
        kind if kind.is_fifo() => NodeKind::Fifo.noun().to_owned(),
        kind if kind.is_socket() => NodeKind::Socket.noun().to_owned(),
        _ => file(metadata.len(), &mut fs::File::open(path).unwrap()),
    }
}

fn xattrs(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut names = Vec::with_capacity(XATTR_MAX);
    llistxattr(path, spare_capacity(&mut names)).unwrap();
    let names = names.split(|byte| *byte == 0);
    let names = names.filter(|name| !name.is_empty());
    names
        .map(|name| {
            let mut value = Vec::with_capacity(XATTR_MAX);
            lgetxattr(path, name, spare_capacity(&mut value)).unwrap();
            (name.to_vec(), value)
        })
        .collect()
}

fn line(
    kind: &str,
    (mode, uid, gid): (u32, u32, u32),
    (seconds, nanoseconds): (i64, i64),
    links: u64,
    xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
) -> String {
    let xattrs: String = xattrs
        .iter()
        .map(|(name, value)| format!(" {}={}", name.escape_ascii(), sum(&value[..]).1))
        .collect();
    format!("{kind} {mode:o} {uid}:{gid} {seconds}.{nanoseconds:09} {links}{xattrs}")
}

fn device(kind: &str, Device { major, minor }: Device) -> String {
    format!("{kind} device {major}:{minor}")
}

fn file(len: u64, data: &mut dyn Read) -> String {
    let (read, sum) = sum(data);
    assert_eq!(read, len);
    format!("file of {len} bytes {sum}")
}

fn sum(mut data: impl Read) -> (u64, String) {
    let mut sum = Sha256::new();
    let len = io::copy(&mut data, &mut sum).unwrap();
    let bytes = sum.finalize();
    let sum = bytes[..8].iter().map(|byte| format!("{byte:02x}"));
    (len, sum.collect())
}

fn reader(content: &Content) -> impl Read {
    struct Reader<'a>(ContentReader<'a>, u64);
    impl Read for Reader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len() as u64) as usize;
            self.0.read_exact(&mut buffer[..count]).unwrap();
            self.1 -= count as u64;
            Ok(count)
        }
    }
    Reader(content.open().unwrap(), content.len())
}

/// The same without what an extracted copy hasn't: numbers of links, attributes, fractions of
/// seconds.
pub(crate) fn as_extracted(listing: Listing) -> Listing {
    let shorten = |line: String| {
        let words: Vec<_> = line.split(' ').collect();
        let time = words.iter().position(|word| {
            let mut parts = word.split('.');
            parts.next().is_some_and(|it| it.parse::<i64>().is_ok())
                && parts.next().is_some_and(|it| it.len() == 9)
        });
        let time = time.unwrap();
        let seconds = words[time].split('.').next().unwrap();
        format!("{} {seconds}", words[..time].join(" "))
    };
    let lines = listing.into_iter();
    lines.map(|(path, line)| (path, shorten(line))).collect()
}

#[test]
fn every_property_makes_a_difference() {
    use crate::support::TIME;
    use crate::trees;
    use disklayout::Timestamp;
    use disklayout::tree::Attributes;

    let listing = |data: &[u8], attributes, change: &dyn Fn(&mut FileTree, NodeId)| {
        let mut tree = trees::empty();
        let content = Content::inline(data);
        let id = tree.put_file("t", b"/f", content, attributes).unwrap();
        change(&mut tree, id);
        planned(&tree)
    };
    let own = Attributes::file(TIME);
    let nothing = |_: &mut FileTree, _| {};
    let one = listing(b"data", own, &nothing);
    assert_eq!(one, listing(b"data", own, &nothing));
    let permissions = 0o600;
    for other in [
        listing(b"date", own, &nothing),
        listing(b"data\0", own, &nothing),
        listing(b"data", Attributes { permissions, ..own }, &nothing),
        listing(b"data", Attributes { uid: 1, ..own }, &nothing),
        listing(b"data", Attributes { gid: 1, ..own }, &nothing),
        listing(b"data", Attributes::file(Timestamp::default()), &nothing),
        listing(b"data", own, &|tree, id| tree.link("t", b"/g", id).unwrap()),
        listing(b"data", own, &|tree, id| {
            tree.set_xattrs(id, trees::xattrs(&[("user.x", b"y")]));
        }),
    ] {
        assert!(!crate::checkers::differences(&one, &other).is_empty());
    }
}
