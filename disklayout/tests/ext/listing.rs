//! What is in a filesystem, in a form that planned and read contents share.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use disklayout::Timestamp;
use disklayout::tree::{Attributes, Content, FileTree, NodeKind};
use sha2::{Digest, Sha256};

use crate::support::TIME;

/// Everything in a filesystem by its absolute path, the root being empty.
pub(crate) type Listing = BTreeMap<Vec<u8>, Entry>;

/// A file or directory as far as a reader tells.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Length and SHA-256; `None` for a directory.
    pub(crate) data: Option<(u64, [u8; 32])>,
    pub(crate) permissions: u16,
    pub(crate) owner: (u32, u32),
    pub(crate) mtime: Timestamp,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.data.map(|(length, _)| length);
        let hash = self
            .data
            .map(|(_, hash)| u16::from_be_bytes([hash[0], hash[1]]));
        write!(
            f,
            "{length:?} bytes #{hash:04x?} {:o} {:?} {:?}",
            self.permissions, self.owner, self.mtime
        )
    }
}

pub(crate) fn data_of(bytes: &[u8]) -> Option<(u64, [u8; 32])> {
    Some((bytes.len() as u64, Sha256::digest(bytes).into()))
}

fn bytes_of(content: &Content) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(content.len()).unwrap()];
    content.open().unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

fn entry(attributes: Attributes, data: Option<(u64, [u8; 32])>) -> Entry {
    Entry {
        data,
        permissions: attributes.permissions,
        owner: (attributes.uid, attributes.gid),
        mtime: attributes.mtime,
    }
}

/// What a filesystem with this tree has to hold, lost+found included.
pub(crate) fn planned(tree: &FileTree) -> Listing {
    let mut listing = Listing::new();
    let lost_found = Attributes {
        permissions: 0o700,
        ..Attributes::directory(TIME)
    };
    listing.insert(b"/lost+found".to_vec(), entry(lost_found, None));
    for (id, node) in tree.nodes() {
        let (path, data) = match &node.kind {
            NodeKind::Directory => (tree.path(id), None),
            NodeKind::File(content) => (tree.path(id), data_of(&bytes_of(content))),
            other => panic!("a {} isn't compared", other.noun()),
        };
        listing.insert(path, entry(node.attributes, data));
    }
    listing
}

/// What the kernel shows below a directory of the host.
pub(crate) fn of_host(root: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let data = if metadata.is_dir() {
            pending.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            None
        } else {
            data_of(&fs::read(&path).unwrap())
        };
        let below = &path.as_os_str().as_bytes()[root.as_os_str().len()..];
        listing.insert(
            below.to_vec(),
            Entry {
                data,
                permissions: (metadata.mode() & 0o7777) as u16,
                owner: (metadata.uid(), metadata.gid()),
                mtime: Timestamp {
                    seconds: metadata.mtime(),
                    nanoseconds: metadata.mtime_nsec() as u32,
                },
            },
        );
    }
    listing
}

/// The same listing as a reader that knows no times sees it.
pub(crate) fn without_times(mut listing: Listing) -> Listing {
    for entry in listing.values_mut() {
        entry.mtime = TIME;
    }
    listing
}

/// The same listing as a reader that knows neither times nor the set-user-ID, set-group-ID and
/// sticky bits sees it.
pub(crate) fn with_rwx_only(listing: Listing) -> Listing {
    let mut listing = without_times(listing);
    for entry in listing.values_mut() {
        entry.permissions &= 0o777;
    }
    listing
}

#[test]
fn every_property_makes_a_difference() {
    use crate::checkers::differences;
    use crate::trees::put;

    let listing = |data: &[u8], attributes| {
        let mut tree = crate::support::empty_tree();
        put(&mut tree, b"/file", data, attributes);
        planned(&tree)
    };
    let attributes = Attributes::file(TIME);
    let one = listing(b"data", attributes);
    assert!(differences(&one, &listing(b"data", attributes)).is_empty());
    for other in [
        listing(b"date", attributes),
        listing(b"data\0", attributes),
        listing(
            b"data",
            Attributes {
                permissions: 0o600,
                ..attributes
            },
        ),
        listing(
            b"data",
            Attributes {
                uid: 1,
                ..attributes
            },
        ),
        listing(
            b"data",
            Attributes {
                gid: 1,
                ..attributes
            },
        ),
        listing(b"data", Attributes::file(Timestamp::from_seconds(1))),
    ] {
        assert_eq!(differences(&one, &other).len(), 1);
    }
}
