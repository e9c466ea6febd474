//! What F2FS, and sload.f2fs, can't hold.

use disklayout::fs::Request;
use disklayout::fs::misfits::Survey;
use disklayout::tree::NAME_MAX;
use disklayout::{Error, Place, Result};

use super::xattr;

/// The smallest filesystem that mkfs.f2fs makes, in bytes.
pub(super) const MIN_SIZE: u64 = 54_525_952;

/// The smallest filesystem that sload.f2fs finds room in for anything, in bytes.
pub(super) const MIN_SIZE_FILLED: u64 = 64 << 20;

/// The largest filesystem, in bytes: addresses of blocks have 32 bits.
pub(super) const MAX_SIZE: u64 = 16 << 40;

/// The longest label in bytes that mkfs.f2fs takes.
pub(super) const LABEL_MAX: usize = 512;

/// The longest path in bytes: the programs use paths as a whole.
pub(super) const PATH_MAX: usize = 3840;

/// Refuses a label that F2FS can't hold.
///
/// # Errors
/// `InvalidSpec` at `place`.
pub(super) fn check_label(place: &Place, label: &str) -> Result<()> {
    if label.len() > LABEL_MAX {
        let message = format!(
            "the label has {} bytes; F2FS holds {LABEL_MAX}",
            label.len()
        );
        return Err(Error::invalid(place, message));
    }
    Ok(())
}

/// Takes out of the tree what can't be in a filesystem: a sentence for each kind of loss.
///
/// # Errors
/// `Unsupported` at the request's place where something would be lost that may not be.
pub(super) fn adapt(request: &mut Request<'_>) -> Result<Vec<String>> {
    let mut survey = Survey::new(request, "F2FS");
    survey.keep_short_paths(&mut request.tree, PATH_MAX - NAME_MAX, "sload.f2fs")?;
    survey.keep_owners(&mut request.tree)?;
    survey.keep_xattrs(&mut request.tree, |_, _, xattrs| {
        xattr::encode(xattrs).map(drop)
    })?;
    Ok(survey.into_warnings())
}
