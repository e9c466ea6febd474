//! Clusters as they are: all tables are in front of them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use zerocopy::IntoBytes;

use super::geometry::{Geometry, RefcountTable, Refcounts, header_len};
use super::l2::Table;
use crate::container::mapped::{Place, Places};
use crate::container::runs::Runs;
use crate::container::zeroes::Zeroes;

/// What decides where clusters go: header, L1 table, L2 tables, reference counts, clusters.
#[derive(Debug)]
pub(super) struct Plain {
    pub geometry: Geometry,
}

/// A cluster, and how many come before it in the file; none where it reads as zero.
type Entry = (u64, Option<u64>);

/// Where the parts of a file are, in clusters.
struct Parts {
    l2: u64,
    l2_tables: u64,
    refcounts: Refcounts,
    /// Where the blocks of reference counts are, behind their table.
    table: u64,
    first: u64,
    end: u64,
}

impl Plain {
    fn parts(&self, units: &Runs, zeroes: &Zeroes) -> io::Result<Parts> {
        let mut l2_tables = 0;
        self.tables(units, zeroes, &mut |_, _| {
            l2_tables += 1;
            Ok(())
        })?;
        let l2 = 1 + self.geometry.l1_clusters;
        let others = l2 + l2_tables + units.count();
        let refcounts = self.geometry.refcounts(others);
        let table = l2 + l2_tables;
        let first = table + refcounts.table + refcounts.blocks;
        Ok(Parts {
            l2,
            l2_tables,
            refcounts,
            table,
            first,
            end: first + units.count(),
        })
    }

    /// Shows every L2 table that isn't empty to `visit`, as if the first cluster were at 0.
    fn tables(
        &self,
        units: &Runs,
        zeroes: &Zeroes,
        visit: &mut dyn FnMut(u64, &[Entry]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut clusters = units.iter().peekable();
        for number in 0..self.geometry.l1_entries {
            let range = self.geometry.clusters_of(number);
            let none = zeroes.within(range.clone()).map(|it| (it, None));
            let mut entries: Vec<_> = none.collect();
            while let Some((unit, rank)) = clusters.next_if(|(unit, _)| *unit < range.end) {
                entries.push((unit, Some(rank)));
            }
            if !entries.is_empty() {
                visit(number, &entries)?;
            }
        }
        Ok(())
    }
}

impl Place for Plain {
    fn place(&self, units: &Runs, zeroes: &Zeroes) -> io::Result<Places> {
        let parts = self.parts(units, zeroes)?;
        let cluster = self.geometry.cluster;
        Ok(Places {
            first: parts.first * cluster,
            stride: cluster,
            len: parts.end * cluster,
        })
    }

    fn write_around(&self, units: &Runs, zeroes: &Zeroes, file: &File) -> io::Result<()> {
        let parts = self.parts(units, zeroes)?;
        let cluster = self.geometry.cluster;
        let (mut l1, mut next) = (vec![0; (self.geometry.l1_entries * 8) as usize], parts.l2);
        self.tables(units, zeroes, &mut |number, entries| {
            let mut table = Table::new(&self.geometry);
            for (unit, rank) in entries {
                match rank {
                    None => table.set_zero(*unit),
                    Some(rank) => table.set_plain(*unit, (parts.first + rank) * cluster),
                }
            }
            let offset = next * cluster;
            let at = number as usize * 8;
            l1[at..at + 8].copy_from_slice(&super::l1_entry(offset));
            next += 1;
            file.write_all_at(table.bytes().unwrap_or_default(), offset)
        })?;
        file.write_all_at(&l1, cluster)?;
        self.write_refcounts(&parts, file)?;
        let table = RefcountTable {
            offset: parts.table * cluster,
            clusters: parts.refcounts.table,
        };
        let header = self.geometry.header(cluster, &table);
        let len = header_len(&self.geometry.chosen);
        file.write_all_at(&header.as_bytes()[..len], 0)
    }
}

impl Plain {
    /// Every cluster of the file has one reference.
    fn write_refcounts(&self, parts: &Parts, file: &File) -> io::Result<()> {
        let cluster = self.geometry.cluster;
        let first = parts.table + parts.refcounts.table;
        let mut table = Vec::new();
        for block in 0..parts.refcounts.blocks {
            let per_block = cluster / 2;
            let count = per_block.min(parts.end.saturating_sub(block * per_block));
            let one = 1_u16.to_be_bytes();
            let offset = (first + block) * cluster;
            file.write_all_at(&one.repeat(count as usize), offset)?;
            table.extend_from_slice(&offset.to_be_bytes());
        }
        debug_assert_eq!(parts.l2 + parts.l2_tables, parts.table);
        file.write_all_at(&table, parts.table * cluster)
    }
}
