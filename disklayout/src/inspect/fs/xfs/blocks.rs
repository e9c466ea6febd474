//! Blocks of metadata: what kind they are, whom they belong to, and their checksums.

use crate::error::{Error, Result};
use crate::inspect::fs::checksum::check_within;
use crate::inspect::fs::xfs::format::{Header, REMOTE};
use crate::inspect::fs::xfs::superblock::Super;

impl Super {
    /// The header that blocks with this magic have, if it is one of those of this version.
    pub(super) fn header<M: PartialEq>(
        &self,
        known: &[(M, Header); 2],
        magic: &M,
    ) -> Option<Header> {
        let (expected, header) = &known[usize::from(self.is_sealed)];
        (expected == magic).then_some(*header)
    }

    /// Checks a block by its seal; in version 4 there is nothing to check.
    pub(super) fn check(
        &self,
        place: &str,
        bytes: &[u8],
        header: Header,
        owner: u64,
    ) -> Result<()> {
        let Some(seal) = header.seal else {
            return Ok(());
        };
        check_within(place, bytes, seal.crc)?;
        let found = u64_at(bytes, seal.owner);
        if found == Some(owner) {
            return Ok(());
        }
        let found = found.unwrap_or_default();
        let message = format!("a block of it belongs to inode {found}");
        Err(Error::corrupt(place, message))
    }

    /// What a block of version 5 holds of something longer, from its byte `start` on: a target, or a
    /// value.
    pub(super) fn part<'a>(
        &self,
        place: &str,
        bytes: &'a [u8],
        (magic, start): ([u8; 4], usize),
        owner: u64,
    ) -> Result<&'a [u8]> {
        let told = u32_at(bytes, 4).map(|offset| offset as usize);
        if chunk_at(bytes, 0) != Some(magic) || told != Some(start) {
            return Err(Error::corrupt(place, "a part of it is none"));
        }
        self.check(place, bytes, REMOTE, owner)?;
        let len = u32_at(bytes, 8).unwrap_or_default() as usize;
        let part = bytes.get(REMOTE.len..).and_then(|part| part.get(..len));
        let part = part.filter(|part| !part.is_empty());
        part.ok_or_else(|| Error::corrupt(place, format!("a part of it has {len} bytes")))
    }
}

/// The number at `at` of `bytes`, if there is one.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    chunk_at(bytes, at).map(u16::from_be_bytes)
}

/// The same of four bytes.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    chunk_at(bytes, at).map(u32::from_be_bytes)
}

/// The same of eight bytes.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    chunk_at(bytes, at).map(u64::from_be_bytes)
}

/// The `N` bytes at `at`, if there are so many.
pub(super) fn chunk_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
