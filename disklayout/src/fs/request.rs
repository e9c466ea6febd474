//! What is asked of a format.

use uuid::Uuid;

use super::Options;
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::place::{Field, Place};
use crate::tree::FileTree;
use crate::units::{Lba, SectorSize};

/// What is asked of a format: a filesystem with this content, whatever its size.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where in the description this filesystem is asked for, for errors.
    pub place: Place,
    /// The name it was asked for by, one of [`Format::names`](super::Format::names).
    pub kind: &'a str,
    /// The partition's first sector, for formats that record it; 0 where there is no table.
    pub start: Lba,
    /// What the disk's table counts in, for formats that depend on it.
    pub sector_size: SectorSize,
    /// The volume label.
    pub label: Option<&'a str>,
    /// The volume's UUID; derived from the identity when there is none.
    pub uuid: Option<Uuid>,
    /// What else can be chosen in this format.
    pub options: Options,
    /// The files in it.
    pub tree: FileTree,
    /// What becomes of those that the format can't hold as they are.
    pub misfits: Misfits,
    /// Its UUIDs, seeds and times.
    pub identity: Identity,
}

impl<'a> Request<'a> {
    /// A filesystem with nothing in it and nothing chosen.
    pub fn new(place: impl Into<Place>, kind: &'a str, identity: Identity) -> Self {
        Self {
            place: place.into(),
            kind,
            start: Lba::new(0),
            sector_size: SectorSize::default(),
            label: None,
            uuid: None,
            options: Options::default(),
            tree: FileTree::new(identity.time()),
            misfits: Misfits::default(),
            identity,
        }
    }

    /// The label in `N` bytes, with NULs behind it; `format` is what people call it.
    ///
    /// # Errors
    /// `InvalidSpec` when it is too long or can't be told from its end.
    pub(super) fn padded_label<const N: usize>(&self, format: &str) -> Result<[u8; N]> {
        let label = self.label.unwrap_or_default().as_bytes();
        let refuse = |why: String| {
            let message = format!("label '{}' {why}", label.escape_ascii());
            Err(Error::invalid(self.place.field(Field::Label), message))
        };
        if label.len() > N {
            let len = label.len();
            return refuse(format!("has {len} bytes, {format} holds {N} at most"));
        }
        if label.contains(&0) {
            return refuse("contains a NUL byte".to_owned());
        }
        Ok(std::array::from_fn(|i| label.get(i).copied().unwrap_or(0)))
    }
}

/// What becomes of files, and of what is known of them, that a format can't hold: links, devices,
/// owners and names on FAT, say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Misfits {
    /// They are refused.
    #[default]
    Refuse,
    /// They are left out, each kind with a warning.
    Drop,
}
