//! The page that makes a swap space of a partition.

use uuid::Uuid;
use zerocopy::{FromZeros, IntoBytes};

use super::format::{INFO_OFFSET, MAGIC, SWAP_VERSION, SwapHeader, VOLUME_MAX};

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
