//! Puts the entries of one source over what is in a tree already.

use super::{DirectoryLinks, Rules};
use crate::error::Result;
use crate::tree::{FileTree, Node, NodeId, NodeKind};

/// One source on its way into a tree. What it brings wins over what was there, as if it was
/// unpacked over it: directories are merged, everything else is replaced, by whatever kind. Where
/// the rules say so, a directory is merged with what a link in its place leads to.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    pub(super) tree: &'a mut FileTree,
    pub(super) rules: &'a Rules,
    /// What the source is called in messages.
    pub(super) place: &'a str,
    own: Own,
}

/// Which nodes the source has put there, by their numbers.
#[derive(Debug, Default)]
struct Own(Vec<bool>);

/// Where a node went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) id: NodeId,
    /// Whether it is a directory that a link leads to, which keeps its own attributes.
    pub(super) is_behind_link: bool,
}

impl<'a> Layer<'a> {
    pub(super) fn new(tree: &'a mut FileTree, rules: &'a Rules, place: &'a str) -> Self {
        Self {
            tree,
            rules,
            place,
            own: Own::default(),
        }
    }

    /// Where a path of the source, with or without a slash in front, leads to in the tree, the
    /// links on the way to its last name followed.
    pub(super) fn target(&self, path: &[u8]) -> Vec<u8> {
        let target = self.joined(path);
        let cut = target.iter().rposition(|byte| *byte == b'/');
        let (parent, name) = target.split_at(cut.unwrap_or_default());
        match self.tree.find_directory(parent) {
            Some(parent) => [&self.tree.path(parent), name].concat(),
            None => target,
        }
    }

    /// The directory that a path of the source leads to in the tree, all links followed.
    pub(super) fn directory(&self, path: &[u8]) -> Option<NodeId> {
        self.tree.find_directory(&self.joined(path))
    }

    fn joined(&self, path: &[u8]) -> Vec<u8> {
        [&self.rules.target, &b"/"[..], path].concat()
    }

    /// Puts a node at a path of the source. A directory behind a link keeps its attributes, as
    /// with GNU tar.
    pub(super) fn put(&mut self, path: &[u8], mut node: Node) -> Result<NodeId> {
        node.attributes = self.rules.attributes(node.attributes);
        let target = self.joined(path);
        let (is_directory, mtime) = (node.kind.is_directory(), node.attributes.mtime);
        let parent = self
            .tree
            .make_parent(self.place, &target, is_directory, mtime)?;
        let is_top = path.iter().all(|byte| *byte == b'/');
        match parent {
            None => self.tree.put(self.place, b"/", node),
            Some((parent, name)) if is_top => self.put_top(parent, name, node),
            Some((parent, name)) => Ok(self.place_in(parent, name, node)?.id),
        }
    }

    /// Puts the source's top where the rules have it: that is meant, whatever links lead there.
    fn put_top(&mut self, parent: NodeId, name: &[u8], node: Node) -> Result<NodeId> {
        match self.tree.behind_link(parent, name) {
            Some(Ok(directory)) if node.kind.is_directory() => {
                self.tree.set_attributes(directory, node.attributes);
                self.tree.set_xattrs(directory, node.xattrs);
                Ok(directory)
            }
            _ => Ok(self.place_in(parent, name, node)?.id),
        }
    }

    /// Makes a path of the source one more name of `node`.
    pub(super) fn link(&mut self, path: &[u8], node: NodeId) -> Result<()> {
        let target = self.joined(path);
        let mtime = self.tree.node(node).attributes.mtime;
        match self.tree.make_parent(self.place, &target, false, mtime)? {
            Some((parent, name)) => self.link_in(parent, name, node),
            None => self.tree.link(self.place, &target, node),
        }
    }

    /// Puts a node into a directory of the tree that this source has put there.
    pub(super) fn put_in(
        &mut self,
        directory: NodeId,
        name: &[u8],
        mut node: Node,
    ) -> Result<Placed> {
        node.attributes = self.rules.attributes(node.attributes);
        self.place_in(directory, name, node)
    }

    fn place_in(&mut self, directory: NodeId, name: &[u8], node: Node) -> Result<Placed> {
        if node.kind.is_directory()
            && let Some(id) = self.followed(directory, name)
        {
            let is_behind_link = true;
            return Ok(Placed { id, is_behind_link });
        }
        self.make_way(directory, name, &node.kind);
        let id = self.tree.put_in(self.place, directory, name, node)?;
        self.own.insert(id);
        Ok(Placed {
            id,
            is_behind_link: false,
        })
    }

    /// Makes an entry of a directory of the tree one more name of `node`.
    pub(super) fn link_in(&mut self, directory: NodeId, name: &[u8], node: NodeId) -> Result<()> {
        let kind = self.tree.node(node).kind.clone();
        self.make_way(directory, name, &kind);
        self.tree.link_in(self.place, directory, name, node)
    }

    /// What this source itself has put at an entry of a directory of the tree.
    pub(super) fn own_entry(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        let found = self.tree.entry(directory, name)?;
        self.own.contains(found).then_some(found)
    }

    /// The directory behind a link of the tree that a directory of the source goes into. A link
    /// that the source itself has brought before is the older state of its directory.
    fn followed(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        if !self.rules.follows_directory_links() || self.own_entry(directory, name).is_some() {
            return None;
        }
        self.tree.behind_link(directory, name)?.ok()
    }

    /// Removes a directory where something else goes, and something else where a directory goes.
    fn make_way(&mut self, directory: NodeId, name: &[u8], new: &NodeKind) {
        let Some(existing) = self.tree.entry(directory, name) else {
            return;
        };
        let old = &self.tree.node(existing).kind;
        if old.is_directory() == new.is_directory() {
            return;
        }
        let loss = match old.is_directory() {
            true => self.loss_of_directory(existing),
            false => self.loss_of_link(directory, name),
        };
        if let Some(loss) = loss {
            let path = [&self.tree.path(directory), &b"/"[..], name].concat();
            let (path, noun) = (path.escape_ascii(), new.noun());
            let place = self.place;
            let message = format!("'{path}', {loss}, is replaced by a {noun} of '{place}'");
            self.tree.notice(message);
        }
        self.tree.remove(directory, name);
    }

    /// What goes with a directory that isn't empty. In layers of containers that is how one is
    /// replaced.
    fn loss_of_directory(&self, directory: NodeId) -> Option<String> {
        match self.tree.entries_below(directory) {
            0 => None,
            _ if self.rules.whiteouts => None,
            count => Some(format!("a directory with {}", entries(count))),
        }
    }

    /// What goes with a link to a directory of the tree, unless that is asked for; and with one
    /// that should have been followed but leads nowhere.
    fn loss_of_link(&self, directory: NodeId, name: &[u8]) -> Option<String> {
        let existing = self.tree.entry(directory, name)?;
        let is_asked_for = self.rules.directory_links == Some(DirectoryLinks::Replace);
        if is_asked_for || self.own.contains(existing) {
            return None;
        }
        let described = self.tree.node(existing).kind.described();
        match self.tree.behind_link(directory, name)? {
            Ok(target) => {
                let count = self.tree.entries_below(target);
                let advice = "unless directory links are followed";
                Some(format!("a {described} with {} ({advice})", entries(count)))
            }
            Err(blocked) if blocked.is_dangling() && !self.rules.whiteouts => {
                Some(format!("a {described}, which isn't there"))
            }
            Err(_) => None,
        }
    }
}

fn entries(count: u64) -> String {
    match count {
        1 => "1 entry".to_owned(),
        _ => format!("{count} entries"),
    }
}

impl Own {
    fn insert(&mut self, id: NodeId) {
        if self.0.len() <= id.index() {
            self.0.resize(id.index() + 1, false);
        }
        self.0[id.index()] = true;
    }

    fn contains(&self, id: NodeId) -> bool {
        self.0.get(id.index()).is_some_and(|is_own| *is_own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;
    use crate::tree::{Attributes, Content};

    #[test]
    fn the_upper_layer_wins_whatever_kind_it_brings() {
        let mut tree = FileTree::new(Timestamp::default());
        let rules = Rules {
            target: b"/top".to_vec(),
            ..Rules::default()
        };
        let file = || other(NodeKind::File(Content::inline(b"")));
        let mut layer = Layer::new(&mut tree, &rules, "x");
        layer.put(b"d/below", file()).unwrap();
        layer.put(b"f", file()).unwrap();
        layer.put(b"d", file()).unwrap();
        layer.put(b"f", directory()).unwrap();
        let inner = layer.put(b"f/inner", file()).unwrap();
        layer.put(b"f", directory()).unwrap();
        layer.link(b"g", inner).unwrap();
        layer.put(b"h", file()).unwrap();
        let h = layer.put(b"h/", directory()).unwrap();
        layer.put_in(h, b"x", file()).unwrap();
        layer.put_in(h, b"x", directory()).unwrap();
        layer.link_in(h, b"x", inner).unwrap();
        let kinds = ["d", "f", "f/inner", "g", "h", "h/x", "d/below"].map(|path| {
            let found = tree.find(format!("/top/{path}").as_bytes());
            found.map(|id| tree.node(id).kind.is_directory())
        });
        assert_eq!(
            kinds,
            [
                Some(false),
                Some(true),
                Some(false),
                Some(false),
                Some(true),
                Some(false),
                None
            ]
        );
    }

    const LINKS: [&str; 3] = ["lib", "empty", "gone"];

    fn directory() -> Node {
        let attributes = Attributes::directory(Timestamp::default());
        Node::new(NodeKind::Directory, attributes)
    }

    fn other(kind: NodeKind) -> Node {
        Node::new(kind, Attributes::file(Timestamp::default()))
    }

    fn link_to(target: &str) -> Node {
        other(NodeKind::Symlink(target.as_bytes().into()))
    }

    /// What becomes of links to a directory, to an empty one and to none when directories come.
    fn over_links(rules: &Rules) -> (FileTree, Vec<String>) {
        let mut tree = FileTree::new(Timestamp::default());
        let mut lower = Layer::new(&mut tree, rules, "lower");
        lower.put(b"usr/lib/libc", other(NodeKind::Fifo)).unwrap();
        lower.put(b"usr/none", directory()).unwrap();
        let targets = ["usr/lib", "usr/none", "run"];
        for (name, target) in LINKS.iter().zip(targets) {
            lower.put(name.as_bytes(), link_to(target)).unwrap();
        }
        let mut upper = Layer::new(&mut tree, rules, "upper");
        for name in LINKS {
            let mut directory = directory();
            directory.attributes.permissions = 0o700;
            upper.put(name.as_bytes(), directory).unwrap();
            let file = format!("{name}/m");
            upper.put(file.as_bytes(), other(NodeKind::Fifo)).unwrap();
        }
        let notices = tree.take_notices();
        (tree, notices)
    }

    #[test]
    fn directories_follow_links_to_directories_unless_they_are_to_replace_them() {
        let (tree, notices) = over_links(&Rules::default());
        for path in ["/usr/lib/m", "/usr/none/m", "/gone/m"] {
            assert!(tree.find(path.as_bytes()).is_some(), "{path}");
        }
        let lib = tree.node(tree.find(b"/usr/lib").unwrap());
        assert_eq!(lib.attributes.permissions, 0o755);
        let gone = "'/gone', a symbolic link to 'run', which isn't there, is replaced by a \
                    directory of 'upper'";
        assert_eq!(notices, [gone]);

        let replaced = [
            "'/lib', a symbolic link to 'usr/lib' with 1 entry (unless directory links are \
             followed), is replaced by a directory of 'upper'",
            "'/empty', a symbolic link to 'usr/none' with 0 entries (unless directory links are \
             followed), is replaced by a directory of 'upper'",
        ];
        for (whiteouts, directory_links, expected) in [
            (true, None, &replaced[..]),
            (false, Some(DirectoryLinks::Replace), &[]),
            (true, Some(DirectoryLinks::Replace), &[]),
        ] {
            let rules = Rules {
                whiteouts,
                directory_links,
                ..Rules::default()
            };
            let (tree, notices) = over_links(&rules);
            for path in ["/lib/m", "/empty/m", "/gone/m"] {
                assert!(tree.find(path.as_bytes()).is_some(), "{path}");
            }
            assert_eq!(notices, expected);
        }
        let rules = Rules {
            whiteouts: true,
            directory_links: Some(DirectoryLinks::Follow),
            ..Rules::default()
        };
        assert!(over_links(&rules).0.find(b"/usr/lib/m").is_some());
    }

    #[test]
    fn a_source_replaces_its_own_links() {
        let rules = Rules::default();
        let mut tree = FileTree::new(Timestamp::default());
        let mut layer = Layer::new(&mut tree, &rules, "x");
        layer.put(b"new/old", other(NodeKind::Fifo)).unwrap();
        layer.put(b"d", link_to("new")).unwrap();
        layer.put(b"d", directory()).unwrap();
        layer.put(b"d/m", other(NodeKind::Fifo)).unwrap();
        assert!(tree.find(b"/d/m").is_some() && tree.find(b"/new/m").is_none());
        assert_eq!(tree.take_notices(), [""; 0]);
    }

    #[test]
    fn what_goes_with_a_directory_is_told_but_for_layers_of_containers() {
        for whiteouts in [false, true] {
            let rules = Rules {
                whiteouts,
                ..Rules::default()
            };
            let mut tree = FileTree::new(Timestamp::default());
            let mut layer = Layer::new(&mut tree, &rules, "x");
            for path in ["a/b/c", "a/d", "e/f"] {
                layer.put(path.as_bytes(), other(NodeKind::Fifo)).unwrap();
            }
            layer.put(b"empty", directory()).unwrap();
            layer.put(b"a", link_to("e")).unwrap();
            layer.put(b"empty", other(NodeKind::Fifo)).unwrap();
            layer.put(b"e", other(NodeKind::Socket)).unwrap();
            let told = [
                "'/a', a directory with 3 entries, is replaced by a symbolic link of 'x'",
                "'/e', a directory with 1 entry, is replaced by a socket of 'x'",
            ];
            let expected = if whiteouts { &[][..] } else { &told };
            assert_eq!(tree.take_notices(), expected);
        }
    }

    #[test]
    fn the_target_of_a_source_may_be_a_link_and_is_never_replaced() {
        let mut tree = FileTree::new(Timestamp::default());
        let rules = Rules::default();
        let mut lower = Layer::new(&mut tree, &rules, "lower");
        lower.put(b"usr/lib", directory()).unwrap();
        lower.put(b"lib", link_to("/usr/lib")).unwrap();
        let rules = Rules {
            target: b"/lib".to_vec(),
            directory_links: Some(DirectoryLinks::Replace),
            ..Rules::default()
        };
        let mut layer = Layer::new(&mut tree, &rules, "upper");
        let mut top = directory();
        top.attributes.permissions = 0o700;
        let id = layer.put(b"", top).unwrap();
        layer.put_in(id, b"m", other(NodeKind::Fifo)).unwrap();
        let file = layer.put(b"n", other(NodeKind::Fifo)).unwrap();
        layer.link(b"o", file).unwrap();
        assert_eq!(layer.target(b"n"), b"/usr/lib/n");
        assert_eq!(layer.directory(b""), Some(id));
        for path in ["/usr/lib/m", "/usr/lib/n", "/usr/lib/o"] {
            assert!(tree.find(path.as_bytes()).is_some(), "{path}");
        }
        assert_eq!(tree.node(id).attributes.permissions, 0o700);
    }
}
