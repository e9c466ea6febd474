//! Tables of clusters.

use super::format::*;
use super::geometry::Geometry;

/// One L2 table.
#[derive(Debug)]
pub(super) struct Table<'a> {
    geometry: &'a Geometry,
    bytes: Vec<u8>,
    is_empty: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(geometry: &'a Geometry) -> Self {
        Self {
            geometry,
            bytes: vec![0; geometry.cluster as usize],
            is_empty: true,
        }
    }

    /// A cluster that reads as zero.
    pub(super) fn set_zero(&mut self, cluster: u64) {
        match self.geometry.chosen {
            chosen if chosen.is_old => {}
            chosen if chosen.extended_l2 => self.set(cluster, 0, ALL_ZERO),
            _ => self.set(cluster, ZERO, 0),
        }
    }

    /// A cluster that is at `offset` of the file.
    pub(super) fn set_plain(&mut self, cluster: u64, offset: u64) {
        self.set(cluster, offset | COPIED, ALL_ALLOCATED);
    }

    /// A cluster of which `len` compressed bytes are at `offset` of the file.
    pub(super) fn set_compressed(&mut self, cluster: u64, offset: u64, len: u64) {
        let sectors = (offset + len - 1) / SECTOR - offset / SECTOR;
        let bits = compressed_offset_bits(self.geometry.chosen.cluster_bits);
        self.set(cluster, offset | sectors << bits | COMPRESSED, 0);
    }

    /// Its bytes, if there is anything in it.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        (!self.is_empty).then_some(&self.bytes)
    }

    fn set(&mut self, cluster: u64, first: u64, second: u64) {
        let Geometry {
            l2_entries, entry, ..
        } = *self.geometry;
        let at = (cluster % l2_entries * entry) as usize;
        self.bytes[at..at + 8].copy_from_slice(&first.to_be_bytes());
        if entry == 16 {
            self.bytes[at + 8..at + 16].copy_from_slice(&second.to_be_bytes());
        }
        self.is_empty = false;
    }
}
