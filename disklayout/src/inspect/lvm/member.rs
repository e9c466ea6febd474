//! One physical volume.

use crate::disk::Disk;
use crate::error::Result;
use crate::inspect::lvm::headers::{label, text};
use crate::inspect::lvm::metadata::Metadata;
use crate::units::Bytes;
use crate::volume::lvm::format::Id;

/// A physical volume that was found on a disk.
#[derive(Debug)]
pub struct Member<'a> {
    pub(super) disk: &'a dyn Disk,
    /// Its UUID.
    pub id: Id,
    /// The size that its disk had when it was made.
    pub size: Bytes,
    /// What the newest of its copies of the metadata says. Without one it is in no group, or only others
    /// tell of that.
    pub metadata: Option<Metadata>,
    /// What is wrong with it or with one of its copies of the metadata.
    pub warnings: Vec<String>,
}

/// Reads the physical volume that `disk`, a whole one or a partition, is; `None` where it is none.
///
/// # Errors
/// `Corrupt` when its label is damaged, `Unsupported` when that is of another format, `Io` when reading
/// fails. Damaged metadata is a warning.
pub fn member(disk: &dyn Disk) -> Result<Option<Member<'_>>> {
    let Some(label) = label(disk)? else {
        return Ok(None);
    };
    let mut found = Member {
        disk,
        id: label.id,
        size: label.size,
        metadata: None,
        warnings: Vec::new(),
    };
    if found.size.get() > disk.len() {
        let there = Bytes::new(disk.len());
        let message = format!(
            "it had {} when LVM labelled it, but has {there}",
            found.size
        );
        found.warnings.push(message);
    }
    for (number, area) in (1..).zip(&label.areas) {
        let read =
            text(disk, area).and_then(|text| text.as_deref().map(Metadata::parse).transpose());
        match read {
            Ok(Some(metadata)) => found.consider(metadata),
            Ok(None) => {}
            Err(error) => found
                .warnings
                .push(format!("metadata area {number}: {error}")),
        }
    }
    Ok(Some(found))
}

impl Member<'_> {
    /// Takes metadata that is newer than what there is.
    fn consider(&mut self, metadata: Metadata) {
        let known = self.metadata.as_ref().map(|known| known.seqno);
        let Some(known) = known else {
            self.metadata = Some(metadata);
            return;
        };
        if known != metadata.seqno {
            self.warnings.push(format!(
                "its copies of the metadata are of changes {known} and {}",
                metadata.seqno
            ));
        }
        if metadata.seqno > known {
            self.metadata = Some(metadata);
        }
    }
}
