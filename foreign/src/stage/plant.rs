//! Puts a tree into a staging directory, as what an ordinary user can make: regular files stand in
//! for whatever isn't a directory or a symbolic link.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use disklayout::Result;
use disklayout::tree::{FileTree, Node, NodeKind};

use super::staging::Staging;

/// Makes all names of `tree` below the new directory `top`. Files have the right length and are
/// holes; `is_link` says which symbolic links are made as such, the others are empty files. They are
/// made in the order of their names, whatever the order of the tree. Where each node is, by its
/// index: the first of its names.
///
/// # Errors
/// `Io` with the path that can't be made.
pub(crate) fn plant(
    staging: &Staging,
    top: &Path,
    tree: &FileTree,
    is_link: impl Fn(&Node) -> bool,
) -> Result<Vec<PathBuf>> {
    let mut places = vec![PathBuf::new(); tree.slots()];
    staging.make(top, |path| fs::create_dir(path))?;
    places[FileTree::ROOT.index()] = staging.path().join(top);
    let mut pending = vec![FileTree::ROOT];
    while let Some(directory) = pending.pop() {
        let mut entries: Vec<_> = tree.entries(directory).collect();
        entries.sort_unstable();
        for (name, id) in entries {
            let path = places[directory.index()].join(OsStr::from_bytes(name));
            let known = &places[id.index()];
            if !known.as_os_str().is_empty() {
                staging.make(&path, |path| fs::hard_link(known, path))?;
                continue;
            }
            let node = tree.node(id);
            match &node.kind {
                NodeKind::Directory => {
                    staging.make(&path, |path| fs::create_dir(path))?;
                    pending.push(id);
                }
                NodeKind::Symlink(target) if is_link(node) => {
                    staging.make(&path, |path| symlink(OsStr::from_bytes(target), path))?;
                }
                NodeKind::File(content) => drop(staging.hole(&path, content.len())?),
                _ => drop(staging.hole(&path, 0)?),
            }
            places[id.index()] = path;
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::Timestamp;
    use disklayout::tree::{Attributes, Content, Device};
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn everything_is_there_under_all_its_names() {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        let mut put = |path: &str, kind| {
            let node = Node::new(kind, Attributes::file(time));
            tree.put("t", path.as_bytes(), node).unwrap()
        };
        let file = put("/d/file", NodeKind::File(Content::inline(b"data")));
        put(
            "/null",
            NodeKind::CharacterDevice(Device { major: 1, minor: 3 }),
        );
        put("/link", NodeKind::Symlink(b"target".as_slice().into()));
        tree.link("t", b"/other", file).unwrap();
        let staging = Staging::new(&"t".into()).unwrap();
        let places = plant(&staging, Path::new("top"), &tree, |_| true).unwrap();
        let top = staging.path().join("top");
        let target = fs::read_link(top.join("link")).unwrap();
        assert_eq!(target, Path::new("target"));
        let metadata = fs::metadata(top.join("other")).unwrap();
        assert_eq!((metadata.nlink(), metadata.len()), (2, 4));
        assert_eq!(fs::metadata(top.join("null")).unwrap().len(), 0);
        assert!(places[file.index()].starts_with(&top));
    }
}
