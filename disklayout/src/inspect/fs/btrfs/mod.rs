//! Reads Btrfs on one device.
//!
//! "On-disk Format" of the Btrfs documentation. What is shown is what a mount shows: the default
//! subvolume, and others where their names are in it. Checksums of metadata are verified, those of
//! data aren't. The log tree isn't replayed.

mod checksum;
mod chunks;
mod dir_item;
mod extents;
mod facts;
mod features;
mod format;
mod inode;
mod key;
mod nodes;
mod subvolumes;
mod superblock;
mod tree;
mod xattr;

use crate::error::{Error, Result};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::node::{Node, NodeKind, Place, Xattr};
use crate::inspect::fs::{Filesystem, Reader};
use chunks::Chunks;
use format::{CHUNK_ITEM, DIR_INDEX, FIRST_CHUNK_TREE, FS_TREE, SuperBlock};
use key::Key;
use nodes::Nodes;
use subvolumes::Roots;
use tree::Tree;

/// How many times as large as the filesystem its directories may be: those of snapshots are the same
/// bytes.
const SNAPSHOTS: u64 = 16;

/// What an entry of a directory takes in a leaf beside its item.
const ITEM_HEAD: u64 = size_of::<format::Item>() as u64;

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    let Some((raw, fault)) = superblock::primary(&area)? else {
        return Ok(None);
    };
    let Some(fault) = fault else {
        return Ok(Some(filesystem(area, raw)));
    };
    let mut found = match superblock::copy(&area) {
        Some((copy, at)) => filesystem(area, copy).of_copy(superblock::PLACE, at),
        None => filesystem(area, raw),
    };
    found.facts.warn(fault.to_string());
    Ok(Some(found))
}

pub(super) fn probe_backup(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    let found = superblock::copy(&area);
    Ok(found.map(|(raw, at)| filesystem(area, raw).of_copy(superblock::PLACE, at)))
}

/// With its files, unless something is in the way, which is told.
fn filesystem(area: Area<'_>, raw: SuperBlock) -> Filesystem<'_> {
    let mut facts = facts::facts(&raw);
    match Btrfs::open(area, &raw) {
        Ok(btrfs) => Filesystem::new(area, facts, Some(Box::new(btrfs))),
        Err(error) => {
            facts.warn(format!("its files can't be read here: {error}"));
            Filesystem::without_files(area, facts)
        }
    }
}

#[derive(Debug)]
struct Btrfs<'a> {
    nodes: Nodes<'a>,
    roots: Roots,
    /// The subvolume that is shown.
    default: u64,
    /// Bytes that are compressed one after the other.
    sector: u32,
}

impl<'a> Btrfs<'a> {
    fn open(area: Area<'a>, raw: &SuperBlock) -> Result<Self> {
        raw.check()?;
        let system = Nodes::new(area, raw, Chunks::of_system(raw)?);
        let chunk_tree = Tree {
            root: raw.chunk_root.get(),
            level: raw.chunk_root_level,
        };
        let mut chunks = Chunks::default();
        let range = Key::all(FIRST_CHUNK_TREE, CHUNK_ITEM);
        system.each(chunk_tree, range, &mut |key, item| {
            chunks.add(raw, key.offset, item)?;
            Ok(true)
        })?;
        let nodes = Nodes::new(area, raw, chunks);
        let roots = Roots {
            tree: Tree {
                root: raw.root.get(),
                level: raw.root_level,
            },
            directory: raw.root_dir_objectid.get(),
        };
        let default = roots.default(&nodes)?;
        Ok(Self {
            nodes,
            roots,
            default,
            sector: raw.sectorsize.get(),
        })
    }
}

impl Reader for Btrfs<'_> {
    fn root(&self) -> Result<Node> {
        self.root_of(self.default)
    }

    fn top(&self) -> Result<Option<Node>> {
        self.root_of(FS_TREE).map(Some)
    }

    fn directories(&self, filesystem: u64) -> u64 {
        filesystem.saturating_mul(SNAPSHOTS)
    }

    fn list(&self, directory: &Node, listing: &mut Listing<'_>) -> Result<()> {
        if directory.place == Place::Empty {
            return Ok(());
        }
        let place = format!("directory of {}", directory.place());
        if directory.kind != NodeKind::Directory {
            return Err(Error::corrupt(place, "it is no directory"));
        }
        let subvolume = self.subvolume_of(directory)?;
        let range = Key::all(directory.number, DIR_INDEX);
        self.nodes.each(subvolume.tree, range, &mut |_, item| {
            listing.charge(&place, item.len() as u64 + ITEM_HEAD)?;
            dir_item::each(&place, item, &mut |entry| {
                let named = (entry.name, entry.location);
                let node = self.entry(subvolume, directory, named)?;
                listing.push(&place, entry.name.to_vec(), node)
            })?;
            Ok(true)
        })
    }

    fn data(&self, node: &Node) -> Result<Data> {
        extents::data(self, node)
    }

    fn xattrs(&self, node: &Node) -> Result<Vec<Xattr>> {
        match node.place {
            Place::Empty => Ok(Vec::new()),
            _ => xattr::all(self, node),
        }
    }
}
