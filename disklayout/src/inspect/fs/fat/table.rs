//! The file allocation table.

use crate::error::Result;
use crate::fs::fat::format::FAT32_MASK;
use crate::inspect::fs::clusters;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::fat::Fat;
use crate::inspect::fs::fat::volume::Width;
use crate::inspect::fs::node::{Node, Place};

const PLACE: &str = "FAT";

/// How much of the table is read at once; a multiple of 12, so that no entry is cut.
const WINDOW: usize = 48 << 10;

impl Fat<'_> {
    /// The entry of a cluster.
    fn entry(&self, cluster: u32) -> Result<u32> {
        let (volume, cluster) = (&self.volume, u64::from(cluster));
        let at = |offset: u64| volume.fat + offset;
        Ok(match volume.width {
            Width::Fat12 => {
                let mut bytes = [0; 2];
                self.area.fill(PLACE, at(cluster * 3 / 2), &mut bytes)?;
                let pair = u16::from_le_bytes(bytes);
                u32::from(if cluster % 2 == 1 {
                    pair >> 4
                } else {
                    pair & 0xFFF
                })
            }
            Width::Fat16 => {
                let mut bytes = [0; 2];
                self.area.fill(PLACE, at(cluster * 2), &mut bytes)?;
                u16::from_le_bytes(bytes).into()
            }
            Width::Fat32 => {
                let mut bytes = [0; 4];
                self.area.fill(PLACE, at(cluster * 4), &mut bytes)?;
                u32::from_le_bytes(bytes) & FAT32_MASK
            }
        })
    }

    /// What follows a cluster; `None` at the end of the chain.
    pub(super) fn next(&self, place: &str, cluster: u32) -> Result<Option<u32>> {
        let entry = self.entry(cluster)?;
        let end = match self.volume.width {
            Width::Fat12 => 0xFF8,
            Width::Fat16 => 0xFFF8,
            Width::Fat32 => 0x0FFF_FFF8,
        };
        if entry >= end {
            return Ok(None);
        }
        // Checks that it is one.
        self.volume.clusters.offset(place, entry)?;
        Ok(Some(entry))
    }

    /// Whether one of the two bits says that the volume wasn't unmounted or has bad sectors.
    pub(super) fn is_dirty(&self) -> Result<bool> {
        let entry = self.entry(1)?;
        let sound = match self.volume.width {
            Width::Fat12 => 0,
            Width::Fat16 => 0xC000,
            Width::Fat32 => 0x0C00_0000,
        };
        Ok(entry & sound != sound)
    }

    /// The clusters whose entry is zero.
    pub(super) fn count_free(&self) -> Result<u32> {
        let volume = &self.volume;
        let bits = match volume.width {
            Width::Fat12 => 12,
            Width::Fat16 => 16,
            Width::Fat32 => 32,
        };
        let end = u64::from(volume.told) + u64::from(clusters::FIRST);
        let mut used: u64 = 0;
        let mut first = 0;
        while first < end {
            // Holes are skipped, as far as they are whole windows.
            let data = self.area.next_data(volume.fat + first * bits / 8);
            let window = WINDOW as u64 * 8 / bits;
            let skipped = (data - volume.fat) * 8 / bits;
            first = first.max(skipped / window * window);
            let count = window.min(end.saturating_sub(first));
            let length = (count * bits).div_ceil(8) as usize;
            let bytes = self
                .area
                .bytes(PLACE, volume.fat + first * bits / 8, length)?;
            used += used_in(volume.width, &bytes, count);
            first += window;
        }
        // The first two entries are no clusters, and never zero in a sound table.
        let reserved = (0..clusters::FIRST).map(|cluster| Ok(self.entry(cluster)? != 0));
        let reserved = reserved.collect::<Result<Vec<_>>>()?;
        let reserved = reserved.into_iter().filter(|used| *used).count() as u64;
        Ok((u64::from(volume.told) + reserved).saturating_sub(used) as u32)
    }

    /// Where the bytes of a file are.
    pub(super) fn chain(&self, node: &Node) -> Result<Data> {
        let Place::Clusters { first, .. } = node.place else {
            return Ok(Data::new(node.size));
        };
        let (place, wanted) = (node.place(), (first, node.size));
        let next = |cluster| self.next(&place, cluster);
        let clusters = &self.volume.clusters;
        clusters.chain(&self.area, &place, wanted, next)
    }
}

/// How many of the first `count` entries aren't zero.
fn used_in(width: Width, bytes: &[u8], count: u64) -> u64 {
    let count = count as usize;
    let used = match width {
        Width::Fat12 => (0..count)
            .filter(|index| {
                let at = index * 3 / 2;
                let high = bytes.get(at + 1).copied().unwrap_or(0);
                let pair = u16::from_le_bytes([bytes[at], high]);
                (if index % 2 == 1 {
                    pair >> 4
                } else {
                    pair & 0xFFF
                }) != 0
            })
            .count(),
        Width::Fat16 => bytes
            .chunks_exact(2)
            .filter(|entry| **entry != [0; 2])
            .count(),
        Width::Fat32 => bytes
            .chunks_exact(4)
            .filter(|entry| entry[..3] != [0; 3] || entry[3] & 0x0F != 0)
            .count(),
    };
    used as u64
}
