//! What of a tree exFAT holds: directories and files with a possible name, one name for each.

use std::collections::{HashMap, HashSet, VecDeque};

use super::names;
use super::time;
use super::upcase::UpCase;
use crate::error::Result;
use crate::fs::Request;
use crate::fs::misfits::{Misfit, Survey};
use crate::tree::{FileTree, Node, NodeId};

/// How a tree has to change until exFAT holds it.
#[derive(Debug)]
pub(super) struct Adaptation {
    changes: Vec<Change>,
    warnings: Vec<String>,
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

impl Adaptation {
    /// What has to change in the tree of `request`.
    ///
    /// # Errors
    /// `Unsupported` where something would be lost that may not be.
    pub(super) fn of(request: &Request<'_>, upcase: &UpCase) -> Result<Self> {
        let mut search = Search {
            tree: &request.tree,
            upcase,
            survey: Survey::new(request),
            seen: HashSet::new(),
            directories: VecDeque::from([FileTree::ROOT]),
            changes: Vec::new(),
        };
        search.node(request.tree.node(FileTree::ROOT), || b"/".to_vec())?;
        while let Some(directory) = search.directories.pop_front() {
            search.directory(directory)?;
        }
        Ok(Self {
            changes: search.changes,
            warnings: search.survey.into_warnings(),
        })
    }

    pub(super) fn is_needed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Makes the changes, and gives the warnings.
    ///
    /// # Errors
    /// `DoesNotFit` when the tree becomes too large.
    pub(super) fn apply(self, place: &str, tree: &mut FileTree) -> Result<Vec<String>> {
        for change in self.changes {
            let Change {
                directory,
                name,
                kind,
            } = change;
            match (kind, tree.entry(directory, &name)) {
                (ChangeKind::Copy, Some(node)) => {
                    // A file with more names than this one stays what it is.
                    let node = tree.node(node).clone();
                    tree.put_in(place, directory, &name, node)?;
                }
                _ => {
                    tree.remove(directory, &name);
                }
            }
        }
        Ok(self.warnings)
    }
}

struct Search<'a> {
    tree: &'a FileTree,
    upcase: &'a UpCase,
    survey: Survey<'a>,
    /// Files with several names of which one was seen.
    seen: HashSet<NodeId>,
    /// Those yet to be looked through.
    directories: VecDeque<NodeId>,
    changes: Vec<Change>,
}

impl<'a> Search<'a> {
    fn directory(&mut self, directory: NodeId) -> Result<()> {
        let mut capitals: HashMap<Vec<u16>, &'a [u8]> = HashMap::new();
        for (name, id) in self.tree.entries(directory) {
            let kind = self.entry(directory, name, id, &mut capitals)?;
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
        capitals: &mut HashMap<Vec<u16>, &'a [u8]>,
    ) -> Result<Option<ChangeKind>> {
        let tree = self.tree;
        let path = || [&tree.path(directory)[..], b"/", name].concat();
        if !self.node(tree.node(id), path)? {
            return Ok(Some(ChangeKind::Remove));
        }
        if let Err(reason) = self.check_name(name, capitals) {
            self.survey.note(Misfit::Name, &path(), &reason)?;
            return Ok(Some(ChangeKind::Remove));
        }
        if tree.links(id) > 1 && !self.seen.insert(id) {
            self.survey.note(Misfit::HardLink, &path(), "")?;
            return Ok(Some(ChangeKind::Copy));
        }
        Ok(None)
    }

    fn check_name(
        &self,
        name: &'a [u8],
        capitals: &mut HashMap<Vec<u16>, &'a [u8]>,
    ) -> std::result::Result<(), String> {
        let mut units = names::units(name)?;
        for unit in &mut units {
            *unit = self.upcase.of(*unit);
        }
        match capitals.insert(units, name) {
            Some(other) => {
                let other = other.escape_ascii();
                Err(format!("only case tells it from '{other}' beside it"))
            }
            None => Ok(()),
        }
    }

    fn node(&mut self, node: &Node, path: impl Fn() -> Vec<u8>) -> Result<bool> {
        let is_held = self.survey.node(node, &path)?;
        if is_held && !time::is_held(node.attributes.mtime) {
            self.survey.note(Misfit::Time, &path(), "")?;
        }
        Ok(is_held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Misfits;
    use crate::identity::{Identity, Timestamp};
    use crate::tree::{Attributes, Content, NodeKind};
    use crate::units::Bytes;

    const TIME: Timestamp = Timestamp::from_seconds(946_684_800);

    fn request() -> Request<'static> {
        let identity = Identity::new("t", TIME);
        let mut request = Request::new("p", "exfat", Bytes::new(1), identity);
        let tree = &mut request.tree;
        for path in ["/a/x", "/a/X", "/B/y", "/b:/z", "/a/é", "/a/É"] {
            let (content, attributes) = (Content::inline(b"1"), Attributes::file(TIME));
            tree.put_file("c", path.as_bytes(), content, attributes)
                .unwrap();
        }
        let node = Node::new(NodeKind::Fifo, Attributes::file(TIME));
        tree.put("c", b"/fifo", node).unwrap();
        let file = tree.find(b"/a/x").unwrap();
        for path in ["/B/link", "/B/LINK", "/B/other"] {
            tree.link("c", path.as_bytes(), file).unwrap();
        }
        let old = Attributes::file(Timestamp::from_seconds(0));
        tree.put_file("c", b"/old", Content::inline(b""), old)
            .unwrap();
        request
    }

    #[test]
    fn what_is_not_held_is_left_out_and_links_become_copies() {
        let mut request = request();
        request.misfits = Misfits::Drop;
        let adaptation = Adaptation::of(&request, &UpCase::new()).unwrap();
        assert!(adaptation.is_needed());
        let tree = &mut request.tree;
        let warnings = adaptation.apply("p", tree).unwrap();
        let expected = [
            "exfat: named pipes are left out (1, like '/fifo')",
            "exfat: further names of a file (hard links) became copies of it (2, like '/B/link')",
            "exfat: what has a name that isn't possible is left out (4, like '/b:' (':' is \
             forbidden))",
            "exfat: times that aren't possible became the nearest that are (1, like '/old')",
        ];
        assert_eq!(warnings, expected);
        let mut paths: Vec<_> = tree.files().into_iter().map(|(path, _)| path).collect();
        paths.sort();
        let expected = ["/B/link", "/B/other", "/B/y", "/a/x", "/a/é", "/old"];
        assert_eq!(paths, expected.map(|path| path.as_bytes().to_vec()));
        assert!(tree.nodes().all(|(id, _)| tree.links(id) == 1));
        // Now nothing is left to change.
        let request = Request {
            tree: tree.clone(),
            ..Request::new("p", "exfat", Bytes::new(1), request.identity.clone())
        };
        let again = Adaptation::of(&request, &UpCase::new()).unwrap();
        assert!(!again.is_needed() && again.warnings.len() == 1);
    }

    #[test]
    fn where_nothing_may_be_lost_the_first_loss_is_refused() {
        let error = Adaptation::of(&request(), &UpCase::new()).unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Unsupported);
    }
}
