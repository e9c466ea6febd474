//! Writes a GUID partition table: protective or hybrid MBR, both headers and both arrays of
//! entries.

use std::collections::BTreeMap;
use std::io;

use gpt::GptConfig;
use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::partition::Partition;
use gpt::partition_types::{OperatingSystem, Type};
use uuid::Uuid;

use crate::disk::{Cursor, Disk};
use crate::error::{Error, Result};
use crate::table::format::GPT_PROTECTIVE;
use crate::table::mbr;
use crate::units::{Lba, LbaRange, SectorSize};

/// A partition as a GPT records it.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) number: u32,
    pub(crate) kind: Uuid,
    pub(crate) guid: Uuid,
    pub(crate) range: LbaRange,
    pub(crate) attributes: u64,
    pub(crate) name: &'a str,
}

/// A GPT in which everything is decided.
#[derive(Debug)]
pub(crate) struct Gpt<'a> {
    pub(crate) guid: Uuid,
    pub(crate) sector: SectorSize,
    pub(crate) entries: Vec<Entry<'a>>,
    /// The partitions that stand in the MBR too, three at most, in their order there.
    pub(crate) hybrid: Vec<mbr::Entry>,
}

impl Gpt<'_> {
    /// Writes the table, the MBR last.
    pub(crate) fn write(&self, disk: &dyn Disk) -> Result<()> {
        let fail = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::io("partition table", "can't write the GPT", error)
        };
        let disk = SkipZeroes(disk);
        let partitions: BTreeMap<_, _> = self.entries.iter().map(encode).collect();
        let mut table = GptConfig::new()
            .writable(true)
            .logical_block_size(match self.sector {
                SectorSize::B512 => LogicalBlockSize::Lb512,
                SectorSize::B4096 => LogicalBlockSize::Lb4096,
            })
            .create_from_device(Cursor::new(&disk), Some(self.guid))
            .map_err(|error| fail(error.into()))?;
        table
            .update_partitions(partitions)
            .map_err(|error| fail(error.into()))?;
        let mut cursor = table.write().map_err(|error| fail(error.into()))?;
        if let Some(first) = self.hybrid.iter().map(|entry| entry.range.first()).min() {
            return self.write_hybrid(&disk, first);
        }
        let sectors = disk.len() / self.sector.get();
        // A disk whose size 32 bits can't express is covered as far as they go.
        let covered = u32::try_from(sectors.saturating_sub(1)).unwrap_or(u32::MAX);
        ProtectiveMBR::with_lb_size(covered)
            .overwrite_lba0(&mut cursor)
            .map_err(|error| fail(error.into()))?;
        Ok(())
    }

    /// The protective entry covers what is before `first`, where the first of the others starts.
    fn write_hybrid(&self, disk: &dyn Disk, first: Lba) -> Result<()> {
        let range = LbaRange::new(Lba::new(1), Lba::new(first.get().saturating_sub(1)));
        let range = range.ok_or_else(|| {
            let message = format!("sector {first} belongs to the table itself");
            Error::does_not_fit("hybrid MBR", message)
        })?;
        let protective = mbr::Entry {
            kind: GPT_PROTECTIVE,
            active: false,
            range,
        };
        let entries: Vec<_> = [protective]
            .into_iter()
            .chain(self.hybrid.clone())
            .collect();
        mbr::write_master(disk, 0, &entries)
    }
}

fn encode(entry: &Entry<'_>) -> (u32, Partition) {
    let partition = Partition {
        part_type_guid: Type {
            guid: entry.kind,
            os: OperatingSystem::None,
        },
        part_guid: entry.guid,
        first_lba: entry.range.first().get(),
        last_lba: entry.range.last().get(),
        flags: entry.attributes,
        name: entry.name.to_owned(),
    };
    (entry.number, partition)
}

/// A fresh disk without the writes that would change nothing: the crate clears all unused
/// entries, twice 16 KiB on a disk that reads as zero anyway.
#[derive(Debug)]
struct SkipZeroes<'a>(&'a dyn Disk);

impl Disk for SkipZeroes<'_> {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        if buf.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        self.0.write_at(buf, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;
    use crate::table::types::GPT_LINUX;
    use crate::units::Lba;
    use std::sync::Mutex;

    /// A disk that remembers where it was written to.
    #[derive(Debug)]
    struct Recorder {
        disk: MemDisk,
        writes: Mutex<Vec<(u64, usize)>>,
    }

    impl Disk for Recorder {
        fn len(&self) -> u64 {
            self.disk.len()
        }

        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
            self.disk.read_at(buf, offset)
        }

        fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
            self.writes.lock().unwrap().push((offset, buf.len()));
            self.disk.write_at(buf, offset)
        }
    }

    #[test]
    fn only_what_is_not_zero_is_written() {
        let len = 25 << 30;
        let disk = Recorder {
            disk: MemDisk::new(len),
            writes: Mutex::default(),
        };
        let gpt = Gpt {
            guid: Uuid::from_u128(1),
            sector: SectorSize::B512,
            hybrid: Vec::new(),
            entries: vec![Entry {
                number: 1,
                kind: GPT_LINUX,
                guid: Uuid::from_u128(2),
                range: LbaRange::new(Lba::new(34), Lba::new(34)).unwrap(),
                attributes: 0,
                name: "primary",
            }],
        };
        gpt.write(&disk).unwrap();
        let mut writes = disk.writes.into_inner().unwrap();
        writes.sort_unstable();
        let expected = [
            (0, 512),
            (512, 512),
            (1024, 128),
            (len - 33 * 512, 128),
            (len - 512, 512),
        ];
        assert_eq!(writes, expected);
    }
}
