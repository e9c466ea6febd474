//! What of a tree ext2, ext3 and ext4 can't hold, and the blocks that the rest needs.

use std::cell::RefCell;
use std::collections::HashMap;

use super::defaults::Flavor;
use super::demand;
use super::parameters::Parameters;
use super::xattr::{self, Outside};
use super::{block_map, extents, inode};
use crate::error::Result;
use crate::fs::Request;
use crate::fs::misfits::{Loss, Survey};
use crate::tree::{FileTree, Node, NodeKind, Xattrs};

/// The sizes of blocks, the smallest first.
pub(super) const BLOCK_SIZES: [u32; 3] = [1024, 2048, 4096];
/// A file above this size needs the feature `large_file`.
const SMALL_FILE_MAX: u64 = (1 << 31) - 1;
/// Without `huge_file` an inode counts its blocks as 32 bits of sectors.
pub(super) const SMALL_SECTORS_MAX: u64 = u32::MAX as u64;

/// Changes the tree of `request` until a filesystem of `parameters` holds it: a sentence for each
/// kind of loss.
///
/// # Errors
/// `Unsupported` at the request's place where something would be lost that may not be.
pub(super) fn adapt(request: &mut Request<'_>, parameters: &Parameters) -> Result<Vec<String>> {
    let mut survey = Survey::new(request, parameters.flavor.name());
    let tree = &mut request.tree;
    let limits = Limits::new(parameters);
    survey.keep_entries(tree, |tree, _, _, id| limits.entry(tree.node(id)))?;
    survey.keep_xattrs(tree, |_, _, xattrs| limits.xattrs(xattrs))?;
    survey.keep_owners(tree)?;
    let (seconds, advice) = match parameters.extra_isize() {
        0 => (inode::SHORT_SECONDS, ", and inode-size 256 holds more"),
        _ => (inode::SECONDS, ""),
    };
    survey.keep_times(tree, Loss::FarTime, seconds, advice)?;
    Ok(survey.into_warnings())
}

/// The smallest blocks in which all of an adapted tree can be.
pub(super) fn least_block_size(parameters: &Parameters, tree: &FileTree) -> u32 {
    let mut least = parameters.inode_size.max(BLOCK_SIZES[0]);
    let mut seen: HashMap<&Xattrs, ()> = HashMap::new();
    for (_, node) in tree.nodes() {
        let is_new = !node.xattrs.is_empty() && seen.insert(&node.xattrs, ()).is_none();
        let xattrs = is_new.then_some(&node.xattrs);
        let mut sizes = BLOCK_SIZES.into_iter();
        let found = sizes.find(|size| *size >= least && holds(parameters, *size, node, xattrs));
        least = found.unwrap_or(BLOCK_SIZES[2]);
    }
    least
}

/// Whether a node can be in blocks of this size, with no value of an attribute outside of them.
fn holds(parameters: &Parameters, block_size: u32, node: &Node, xattrs: Option<&Xattrs>) -> bool {
    let fits = match &node.kind {
        NodeKind::File(content) => content.len() <= file_max(parameters, block_size),
        NodeKind::Symlink(target) => target.len() < block_size as usize,
        _ => true,
    };
    let room = demand::xattr_room(parameters);
    let stored = |xattrs| xattr::check(xattrs, room, block_size as usize, Outside::Never);
    fits && xattrs.is_none_or(|xattrs| stored(xattrs).is_ok())
}

/// The most bytes of a file.
pub(super) fn file_max(parameters: &Parameters, block_size: u32) -> u64 {
    let features = parameters.features;
    let block = u64::from(block_size);
    let addressed = if features.has_extents() {
        extents::MOST_BLOCKS * block
    } else {
        // Linux reads no further than the number of sectors that an inode can have.
        let sectors = (SMALL_SECTORS_MAX + 1) * 512 - 1;
        sectors.min(block_map::most_blocks(block_size) * block)
    };
    match features.has_large_file() {
        true => addressed,
        false => addressed.min(SMALL_FILE_MAX),
    }
}

/// What can be held at most.
struct Limits<'a> {
    parameters: &'a Parameters,
    /// The largest blocks that there may be.
    block_size: u32,
    /// What was said of attributes that were seen already.
    known: RefCell<HashMap<Xattrs, Result<(), String>>>,
}

impl<'a> Limits<'a> {
    fn new(parameters: &'a Parameters) -> Self {
        Self {
            parameters,
            block_size: parameters.block_size.unwrap_or(BLOCK_SIZES[2]),
            known: RefCell::default(),
        }
    }

    fn entry(&self, node: &Node) -> Option<(Loss, String)> {
        match &node.kind {
            NodeKind::File(content) => {
                let most = file_max(self.parameters, self.block_size);
                let why = || self.too_large(content.len(), most);
                (content.len() > most).then(|| (Loss::TooLarge, why()))
            }
            NodeKind::Symlink(target) => {
                let (len, most) = (target.len(), self.block_size as usize - 1);
                let advice = self.larger_blocks(|size| len < size as usize);
                let why = || format!("is a symbolic link of {len} bytes, more than {most}{advice}");
                (len > most).then(|| (Loss::Target, why()))
            }
            _ => None,
        }
    }

    fn too_large(&self, len: u64, most: u64) -> String {
        let advice = if !self.parameters.features.has_large_file() && len > SMALL_FILE_MAX {
            ", and the feature large_file holds more".to_owned()
        } else {
            self.larger_blocks(|size| len <= file_max(self.parameters, size))
        };
        format!("is too large with {len} bytes, more than {most}{advice}")
    }

    fn xattrs(&self, xattrs: &Xattrs) -> Result<(), String> {
        if let Some(known) = self.known.borrow().get(xattrs) {
            return known.clone();
        }
        let found = self.check_xattrs(xattrs);
        self.known
            .borrow_mut()
            .insert(xattrs.clone(), found.clone());
        found
    }

    fn check_xattrs(&self, xattrs: &Xattrs) -> Result<(), String> {
        if !self.parameters.features.has_ext_attr() {
            return Err("the feature ext_attr is left out".to_owned());
        }
        let room = demand::xattr_room(self.parameters);
        let outside = self.parameters.outside();
        let check = |size: u32, outside| xattr::check(xattrs, room, size as usize, outside);
        check(self.block_size, outside).map_err(|problem| {
            let has_room = |outside| check(self.block_size, outside).is_ok();
            let advice = if !matches!(problem, xattr::Problem::TooLarge { .. }) {
                String::new()
            } else if !has_room(Outside::Allowed) {
                self.larger_blocks(|size| check(size, outside).is_ok())
            } else if self.parameters.flavor == Flavor::Ext4 {
                ", and the feature ea_inode holds it".to_owned()
            } else {
                ", and ext4 holds it".to_owned()
            };
            format!("{problem}{advice}")
        })
    }

    /// Which larger blocks hold it, where there are some.
    fn larger_blocks(&self, hold: impl Fn(u32) -> bool) -> String {
        let mut larger = BLOCK_SIZES.into_iter().filter(|it| *it > self.block_size);
        let found = larger.find(|size| hold(*size));
        found.map_or_else(String::new, |size| {
            format!(", and block-size {size} holds it")
        })
    }
}
