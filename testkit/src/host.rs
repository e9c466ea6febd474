//! Lists what the kernel shows below a directory: of the host, or of a mounted image.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::buffer::spare_capacity;
use rustix::fs::{lgetxattr, llistxattr, major, minor};
use rustix::io::Errno;

use crate::listing::{Device, Entry, Kind, Listing, Names};
use crate::sparse;

/// The longest list of names and the longest value that Linux has.
const XATTR_MAX: usize = 64 * 1024;

/// Everything below `root`, which itself is the entry with the empty path.
pub fn list(root: &Path) -> Listing {
    let found = walk(root);
    let firsts = first_names(&found);
    let entries = found.par_iter().map(|(below, path, metadata)| {
        let key = (metadata.dev(), metadata.ino());
        let mut entry = entry(path, metadata);
        entry.names = firsts.get(&key).map(|first| Names {
            count: metadata.nlink(),
            first: first.clone(),
        });
        (below.clone(), entry)
    });
    entries.collect::<Vec<_>>().into_iter().collect()
}

/// The paths below `root`, the same as the host knows them, and what is there.
type Found = Vec<(Vec<u8>, PathBuf, Metadata)>;

fn walk(root: &Path) -> Found {
    let mut found = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            pending.extend(entries.map(|entry| entry.unwrap().path()));
        }
        let below = path.strip_prefix(root).unwrap().as_os_str().as_bytes();
        found.push((below.to_vec(), path, metadata));
    }
    found
}

/// The first of the names that lead to each inode but directories.
fn first_names(found: &Found) -> BTreeMap<(u64, u64), Vec<u8>> {
    let mut firsts = BTreeMap::<_, Vec<u8>>::new();
    for (below, _, metadata) in found {
        if !metadata.is_dir() {
            let key = (metadata.dev(), metadata.ino());
            let first = firsts.entry(key).or_insert_with(|| below.clone());
            if below < first {
                first.clone_from(below);
            }
        }
    }
    firsts
}

fn entry(path: &Path, metadata: &Metadata) -> Entry {
    Entry {
        kind: kind(path, metadata),
        permissions: Some(metadata.mode() & 0o7777),
        owner: Some((metadata.uid(), metadata.gid())),
        mtime: Some((metadata.mtime(), metadata.mtime_nsec() as u32)),
        names: None,
        xattrs: Some(xattrs(path)),
        allocated: metadata.is_file().then(|| metadata.blocks() * 512),
    }
}

fn kind(path: &Path, metadata: &Metadata) -> Kind {
    let numbers: Device = Some((major(metadata.rdev()), minor(metadata.rdev())));
    match metadata.file_type() {
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_symlink() => {
            Kind::Symlink(fs::read_link(path).unwrap().into_os_string().into_vec())
        }
        kind if kind.is_char_device() => Kind::CharacterDevice(numbers),
        kind if kind.is_block_device() => Kind::BlockDevice(numbers),
        kind if kind.is_fifo() => Kind::Fifo,
        kind if kind.is_socket() => Kind::Socket,
        _ => Kind::File {
            len: metadata.len(),
            sum: sparse::digest(path),
        },
    }
}

fn xattrs(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut names = Vec::with_capacity(XATTR_MAX);
    match llistxattr(path, spare_capacity(&mut names)) {
        Ok(_) | Err(Errno::NOTSUP) => (),
        Err(error) => panic!("{}: {error}", path.display()),
    }
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::{Duration, SystemTime};

    use rustix::fs::{XattrFlags, lsetxattr};

    use super::*;
    use crate::compare::differences;

    type Change = fn(&Path);

    #[test]
    fn every_change_of_a_directory_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let root = root.path().join(name);
            fs::create_dir_all(root.join("directory")).unwrap();
            fs::write(root.join("file"), "data").unwrap();
            symlink("target", root.join("symlink")).unwrap();
            let early = SystemTime::UNIX_EPOCH + Duration::new(1, 2);
            for name in ["file", "directory", ""] {
                let file = fs::File::open(root.join(name)).unwrap();
                file.set_modified(early).unwrap();
            }
            root
        };
        let of = |root: &Path| {
            let mut listing = list(root);
            // There is no easy way to set that of a symbolic link.
            listing.get_mut(&b"symlink"[..]).unwrap().mtime = None;
            listing
        };
        let original = of(&make("original"));
        assert!(differences(&original, &of(&make("same"))).is_empty());
        let changes: [(&str, Change); 8] = [
            ("/file: data", |root| {
                fs::write(root.join("file"), "date").unwrap();
            }),
            ("/file: mtime", |root| {
                let file = fs::File::open(root.join("file")).unwrap();
                file.set_modified(SystemTime::UNIX_EPOCH + Duration::new(1, 3))
                    .unwrap();
            }),
            ("/directory: permissions", |root| {
                let mode = PermissionsExt::from_mode(0o700);
                fs::set_permissions(root.join("directory"), mode).unwrap();
            }),
            ("/symlink: target", |root| {
                fs::remove_file(root.join("symlink")).unwrap();
                symlink("targed", root.join("symlink")).unwrap();
            }),
            ("/new: isn't expected", |root| {
                fs::write(root.join("new"), "").unwrap();
            }),
            ("/directory: is missing", |root| {
                fs::remove_dir(root.join("directory")).unwrap();
            }),
            ("/file: link count is 2", |root| {
                fs::hard_link(root.join("file"), root.join("a")).unwrap();
            }),
            ("/file: user.name", |root| {
                let none = XattrFlags::empty();
                lsetxattr(root.join("file"), "user.name", b"value", none).unwrap();
            }),
        ];
        for (said, change) in changes {
            let changed = make(said.split_once(' ').unwrap().1);
            change(&changed);
            let found = differences(&original, &of(&changed));
            assert!(
                found.iter().any(|line| line.starts_with(said)),
                "{said}: {found:?}"
            );
        }
    }
}
