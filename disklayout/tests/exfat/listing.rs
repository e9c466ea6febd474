//! What is in a tree and what readers find in an image, in one form.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use disklayout::Timestamp;
use disklayout::tree::{FileTree, NodeId, NodeKind};
use exfat::ExFat;
use exfat::directory::Item;
use sha2::{Digest, Sha256};

use crate::programs::accepted;

/// Paths with what they lead to.
pub(crate) type Listing = BTreeMap<String, Entry>;

/// A directory has no data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    data: Option<(u64, [u8; 32])>,
    /// In seconds; not all readers tell.
    mtime: Option<i64>,
    is_read_only: Option<bool>,
}

fn data_of(mut reader: impl Read) -> (u64, [u8; 32]) {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut len = 0;
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => return (len, sum.finalize().into()),
            count => {
                sum.update(&buffer[..count]);
                len += count as u64;
            }
        }
    }
}

/// What a tree of directories and files asks for.
pub(crate) fn planned(tree: &FileTree) -> Listing {
    let mut listing = Listing::new();
    add_planned(tree, FileTree::ROOT, "", &mut listing);
    listing
}

fn add_planned(tree: &FileTree, directory: NodeId, path: &str, listing: &mut Listing) {
    for (name, id) in tree.entries(directory) {
        let path = format!("{path}/{}", std::str::from_utf8(name).unwrap());
        let node = tree.node(id);
        let data = match &node.kind {
            // All data here is in memory.
            NodeKind::File(content) => Some(data_of(content.inline_bytes().unwrap())),
            _ => None,
        };
        let Timestamp { seconds, .. } = node.attributes.mtime;
        let entry = Entry {
            data,
            mtime: Some(seconds),
            is_read_only: data.map(|_| node.attributes.permissions & 0o222 == 0),
        };
        if data.is_none() {
            add_planned(tree, id, &path, listing);
        }
        listing.insert(path, entry);
    }
}

/// What a mounted image shows.
pub(crate) fn of_host(root: &Path) -> Listing {
    let mut listing = Listing::new();
    add_host(root, "", &mut listing);
    listing
}

fn add_host(directory: &Path, path: &str, listing: &mut Listing) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
        let metadata = entry.metadata().unwrap();
        let is_file = metadata.is_file();
        let data = is_file.then(|| data_of(File::open(entry.path()).unwrap()));
        if !is_file {
            add_host(&entry.path(), &path, listing);
        }
        let found = Entry {
            data,
            mtime: Some(metadata.mtime()),
            // The driver shows all files as writable.
            is_read_only: None,
        };
        listing.insert(path, found);
    }
}

/// What the crate exfat reads, which tells of neither times nor attributes. Directories with an
/// entry in the last place of a cluster are none that it can read.
pub(crate) fn of_crate(image: &Path) -> Listing {
    let mut listing = Listing::new();
    let volume = ExFat::open(File::open(image).unwrap()).unwrap();
    add_items(volume.into_iter().collect(), "", &mut listing);
    accepted("exfat (crate)", image);
    listing
}

fn add_items<I: Read + Seek>(items: Vec<Item<I>>, path: &str, listing: &mut Listing) {
    for item in items {
        let (path, data) = match item {
            Item::Directory(directory) => {
                let path = format!("{path}/{}", directory.name());
                add_items(directory.open().unwrap(), &path, listing);
                (path, None)
            }
            Item::File(mut file) => {
                let path = format!("{path}/{}", file.name());
                let reader = file.open().unwrap();
                let data = reader.map_or_else(|| data_of(&b""[..]), data_of);
                (path, Some(data))
            }
        };
        let entry = Entry {
            data,
            mtime: None,
            is_read_only: None,
        };
        listing.insert(path, entry);
    }
}

/// Every path that isn't the same in both; what one of both doesn't tell is no difference.
pub(crate) fn differences(expected: &Listing, found: &Listing) -> Vec<String> {
    let mut paths: Vec<_> = expected.keys().chain(found.keys()).collect();
    paths.sort();
    paths.dedup();
    let differ = |path: &&&String| match (expected.get(**path), found.get(**path)) {
        (Some(one), Some(other)) => !one.agrees(other),
        _ => true,
    };
    let different = paths.iter().filter(differ);
    let shown = different.map(|path| {
        format!(
            "{path}: {:?} is {:?}",
            expected.get(*path),
            found.get(*path)
        )
    });
    shown.collect()
}

impl Entry {
    fn agrees(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        self.data == other.data
            && same(self.mtime, other.mtime)
            && same(self.is_read_only, other.is_read_only)
    }
}

#[test]
fn differences_are_found() {
    let tree = crate::trees::awkward(4096);
    let expected = planned(&tree);
    assert!(differences(&expected, &expected).is_empty());
    let some = expected.keys().next_back().unwrap().clone();
    type Change = fn(&mut Entry);
    let changes: [Change; 4] = [
        |it| it.data = None,
        |it| it.data = it.data.map(|(len, _)| (len, [0; 32])),
        |it| it.mtime = it.mtime.map(|seconds| seconds + 1),
        |it| it.is_read_only = it.is_read_only.map(|it| !it),
    ];
    for change in changes {
        let mut changed = expected.clone();
        change(changed.get_mut(&some).unwrap());
        assert_eq!(differences(&expected, &changed).len(), 1);
    }
    let mut less = expected.clone();
    less.remove(&some);
    assert_eq!(differences(&expected, &less).len(), 1);
    assert_eq!(differences(&less, &expected).len(), 1);
}
