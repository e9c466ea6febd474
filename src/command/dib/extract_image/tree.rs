//! The tree of a system, of what is mounted where.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use disklayout::Timestamp;
use disklayout::inspect::fs::{self, Entry, Filesystem};
use disklayout::tree::{
    Attributes, Content, Device, Extent, FileTree, Node, NodeId, NodeKind, Store, Xattr, Xattrs,
};

use super::feed::Wanted;
use super::mounts::Mount;

/// Where device nodes are left out, as they are made anew wherever the system runs.
const DEVICES: &[u8] = b"/dev/";

/// An attribute that is of the machine on which files are.
const LABEL: &[u8] = b"security.selinux";

/// What the system is called in messages.
const PLACE: &str = "the system";

/// The attribute of DOS that nobody may write to a file.
const READ_ONLY: u32 = 1;

/// A tree that grows, and the files of which the data is in it.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    tree: FileTree,
    /// Where all data is: one piece behind the other, in the order of `files`.
    store: Arc<Store>,
    end: u64,
    files: Vec<Wanted<'a>>,
}

impl<'a> Assembly<'a> {
    /// An empty tree, of which the data will be in `store`.
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self {
            tree: FileTree::new(Timestamp::default()),
            store,
            end: 0,
            files: Vec::new(),
        }
    }

    /// Takes all that is seen of `mounts`, the root first.
    ///
    /// # Errors
    /// When a filesystem can't be read.
    pub(super) fn take(&mut self, mounts: &[Mount<'a>]) -> Result<()> {
        let mut pending: Vec<_> = mounts.iter().rev().collect();
        while let Some(mount) = pending.pop() {
            self.take_mount(mount, &mut pending)?;
        }
        Ok(())
    }

    /// The tree, and the files of which its data is.
    pub(super) fn finish(self) -> (FileTree, Vec<Wanted<'a>>) {
        (self.tree, self.files)
    }

    /// Takes a filesystem, and those that are mounted on its directories where they are met, so that
    /// all data is read in the order of names.
    fn take_mount(&mut self, mount: &Mount<'a>, pending: &mut Vec<&Mount<'a>>) -> Result<()> {
        let filesystem = mount.filesystem;
        let mut walk = filesystem.walk_from(mount.top.clone())?;
        let mut parents = Vec::new();
        let mut links = HashMap::new();
        // The directory that something is mounted on.
        let mut covered: Option<Vec<u8>> = None;
        while let Some(entry) = walk.next()? {
            if covered
                .as_ref()
                .is_some_and(|it| entry.path.starts_with(it))
            {
                continue;
            }
            let path = match entry.depth {
                0 => mount.path.clone(),
                _ => [&mount.path[..], &entry.path].concat(),
            };
            let is_directory = entry.node.kind == fs::NodeKind::Directory;
            let is_covered = |it: &&Mount<'_>| is_directory && entry.depth > 0 && it.path == path;
            if let Some(index) = pending.iter().position(is_covered) {
                let inner = pending.remove(index);
                self.take_mount(inner, pending)?;
                covered = Some([&entry.path[..], b"/"].concat());
                continue;
            }
            let identity = (entry.node.subvolume, entry.node.number);
            let is_linked = !is_directory && entry.node.links.is_some_and(|links| links > 1);
            let known = links.get(&identity).copied().filter(|_| is_linked);
            parents.truncate(entry.depth);
            let id = match (known, parents.last()) {
                (Some(known), Some(parent)) => {
                    self.tree.link_in(PLACE, *parent, entry.name(), known)?;
                    continue;
                }
                (_, parent) => {
                    let shown = || format!("'{}'", path.escape_ascii());
                    let node = self.node(filesystem, &entry, &path).with_context(shown)?;
                    let Some(node) = node else { continue };
                    self.put(parent.copied(), (&path, entry.name()), node)?
                }
            };
            if is_directory {
                parents.push(id);
            }
            if is_linked {
                links.insert(identity, id);
            }
        }
        Ok(())
    }

    fn put(
        &mut self,
        parent: Option<NodeId>,
        (path, name): (&[u8], &[u8]),
        node: Node,
    ) -> Result<NodeId> {
        Ok(match parent {
            Some(parent) => self.tree.put_in(PLACE, parent, name, node)?,
            None if path.is_empty() => self.tree.put(PLACE, b"/", node)?,
            None => self.tree.put(PLACE, path, node)?,
        })
    }

    /// What an entry becomes; nothing of a device that is left out.
    fn node(
        &mut self,
        filesystem: &'a Filesystem<'a>,
        entry: &Entry,
        path: &[u8],
    ) -> Result<Option<Node>> {
        let found = &entry.node;
        let device = |major, minor| Device { major, minor };
        let kind = match found.kind {
            fs::NodeKind::CharacterDevice(..) | fs::NodeKind::BlockDevice(..)
                if path.starts_with(DEVICES) =>
            {
                return Ok(None);
            }
            fs::NodeKind::Directory => NodeKind::Directory,
            fs::NodeKind::File => NodeKind::File(self.content(filesystem, found)?),
            fs::NodeKind::Symlink => NodeKind::Symlink(filesystem.target(found)?.into()),
            fs::NodeKind::CharacterDevice(major, minor) => {
                NodeKind::CharacterDevice(device(major, minor))
            }
            fs::NodeKind::BlockDevice(major, minor) => NodeKind::BlockDevice(device(major, minor)),
            fs::NodeKind::Fifo => NodeKind::Fifo,
            fs::NodeKind::Socket => NodeKind::Socket,
        };
        let xattrs = filesystem.xattrs(found)?.into_iter();
        let xattrs = xattrs.filter(|xattr| xattr.name != LABEL);
        let xattrs = xattrs.map(|xattr| Xattr {
            name: xattr.name.into(),
            value: xattr.value.into(),
        });
        Ok(Some(Node {
            kind,
            attributes: attributes(found),
            xattrs: Xattrs::new(xattrs),
        }))
    }

    /// What is in a file, behind all that is there already.
    fn content(&mut self, filesystem: &'a Filesystem<'a>, node: &fs::Node) -> Result<Content> {
        let file = filesystem.open(node)?;
        let start = self.end;
        let extents = file.pieces().map(|(logical, len)| {
            let offset = self.end;
            self.end += len;
            Extent {
                logical,
                len,
                offset,
            }
        });
        let extents: Vec<_> = extents.collect();
        if !extents.is_empty() {
            self.files.push((filesystem, node.clone()));
        }
        Ok(match &extents[..] {
            [only] if only.len == file.len() => Content::stored(&self.store, start, only.len),
            [] if file.is_empty() => Content::inline(b""),
            _ => Content::stored_with_holes(&self.store, file.len(), extents),
        })
    }
}

/// Owner, permissions and time: where the format has none, those that a mount by root shows.
fn attributes(node: &fs::Node) -> Attributes {
    let is_read_only = node
        .dos_attributes
        .is_some_and(|bits| bits & READ_ONLY != 0);
    let usual = if is_read_only { 0o555 } else { 0o755 };
    let (uid, gid) = node.owner.unwrap_or_default();
    Attributes {
        permissions: node.permissions.unwrap_or(usual),
        uid,
        gid,
        mtime: node.modified.unwrap_or_default(),
    }
}
