//! Blocks: headers, an empty log, metadata and the block allocation table are in front of them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use uuid::Uuid;
use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use crate::container::mapped::{Place, Places};
use crate::container::runs::Runs;
use crate::container::zeroes::Zeroes;

/// Where the log, the metadata and the table are; each begins with a MiB.
const LOG: u64 = MIB;
const METADATA_AT: u64 = 2 * MIB;
const TABLE_AT: u64 = 3 * MIB;

/// What logical sectors of the disk hold: QEMU knows nothing else.
const SECTOR: u64 = 512;
/// What physical sectors of disks hold today.
const PHYSICAL: u32 = 4096;

/// Who made the image, for people.
const CREATOR: &str = "createhdds";

/// What decides where blocks go.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Bytes of the disk and of a block.
    pub size: u64,
    pub block: u64,
    pub zeroes: Zeroes,
    /// Those of the file, of its data and of the disk.
    pub uuids: [Uuid; 3],
}

impl Blocks {
    const fn count(&self) -> u64 {
        self.size.div_ceil(self.block)
    }

    const fn ratio(&self) -> u64 {
        chunk_ratio(SECTOR, self.block)
    }

    /// Bytes of the block allocation table's region. Entries of bitmaps follow each full chunk.
    const fn table_len(&self) -> u64 {
        let bitmaps = self.count().saturating_sub(1) / self.ratio();
        let len = (self.count() + bitmaps) * 8;
        let whole = len.next_multiple_of(MIB);
        if whole == 0 { MIB } else { whole }
    }

    const fn first(&self) -> u64 {
        TABLE_AT + self.table_len()
    }

    fn file_type() -> Vec<u8> {
        let creator = CREATOR.encode_utf16().flat_map(u16::to_le_bytes);
        FILE_TYPE.into_iter().chain(creator).collect()
    }

    fn header(&self, sequence: u64) -> Header {
        let mut header = Header::new_zeroed();
        header.signature = HEADER;
        header.sequence.set(sequence);
        header.file_write = self.uuids[0].to_bytes_le();
        header.data_write = self.uuids[1].to_bytes_le();
        header.version.set(VERSION);
        header.log_length.set(MIB as u32);
        header.log_offset.set(LOG);
        header.checksum.set(crc32c::crc32c(header.as_bytes()));
        header
    }

    fn regions(&self) -> Vec<u8> {
        let entries = [
            (BAT, TABLE_AT, self.table_len()),
            (METADATA_REGION, METADATA_AT, MIB),
        ];
        let mut header = RegionHeader::new_zeroed();
        header.signature = REGION;
        header.count.set(entries.len() as u32);
        let entries = entries.map(|(guid, offset, length)| {
            let mut entry = RegionEntry::new_zeroed();
            entry.guid = guid.to_bytes_le();
            entry.offset.set(offset);
            entry.length.set(length as u32);
            entry.required.set(1);
            entry
        });
        let mut bytes = [header.as_bytes(), entries.as_bytes()].concat();
        bytes.resize(TABLE_LEN as usize, 0);
        let sum = crc32c::crc32c(&bytes);
        bytes[4..8].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn metadata(&self) -> Vec<u8> {
        let block = (self.block as u32).to_le_bytes();
        let items = [
            (FILE_PARAMETERS, IS_REQUIRED, [block, [0; 4]].concat()),
            (
                DISK_SIZE,
                IS_DISK | IS_REQUIRED,
                self.size.to_le_bytes().to_vec(),
            ),
            (
                LOGICAL_SECTOR,
                IS_DISK | IS_REQUIRED,
                (SECTOR as u32).to_le_bytes().to_vec(),
            ),
            (
                PHYSICAL_SECTOR,
                IS_DISK | IS_REQUIRED,
                PHYSICAL.to_le_bytes().to_vec(),
            ),
            (
                DISK_ID,
                IS_DISK | IS_REQUIRED,
                self.uuids[2].to_bytes_le().to_vec(),
            ),
        ];
        let mut header = MetadataHeader::new_zeroed();
        header.signature = METADATA;
        header.count.set(items.len() as u16);
        let (mut table, mut values) = (header.as_bytes().to_vec(), Vec::new());
        for (item, flags, value) in items {
            let mut entry = MetadataEntry::new_zeroed();
            entry.item = item.to_bytes_le();
            entry.offset.set(TABLE_LEN as u32 + values.len() as u32);
            entry.length.set(value.len() as u32);
            entry.flags.set(flags);
            table.extend_from_slice(entry.as_bytes());
            values.extend_from_slice(&value);
        }
        table.resize(TABLE_LEN as usize, 0);
        table.extend_from_slice(&values);
        table
    }

    /// Writes the entries of blocks that are there, or must be zero; all others are zero.
    fn write_table(&self, units: &Runs, file: &File) -> io::Result<()> {
        let set = |unit: u64, entry: u64| {
            let at = unit + unit / self.ratio();
            file.write_all_at(&entry.to_le_bytes(), TABLE_AT + at * 8)
        };
        for unit in self.zeroes.within(0..self.count()) {
            set(unit, ZERO)?;
        }
        for (unit, rank) in units.iter() {
            set(unit, (self.first() + rank * self.block) | FULL)?;
        }
        Ok(())
    }
}

impl Place for Blocks {
    fn place(&self, units: &Runs) -> io::Result<Places> {
        Ok(Places {
            first: self.first(),
            stride: self.block,
            len: self.first() + units.count() * self.block,
        })
    }

    fn write_around(&self, units: &Runs, file: &File) -> io::Result<()> {
        self.write_table(units, file)?;
        file.write_all_at(&self.metadata(), METADATA_AT)?;
        for at in REGIONS {
            file.write_all_at(&self.regions(), at)?;
        }
        for (sequence, at) in (1..).zip(HEADERS) {
            file.write_all_at(self.header(sequence).as_bytes(), at)?;
        }
        file.write_all_at(&Self::file_type(), 0)
    }
}
