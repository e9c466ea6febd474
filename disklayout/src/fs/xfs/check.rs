//! What XFS, and a prototype of mkfs.xfs, can't hold.

use super::format::{BIGTIME_END, BIGTIME_START};
use super::{Geometry, attributes, names, segments};
use crate::error::{Error, Result};
use crate::fs::Misfits;
use crate::tree::{FileTree, Node, NodeId, NodeKind, Xattrs};

/// The smallest filesystem that mkfs.xfs makes, in bytes.
pub const MIN_SIZE: u64 = 300 << 20;

/// The largest one: what a file of the host can have, in bytes.
pub const MAX_SIZE: u64 = 1 << 62;

/// The longest label in bytes.
pub const LABEL_MAX: usize = 12;

/// The longest target of a symbolic link in bytes (`XFS_SYMLINK_MAXLEN`, with the NUL at its end).
const SYMLINK_MAX: usize = 1023;

/// Devices have 9 bits for their major number in Linux, and 18 for the minor one.
const MAJOR_MAX: u32 = 511;
const MINOR_MAX: u32 = (1 << 18) - 1;

/// With more than this, in bytes, numbers of inodes may exceed 32 bits.
const SMALL_NUMBERS: u64 = 1 << 40;

/// Refuses a label that XFS can't hold.
///
/// # Errors
/// `InvalidSpec` at `place`.
pub fn check_label(place: &str, label: &str) -> Result<()> {
    if label.len() > LABEL_MAX {
        let len = label.len();
        let message = format!("the label '{label}' has {len} bytes; XFS holds {LABEL_MAX}");
        return Err(Error::invalid(place, message));
    }
    Ok(())
}

/// Whether any node has several names.
pub fn has_links(tree: &FileTree) -> bool {
    tree.nodes().any(|(id, _)| tree.links(id) > 1)
}

/// Refuses what can't be in a filesystem of `size` bytes, or takes it out of the tree and tells
/// what that is.
///
/// # Errors
/// `InvalidSpec` or `Unsupported` at `place`.
pub fn check_tree(
    place: &str,
    tree: &mut FileTree,
    geometry: Geometry,
    size: u64,
    misfits: Misfits,
) -> Result<Vec<String>> {
    for (id, node) in tree.nodes() {
        let seconds = node.attributes.mtime.seconds;
        if !(BIGTIME_START..=BIGTIME_END).contains(&seconds) {
            let path = tree.path(id);
            let message = format!(
                "'{}': {seconds} seconds since 1970 is no time of XFS, which has 1901 to 2486",
                path.escape_ascii()
            );
            return Err(Error::invalid(place, message));
        }
    }
    if size > SMALL_NUMBERS && has_links(tree) {
        let message = "hard links can't be made in an XFS filesystem of more than 1 TiB";
        return Err(Error::unsupported(place, message));
    }
    let names = bad_names(tree, geometry);
    let attributes = bad_attributes(tree, geometry);
    let first_of = |problems: &[String]| problems.first().cloned();
    if misfits == Misfits::Refuse {
        let all = names
            .iter()
            .map(|(_, _, why)| why)
            .chain(attributes.iter().map(|(_, why)| why));
        return match all.into_iter().next() {
            None => Ok(Vec::new()),
            Some(why) => Err(Error::unsupported(place, why.as_str())),
        };
    }
    let mut warnings = Vec::new();
    let reasons: Vec<String> = names.iter().map(|(_, _, why)| why.clone()).collect();
    if let Some(first) = first_of(&reasons) {
        warnings.push(format!("left out {} files: {first}", reasons.len()));
    }
    for (directory, name, _) in names {
        tree.remove(directory, &name);
    }
    let reasons: Vec<String> = attributes.iter().map(|(_, why)| why.clone()).collect();
    if let Some(first) = first_of(&reasons) {
        warnings.push(format!(
            "left out the attributes of {} files: {first}",
            reasons.len()
        ));
    }
    for (node, _) in attributes {
        tree.set_xattrs(node, Xattrs::NONE);
    }
    Ok(warnings)
}

/// Names that lead to what can't be made, each with the reason.
fn bad_names(tree: &FileTree, geometry: Geometry) -> Vec<(NodeId, Vec<u8>, String)> {
    let mut found = Vec::new();
    for (directory, node) in tree.nodes() {
        if !node.kind.is_directory() {
            continue;
        }
        for (name, id) in tree.entries(directory) {
            let why = match bad_kind(tree.node(id), geometry) {
                None if !has_stand_in(tree, directory, name) => {
                    Some("mkfs.xfs can't be told of a name like this".to_owned())
                }
                other => other,
            };
            if let Some(why) = why {
                let path = [&tree.path(directory), &b"/"[..], name].concat();
                found.push((
                    directory,
                    name.to_vec(),
                    format!("'{}': {why}", path.escape_ascii()),
                ));
            }
        }
    }
    found
}

fn has_stand_in(tree: &FileTree, directory: NodeId, name: &[u8]) -> bool {
    names::is_sayable(name)
        || names::stand_in(name, |other| tree.entry(directory, other).is_none()).is_some()
}

fn bad_kind(node: &Node, geometry: Geometry) -> Option<String> {
    match &node.kind {
        NodeKind::Symlink(target) if target.len() > SYMLINK_MAX => Some(format!(
            "a symbolic link of {} bytes; XFS holds {SYMLINK_MAX}",
            target.len()
        )),
        // Some versions of mkfs.xfs write what is outside of inodes in a form that isn't valid.
        NodeKind::Symlink(target) if target.len() > geometry.literal_area() => Some(format!(
            "a symbolic link of {} bytes; an inode of {} bytes holds {}, a larger inode-size more",
            target.len(),
            geometry.inode_size,
            geometry.literal_area()
        )),
        NodeKind::CharacterDevice(device) | NodeKind::BlockDevice(device)
            if device.minor > MINOR_MAX || device.major > MAJOR_MAX =>
        {
            Some(format!(
                "device {}:{}; XFS holds numbers up to {MAJOR_MAX}:{MINOR_MAX}",
                device.major, device.minor
            ))
        }
        _ => None,
    }
}

/// Nodes whose attributes don't fit into an inode, each with the reason.
fn bad_attributes(tree: &FileTree, geometry: Geometry) -> Vec<(NodeId, String)> {
    let mut found = Vec::new();
    for (id, node) in tree.nodes() {
        if let Err(why) = fit(tree, id, node, geometry) {
            found.push((id, format!("'{}': {why}", tree.path(id).escape_ascii())));
        }
    }
    found
}

fn fit(
    tree: &FileTree,
    id: NodeId,
    node: &Node,
    geometry: Geometry,
) -> std::result::Result<(), String> {
    let attributes = attributes::encode(&node.xattrs)?.len();
    let area = geometry.literal_area();
    let data = data_fork(tree, id, node, geometry);
    let is_short_target =
        matches!(&node.kind, NodeKind::Symlink(target) if !names::is_word(target));
    if attributes + data > area && (attributes > 0 || is_short_target) {
        let size = geometry.inode_size;
        return Err(format!(
            "its attributes need {attributes} bytes beside {data} others in an inode, which has \
             {area} for both; a larger inode-size than {size}, up to 2048, may hold them"
        ));
    }
    Ok(())
}

/// Up to how many bytes of an inode lead to the data.
fn data_fork(tree: &FileTree, id: NodeId, node: &Node, geometry: Geometry) -> usize {
    const EXTENT: usize = 16;
    /// Into how many extents mkfs.xfs may cut what is in one piece.
    const CUTS: usize = 6;
    match &node.kind {
        NodeKind::File(content) => {
            let block_size = geometry.block_size.into();
            let segments = segments::segments(content, block_size, geometry.segments());
            EXTENT * (segments.len() + CUTS)
        }
        NodeKind::Symlink(target) => target.len(),
        NodeKind::Directory => {
            let names = tree.entries(id).map(|(name, _)| name.len() + 8);
            let short = 6 + names.sum::<usize>();
            if short <= geometry.literal_area() {
                short
            } else {
                EXTENT * (2 + CUTS)
            }
        }
        _ => 8,
    }
}
