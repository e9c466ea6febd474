//! Writes a master boot record and the chain of extended boot records.
//!
//! Every record is a sector of the same shape, made by mbrman's header type. Its own writer of
//! chains isn't used: it computes offsets in 32 bits and can't go beyond 4 GiB.
//!
//! Left at zero: the boot code, which other programs fill with a program of their own. Where a
//! sector has more than 512 bytes, a record is its start.

use std::io;

use mbrman::{BOOT_ACTIVE, BOOT_INACTIVE, CHS, MBRHeader, MBRPartitionEntry};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::units::{Lba, LbaRange, SectorSize};

/// Entries in a boot record.
pub(crate) const PRIMARY_MAX: usize = 4;

/// The number of the first logical partition.
pub(crate) const FIRST_LOGICAL: u32 = 5;

/// The type of an entry that leads to the next extended boot record. It is not the one of the
/// extended partition itself: fdisk and parted both write this one.
const LINK: u8 = 0x05;

/// Bytes in a record.
const RECORD_SIZE: usize = 512;

/// The geometry that fdisk takes for a disk that has none: the largest that CHS can express.
const CYLINDERS: u16 = 1024;
const HEADS: u8 = 255;
const SECTORS_PER_TRACK: u8 = 63;

/// What stands for every address beyond the last cylinder.
const CHS_SATURATED: CHS = CHS {
    cylinder: CYLINDERS - 1,
    head: HEADS - 1,
    sector: SECTORS_PER_TRACK,
};

/// A partition as an MBR records it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) kind: u8,
    pub(crate) active: bool,
    pub(crate) range: LbaRange,
}

/// An MBR in which everything is decided.
#[derive(Debug)]
pub(crate) struct Mbr {
    pub(crate) signature: u32,
    pub(crate) sector: SectorSize,
    /// The entries of the table, the extended partition among them, in the order of their numbers.
    pub(crate) entries: Vec<Entry>,
    pub(crate) extended: Option<LbaRange>,
    /// In the order of their numbers.
    pub(crate) logical: Vec<Entry>,
}

/// Where the extended boot record of a logical partition is: a chain starts with the extended
/// partition, so that is where its first record is. Each other is just before its partition.
pub(crate) fn boot_record(extended: LbaRange, is_first: bool, logical: LbaRange) -> Lba {
    if is_first {
        extended.first()
    } else {
        Lba::new(logical.first().get() - 1)
    }
}

impl Mbr {
    /// Writes all boot records, the master boot record last.
    pub(crate) fn write(&self, disk: &dyn Disk) -> Result<()> {
        if let Some(extended) = self.extended {
            self.write_chain(disk, extended)?;
        }
        write_master(disk, self.signature, &self.entries)
    }

    /// An extended partition without logical ones holds one empty record: without its signature
    /// fdisk takes it for damaged.
    fn write_chain(&self, disk: &dyn Disk, extended: LbaRange) -> Result<()> {
        if self.logical.is_empty() {
            return write_record(disk, self.offset(extended.first()), 0, &[]);
        }
        let records: Vec<_> = self
            .logical
            .iter()
            .enumerate()
            .map(|(index, logical)| boot_record(extended, index == 0, logical.range))
            .collect();
        for (index, logical) in self.logical.iter().enumerate() {
            let mut entries = vec![encode(*logical, records[index].get())?];
            if let Some(next) = self.logical.get(index + 1) {
                entries.push(encode(
                    link(records[index + 1], next.range)?,
                    extended.first().get(),
                )?);
            }
            write_record(disk, self.offset(records[index]), 0, &entries)?;
        }
        Ok(())
    }

    fn offset(&self, at: Lba) -> u64 {
        at.get() * self.sector.get()
    }
}

/// Writes the record at the start of the disk.
pub(crate) fn write_master(disk: &dyn Disk, signature: u32, entries: &[Entry]) -> Result<()> {
    let entries = entries.iter().map(|entry| encode(*entry, 0));
    let entries = entries.collect::<Result<Vec<_>>>()?;
    write_record(disk, 0, signature, &entries)
}

/// The entry that leads to a record and covers it and its partition.
fn link(record: Lba, logical: LbaRange) -> Result<Entry> {
    let range = LbaRange::new(record, logical.last());
    let range = range.ok_or_else(|| beyond(record.get()))?;
    Ok(Entry {
        kind: LINK,
        active: false,
        range,
    })
}

/// The entry on disk. Its start counts from sector `origin`; its CHS addresses, which only old
/// programs read, from the start of the disk.
fn encode(entry: Entry, origin: u64) -> Result<MBRPartitionEntry> {
    let start = entry.range.first().get();
    Ok(MBRPartitionEntry {
        boot: if entry.active {
            BOOT_ACTIVE
        } else {
            BOOT_INACTIVE
        },
        first_chs: chs(entry.range.first()),
        sys: entry.kind,
        last_chs: chs(entry.range.last()),
        starting_lba: narrow(start.checked_sub(origin).ok_or_else(|| beyond(start))?)?,
        sectors: narrow(entry.range.sectors())?,
    })
}

fn chs(lba: Lba) -> CHS {
    u32::try_from(lba.get())
        .ok()
        .and_then(|lba| CHS::from_lba_exact(lba, CYLINDERS, HEADS, SECTORS_PER_TRACK).ok())
        .unwrap_or(CHS_SATURATED)
}

fn narrow(sectors: u64) -> Result<u32> {
    u32::try_from(sectors).map_err(|_| beyond(sectors))
}

/// Planning refuses this; a plan made by hand may still hold it.
fn beyond(sectors: u64) -> Error {
    Error::does_not_fit(
        "partition table",
        format!("an MBR can't record the sector number or count {sectors}"),
    )
}

fn write_record(
    disk: &dyn Disk,
    offset: u64,
    signature: u32,
    entries: &[MBRPartitionEntry],
) -> Result<()> {
    let fail = |error: Box<dyn std::error::Error + Send + Sync>| {
        let place = format!("boot record at byte {offset}");
        Error::io(place, "can't write it", error)
    };
    let mut header = MBRHeader::new(signature.to_le_bytes());
    for (index, entry) in entries.iter().enumerate() {
        let slot = header
            .get_mut(index + 1)
            .ok_or_else(|| beyond(index as u64))?;
        *slot = entry.clone();
    }
    // mbrman writes byte by byte: collect the record first.
    let mut record = [0; RECORD_SIZE];
    header
        .write_into(&mut io::Cursor::new(&mut record[..]))
        .map_err(|error| fail(error.into()))?;
    disk.write_at(&record, offset)
        .map_err(|error| fail(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;

    fn entry(kind: u8, first: u64, sectors: u64) -> Entry {
        let last = Lba::new(first + sectors - 1);
        let range = LbaRange::new(Lba::new(first), last).unwrap();
        Entry {
            kind,
            active: false,
            range,
        }
    }

    /// The 72 bytes from the disk signature on, as `xxd -s 440 -p` shows them.
    fn table_at(disk: &MemDisk, sector: u64) -> String {
        let mut bytes = [0; 72];
        disk.read_at(&mut bytes, sector * 512 + 440).unwrap();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn sample() -> Mbr {
        let extended = entry(0x0F, 102_400, 41_840_640);
        Mbr {
            signature: 0x1234_5678,
            sector: SectorSize::B512,
            entries: vec![entry(0x83, 2048, 97_953), extended],
            extended: Some(extended.range),
            logical: vec![
                entry(0x83, 104_448, 100_353),
                entry(0x83, 208_896, 30_000_001),
                entry(0x82, 33_554_432, 100),
            ],
        }
    }

    /// What sfdisk 2.38.1 writes on 20 GiB:
    ///
    /// ```text
    /// label: dos
    /// label-id: 0x12345678
    /// start=2048,size=97953,type=83
    /// start=102400,size=41840640,type=f
    /// start=104448,size=100353,type=83
    /// start=208896,size=30000001,type=83
    /// start=33554432,size=100,type=82
    /// ```
    #[test]
    fn a_master_boot_record_is_byte_for_byte_what_sfdisk_writes() {
        let disk = MemDisk::new(20 << 30);
        sample().write(&disk).unwrap();
        let expected = [
            "785634120000",
            "0020210083391406",
            "00080000a17e0100",
            "005f1a060ffeffff",
            "0090010000707e02",
            &"00".repeat(32),
            "55aa",
        ];
        assert_eq!(table_at(&disk, 0), expected.concat());
    }

    #[test]
    fn links_count_from_the_extended_partition_and_partitions_from_their_record() {
        let disk = MemDisk::new(20 << 30);
        sample().write(&disk).unwrap();
        let first = table_at(&disk, 102_400);
        assert_eq!(&first[12..44], "007f3a0683be330c0008000001880100");
        // Sector 208,895 is 106,495 (0x19fff) after the start of the extended partition.
        assert_eq!(&first[60..76], "ff9f010082c3c901");
        let last = table_at(&disk, 33_554_431);
        assert_eq!(&last[12..44], "00feffff82feffff0100000064000000");
        assert_eq!(&last[44..140], "00".repeat(48));
    }

    #[test]
    fn an_empty_chain_is_one_record_with_nothing_but_its_signature() {
        let disk = MemDisk::new(1 << 30);
        let extended = entry(0x0F, 2048, 1);
        let mbr = Mbr {
            signature: 1,
            sector: SectorSize::B512,
            entries: vec![extended],
            extended: Some(extended.range),
            logical: Vec::new(),
        };
        mbr.write(&disk).unwrap();
        assert_eq!(table_at(&disk, 2048), format!("{}55aa", "00".repeat(70)));
        assert_eq!(disk.allocated(), 8192);
    }

    #[test]
    fn what_exceeds_32_bits_is_an_error_and_no_wrapped_number() {
        let disk = MemDisk::new(6 << 40);
        let fits = Mbr {
            signature: 1,
            sector: SectorSize::B512,
            entries: vec![entry(0x83, u64::from(u32::MAX), u64::from(u32::MAX))],
            extended: None,
            logical: Vec::new(),
        };
        fits.write(&disk).unwrap();
        let exceeds = Mbr {
            entries: vec![entry(0x83, 1, 1 << 32)],
            ..fits
        };
        assert!(exceeds.write(&disk).is_err());
    }
}
