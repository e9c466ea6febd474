//! Where everything is in an image.

use super::format::*;

/// The parts of an image, one behind the other: headers, log, metadata, BAT, blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub table: Table,
    /// Bytes of the log.
    pub log: u64,
}

/// The numbers of the BAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Bytes of the disk, of a block and of a sector.
    pub size: u64,
    pub block: u64,
    pub sector: u64,
}

impl Geometry {
    /// Where the log is.
    pub(super) const LOG: u64 = MIB;

    /// Where the metadata is, which takes a MiB.
    pub(super) const fn metadata(self) -> u64 {
        Self::LOG + self.log
    }

    /// Where the BAT is.
    pub(super) const fn bat(self) -> u64 {
        self.metadata() + MIB
    }

    /// Bytes of the BAT.
    pub(super) const fn bat_len(self) -> u64 {
        let len = (self.table.entries() * 8).next_multiple_of(MIB);
        // There is a region even if the disk has no block.
        if len == 0 { MIB } else { len }
    }

    /// Where the first block is.
    pub(super) const fn first(self) -> u64 {
        self.bat() + self.bat_len()
    }
}

impl Table {
    /// How many blocks the disk has.
    pub(super) const fn blocks(self) -> u64 {
        self.size.div_ceil(self.block)
    }

    /// Which entry is that of a block: behind those of each chunk is that of its sector bitmap
    /// (section 2.5).
    pub(super) const fn entry(self, block: u64) -> u64 {
        block + block / (CHUNK * self.sector / self.block)
    }

    /// How many entries there are.
    pub(super) const fn entries(self) -> u64 {
        match self.blocks().checked_sub(1) {
            Some(last) => self.entry(last) + 1,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn geometry(size: u64, block: u64, log: u64) -> Geometry {
        let sector = 512;
        let table = Table {
            size,
            block,
            sector,
        };
        Geometry { table, log }
    }

    #[test]
    fn every_chunk_of_blocks_has_one_more_entry() {
        // 4 GiB are a chunk: 16 blocks.
        let geometry = |size| geometry(size, 256 * MIB, MIB);
        for (size, entries) in [
            (0, 0),
            (1, 1),
            (4 << 30, 16),
            ((4 << 30) + 1, 18),
            (8 << 30, 33),
            (64 << 40, (256 << 10) + (16 << 10) - 1),
        ] {
            assert_eq!(geometry(size).table.entries(), entries, "{size}");
        }
        let large = geometry(64 << 40);
        assert_eq!((large.metadata(), large.bat()), (2 * MIB, 3 * MIB));
        assert_eq!((geometry(0).first(), large.first()), (4 * MIB, 6 * MIB));
        let entries = [15, 16, 31, 32].map(|block| large.table.entry(block));
        assert_eq!(entries, [15, 17, 32, 34]);
    }

    #[test]
    fn the_largest_table_is_no_longer_than_a_region_can_be() {
        let largest = geometry(MOST, MIB, 256 * MIB);
        assert!(u32::try_from(largest.bat_len()).is_ok());
    }
}
