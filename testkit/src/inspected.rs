//! Lists what the library itself reads of an image, with every byte of every file.

use std::collections::BTreeMap;

use disklayout::inspect::fs::{File, Filesystem, Node, NodeKind};

use crate::listing::{Entry, Kind, Listing, Names};
use crate::sparse::Blocks;

/// How much of a file is read at once, a multiple of what a sum has as its blocks.
const BUFFER: u64 = 1 << 20;

/// Everything in `filesystem`. What space files take isn't known.
pub fn list(filesystem: &Filesystem<'_>) -> Listing {
    let mut found = Vec::new();
    let mut walk = filesystem.walk().unwrap();
    while let Some(entry) = walk.next().unwrap() {
        let path = entry.path.strip_prefix(b"/").unwrap().to_vec();
        found.push((path, entry.node));
    }
    let mut firsts = BTreeMap::<_, &Vec<u8>>::new();
    for (path, node) in &found {
        let first = firsts.entry((node.subvolume, node.number)).or_insert(path);
        *first = path.min(*first);
    }
    let entries = found.iter().map(|(path, node)| {
        let mut listed = entry(filesystem, node);
        let links = node.links.filter(|_| node.kind != NodeKind::Directory);
        listed.names = links.map(|links| Names {
            count: links.into(),
            first: firsts[&(node.subvolume, node.number)].clone(),
        });
        (path.clone(), listed)
    });
    entries.collect()
}

fn entry(filesystem: &Filesystem<'_>, node: &Node) -> Entry {
    let kind = match node.kind {
        NodeKind::Directory => Kind::Directory,
        NodeKind::File => file(&filesystem.open(node).unwrap()),
        NodeKind::Symlink => Kind::Symlink(filesystem.target(node).unwrap()),
        NodeKind::CharacterDevice(major, minor) => Kind::CharacterDevice(Some((major, minor))),
        NodeKind::BlockDevice(major, minor) => Kind::BlockDevice(Some((major, minor))),
        NodeKind::Fifo => Kind::Fifo,
        NodeKind::Socket => Kind::Socket,
    };
    let xattrs = filesystem.xattrs(node).unwrap().into_iter();
    Entry {
        permissions: node.permissions.map(u32::from),
        owner: node.owner,
        mtime: node.modified.map(|time| (time.seconds, time.nanoseconds)),
        xattrs: Some(xattrs.map(|xattr| (xattr.name, xattr.value)).collect()),
        ..Entry::of_kind(kind)
    }
}

/// A file by what isn't in holes.
fn file(file: &File<'_>) -> Kind {
    let len = file.len();
    let mut blocks = Blocks::new(len);
    let mut buffer = vec![0; BUFFER as usize];
    let mut next = file.next_stored(0);
    while let Some(at) = next.map(|at| at / BUFFER * BUFFER) {
        let bytes = &mut buffer[..BUFFER.min(len - at) as usize];
        file.read_at(bytes, at).unwrap();
        blocks.add_all(at, bytes);
        next = file.next_stored(at + bytes.len() as u64);
    }
    Kind::File {
        len,
        sum: blocks.sum(),
    }
}
