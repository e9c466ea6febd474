//! The page that makes a swap space of a partition.

use uuid::Uuid;
use zerocopy::{FromZeros, IntoBytes};

use super::format::{INFO_OFFSET, MAGIC, SWAP_VERSION, SwapHeader, VOLUME_MAX};
use crate::error::{Error, Result};
use crate::fs::Request;
use crate::place::Field;

/// What the first page tells.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub page_size: u32,
    /// From 10 to 2^32 - 1.
    pub pages: u64,
    pub uuid: Uuid,
    pub label: [u8; VOLUME_MAX],
}

impl Header {
    /// What is written, with its offsets; the magic comes last.
    pub(super) fn pieces(&self) -> [(u64, Vec<u8>); 2] {
        let mut it = SwapHeader::new_zeroed();
        it.version.set(SWAP_VERSION);
        it.last_page.set((self.pages - 1) as u32);
        it.uuid = self.uuid.into_bytes();
        it.volume = self.label;
        let magic_offset = u64::from(self.page_size) - MAGIC.len() as u64;
        [
            (INFO_OFFSET, it.as_bytes().to_vec()),
            (magic_offset, MAGIC.to_vec()),
        ]
    }
}

/// The label that is asked for.
///
/// # Errors
/// `InvalidSpec` when it is too long or can't be told from its end.
pub(super) fn label(request: &Request<'_>) -> Result<[u8; VOLUME_MAX]> {
    let label = request.label.unwrap_or_default().as_bytes();
    let refuse = |message| Error::invalid(request.place.field(Field::Label), message);
    let shown = label.escape_ascii();
    if label.len() > VOLUME_MAX {
        let count = label.len();
        return Err(refuse(format!(
            "label '{shown}' has {count} bytes, swap holds {VOLUME_MAX} at most"
        )));
    }
    if label.contains(&0) {
        return Err(refuse(format!("label '{shown}' contains a NUL byte")));
    }
    Ok(std::array::from_fn(|i| label.get(i).copied().unwrap_or(0)))
}
