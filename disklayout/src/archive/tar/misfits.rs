//! What tar can't hold.

use super::header::SHORT_MAX;
use super::is_member;
use super::pax::{is_name, record_len};
use crate::error::Result;
use crate::fs::misfits::{Loss, Survey};
use crate::tree::{Content, Device, FileTree, Node, NodeKind, Xattrs};

/// What begins the keys of records of extended attributes.
pub(super) const XATTR: &[u8] = b"SCHILY.xattr.";

/// The longest path of a directory in bytes. An extended header has at most two paths and attributes,
/// and Go's archive/tar reads no more than 1 MiB of one.
const PATH_MAX: usize = 64 << 10;
/// The most bytes of records of extended attributes.
const XATTRS_MAX: usize = 768 << 10;

/// Changes a tree until tar holds it.
///
/// # Errors
/// Those of [`Survey::note`].
pub(in super::super) fn adapt(tree: &mut FileTree, survey: &mut Survey) -> Result<()> {
    survey.keep_entries(tree, |tree, _, _, id| misfit(tree.node(id)))?;
    survey.keep_short_paths(tree, PATH_MAX, "an archive")?;
    survey.keep_xattrs(tree, |_, _, xattrs| fit(xattrs))?;
    survey.keep_owners(tree)
}

fn misfit(node: &Node) -> Option<(Loss, String)> {
    let noun = node.kind.noun();
    match &node.kind {
        kind if !is_member(kind) => Some((Loss::Special(noun), format!("is a {noun}"))),
        NodeKind::File(content) => too_large(content),
        NodeKind::Symlink(target) => {
            let is_target = !target.is_empty() && !target.contains(&0);
            let why = "leads to nothing, or has a NUL byte in its target";
            (!is_target).then(|| (Loss::Target, why.to_owned()))
        }
        NodeKind::CharacterDevice(Device { major, minor })
        | NodeKind::BlockDevice(Device { major, minor }) => {
            let why = || format!("is the device {major}:{minor}, and {SHORT_MAX} is the highest");
            let is_held = u64::from(*major.max(minor)) <= SHORT_MAX;
            (!is_held).then(|| (Loss::Device, why()))
        }
        _ => None,
    }
}

fn too_large(content: &Content) -> Option<(Loss, String)> {
    let len = content.len();
    let why = || format!("has {len} bytes, more than {}", i64::MAX);
    i64::try_from(len).is_err().then(|| (Loss::TooLarge, why()))
}

/// Whether extended attributes fit into one header.
fn fit(xattrs: &Xattrs) -> Result<(), String> {
    let mut len = 0;
    for xattr in xattrs.iter() {
        if !is_name(&xattr.name) {
            return Err("names are without '=' in it".to_owned());
        }
        len += XATTR.len() + record_len(&xattr.name, &xattr.value);
    }
    match len <= XATTRS_MAX {
        true => Ok(()),
        false => Err(format!(
            "all of a file take {len} bytes, more than {XATTRS_MAX}"
        )),
    }
}
