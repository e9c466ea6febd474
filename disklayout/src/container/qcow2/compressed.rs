//! Compressed clusters, side by side: the tables are between and behind them.

use std::io;
use std::ops::Range;

use zerocopy::IntoBytes;

use super::geometry::{Geometry, RefcountTable, header_len};
use super::l1_entry;
use super::l2::Table;

use crate::container::ordered::{Append, Encode};
use crate::container::output::Output;
use crate::container::pack::Packer;
use crate::container::room::Encoded;
use crate::container::zeroes::Zeroes;

/// Compresses clusters.
#[derive(Debug)]
pub(super) struct Clusters {
    pub cluster: usize,
    pub packer: Packer,
}

impl Encode for Clusters {
    fn encode(&self, _: u64, bytes: &[u8]) -> io::Result<Encoded> {
        // The last cluster of a disk is a whole one too.
        let mut whole = Vec::new();
        let bytes = match bytes.len() < self.cluster {
            true => {
                whole.extend_from_slice(bytes);
                whole.resize(self.cluster, 0);
                &whole
            }
            false => bytes,
        };
        Ok(match self.packer.pack(bytes, bytes.len() - 1)? {
            Some(bytes) => Encoded {
                bytes,
                is_plain: false,
            },
            None => Encoded {
                bytes: bytes.to_vec(),
                is_plain: true,
            },
        })
    }
}

/// Puts clusters and tables into the file.
#[derive(Debug)]
pub(super) struct File<'a> {
    geometry: &'a Geometry,
    zeroes: Zeroes,
    /// The L2 table that is being filled, and its number.
    table: Table<'a>,
    number: u64,
    l1: Vec<u8>,
    /// References to each cluster of the file.
    references: Vec<u16>,
}

impl<'a> File<'a> {
    pub(super) fn new(geometry: &'a Geometry) -> Self {
        Self {
            geometry,
            zeroes: Zeroes::default(),
            table: Table::new(geometry),
            number: 0,
            l1: vec![0; (geometry.l1_entries * 8) as usize],
            references: Vec::new(),
        }
    }

    /// The L2 table of this number, in which nothing but zeroes is known.
    fn table(geometry: &'a Geometry, zeroes: &Zeroes, number: u64) -> Table<'a> {
        let mut table = Table::new(geometry);
        let clusters = zeroes.within(geometry.clusters_of(number));
        clusters.for_each(|cluster| table.set_zero(cluster));
        table
    }

    /// Leaves room for the header and the L1 table, which are known in the end only.
    fn begin(&mut self, output: &mut Output) -> io::Result<()> {
        match output.position() {
            0 => self
                .reserve(1 + self.geometry.l1_clusters, output)
                .map(drop),
            _ => Ok(()),
        }
    }

    /// So many clusters of zeroes with one reference each; where they begin.
    fn reserve(&mut self, clusters: u64, output: &mut Output) -> io::Result<u64> {
        output.align(self.geometry.cluster)?;
        let start = output.position();
        output.append_zeroes(clusters * self.geometry.cluster)?;
        self.refer(start, clusters * self.geometry.cluster);
        Ok(start)
    }

    /// Counts a reference to every cluster that these bytes of the file touch.
    fn refer(&mut self, start: u64, len: u64) {
        let first = (start / self.geometry.cluster) as usize;
        let end = (start + len).div_ceil(self.geometry.cluster) as usize;
        if self.references.len() < end {
            self.references.resize(end, 0);
        }
        self.references[first..end]
            .iter_mut()
            .for_each(|it| *it += 1);
    }

    /// Adds whole clusters; where they begin.
    fn append_clusters(&mut self, bytes: &[u8], output: &mut Output) -> io::Result<u64> {
        output.align(self.geometry.cluster)?;
        let start = output.position();
        output.append(bytes)?;
        output.align(self.geometry.cluster)?;
        self.refer(start, bytes.len() as u64);
        Ok(start)
    }

    /// Puts all tables before the one of this number into the file.
    fn pass_tables(&mut self, number: u64, output: &mut Output) -> io::Result<()> {
        while self.number < number {
            let next = self.number + 1;
            let table = Self::table(self.geometry, &self.zeroes, next);
            let table = std::mem::replace(&mut self.table, table);
            if let Some(bytes) = table.bytes() {
                let offset = self.append_clusters(bytes, output)?;
                let at = self.number as usize * 8;
                self.l1[at..at + 8].copy_from_slice(&l1_entry(offset));
            }
            self.number = next;
        }
        Ok(())
    }

    fn append_refcounts(&mut self, output: &mut Output) -> io::Result<RefcountTable> {
        let cluster = self.geometry.cluster;
        output.align(cluster)?;
        let offset = output.position();
        let counts = self.geometry.refcounts(offset / cluster);
        self.refer(offset, (counts.table + counts.blocks) * cluster);
        let blocks = offset + counts.table * cluster;
        let table = (0..counts.blocks).map(|number| blocks + number * cluster);
        let table: Vec<u8> = table.flat_map(u64::to_be_bytes).collect();
        output.append(&table)?;
        output.align(cluster)?;
        for block in self.references.chunks((cluster / 2) as usize) {
            let bytes: Vec<u8> = block.iter().flat_map(|it| it.to_be_bytes()).collect();
            output.append(&bytes)?;
            output.align(cluster)?;
        }
        Ok(RefcountTable {
            offset,
            clusters: counts.table,
        })
    }
}

impl Append for File<'_> {
    fn expect(&mut self, zeroes: &[Range<u64>]) {
        self.zeroes = Zeroes::of(self.geometry.units(), zeroes);
        self.table = Self::table(self.geometry, &self.zeroes, 0);
    }

    fn append(&mut self, unit: u64, encoded: &Encoded, output: &mut Output) -> io::Result<()> {
        self.begin(output)?;
        self.pass_tables(unit / self.geometry.l2_entries, output)?;
        if encoded.is_plain {
            let offset = self.append_clusters(&encoded.bytes, output)?;
            self.table.set_plain(unit, offset);
            return Ok(());
        }
        let (offset, len) = (output.position(), encoded.bytes.len() as u64);
        output.append(&encoded.bytes)?;
        self.refer(offset, len);
        self.table.set_compressed(unit, offset, len);
        Ok(())
    }

    fn finish(&mut self, output: &mut Output) -> io::Result<()> {
        self.begin(output)?;
        self.pass_tables(self.geometry.l1_entries, output)?;
        let refcounts = self.append_refcounts(output)?;
        let cluster = self.geometry.cluster;
        output.patch(&self.l1, cluster)?;
        let header = self.geometry.header(cluster, &refcounts);
        let len = header_len(&self.geometry.chosen);
        output.patch(&header.as_bytes()[..len], 0)
    }
}
