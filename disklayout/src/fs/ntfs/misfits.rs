//! What of a tree a volume can't hold is refused or left out, and what is lost is told.

use std::collections::HashMap;

use super::names;
use crate::error::Result;
use crate::fs::Misfits;
use crate::tree::{Attributes, FileTree, NodeId, NodeKind, Xattrs};

/// Permissions that change who a program runs as.
pub(super) const SET_ID: u16 = 0o6000;

/// The tree that a volume is given: all of `tree`, or what is left of it, and a sentence for each
/// kind of loss. Owners and permissions are lost anyway; those are told that aren't the usual ones.
///
/// # Errors
/// `InvalidSpec` or `Unsupported` at `place` for what can't be held and isn't to be left out.
pub fn fit(place: &str, mut tree: FileTree, misfits: Misfits) -> Result<(FileTree, Vec<String>)> {
    let mut losses = Losses::default();
    if misfits == Misfits::Drop {
        let directories: Vec<_> = tree
            .nodes()
            .filter(|(_, node)| node.kind.is_directory())
            .map(|(id, _)| id)
            .collect();
        for directory in directories {
            leave_out(place, &mut tree, directory, &mut losses);
        }
    }
    names::check_tree(place, &tree)?;
    note_attributes(&tree, &mut losses);
    Ok((tree, losses.sentences()))
}

/// Leaves out of a directory what can't be in a volume.
fn leave_out(place: &str, tree: &mut FileTree, directory: NodeId, losses: &mut Losses) {
    strip(tree, directory, losses);
    let entries = tree.entries(directory);
    let entries: Vec<_> = entries.map(|(name, id)| (name.to_vec(), id)).collect();
    let mut seen = HashMap::new();
    for (name, id) in entries {
        let path = || path_of(tree, directory, &name);
        let kind = match &tree.node(id).kind {
            NodeKind::Directory | NodeKind::File(_) => None,
            other => Some(format!("{}s left out", other.noun())),
        };
        if let Some(kind) = kind {
            losses.add(kind, path);
            tree.remove(directory, &name);
        } else if let Err(error) =
            names::admit(place, directory == FileTree::ROOT, &name, &mut seen)
        {
            let example = format!("{}: {}", path(), error.message());
            losses.add("names left out".to_owned(), || example);
            tree.remove(directory, &name);
        } else {
            if tree.links(id) > 1 {
                losses.add(
                    "names of one file became files of their own".to_owned(),
                    path,
                );
                let copy = tree.node(id).clone();
                // What was there under this name was a file too, and names are checked.
                let _ = tree.put_in(place, directory, &name, copy);
            }
            if let Some(id) = tree.entry(directory, &name) {
                strip(tree, id, losses);
            }
        }
    }
}

/// Takes what a volume doesn't keep of a node.
fn strip(tree: &mut FileTree, id: NodeId, losses: &mut Losses) {
    let node = tree.node(id);
    let own = node.attributes;
    let (has_xattrs, is_set_id) = (!node.xattrs.is_empty(), own.permissions & SET_ID != 0);
    let path = || shown(&tree.path(id));
    if has_xattrs {
        losses.add("files without their extended attributes".to_owned(), path);
    }
    if is_set_id {
        losses.add("files without their set-ID bits".to_owned(), path);
    }
    if has_xattrs || is_set_id {
        tree.set_xattrs(id, Xattrs::NONE);
        let permissions = own.permissions & !SET_ID;
        tree.set_attributes(id, Attributes { permissions, ..own });
    }
}

fn note_attributes(tree: &FileTree, losses: &mut Losses) {
    for (id, node) in tree.nodes() {
        let own = node.attributes;
        let usual = match node.kind {
            NodeKind::Directory => Attributes::directory(own.mtime),
            _ => Attributes::file(own.mtime),
        };
        if own != usual {
            let kind = "files lose an owner or permissions that aren't the usual ones";
            losses.add(kind.to_owned(), || shown(&tree.path(id)));
        }
    }
}

fn path_of(tree: &FileTree, directory: NodeId, name: &[u8]) -> String {
    shown(&[&tree.path(directory)[..], b"/", name].concat())
}

fn shown(path: &[u8]) -> String {
    match path {
        b"" => "'/'".to_owned(),
        _ => format!("'{}'", path.escape_ascii()),
    }
}

/// What is lost, in the order in which each kind was first seen.
#[derive(Debug, Default)]
struct Losses(Vec<(String, u64, String)>);

impl Losses {
    fn add(&mut self, kind: String, example: impl FnOnce() -> String) {
        match self.0.iter_mut().find(|(known, ..)| *known == kind) {
            Some((_, count, _)) => *count += 1,
            None => self.0.push((kind, 1, example())),
        }
    }

    fn sentences(self) -> Vec<String> {
        let sentence = |(kind, count, example)| format!("{count} {kind}, such as {example}");
        self.0.into_iter().map(sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;
    use crate::tree::{Content, Node, Xattr};

    fn awkward() -> FileTree {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        let mut put = |path: &str, kind: NodeKind, permissions| {
            let attributes = Attributes {
                permissions,
                ..Attributes::file(time)
            };
            let node = Node::new(kind, attributes);
            tree.put("t", path.as_bytes(), node).unwrap()
        };
        let file = || NodeKind::File(Content::inline(b"data"));
        let one = put("/d/one", file(), 0o644);
        for (path, permissions) in [("/d/a:b", 0o644), ("/$MFT", 0o644), ("/suid", 0o4644)] {
            put(path, file(), permissions);
        }
        put("/d/ONE", file(), 0o600);
        put("/l", NodeKind::Symlink(b"d".as_slice().into()), 0o644);
        put("/d/pipe", NodeKind::Fifo, 0o644);
        tree.link("t", b"/d/two", one).unwrap();
        tree.link("t", b"/three", one).unwrap();
        let xattr = Xattr {
            name: b"user.x".as_slice().into(),
            value: b"".as_slice().into(),
        };
        tree.set_xattrs(one, Xattrs::new([xattr]));
        tree
    }

    #[test]
    fn what_cannot_be_held_is_left_out_and_told() {
        let (tree, warnings) = fit("p", awkward(), Misfits::Drop).unwrap();
        let mut paths: Vec<_> = tree.files().into_iter().map(|(path, _)| path).collect();
        paths.sort();
        let expected = [&b"/d/one"[..], b"/d/two", b"/suid", b"/three"];
        assert_eq!(paths, expected);
        let warnings = warnings.join("\n");
        for words in [
            "1 symbolic links left out, such as '/l'",
            "1 named pipes left out, such as '/d/pipe'",
            "3 names left out, such as '/$MFT': '/$MFT' is the name of a metadata file",
            "2 names of one file became files of their own",
            "3 files without their extended attributes",
            "1 files without their set-ID bits, such as '/suid'",
        ] {
            assert!(warnings.contains(words), "{words} is not in\n{warnings}");
        }
    }

    #[test]
    fn what_is_not_to_be_left_out_is_refused() {
        fit("p", awkward(), Misfits::Refuse).unwrap_err();
        let mut tree = FileTree::new(Timestamp::default());
        let attributes = Attributes {
            permissions: 0o2644,
            ..Attributes::file(Timestamp::default())
        };
        tree.put_file("t", b"/f", Content::inline(b""), attributes)
            .unwrap();
        let error = fit("p", tree, Misfits::Refuse).unwrap_err();
        assert!(error.message().contains("set-ID bits"), "{error}");
    }

    #[test]
    fn owners_and_permissions_are_told_of() {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        let content = Content::inline(b"");
        let id = tree.put_file("t", b"/f", content, Attributes::file(time));
        assert_eq!(fit("p", tree.clone(), Misfits::Refuse).unwrap().1, [""; 0]);
        let uid = 1000;
        let attributes = Attributes::file(time);
        tree.set_attributes(id.unwrap(), Attributes { uid, ..attributes });
        let (_, warnings) = fit("p", tree, Misfits::Refuse).unwrap();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("1 files lose an owner"));
    }
}
