//! What of a tree is held by formats with directories and files only, one name for each.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use super::{Loss, Survey};
use crate::error::Result;
use crate::fs::Request;
use crate::identity::Timestamp;
use crate::place::Place;
use crate::tree::{Attributes, FileTree, Node, NodeId, NodeKind};

const SET_ID: u16 = 0o6000;
const STICKY: u16 = 0o1000;
const ALL_MAY_READ: u16 = 0o444;

/// What such a format holds. Links, special files, extended attributes, owners and permissions it
/// doesn't, but for a mark of what nobody may write.
pub trait Rules {
    /// What the format tells names in a directory apart by.
    type Key: Eq + Hash;

    /// What people call it.
    const FORMAT: &'static str;

    /// The most bytes of a file.
    const FILE_MAX: u64;

    /// What `name` has in common with the names that are the same to the format.
    ///
    /// # Errors
    /// Why there can't be such a name, as [`Survey::note`] takes it.
    fn key(&self, name: &[u8], is_in_root: bool) -> Result<Self::Key, String>;

    /// Whether a time is in the format's range.
    fn holds_time(&self, time: Timestamp) -> bool;
}

#[derive(Debug)]
struct Change {
    directory: NodeId,
    name: Box<[u8]>,
    kind: ChangeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChangeKind {
    /// The name goes, with all that it leads to.
    Remove,
    /// It leads to a copy.
    Copy,
}

/// Changes the tree of `request` until a format with such rules holds it: a sentence for each kind
/// of loss. Attributes that are lost stay in the tree.
///
/// # Errors
/// `Unsupported` at the request's place where something would be lost that may not be, `DoesNotFit`
/// when the tree becomes too large.
pub fn adapt<R: Rules>(request: &mut Request<'_>, rules: &R) -> Result<Vec<String>> {
    let mut search = Search {
        tree: &request.tree,
        rules,
        survey: Survey::new(request, R::FORMAT),
        seen: HashSet::new(),
        directories: VecDeque::from([FileTree::ROOT]),
        changes: Vec::new(),
    };
    // The root has no entry, and with it no time.
    search.attributes(request.tree.node(FileTree::ROOT), Vec::new)?;
    while let Some(directory) = search.directories.pop_front() {
        search.directory(directory)?;
    }
    let (changes, survey) = (search.changes, search.survey);
    for change in changes {
        change.make(&request.place, &mut request.tree)?;
    }
    Ok(survey.into_warnings())
}

impl Change {
    fn make(self, place: &Place, tree: &mut FileTree) -> Result<()> {
        let (directory, name) = (self.directory, &self.name);
        match (self.kind, tree.entry(directory, name)) {
            (ChangeKind::Copy, Some(node)) => {
                // A file with more names than this one stays what it is.
                let node = tree.node(node).clone();
                tree.put_in(&place.to_string(), directory, name, node)?;
            }
            _ => {
                tree.remove(directory, name);
            }
        }
        Ok(())
    }
}

struct Search<'a, R> {
    tree: &'a FileTree,
    rules: &'a R,
    survey: Survey,
    /// Files with several names of which one was seen.
    seen: HashSet<NodeId>,
    /// Those yet to be looked through.
    directories: VecDeque<NodeId>,
    changes: Vec<Change>,
}

impl<'a, R: Rules> Search<'a, R> {
    fn directory(&mut self, directory: NodeId) -> Result<()> {
        let mut names = HashMap::new();
        for (name, id) in self.tree.entries(directory) {
            let kind = self.entry(directory, name, id, &mut names)?;
            if let Some(kind) = kind {
                let name = name.into();
                self.changes.push(Change {
                    directory,
                    name,
                    kind,
                });
            } else if self.tree.node(id).kind.is_directory() {
                self.directories.push_back(id);
            }
        }
        Ok(())
    }

    /// What has to be done with an entry.
    fn entry(
        &mut self,
        directory: NodeId,
        name: &'a [u8],
        id: NodeId,
        names: &mut HashMap<R::Key, &'a [u8]>,
    ) -> Result<Option<ChangeKind>> {
        let tree = self.tree;
        let node = tree.node(id);
        let path = || [&tree.path(directory)[..], b"/", name].concat();
        if !self.is_kind_held(&node.kind, path)? {
            return Ok(Some(ChangeKind::Remove));
        }
        let is_in_root = directory == FileTree::ROOT;
        if let Err((loss, why)) = self.admit(name, is_in_root, names) {
            self.survey.note(loss, path, || why)?;
            return Ok(Some(ChangeKind::Remove));
        }
        self.attributes(node, path)?;
        self.time(node.attributes.mtime, path)?;
        let links = tree.links(id);
        if links > 1 && !self.seen.insert(id) {
            let why = || format!("is one of {links} names of a file");
            self.survey.note(Loss::HardLink, path, why)?;
            return Ok(Some(ChangeKind::Copy));
        }
        Ok(None)
    }

    fn is_kind_held(&mut self, kind: &NodeKind, path: impl Fn() -> Vec<u8>) -> Result<bool> {
        match kind {
            NodeKind::Directory => return Ok(true),
            NodeKind::File(content) if content.len() <= R::FILE_MAX => return Ok(true),
            NodeKind::File(content) => self.survey.note(Loss::TooLarge, path, || {
                format!("has {} bytes, more than {}", content.len(), R::FILE_MAX)
            })?,
            other => self.survey.note_special(other, path)?,
        }
        Ok(false)
    }

    /// Adds a name to those of its directory, or tells why it can't be.
    fn admit(
        &self,
        name: &'a [u8],
        is_in_root: bool,
        names: &mut HashMap<R::Key, &'a [u8]>,
    ) -> Result<(), (Loss, String)> {
        let key = self.rules.key(name, is_in_root);
        match names.entry(key.map_err(|why| (Loss::Name, why))?) {
            Entry::Occupied(other) => {
                let other = String::from_utf8_lossy(other.get());
                let why = format!("differs from '{other}' only in case");
                Err((Loss::Collision, why))
            }
            Entry::Vacant(place) => {
                place.insert(name);
                Ok(())
            }
        }
    }

    fn attributes(&mut self, node: &Node, path: impl Fn() -> Vec<u8>) -> Result<()> {
        for xattr in node.xattrs.iter() {
            self.survey.note_xattr(xattr, &path, None)?;
        }
        let Attributes { permissions, .. } = node.attributes;
        // Those of directories tell whom new files belong to, and owners aren't held.
        if permissions & SET_ID != 0 && !node.kind.is_directory() {
            let why = || format!("has set-ID bits ({permissions:04o})");
            self.survey.note(Loss::SetId, &path, why)?;
        }
        self.survey.note_owner(&node.attributes, &path)?;
        if restricts(node) {
            let why = || format!("has {permissions:04o}");
            self.survey.note(Loss::Permissions, &path, why)?;
        }
        Ok(())
    }

    fn time(&mut self, time: Timestamp, path: impl FnOnce() -> Vec<u8>) -> Result<()> {
        if self.rules.holds_time(time) {
            return Ok(());
        }
        let why = || format!("is of {} s from 1970", time.seconds);
        self.survey.note(Loss::Time, path, why)
    }
}

/// Whether permissions keep somebody from reading, or do something else of their own. Who may write
/// and execute what is up to whoever mounts the filesystem.
const fn restricts(node: &Node) -> bool {
    let permissions = node.attributes.permissions;
    let has_set_id = permissions & SET_ID != 0 && node.kind.is_directory();
    permissions & ALL_MAY_READ != ALL_MAY_READ || permissions & STICKY != 0 || has_set_id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::fs::Misfits;
    use crate::identity::Identity;
    use crate::tree::{Content, Xattr, Xattrs};

    const TIME: Timestamp = Timestamp::from_seconds(1000);

    struct Ascii;

    impl Rules for Ascii {
        type Key = Vec<u8>;
        const FORMAT: &'static str = "ASCII";
        const FILE_MAX: u64 = 9;

        fn key(&self, name: &[u8], is_in_root: bool) -> Result<Vec<u8>, String> {
            match name.contains(&b':') || is_in_root && name == b"root" {
                true => Err("has ':'".to_owned()),
                false => Ok(name.to_ascii_uppercase()),
            }
        }

        fn holds_time(&self, time: Timestamp) -> bool {
            time.seconds > 0
        }
    }

    fn request(tree: FileTree, misfits: Misfits) -> Request<'static> {
        Request {
            tree,
            misfits,
            ..Request::new("p", "ascii", Identity::new("t", TIME))
        }
    }

    fn put(tree: &mut FileTree, path: &str, permissions: u16) -> NodeId {
        let attributes = Attributes {
            permissions,
            ..Attributes::file(TIME)
        };
        let content = Content::inline(b"1");
        let put = tree.put_file("c", path.as_bytes(), content, attributes);
        put.unwrap()
    }

    fn awkward() -> FileTree {
        // The root has no time.
        let mut tree = FileTree::new(Timestamp::from_seconds(0));
        for path in ["/a/x", "/a/X", "/a/root", "/B/y", "/b:/z", "/a/x2", "/root"] {
            put(&mut tree, path, 0o755);
        }
        let node = Node::new(NodeKind::Fifo, Attributes::file(TIME));
        tree.put("c", b"/fifo", node).unwrap();
        let file = tree.find(b"/a/x").unwrap();
        for path in ["/B/link", "/B/LINK", "/B/other"] {
            tree.link("c", path.as_bytes(), file).unwrap();
        }
        for (path, permissions) in [("/setid", 0o4755), ("/own", 0o600), ("/labelled", 0o444)] {
            put(&mut tree, path, permissions);
        }
        let labelled = tree.find(b"/labelled").unwrap();
        let xattrs = ["security.selinux", "user.x"].map(|name| Xattr {
            name: name.as_bytes().into(),
            value: (*b"1").into(),
        });
        tree.set_xattrs(labelled, Xattrs::new(xattrs));
        let old = Attributes {
            uid: 7,
            ..Attributes::file(Timestamp::from_seconds(0))
        };
        for (path, len) in [("/old", 9), ("/large", 10)] {
            let content = Content::host("/x", len);
            tree.put_file("c", path.as_bytes(), content, old).unwrap();
        }
        tree
    }

    #[test]
    fn what_is_not_held_is_left_out_and_links_become_copies() {
        let mut request = request(awkward(), Misfits::Drop);
        let warnings = adapt(&mut request, &Ascii).unwrap();
        let tree = request.tree;
        let expected = [
            "left out 1 named pipe, which ASCII can't hold: '/fifo'",
            "left out 2 entries with names that ASCII can't hold: '/b:' has ':', and others",
            "left out 2 entries with names that differ only in case, which ASCII ignores: '/a/X' \
             differs from 'x' only in case, and others",
            "left out 1 file of more bytes than ASCII can hold: '/large' has 10 bytes, more than 9",
            "made 2 copies of files with several names, which ASCII can't hold: '/B/link' is one \
             of 4 names of a file, and others",
            "left out set-ID bits of 1 file, which ASCII can't hold: '/setid' has set-ID bits \
             (4755)",
            "left out 1 extended attribute, which ASCII can't hold: '/labelled' has the extended \
             attribute user.x",
            "left out 1 owner other than root, which ASCII can't hold: '/old' belongs to 7:0",
            "left out permissions of 1 entry, which ASCII can't hold: '/own' has 0600",
            "left out 1 SELinux label, which ASCII can't hold: '/labelled' has the extended \
             attribute security.selinux",
            "changed 1 time to the nearest that ASCII can hold: '/old' is of 0 s from 1970",
        ];
        assert_eq!(warnings, expected);
        let mut paths: Vec<_> = tree.files().into_iter().map(|(path, _)| path).collect();
        paths.sort();
        let expected = [
            "/B/link",
            "/B/other",
            "/B/y",
            "/a/root",
            "/a/x",
            "/a/x2",
            "/labelled",
            "/old",
            "/own",
            "/setid",
        ];
        assert_eq!(paths, expected.map(|path| path.as_bytes().to_vec()));
        assert!(tree.nodes().all(|(id, _)| tree.links(id) == 1));
    }

    #[test]
    fn what_is_adapted_needs_no_change() {
        let mut request = request(awkward(), Misfits::Drop);
        let nodes = |request: &Request<'_>| -> Vec<_> {
            let nodes = request.tree.nodes();
            nodes.map(|(id, _)| request.tree.path(id)).collect()
        };
        let all = nodes(&request);
        adapt(&mut request, &Ascii).unwrap();
        let held = nodes(&request);
        assert_ne!(held, all);
        adapt(&mut request, &Ascii).unwrap();
        assert_eq!(nodes(&request), held);
    }

    #[test]
    fn where_nothing_may_be_lost_the_first_loss_is_refused() {
        let error = adapt(&mut request(awkward(), Misfits::Refuse), &Ascii).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let expected = "p: '/b:' has ':', which ASCII can't hold: ";
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    #[test]
    fn usual_permissions_are_not_told_of() {
        for (permissions, is_told) in [
            (0o644, false),
            (0o755, false),
            (0o664, false),
            (0o444, false),
            (0o640, true),
            (0o1755, true),
        ] {
            let mut tree = FileTree::new(TIME);
            put(&mut tree, "/f", permissions);
            let warnings = adapt(&mut request(tree, Misfits::Refuse), &Ascii).unwrap();
            assert_eq!(!warnings.is_empty(), is_told, "{permissions:o}");
        }
        let mut tree = FileTree::new(TIME);
        let permissions = 0o2775;
        let attributes = Attributes::directory(TIME);
        tree.set_attributes(
            FileTree::ROOT,
            Attributes {
                permissions,
                ..attributes
            },
        );
        let warnings = adapt(&mut request(tree, Misfits::Refuse), &Ascii).unwrap();
        let expected = "left out permissions of 1 entry, which ASCII can't hold: '/' has 2775";
        assert_eq!(warnings, [expected]);
    }
}
