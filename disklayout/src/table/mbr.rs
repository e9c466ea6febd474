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
use crate::table::{Entry, Partition, Role, Table};
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

/// What one of the four entries of a boot record says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) kind: u8,
    pub(crate) active: bool,
    pub(crate) range: LbaRange,
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

/// Writes all boot records, the master boot record last.
pub(super) fn write(table: &Table, signature: u32, disk: &dyn Disk) -> Result<()> {
    let (mut entries, mut logical, mut extended) = (Vec::new(), Vec::new(), None);
    for partition in &table.partitions {
        let slot = slot(partition)?;
        match partition.role {
            Role::Logical => logical.push(slot),
            Role::Primary => entries.push(slot),
            Role::Extended => {
                extended = Some(partition.range);
                entries.push(slot);
            }
        }
    }
    if let Some(extended) = extended {
        write_chain(disk, table.sector_size, extended, &logical)?;
    }
    write_master(disk, signature, &entries)
}

fn slot(partition: &Partition) -> Result<Slot> {
    match partition.entry {
        Entry::Mbr { kind, active } => Ok(Slot {
            kind,
            active,
            range: partition.range,
        }),
        Entry::Gpt { .. } | Entry::None => Err(partition.mixed()),
    }
}

/// An extended partition without logical ones holds one empty record: without its signature fdisk
/// takes it for damaged.
fn write_chain(
    disk: &dyn Disk,
    sector: SectorSize,
    extended: LbaRange,
    logical: &[Slot],
) -> Result<()> {
    let offset = |at: Lba| at.get() * sector.get();
    if logical.is_empty() {
        return write_record(disk, offset(extended.first()), 0, &[]);
    }
    let records: Vec<_> = logical
        .iter()
        .enumerate()
        .map(|(index, logical)| boot_record(extended, index == 0, logical.range))
        .collect();
    for (index, one) in logical.iter().enumerate() {
        let mut entries = vec![encode(*one, records[index].get())?];
        if let Some(next) = logical.get(index + 1) {
            let link = link(records[index + 1], next.range)?;
            entries.push(encode(link, extended.first().get())?);
        }
        write_record(disk, offset(records[index]), 0, &entries)?;
    }
    Ok(())
}

/// Writes the record at the start of the disk.
pub(crate) fn write_master(disk: &dyn Disk, signature: u32, entries: &[Slot]) -> Result<()> {
    let entries = entries.iter().map(|entry| encode(*entry, 0));
    let entries = entries.collect::<Result<Vec<_>>>()?;
    write_record(disk, 0, signature, &entries)
}

/// The entry that leads to a record and covers it and its partition.
fn link(record: Lba, logical: LbaRange) -> Result<Slot> {
    let range = LbaRange::new(record, logical.last());
    let range = range.ok_or_else(|| beyond(record.get()))?;
    Ok(Slot {
        kind: LINK,
        active: false,
        range,
    })
}

/// The entry on disk. Its start counts from sector `origin`; its CHS addresses, which only old
/// programs read, from the start of the disk.
fn encode(entry: Slot, origin: u64) -> Result<MBRPartitionEntry> {
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
    use crate::table::TableId;

    fn one(role: Role, kind: u8, first: u64, sectors: u64) -> Partition {
        let last = Lba::new(first + sectors - 1);
        Partition {
            number: 0,
            role,
            range: LbaRange::new(Lba::new(first), last).unwrap(),
            entry: Entry::Mbr {
                kind,
                active: false,
            },
        }
    }

    fn write_all(signature: u32, partitions: Vec<Partition>, disk: &MemDisk) -> Result<()> {
        let table = Table {
            id: TableId::Mbr { signature },
            sector_size: SectorSize::B512,
            partitions,
        };
        write(&table, signature, disk)
    }

    /// The 72 bytes from the disk signature on, as `xxd -s 440 -p` shows them.
    fn table_at(disk: &MemDisk, sector: u64) -> String {
        let mut bytes = [0; 72];
        disk.read_at(&mut bytes, sector * 512 + 440).unwrap();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn sample() -> Vec<Partition> {
        vec![
            one(Role::Primary, 0x83, 2048, 97_953),
            one(Role::Extended, 0x0F, 102_400, 41_840_640),
            one(Role::Logical, 0x83, 104_448, 100_353),
            one(Role::Logical, 0x83, 208_896, 30_000_001),
            one(Role::Logical, 0x82, 33_554_432, 100),
        ]
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
        write_all(0x1234_5678, sample(), &disk).unwrap();
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
        write_all(0x1234_5678, sample(), &disk).unwrap();
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
        let extended = one(Role::Extended, 0x0F, 2048, 1);
        write_all(1, vec![extended], &disk).unwrap();
        assert_eq!(table_at(&disk, 2048), format!("{}55aa", "00".repeat(70)));
        assert_eq!(disk.allocated(), 8192);
    }

    #[test]
    fn what_exceeds_32_bits_is_an_error_and_no_wrapped_number() {
        let disk = MemDisk::new(6 << 40);
        let most = u64::from(u32::MAX);
        let fits = one(Role::Primary, 0x83, most, most);
        write_all(1, vec![fits], &disk).unwrap();
        let exceeds = one(Role::Primary, 0x83, 1, most + 1);
        write_all(1, vec![exceeds], &disk).unwrap_err();
    }
}
