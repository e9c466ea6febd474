//! Inodes, whose numbers count in their subvolume.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::identity::Timestamp;
use crate::inspect::fs::btrfs::Btrfs;
use crate::inspect::fs::btrfs::format::{FIRST_FREE, INODE_ITEM, InodeItem, ROOT_ITEM};
use crate::inspect::fs::btrfs::key::Key;
use crate::inspect::fs::btrfs::tree::Tree;
use crate::inspect::fs::node::{Node, NodeKind, Place};

/// The number that the kernel gives directories in place of subvolumes that are elsewhere.
const PLACEHOLDER: u64 = 2;

/// A tree of files and its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subvolume {
    pub(super) number: u64,
    pub(super) tree: Tree,
}

impl Btrfs<'_> {
    /// The subvolume with this number, which has to exist.
    pub(super) fn subvolume(&self, number: u64) -> Result<Subvolume> {
        let tree = self.roots.tree(&self.nodes, number)?;
        let place = || format!("subvolume {number}");
        let tree = tree.ok_or_else(|| Error::corrupt(place(), "it has no root"))?;
        Ok(Subvolume { number, tree })
    }

    /// The subvolume that a node is in.
    pub(super) fn subvolume_of(&self, node: &Node) -> Result<Subvolume> {
        self.subvolume(node.subvolume.unwrap_or(self.default))
    }

    /// The root directory of a subvolume.
    pub(super) fn root_of(&self, number: u64) -> Result<Node> {
        let subvolume = self.subvolume(number)?;
        self.node(subvolume, FIRST_FREE)
    }

    pub(super) fn node(&self, subvolume: Subvolume, number: u64) -> Result<Node> {
        let place = format!("inode {number} of subvolume {}", subvolume.number);
        let item = self
            .nodes
            .item(subvolume.tree, Key::new(number, INODE_ITEM, 0))?;
        let item = item.ok_or_else(|| Error::corrupt(&*place, "there is none"))?;
        let (raw, _) = InodeItem::read_from_prefix(&item)
            .map_err(|_| Error::corrupt(&*place, "its item is too short"))?;
        let mode = raw.mode.get();
        let kind = u16::try_from(mode).ok();
        let kind = kind.and_then(|mode| NodeKind::from_mode(mode, || device(raw.rdev.get())));
        let kind = kind.ok_or_else(|| Error::corrupt(&*place, format!("its mode is {mode:o}")))?;
        let size = match kind {
            NodeKind::File | NodeKind::Symlink => raw.size.get(),
            _ => 0,
        };
        if i64::try_from(size).is_err() {
            return Err(Error::corrupt(place, format!("it has {size} bytes")));
        }
        Ok(Node {
            subvolume: Some(subvolume.number),
            permissions: Some((mode & 0o7777) as u16),
            owner: Some((raw.uid.get(), raw.gid.get())),
            links: Some(raw.nlink.get()),
            modified: Some(Timestamp {
                seconds: raw.mtime.sec.get() as i64,
                nanoseconds: raw.mtime.nsec.get().min(999_999_999),
            }),
            ..Node::new(number, kind, size)
        })
    }

    /// What a name in a directory leads to.
    pub(super) fn entry(
        &self,
        subvolume: Subvolume,
        directory: &Node,
        (name, location): (&[u8], Key),
    ) -> Result<Node> {
        match location.kind {
            INODE_ITEM => self.node(subvolume, location.object),
            ROOT_ITEM => {
                let number = location.object;
                let at = (subvolume.number, directory.number, name);
                match self.roots.belongs(&self.nodes, number, at)? {
                    true => self.root_of(number),
                    false => Ok(placeholder(number, directory)),
                }
            }
            kind => {
                let place = format!("directory of {}", directory.place());
                let message = format!("a name leads to an item of the kind {kind}");
                Err(Error::corrupt(place, message))
            }
        }
    }
}

/// As the kernel shows, in a directory, a subvolume that was part of what a snapshot was made of.
fn placeholder(number: u64, directory: &Node) -> Node {
    Node {
        subvolume: Some(number),
        permissions: Some(0o755),
        owner: directory.owner,
        place: Place::Empty,
        ..Node::new(PLACEHOLDER, NodeKind::Directory, 0)
    }
}

/// As Linux has it in memory: 12 bits and 20.
const fn device(number: u64) -> (u32, u32) {
    ((number >> 20) as u32 & 0xFFF, number as u32 & 0xF_FFFF)
}
