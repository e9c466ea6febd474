//! Whether the log holds anything that isn't in the filesystem yet.
//!
//! "XFS Algorithms & Data Structures", section "Journaling Log". The log is a ring of sectors, each of
//! which begins with the number of the round in which it was written, or with the header of a record.
//! Who unmounts a filesystem leaves a record that says so as the last one.

use crate::error::Result;
use crate::inspect::fs::xfs::Xfs;
use crate::inspect::fs::xfs::blocks::{u32_at, u64_at};

const PLACE: &str = "log";

const SECTOR: u64 = 512;
const MAGIC: u32 = 0xFEED_BABE;
/// No record with its header has more sectors.
const RECORD_MAX: u64 = 1024;
/// A header tells the rounds of so many bytes of its record; larger records have several.
const HEADER_COVERS: u64 = 32 << 10;
/// The flag of an operation that says that the filesystem was unmounted.
const UNMOUNT: u8 = 0x20;

struct Log<'a, 'b> {
    xfs: &'a Xfs<'b>,
    at: u64,
    sectors: u64,
}

/// Whether the log ends with the unmounting of the filesystem. `None` where it isn't here.
pub(super) fn is_clean(xfs: &Xfs<'_>) -> Result<Option<bool>> {
    let superblock = &xfs.superblock;
    let (start, blocks) = (
        superblock.raw.sb_logstart.get(),
        superblock.raw.sb_logblocks.get(),
    );
    if start == 0 || blocks == 0 {
        return Ok(None);
    }
    let log = Log {
        xfs,
        at: superblock.offset(PLACE, start, blocks.into())?,
        sectors: u64::from(blocks) * superblock.block_size / SECTOR,
    };
    let head = log.head()?;
    log.ends_with_unmounting(head).map(Some)
}

impl Log<'_, '_> {
    fn sector(&self, index: u64) -> Result<Vec<u8>> {
        self.xfs
            .area
            .bytes(PLACE, self.at + index * SECTOR, SECTOR as usize)
    }

    /// In which round a sector was written.
    fn round(&self, index: u64) -> Result<u32> {
        let sector = self.sector(index)?;
        let at = if u32_at(&sector, 0) == Some(MAGIC) {
            4
        } else {
            0
        };
        Ok(u32_at(&sector, at).unwrap_or_default())
    }

    /// The sector that would be written next: the first that isn't of the same round as the first
    /// of all.
    fn head(&self) -> Result<u64> {
        let round = self.round(0)?;
        let (mut low, mut high) = (0, self.sectors);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.round(middle)? == round {
                true => low = middle,
                false => high = middle,
            }
        }
        Ok(high % self.sectors)
    }

    /// Whether the record that ends at `head` has nothing but one operation, which unmounts.
    fn ends_with_unmounting(&self, head: u64) -> Result<bool> {
        for back in 1..=RECORD_MAX.min(self.sectors) {
            let index = |back: u64| (head + self.sectors - back) % self.sectors;
            let header = self.sector(index(back))?;
            if u32_at(&header, 0) != Some(MAGIC) {
                continue;
            }
            let (len, operations) = (u32_at(&header, 12), u32_at(&header, 40));
            let (len, covers) = (
                u64::from(len.unwrap_or_default()),
                u64::from(u32_at(&header, 320).unwrap_or_default()),
            );
            // The first version of the log doesn't tell, and has one.
            let headers = covers.div_ceil(HEADER_COVERS).max(1);
            let is_last = headers + len.div_ceil(SECTOR) == back;
            if operations != Some(1) || !is_last || u64_at(&header, 16).is_none() {
                return Ok(false);
            }
            let Some(first) = back.checked_sub(headers).filter(|back| *back > 0) else {
                return Ok(false);
            };
            // Behind the numbers of a transaction and of its bytes, and who it is from.
            let operation = self.sector(index(first))?;
            return Ok(operation[9] & UNMOUNT != 0);
        }
        // Of a log that was never written nothing is to be replayed.
        self.round(0).map(|round| round == 0)
    }
}
