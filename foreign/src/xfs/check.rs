//! What XFS, and a prototype of mkfs.xfs, can't hold.

use disklayout::fs::Request;
use disklayout::fs::misfits::{Loss, Survey};
use disklayout::tree::{Device, FileTree, Node, NodeId, NodeKind, Xattrs};
use disklayout::{Bytes, Error, Place, Result};

use super::format::{BIGTIME_END, BIGTIME_START};
use super::geometry::Geometry;
use super::{attributes, names, segments};

/// The smallest filesystem that mkfs.xfs makes, in bytes.
pub(super) const MIN_SIZE: u64 = 300 << 20;

/// The largest one: what a file of the host can have, in bytes.
pub(super) const MAX_SIZE: u64 = 1 << 62;

/// The longest label in bytes.
pub(super) const LABEL_MAX: usize = 12;

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
pub(super) fn check_label(place: &Place, label: &str) -> Result<()> {
    if label.len() > LABEL_MAX {
        let len = label.len();
        let message = format!("the label '{label}' has {len} bytes; XFS holds {LABEL_MAX}");
        return Err(Error::invalid(place, message));
    }
    Ok(())
}

/// Whether any node has several names.
pub(super) fn has_links(tree: &FileTree) -> bool {
    tree.nodes().any(|(id, _)| tree.links(id) > 1)
}

/// Takes out of the tree what can't be in a filesystem, and moves times into its range: a sentence
/// for each kind of loss.
///
/// # Errors
/// `Unsupported` at the request's place where something would be lost that may not be.
pub(super) fn adapt(request: &mut Request<'_>, geometry: Geometry) -> Result<Vec<String>> {
    let mut survey = Survey::new(request, "XFS");
    let tree = &mut request.tree;
    survey.keep_entries(tree, |tree, directory, name, id| {
        bad_kind(tree.node(id), geometry).or_else(|| bad_name(tree, directory, name))
    })?;
    survey.keep_owners(tree)?;
    survey.keep_xattrs(tree, |tree, id, xattrs| fit(tree, id, xattrs, geometry))?;
    // Both forms begin in 1901.
    let end = match geometry.bigtime {
        true => BIGTIME_END,
        false => i32::MAX.into(),
    };
    let times = BIGTIME_START..=end;
    survey.keep_times(tree, Loss::Time, times, "")?;
    Ok(survey.into_warnings())
}

/// Refuses hard links in a filesystem of `size` if they can't be made there.
///
/// # Errors
/// `Unsupported` at `place`.
pub(super) fn check_links(place: &Place, tree: &FileTree, size: Bytes) -> Result<()> {
    if size.get() > SMALL_NUMBERS && has_links(tree) {
        let message = "hard links can't be made in an XFS filesystem of more than 1 TiB";
        return Err(Error::unsupported(place, message));
    }
    Ok(())
}

fn bad_name(tree: &FileTree, directory: NodeId, name: &[u8]) -> Option<(Loss, String)> {
    let is_free = |other: &[u8]| tree.entry(directory, other).is_none();
    let is_held = names::is_sayable(name) || names::stand_in(name, is_free).is_some();
    let why = "has a name of which mkfs.xfs can't be told";
    (!is_held).then(|| (Loss::Name, why.to_owned()))
}

fn bad_kind(node: &Node, geometry: Geometry) -> Option<(Loss, String)> {
    let area = geometry.literal_area();
    match &node.kind {
        NodeKind::Symlink(target) if target.len() > SYMLINK_MAX => {
            let len = target.len();
            let why = format!("is a symbolic link of {len} bytes, more than {SYMLINK_MAX}");
            Some((Loss::Target, why))
        }
        // Some versions of mkfs.xfs write what is outside of inodes in a form that isn't valid.
        NodeKind::Symlink(target) if target.len() > area => {
            let (len, size) = (target.len(), geometry.inode_size);
            let why = format!(
                "is a symbolic link of {len} bytes, more than the {area} of an inode of {size} \
                 (a larger inode-size has more)"
            );
            Some((Loss::Target, why))
        }
        NodeKind::CharacterDevice(device) | NodeKind::BlockDevice(device)
            if device.minor > MINOR_MAX || device.major > MAJOR_MAX =>
        {
            let Device { major, minor } = device;
            let why = format!("is device {major}:{minor}, beyond {MAJOR_MAX}:{MINOR_MAX}");
            Some((Loss::Device, why))
        }
        _ => None,
    }
}

/// Whether a node with these attributes fits into an inode.
fn fit(tree: &FileTree, id: NodeId, xattrs: &Xattrs, geometry: Geometry) -> Result<(), String> {
    let node = tree.node(id);
    let attributes = attributes::encode(xattrs)?.len();
    let area = geometry.literal_area();
    let data = data_fork(tree, id, node, geometry);
    if attributes > 0 && attributes + data > area {
        let size = geometry.inode_size;
        return Err(format!(
            "{attributes} bytes with it beside {data} others, and an inode of {size} has {area}; \
             a larger inode-size, up to 2048, has more"
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
