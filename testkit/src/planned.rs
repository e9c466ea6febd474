//! Listings of what is planned.

use std::collections::BTreeMap;

use disklayout::tree::{Content, Device, FileTree, NodeId, NodeKind};
use rayon::prelude::*;

use crate::listing::{Entry, Kind, Listing, Names};
use crate::sparse::Blocks;

/// How much of a file is read at a time; a multiple of the blocks that are hashed.
const CHUNK: u64 = 1 << 20;

/// What a filesystem with this tree has to hold. Nothing is planned about the room that files take.
pub fn planned(tree: &FileTree) -> Listing {
    let paths = paths(tree);
    let mut firsts = BTreeMap::new();
    for (path, id) in &paths {
        firsts.entry(*id).or_insert(path);
    }
    let entries = paths.par_iter().map(|(path, id)| {
        let entry = entry(tree, *id, firsts[id]);
        (path.clone(), entry)
    });
    entries.collect::<Vec<_>>().into_iter().collect()
}

/// Every path of a tree, sorted, and where it leads.
fn paths(tree: &FileTree) -> Vec<(Vec<u8>, NodeId)> {
    let mut paths = Vec::new();
    let mut pending = vec![(Vec::new(), FileTree::ROOT)];
    while let Some((path, id)) = pending.pop() {
        for (name, child) in tree.entries(id) {
            let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
            pending.push(([&path[..], slash, name].concat(), child));
        }
        paths.push((path, id));
    }
    paths.sort();
    paths
}

fn entry(tree: &FileTree, id: NodeId, first: &[u8]) -> Entry {
    let node = tree.node(id);
    let own = node.attributes;
    let names = Names {
        count: tree.links(id).into(),
        first: first.to_vec(),
    };
    let xattrs = node.xattrs.iter();
    Entry {
        kind: kind(&node.kind),
        permissions: Some(own.permissions.into()),
        owner: Some((own.uid, own.gid)),
        mtime: Some((own.mtime.seconds, own.mtime.nanoseconds)),
        names: (!node.kind.is_directory()).then_some(names),
        xattrs: Some(
            xattrs
                .map(|it| (it.name.to_vec(), it.value.to_vec()))
                .collect(),
        ),
        allocated: None,
    }
}

fn kind(kind: &NodeKind) -> Kind {
    let numbers = |Device { major, minor }: &Device| Some((*major, *minor));
    match kind {
        NodeKind::Directory => Kind::Directory,
        NodeKind::File(content) => file(content),
        NodeKind::Symlink(target) => Kind::Symlink(target.to_vec()),
        NodeKind::CharacterDevice(it) => Kind::CharacterDevice(numbers(it)),
        NodeKind::BlockDevice(it) => Kind::BlockDevice(numbers(it)),
        NodeKind::Fifo => Kind::Fifo,
        NodeKind::Socket => Kind::Socket,
    }
}

fn file(content: &Content) -> Kind {
    let len = content.len();
    let mut blocks = Blocks::new(len);
    let mut reader = content.open().unwrap();
    for offset in (0..len).step_by(CHUNK as usize) {
        let mut bytes = vec![0; CHUNK.min(len - offset) as usize];
        reader.read_exact(&mut bytes).unwrap();
        blocks.add_all(offset, &bytes);
    }
    let sum = blocks.sum();
    Kind::File { len, sum }
}
