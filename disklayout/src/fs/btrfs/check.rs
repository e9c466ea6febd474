//! What Btrfs, and mkfs.btrfs, can't hold.

use super::names::stand_in;
use super::subvolumes::{self, Subvolume};
use crate::error::{Error, Result};
use crate::fs::Request;
use crate::fs::misfits::{Survey, check_xattr};
use crate::fs::options::place_of;
use crate::tree::{NAME_MAX, NodeKind, Xattrs};

/// The smallest filesystem that mkfs.btrfs makes, in bytes.
pub const MIN_SIZE: u64 = 114_294_784;

/// The smallest one with data and metadata in the same chunks, in bytes.
pub const MIN_SIZE_MIXED: u64 = 16 << 20;

/// The longest label in bytes.
pub const LABEL_MAX: usize = 255;

/// The longest path in bytes: the program uses paths as a whole.
pub const PATH_MAX: usize = 3840;

/// What a node has beside the name and the value of an attribute (`BTRFS_MAX_XATTR_SIZE`): a header,
/// an item and a `btrfs_dir_item`.
const NODE_OVERHEAD: u64 = 101 + 25 + 30;
/// The longest target of a symbolic link, in bytes, that has attributes.
const TARGET_MAX: usize = 2000;

/// Refuses a label that Btrfs can't hold.
///
/// # Errors
/// `InvalidSpec` at `place`.
pub fn check_label(place: &str, label: &str) -> Result<()> {
    if label.len() > LABEL_MAX {
        let message = format!(
            "the label has {} bytes; Btrfs holds {LABEL_MAX}",
            label.len()
        );
        return Err(Error::invalid(place, message));
    }
    if label.contains('\n') {
        return Err(Error::invalid(
            place,
            "mkfs.btrfs takes no label of several lines",
        ));
    }
    Ok(())
}

/// Takes out of the tree what can't be in a filesystem with these subvolumes and nodes of so many
/// bytes: a sentence for each kind of loss.
///
/// # Errors
/// `Unsupported` at the request's place where something would be lost that may not be,
/// `InvalidSpec` for a subvolume that is no directory.
pub fn adapt(
    request: &mut Request<'_>,
    subvolumes: &[Subvolume],
    node_size: u64,
) -> Result<Vec<String>> {
    let mut survey = Survey::new(request, "Btrfs");
    survey.keep_short_paths(&mut request.tree, PATH_MAX - NAME_MAX, "mkfs.btrfs")?;
    survey.keep_owners(&mut request.tree)?;
    survey.keep_xattrs(&mut request.tree, |tree, id, xattrs| {
        fit(&tree.node(id).kind, xattrs, node_size)
    })?;
    let place = place_of(request.place, "subvolumes");
    subvolumes::check(&place, &request.tree, subvolumes, &mut survey)?;
    Ok(survey.into_warnings())
}

fn fit(kind: &NodeKind, xattrs: &Xattrs, node_size: u64) -> Result<(), String> {
    for xattr in xattrs.iter() {
        check_xattr(xattr)?;
        let len = (xattr.name.len() + xattr.value.len()) as u64;
        let most = node_size - NODE_OVERHEAD;
        if len > most {
            return Err(format!("{len} bytes with its name, more than {most}"));
        }
    }
    if xattrs.iter().any(|xattr| stand_in(&xattr.name).is_none()) {
        return Err("mkfs.btrfs takes no namespace like this".to_owned());
    }
    match kind {
        NodeKind::Symlink(target) if target.len() > TARGET_MAX && !xattrs.is_empty() => Err(
            format!("mkfs.btrfs takes none for symbolic links of more than {TARGET_MAX} bytes"),
        ),
        _ => Ok(()),
    }
}
