//! What Btrfs, and mkfs.btrfs, can't hold.

use std::collections::HashMap;

use disklayout::fs::Request;
use disklayout::fs::misfits::{Survey, check_xattr};
use disklayout::tree::{FileTree, NAME_MAX, NodeId, NodeKind, Xattr, Xattrs};
use disklayout::{Error, Place, Result};

use super::names::stand_in;
use super::subvolumes::{self, Subvolume};

/// The smallest filesystem that mkfs.btrfs makes, in bytes.
pub(super) const MIN_SIZE: u64 = 114_294_784;

/// The smallest one with data and metadata in the same chunks, in bytes.
pub(super) const MIN_SIZE_MIXED: u64 = 16 << 20;

/// The longest label in bytes.
pub(super) const LABEL_MAX: usize = 255;

/// The longest path in bytes: the program uses paths as a whole.
pub(super) const PATH_MAX: usize = 3840;

/// The longest target of a symbolic link, in bytes, that has attributes.
const TARGET_MAX: usize = 2000;

/// What a node needs beside an attribute's name and value: its own header, an item, an entry.
const BESIDE_XATTR: u64 = 101 + 25 + 30;

/// What a node needs beside the names of a file in a directory, and each of these beside itself: the
/// program looks for room for one item more than there is.
const BESIDE_NAMES: u64 = 101 + 2 * 25;
const BESIDE_NAME: u64 = 10;

/// Refuses a label that Btrfs can't hold.
///
/// # Errors
/// `InvalidSpec` at `place`.
pub(super) fn check_label(place: &Place, label: &str) -> Result<()> {
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

/// Takes out of the tree what can't be in a filesystem with these subvolumes and nodes of
/// `node_size` bytes: a sentence for each kind of loss.
///
/// # Errors
/// `Unsupported` at the request's place where something would be lost that may not be, and for more
/// names of a file in a directory than a node holds; `InvalidSpec` for a subvolume that is no
/// directory.
pub(super) fn adapt(
    request: &mut Request<'_>,
    subvolumes: &[Subvolume],
    node_size: u64,
) -> Result<Vec<String>> {
    check_names(&request.place, &request.tree, node_size)?;
    let mut survey = Survey::new(request, "Btrfs");
    survey.keep_short_paths(&mut request.tree, PATH_MAX - NAME_MAX, "mkfs.btrfs")?;
    survey.keep_owners(&mut request.tree)?;
    survey.keep_xattrs(&mut request.tree, |tree, id, xattrs| {
        fit(&tree.node(id).kind, xattrs, node_size)
    })?;
    let place = request.place.choice("subvolumes");
    subvolumes::check(&place, &request.tree, subvolumes, &mut survey)?;
    Ok(survey.into_warnings())
}

/// The names that a file has in one directory are in one item.
fn check_names(place: &Place, tree: &FileTree, node_size: u64) -> Result<()> {
    let most = node_size - BESIDE_NAMES;
    let mut taken: HashMap<NodeId, u64> = HashMap::new();
    for (directory, _) in tree.nodes() {
        taken.clear();
        for (name, id) in tree.entries(directory) {
            let taken = taken.entry(id).or_default();
            *taken += BESIDE_NAME + name.len() as u64;
            if *taken > most {
                let message = format!(
                    "'{}' has more names in '{}/' than a node of {node_size} bytes holds; a larger \
                     node-size, of up to 65536, has room for more, or use another filesystem",
                    tree.path(id).escape_ascii(),
                    tree.path(directory).escape_ascii()
                );
                return Err(Error::unsupported(place, message));
            }
        }
    }
    Ok(())
}

fn fit(kind: &NodeKind, xattrs: &Xattrs, node_size: u64) -> Result<(), String> {
    xattrs.iter().try_for_each(check_xattr)?;
    let most = node_size - BESIDE_XATTR;
    let len = |xattr: &Xattr| (xattr.name.len() + xattr.value.len()) as u64;
    if let Some(large) = xattrs.iter().find(|xattr| len(xattr) > most) {
        let size = len(large);
        return Err(format!(
            "{size} bytes with its name, and a node of {node_size} bytes has room for {most}"
        ));
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
