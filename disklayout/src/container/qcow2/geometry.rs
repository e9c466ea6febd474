//! The numbers of an image that follow from its size and from what was chosen.

use std::ops::Range;

use zerocopy::FromZeros;

use super::format::*;
use super::options::Chosen;
use crate::container::pack::Packing;
use crate::container::units::Units;
use crate::error::{Error, Result};
use crate::place::Place;

/// Sizes of tables, in bytes and clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub chosen: Chosen,
    /// The disk's size in bytes.
    pub size: u64,
    pub cluster: u64,
    /// Bytes of an entry of an L2 table.
    pub entry: u64,
    /// Entries of an L2 table.
    pub l2_entries: u64,
    /// Entries of the L1 table, and clusters that it takes.
    pub l1_entries: u64,
    pub l1_clusters: u64,
}

impl Geometry {
    /// The disk in clusters.
    pub(super) const fn units(&self) -> Units {
        Units {
            disk: self.size,
            size: self.cluster,
        }
    }

    /// # Errors
    /// `DoesNotFit` when tables would be larger than QEMU reads.
    pub(super) fn new(place: &Place, chosen: Chosen, size: u64) -> Result<Self> {
        let cluster = 1 << chosen.cluster_bits;
        let entry = if chosen.extended_l2 { 16 } else { 8 };
        let l2_entries = cluster / entry;
        // Readers don't expect an image without any.
        let l1_entries = size.div_ceil(cluster).div_ceil(l2_entries).max(1);
        if l1_entries * 8 > L1_MAX {
            let most = L1_MAX / 8 * l2_entries * cluster;
            let message = format!(
                "a disk of {size} bytes needs a larger L1 table than the 32 MiB that QEMU reads: \
                 with clusters of {cluster} bytes {most} bytes are the most; choose a larger \
                 cluster_size"
            );
            return Err(Error::does_not_fit(place.clone(), message));
        }
        Ok(Self {
            chosen,
            size,
            cluster,
            entry,
            l2_entries,
            l1_entries,
            l1_clusters: (l1_entries * 8).div_ceil(cluster),
        })
    }

    /// The clusters that an L2 table is about.
    pub(super) const fn clusters_of(self, table: u64) -> Range<u64> {
        table * self.l2_entries..(table + 1) * self.l2_entries
    }

    /// The header, with the places of the two tables.
    pub(super) fn header(self, l1: u64, refcounts: &RefcountTable) -> Header {
        let mut it = Header::new_zeroed();
        it.magic = MAGIC;
        it.version.set(if self.chosen.is_old { 2 } else { 3 });
        it.cluster_bits.set(self.chosen.cluster_bits);
        it.size.set(self.size);
        it.l1_size.set(self.l1_entries as u32);
        it.l1_table_offset.set(l1);
        it.refcount_table_offset.set(refcounts.offset);
        it.refcount_table_clusters.set(refcounts.clusters as u32);
        if self.chosen.is_old {
            return it;
        }
        let is_zstd = matches!(self.chosen.compression, Some(Packing::Zstd(_)));
        let bits = [
            (is_zstd, INCOMPAT_COMPRESSION),
            (self.chosen.extended_l2, INCOMPAT_EXTENDED_L2),
        ];
        let set = bits.iter().filter(|(is_set, _)| *is_set);
        it.incompatible_features.set(set.map(|(_, bit)| bit).sum());
        if self.chosen.lazy_refcounts {
            it.compatible_features.set(COMPAT_LAZY_REFCOUNTS);
        }
        it.refcount_order.set(REFCOUNT_ORDER);
        it.header_length.set(size_of::<Header>() as u32);
        it.compression_type = match is_zstd {
            true => COMPRESSION_ZSTD,
            false => COMPRESSION_DEFLATE,
        };
        it
    }

    /// What counts the references to `clusters` clusters of the file and to itself, which comes
    /// right behind them.
    pub(super) fn refcounts(self, clusters: u64) -> Refcounts {
        let per_block = self.cluster / 2;
        let mut blocks = 0_u64;
        loop {
            let table = (blocks * 8).div_ceil(self.cluster).max(1);
            let needed = (clusters + table + blocks).div_ceil(per_block);
            if needed <= blocks {
                return Refcounts { table, blocks };
            }
            blocks = needed;
        }
    }
}

/// How many clusters the counts of references take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refcounts {
    pub table: u64,
    pub blocks: u64,
}

/// Where the table of the blocks with reference counts is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RefcountTable {
    pub offset: u64,
    pub clusters: u64,
}

/// Bytes of a header: those of version 2 have fewer, and what is behind them is zero.
pub(super) fn header_len(chosen: &Chosen) -> usize {
    match chosen.is_old {
        true => HEADER_2_LEN,
        false => size_of::<Header>(),
    }
}
