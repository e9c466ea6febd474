//! What FAT can't hold of a tree: it is refused or left out.
//!
//! What loses content or meaning is a misfit. Owners and permissions aren't: whoever mounts FAT
//! chooses them, so that they are only told of.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::long_name;
use crate::error::{Error, Result};
use crate::fs::{Misfits, Request};
use crate::tree::{FileTree, Node, NodeId, NodeKind, Xattr, Xattrs};

/// The most bytes of a file.
const FILE_MAX: u64 = u32::MAX as u64;

const SET_ID: u16 = 0o6000;
const STICKY: u16 = 0o1000;
const ALL_MAY_READ: u16 = 0o444;

/// Labels of files for SELinux belong to the system that a tree comes from, as owners do.
const SELINUX: &[u8] = b"security.selinux";

/// A kind of loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Special,
    Name,
    Collision,
    TooLarge,
    HardLink,
    SetId,
    Xattrs,
    Owner,
    Permissions,
    Selinux,
}

impl Kind {
    /// What is told of `count` of them with an example.
    fn sentence(self, count: usize, example: &str) -> String {
        let (entries, files) = match count {
            1 => ("1 entry".to_owned(), "1 file".to_owned()),
            _ => (format!("{count} entries"), format!("{count} files")),
        };
        match self {
            Self::Special => {
                format!("left out {entries} of kinds that FAT doesn't have: {example}")
            }
            Self::Name => format!("left out {entries} with names that FAT can't hold: {example}"),
            Self::Collision => {
                format!("left out {entries} whose names differ only in case: {example}")
            }
            Self::TooLarge => format!("left out {files} of more than {FILE_MAX} bytes: {example}"),
            Self::HardLink => format!("made copies of {files} with several names: {example}"),
            Self::SetId => format!("left out set-ID bits of {files}: {example}"),
            Self::Xattrs => format!("left out extended attributes of {entries}: {example}"),
            Self::Owner => {
                format!("{entries} of other owners than root, which FAT doesn't keep: {example}")
            }
            Self::Permissions => format!(
                "{entries} with permissions that keep others out, which FAT doesn't: {example}"
            ),
            Self::Selinux => {
                format!("{entries} with SELinux labels, which FAT doesn't keep: {example}")
            }
        }
    }

    /// Whether it is only told of.
    const fn is_harmless(self) -> bool {
        matches!(self, Self::Owner | Self::Permissions | Self::Selinux)
    }
}

/// A loss at one entry.
#[derive(Debug)]
struct Misfit {
    kind: Kind,
    directory: NodeId,
    name: Box<[u8]>,
    node: NodeId,
    why: String,
}

/// A tree that FAT holds, and what was lost.
#[derive(Debug)]
pub(super) struct Fitted<'a> {
    pub tree: Cow<'a, FileTree>,
    pub warnings: Vec<String>,
}

/// What of the requested tree FAT holds: every node has one name in it.
///
/// # Errors
/// `Unsupported` for the first that it doesn't, unless misfits are dropped.
pub(super) fn fit<'a>(request: &'a Request<'_>) -> Result<Fitted<'a>> {
    let tree = &request.tree;
    let mut losses = Losses::default();
    let misfits = losses.walk(tree);
    if let (Misfits::Refuse, Some(first)) = (request.misfits, misfits.first()) {
        return Err(refusal(request.place, tree, first));
    }
    let mut kept = Cow::Borrowed(tree);
    for misfit in &misfits {
        drop_misfit(request.place, kept.to_mut(), misfit)?;
    }
    Ok(Fitted {
        tree: kept,
        warnings: losses.warnings(),
    })
}

fn refusal(place: &str, tree: &FileTree, misfit: &Misfit) -> Error {
    let advice = "leave it out, have such things dropped, or use another filesystem";
    let message = format!(
        "'{}' {}, which FAT can't hold: {advice}",
        path(tree, misfit.directory, &misfit.name),
        misfit.why
    );
    Error::unsupported(place, message)
}

fn path(tree: &FileTree, directory: NodeId, name: &[u8]) -> String {
    let parent = tree.path(directory);
    format!("{}/{}", parent.escape_ascii(), name.escape_ascii())
}

fn drop_misfit(place: &str, tree: &mut FileTree, misfit: &Misfit) -> Result<()> {
    let Misfit {
        directory,
        name,
        node,
        ..
    } = misfit;
    match misfit.kind {
        Kind::HardLink => {
            let mut copy = tree.node(*node).clone();
            copy.xattrs = Xattrs::NONE;
            tree.remove(*directory, name);
            tree.put_in(place, *directory, name, copy)?;
        }
        Kind::SetId => {
            let mut attributes = tree.node(*node).attributes;
            attributes.permissions &= !SET_ID;
            tree.set_attributes(*node, attributes);
        }
        Kind::Xattrs => tree.set_xattrs(*node, Xattrs::NONE),
        _ => {
            tree.remove(*directory, name);
        }
    }
    Ok(())
}

/// How often something is lost, and the first one as an example.
#[derive(Debug, Default)]
struct Losses {
    counted: BTreeMap<Kind, (usize, String)>,
}

impl Losses {
    /// All misfits of a tree, below directories that aren't any themselves.
    fn walk(&mut self, tree: &FileTree) -> Vec<Misfit> {
        let mut found = Vec::new();
        let root = tree.node(FileTree::ROOT);
        self.check_harmless(root, || "/".to_owned());
        if let Some(why) = lost_xattrs(root) {
            self.count(Kind::Xattrs, || "/".to_owned());
            found.push(Misfit {
                kind: Kind::Xattrs,
                directory: FileTree::ROOT,
                name: Box::default(),
                node: FileTree::ROOT,
                why,
            });
        }
        let mut directories = vec![FileTree::ROOT];
        let mut names_of = HashMap::new();
        while let Some(directory) = directories.pop() {
            let before = directories.len();
            let mut seen = HashMap::new();
            for (name, node) in tree.entries(directory) {
                let path = || path(tree, directory, name);
                let misfits = misfits_of(tree, name, node, &mut seen, &mut names_of);
                let is_gone = misfits.iter().any(|(kind, _)| is_removed(*kind));
                for (kind, why) in misfits {
                    self.count(kind, path);
                    found.push(Misfit {
                        kind,
                        directory,
                        name: name.into(),
                        node,
                        why,
                    });
                }
                if is_gone {
                    continue;
                }
                let it = tree.node(node);
                self.check_harmless(it, path);
                if it.kind.is_directory() {
                    directories.push(node);
                }
            }
            // The first directory comes next.
            directories[before..].reverse();
        }
        found
    }

    fn count(&mut self, kind: Kind, path: impl FnOnce() -> String) {
        let (count, _) = self.counted.entry(kind).or_insert_with(|| (0, path()));
        *count += 1;
    }

    fn check_harmless(&mut self, node: &Node, path: impl Fn() -> String) {
        let attributes = node.attributes;
        if (attributes.uid, attributes.gid) != (0, 0) {
            let owner = || format!("{} ({}:{})", path(), attributes.uid, attributes.gid);
            self.count(Kind::Owner, owner);
        }
        let permissions = attributes.permissions;
        if permissions & ALL_MAY_READ != ALL_MAY_READ || permissions & STICKY != 0 {
            self.count(Kind::Permissions, || {
                format!("{} ({permissions:04o})", path())
            });
        }
        if node.xattrs.iter().any(is_selinux) {
            self.count(Kind::Selinux, path);
        }
    }

    fn warnings(self) -> Vec<String> {
        let sentence = |(kind, (count, example)): (Kind, (usize, String))| {
            let shown = match count {
                1 => format!("'{example}'"),
                _ => format!("'{example}' and others"),
            };
            kind.sentence(count, &shown)
        };
        self.counted.into_iter().map(sentence).collect()
    }
}

/// Whether an entry with such a misfit is left out.
const fn is_removed(kind: Kind) -> bool {
    debug_assert!(!kind.is_harmless());
    matches!(
        kind,
        Kind::Special | Kind::Name | Kind::Collision | Kind::TooLarge
    )
}

/// What is lost of an entry, and why. `seen` are the names of the directory by what FAT tells
/// them apart by, `names_of` how many names of a node came before.
fn misfits_of<'a>(
    tree: &'a FileTree,
    name: &'a [u8],
    id: NodeId,
    seen: &mut HashMap<String, &'a str>,
    names_of: &mut HashMap<NodeId, u32>,
) -> Vec<(Kind, String)> {
    let node = tree.node(id);
    match &node.kind {
        NodeKind::Directory => {}
        NodeKind::File(content) if content.len() > FILE_MAX => {
            let why = format!("has {} bytes, more than {FILE_MAX}", content.len());
            return vec![(Kind::TooLarge, why)];
        }
        NodeKind::File(_) => {}
        other => return vec![(Kind::Special, format!("is a {}", other.noun()))],
    }
    let text = match long_name::check(name) {
        Ok(text) => text,
        Err(why) => return vec![(Kind::Name, why)],
    };
    let folded = long_name::folded(text);
    if let Some(other) = seen.get(&folded) {
        let why = format!("differs from '{other}' only in case");
        return vec![(Kind::Collision, why)];
    }
    seen.insert(folded, text);
    let mut found = Vec::new();
    if let Some(why) = lost_xattrs(node) {
        found.push((Kind::Xattrs, why));
    }
    if node.attributes.permissions & SET_ID != 0 && !node.kind.is_directory() {
        let why = format!("has set-ID bits ({:04o})", node.attributes.permissions);
        found.push((Kind::SetId, why));
    }
    let links = tree.links(id);
    if links > 1 {
        let before = names_of.entry(id).or_default();
        *before += 1;
        // The first name keeps the file.
        if *before > 1 {
            found.push((Kind::HardLink, format!("is one of {links} names of a file")));
        }
    }
    found
}

fn is_selinux(xattr: &Xattr) -> bool {
    *xattr.name == *SELINUX
}

fn lost_xattrs(node: &Node) -> Option<String> {
    let lost = node.xattrs.iter().find(|xattr| !is_selinux(xattr))?;
    let name = lost.name.escape_ascii();
    Some(format!("has the extended attribute {name}"))
}
