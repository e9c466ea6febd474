//! Trees of files: on the host, and as they are read back.
#![expect(
    clippy::disallowed_methods,
    reason = "the library starts no process; its tests do"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use disklayout::disk::Disk;
use disklayout::inspect::fs::{Filesystem, NodeKind};

use crate::support::filesystem;

/// What is compared of a file. What a format has no place for is missing on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) kind: &'static str,
    pub(crate) size: u64,
    pub(crate) permissions: Option<u16>,
    pub(crate) owner: Option<(u32, u32)>,
    pub(crate) seconds: Option<i64>,
    pub(crate) links: Option<u32>,
    /// The content of a file, the target of a link.
    pub(crate) bytes: Vec<u8>,
    pub(crate) device: Option<(u32, u32)>,
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

pub(crate) type Listing = BTreeMap<Vec<u8>, Seen>;

/// All that an image without a table holds.
pub(crate) fn read(disk: &dyn Disk) -> Listing {
    all(&filesystem(disk))
}

pub(crate) fn all(filesystem: &Filesystem<'_>) -> Listing {
    let mut walk = filesystem.walk().unwrap();
    let mut found = Listing::new();
    while let Some(entry) = walk.next().unwrap() {
        let node = &entry.node;
        let bytes = match node.kind {
            NodeKind::Symlink => filesystem.target(node).unwrap(),
            _ => {
                let file = filesystem.open(node).unwrap();
                let mut bytes = vec![0; usize::try_from(file.len()).unwrap()];
                file.read_at(&mut bytes, 0).unwrap();
                bytes
            }
        };
        let device = match node.kind {
            NodeKind::CharacterDevice(major, minor) | NodeKind::BlockDevice(major, minor) => {
                Some((major, minor))
            }
            _ => None,
        };
        let xattrs = filesystem.xattrs(node).unwrap().into_iter();
        let seen = Seen {
            kind: node.kind.noun(),
            size: if node.kind == NodeKind::Directory {
                0
            } else {
                node.size
            },
            permissions: node.permissions,
            owner: node.owner,
            seconds: node.modified.map(|time| time.seconds),
            links: node.links.filter(|_| node.kind != NodeKind::Directory),
            bytes,
            device,
            xattrs: xattrs.map(|xattr| (xattr.name, xattr.value)).collect(),
        };
        if let Some(first) = &entry.link_to {
            assert_eq!(found.get(first), Some(&seen), "{entry:?}");
        }
        // Finding reads directories anew: all of them would take long where they are large.
        if found.len() < 60 {
            let is_found = filesystem.find(&entry.path).unwrap();
            assert_eq!(is_found.as_ref(), Some(node), "{entry:?}");
        }
        assert!(found.insert(entry.path, seen).is_none());
    }
    found
}

/// All that is below a directory of the host, itself included.
pub(crate) fn host(root: &Path) -> Listing {
    let mut found = Listing::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let kind = metadata.file_type();
        let (kind, bytes) = if kind.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            ("directory", Vec::new())
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            ("symlink", target.as_os_str().as_bytes().to_vec())
        } else if kind.is_fifo() {
            ("fifo", Vec::new())
        } else {
            ("file", fs::read(&path).unwrap())
        };
        let mut name = path
            .strip_prefix(root)
            .unwrap()
            .as_os_str()
            .as_bytes()
            .to_vec();
        name.insert(0, b'/');
        let is_directory = kind == "directory";
        let seen = Seen {
            kind,
            size: if is_directory { 0 } else { metadata.len() },
            permissions: Some((metadata.mode() & 0o7777) as u16),
            owner: Some((metadata.uid(), metadata.gid())),
            seconds: Some(metadata.mtime()),
            links: (!is_directory).then(|| metadata.nlink() as u32),
            bytes,
            device: None,
            xattrs: Vec::new(),
        };
        found.insert(name, seen);
    }
    found
}

/// Only names, sizes and contents: what FAT and its kin know.
pub(crate) fn plain(listing: &Listing) -> BTreeMap<Vec<u8>, (&'static str, &[u8])> {
    let seen = listing.iter();
    seen.map(|(path, seen)| (path.clone(), (seen.kind, &seen.bytes[..])))
        .collect()
}

/// Panics with the paths that differ, not with all that is in them.
#[track_caller]
pub(crate) fn assert_same(found: &Listing, expected: &Listing) {
    let paths = |listing: &Listing| -> Vec<String> {
        listing
            .keys()
            .map(|path| path.escape_ascii().to_string())
            .collect()
    };
    assert_eq!(paths(found), paths(expected));
    for (path, seen) in found {
        let (mut seen, mut wanted) = (seen.clone(), expected[path].clone());
        let path = path.escape_ascii();
        assert!(seen.bytes == wanted.bytes, "{path}: the contents differ");
        seen.bytes.clear();
        wanted.bytes.clear();
        assert_eq!(seen, wanted, "{path}");
    }
}

#[test]
#[should_panic(expected = "/f: the contents differ")]
fn a_difference_is_found() {
    let listing = |bytes: &[u8]| {
        let seen = Seen {
            bytes: bytes.to_vec(),
            ..Seen::default()
        };
        Listing::from([(b"/f".to_vec(), seen)])
    };
    assert_same(&listing(b"1"), &listing(b"1"));
    assert_same(&listing(b"1"), &listing(b"2"));
}

/// Bytes of which no two stretches are alike.
pub(crate) fn data(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// A tree with links, holes, long names and a directory of more than one block.
pub(crate) fn make(root: &Path) {
    fs::create_dir_all(root.join("dir/deep/deeper")).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    fs::create_dir(root.join("many")).unwrap();
    for number in 0..150_usize {
        let name = format!("a name of some length to fill the directory {number:03}");
        fs::write(root.join("many").join(name), data(number as u32, number)).unwrap();
    }
    for len in [
        0, 1, 59, 60, 61, 1023, 1024, 1025, 4096, 5000, 100_000, 400_001,
    ] {
        fs::write(root.join(format!("dir/{len}")), data(len as u32, len)).unwrap();
    }
    fs::write(root.join("dir/deep/deeper/\u{e4}\u{20ac}\u{1f600}"), "name").unwrap();
    fs::write(root.join(["n"; 255].concat()), "long").unwrap();
    symlink("dir/1", root.join("short")).unwrap();
    symlink(["t"; 59].concat(), root.join("t59")).unwrap();
    symlink(["t"; 60].concat(), root.join("t60")).unwrap();
    symlink(["long/"; 150].concat(), root.join("long")).unwrap();
    fs::hard_link(root.join("dir/5000"), root.join("linked")).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(root.join("fifo"))
            .status()
            .unwrap()
            .success()
    );
    fs::set_permissions(root.join("dir/1"), fs::Permissions::from_mode(0o4751)).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890);
    File::open(root.join("dir/60"))
        .unwrap()
        .set_modified(time)
        .unwrap();
}

/// A file of which every other block is a hole, and one that ends far behind its data.
pub(crate) fn make_sparse(root: &Path, block: u64) {
    let file = File::create(root.join("holes")).unwrap();
    for index in 0..1500 {
        let bytes = data(index as u32, block as usize);
        file.write_all_at(&bytes, index * 2 * block).unwrap();
    }
    let file = File::create(root.join("far")).unwrap();
    file.write_all_at(b"end", 70 << 20).unwrap();
    file.set_len(71 << 20).unwrap();
}
