//! Paths through symbolic links, which never lead out of the tree: an absolute target starts at
//! its root, and above that there is nothing.

use super::{Attributes, FileTree, Node, NodeId, NodeKind, path};
use crate::error::{Error, Result};
use crate::identity::Timestamp;

/// So many links are followed on the way to one directory, as on Linux.
const LINKS_MAX: usize = 40;

/// How far a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reached {
    directory: NodeId,
    /// So many names at the path's end aren't there.
    missing: usize,
}

/// A node that can't hold others, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocked {
    node: NodeId,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// It is neither a directory nor a link.
    NotADirectory,
    /// It is a link to something that isn't there.
    Dangling,
    /// It is a link to this, which is neither a directory nor a link.
    LeadsTo(NodeId),
    /// It is a link that goes on to more than [`LINKS_MAX`] others.
    Loop,
}

/// A name on the way, and the link of the path that it comes from.
struct Step<'a> {
    name: &'a [u8],
    link: Option<NodeId>,
}

impl Blocked {
    /// Whether it is a link to something that isn't there.
    pub(crate) fn is_dangling(&self) -> bool {
        self.reason == Reason::Dangling
    }

    fn described(&self, tree: &FileTree) -> String {
        let path = |id| tree.path(id).escape_ascii().to_string();
        let kind = tree.node(self.node).kind.described();
        let described = format!("'{}' is a {kind}, ", path(self.node));
        described
            + &match self.reason {
                Reason::NotADirectory => "so it can't hold others".to_owned(),
                Reason::Dangling => {
                    "which isn't there: put that directory in before, or give its own path".into()
                }
                Reason::LeadsTo(end) => format!(
                    "which leads to the {} '{}', so it can't hold others",
                    tree.node(end).kind.noun(),
                    path(end)
                ),
                Reason::Loop => {
                    format!("which leads on to more than {LINKS_MAX} symbolic links")
                }
            }
    }
}

impl FileTree {
    /// The directory that an absolute path leads to, links at its end included.
    pub(crate) fn find_directory(&self, path: &[u8]) -> Option<NodeId> {
        let names: Vec<_> = path.split(|byte| *byte == b'/').collect();
        let reached = self.follow(Self::ROOT, &names).ok()?;
        (reached.missing == 0).then_some(reached.directory)
    }

    /// The directory that the symbolic link `name` of a directory leads to; `None` where that is
    /// no link.
    pub(crate) fn behind_link(
        &self,
        directory: NodeId,
        name: &[u8],
    ) -> Option<Result<NodeId, Blocked>> {
        let link = self.entry(directory, name)?;
        if !matches!(self.node(link).kind, NodeKind::Symlink(_)) {
            return None;
        }
        let reached = self.follow(directory, &[name]);
        Some(reached.map(|reached| reached.directory))
    }

    /// The directory in which an absolute `path` has its last name, and that name; `None` for the
    /// root. What is missing of the directory is made as by [`Self::put`].
    ///
    /// # Errors
    /// Those of [`Self::put`] for the path.
    pub(crate) fn make_parent<'p>(
        &mut self,
        place: &str,
        path: &'p [u8],
        is_directory: bool,
        mtime: Timestamp,
    ) -> Result<Option<(NodeId, &'p [u8])>> {
        let components = path::components(place, path, is_directory)?;
        let Some((name, parents)) = components.split_last() else {
            return Ok(None);
        };
        let reached = self.follow(Self::ROOT, parents).map_err(|blocked| {
            let (path, reason) = (path.escape_ascii(), blocked.described(self));
            Error::invalid(place, format!("'{path}' can't be made: {reason}"))
        })?;
        let mut parent = reached.directory;
        for name in &parents[parents.len() - reached.missing..] {
            let node = Node::new(NodeKind::Directory, Attributes::directory(mtime));
            parent = self.add(place, parent, name, node)?;
        }
        Ok(Some((parent, name)))
    }

    fn follow<'a>(&'a self, from: NodeId, names: &[&'a [u8]]) -> Result<Reached, Blocked> {
        let step = |link| move |name| Step { name, link };
        let mut steps: Vec<_> = names.iter().copied().rev().map(step(None)).collect();
        let (mut directory, mut links) = (from, 0);
        while let Some(Step { name, link }) = steps.pop() {
            match name {
                b"" | b"." => continue,
                b".." => {
                    directory = self.parent(directory);
                    continue;
                }
                _ => {}
            }
            let Some(node) = self.entry(directory, name) else {
                // What links have brought is on top, so that all the rest is of the path.
                let missing = steps.len() + 1;
                return match link {
                    None => Ok(Reached { directory, missing }),
                    Some(link) => Err(link.blocked(Reason::Dangling)),
                };
            };
            match (&self.node(node).kind, link) {
                (NodeKind::Directory, _) => directory = node,
                (NodeKind::Symlink(_), _) if links == LINKS_MAX => {
                    return Err(link.unwrap_or(node).blocked(Reason::Loop));
                }
                (NodeKind::Symlink(target), _) => {
                    links += 1;
                    if target.starts_with(b"/") {
                        directory = Self::ROOT;
                    }
                    let names = target.rsplit(|byte| *byte == b'/');
                    steps.extend(names.map(step(link.or(Some(node)))));
                }
                (_, None) => return Err(node.blocked(Reason::NotADirectory)),
                (_, Some(link)) => return Err(link.blocked(Reason::LeadsTo(node))),
            }
        }
        Ok(Reached {
            directory,
            missing: 0,
        })
    }

    /// The directory that a directory is in; the root is in itself.
    pub(crate) fn parent(&self, directory: NodeId) -> NodeId {
        // Directories have one name.
        let first = self.slots[directory.index()].first;
        first.map_or(Self::ROOT, |first| self.names.directory(first))
    }
}

impl NodeId {
    const fn blocked(self, reason: Reason) -> Blocked {
        Blocked { node: self, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Content;

    const TIME: Timestamp = Timestamp::from_seconds(1);

    fn tree(links: &[(&str, &str)]) -> FileTree {
        let mut tree = FileTree::new(TIME);
        for path in ["/usr/lib", "/usr/share/doc"] {
            let node = Node::new(NodeKind::Directory, Attributes::directory(TIME));
            tree.put("t", path.as_bytes(), node).unwrap();
        }
        put_file(&mut tree, "/file").unwrap();
        for (path, target) in links {
            let kind = NodeKind::Symlink(target.as_bytes().into());
            let node = Node::new(kind, Attributes::file(TIME));
            tree.put("t", path.as_bytes(), node).unwrap();
        }
        tree
    }

    fn put_file(tree: &mut FileTree, path: &str) -> Result<String> {
        let (content, attributes) = (Content::inline(b""), Attributes::file(TIME));
        let id = tree.put_file("t", path.as_bytes(), content, attributes)?;
        Ok(String::from_utf8(tree.path(id)).unwrap())
    }

    #[test]
    fn paths_go_through_links_and_stay_within_the_tree() {
        let links = [
            ("/lib", "usr/lib"),
            ("/usr/lib/up", ".."),
            ("/usr/far", "../../../../usr/./share//doc/"),
            ("/usr/share/abs", "/usr/lib"),
            ("/chain", "/lib/up/share/abs"),
            ("/here", "."),
            ("/root", "/"),
        ];
        for (path, expected) in [
            ("/lib/modules/m", "/usr/lib/modules/m"),
            ("/lib/up/m", "/usr/m"),
            ("/usr/far/m", "/usr/share/doc/m"),
            ("/usr/share/abs/m", "/usr/lib/m"),
            ("/chain/m", "/usr/lib/m"),
            ("/here/here/m", "/m"),
            ("/usr/lib/up/share/m", "/usr/share/m"),
            ("/root/new/m", "/new/m"),
            ("/lib", "/lib"),
        ] {
            let mut tree = tree(&links);
            assert_eq!(put_file(&mut tree, path).unwrap(), expected, "{path}");
        }
        let tree = tree(&links);
        for (path, expected) in [
            ("/chain", Some("/usr/lib")),
            ("", Some("")),
            ("/lib/up/", Some("/usr")),
            ("/file", None),
            ("/lib/none", None),
        ] {
            let found = tree.find_directory(path.as_bytes());
            let found = found.map(|id| tree.path(id));
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{path}");
        }
    }

    #[test]
    fn links_that_lead_to_no_directory_are_refused() {
        let links = [
            ("/gone", "usr/none/lib"),
            ("/gone2", "usr/none/../lib"),
            ("/to-file", "/file"),
            ("/through", "file/x"),
            ("/a", "b"),
            ("/b", "/a"),
            ("/self", "self/x"),
        ];
        for (path, expected) in [
            (
                "/gone/m",
                "'/gone' is a symbolic link to 'usr/none/lib', which isn't there",
            ),
            ("/gone2/m", "which isn't there"),
            (
                "/to-file/m",
                "'/to-file' is a symbolic link to '/file', which leads to the file '/file'",
            ),
            ("/through/m", "which leads to the file '/file'"),
            (
                "/a/m",
                "'/a' is a symbolic link to 'b', which leads on to more than 40",
            ),
            ("/self/m", "more than 40"),
            ("/file/m", "'/file' is a file, so it can't hold others"),
        ] {
            let mut tree = tree(&links);
            let error = put_file(&mut tree, path).unwrap_err();
            assert!(error.message().contains(expected), "{error}");
            assert!(
                error
                    .message()
                    .starts_with(&format!("'{path}' can't be made"))
            );
        }
    }

    #[test]
    fn forty_links_are_followed_and_no_more() {
        let links: Vec<_> = (0..41)
            .map(|n| {
                (
                    format!("/l{n}"),
                    match n {
                        0 => "usr/lib".to_owned(),
                        n => format!("l{}", n - 1),
                    },
                )
            })
            .collect();
        let links: Vec<_> = links
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let mut tree = tree(&links);
        assert_eq!(put_file(&mut tree, "/l39/m").unwrap(), "/usr/lib/m");
        put_file(&mut tree, "/l40/m").unwrap_err();
    }
}
