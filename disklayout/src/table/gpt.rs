//! Writes a GUID partition table: protective or hybrid MBR, both headers and both arrays of
//! entries.

use std::collections::BTreeMap;

use gpt::GptConfig;
use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::partition_types::{OperatingSystem, Type};
use uuid::Uuid;

use crate::disk::{Cursor, Disk};
use crate::error::{Error, Result};
use crate::table::format::GPT_PROTECTIVE;
use crate::table::{Entry, Partition, Table, mbr};
use crate::units::{Lba, LbaRange, SectorSize};

/// Writes the table, the MBR last.
pub(super) fn write(table: &Table, guid: Uuid, disk: &dyn Disk) -> Result<()> {
    let fail = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::io("partition table", "can't write the GPT", error)
    };
    let partitions = table.partitions.iter().map(encode);
    let partitions = partitions.collect::<Result<BTreeMap<_, _>>>()?;
    let mut writer = GptConfig::new()
        .writable(true)
        .logical_block_size(match table.sector_size {
            SectorSize::B512 => LogicalBlockSize::Lb512,
            SectorSize::B4096 => LogicalBlockSize::Lb4096,
        })
        .create_from_device(Cursor::new(disk), Some(guid))
        .map_err(|error| fail(error.into()))?;
    writer
        .update_partitions(partitions)
        .map_err(|error| fail(error.into()))?;
    let mut cursor = writer.write().map_err(|error| fail(error.into()))?;
    let hybrid = hybrid(&table.partitions);
    if let Some(first) = hybrid.iter().map(|entry| entry.range.first()).min() {
        return write_hybrid(disk, first, hybrid);
    }
    let sectors = disk.len() / table.sector_size.get();
    // A disk whose size 32 bits can't express is covered as far as they go.
    let covered = u32::try_from(sectors.saturating_sub(1)).unwrap_or(u32::MAX);
    ProtectiveMBR::with_lb_size(covered)
        .overwrite_lba0(&mut cursor)
        .map_err(|error| fail(error.into()))?;
    Ok(())
}

/// The partitions that stand in the MBR too, three at most, in the order of their entries there.
fn hybrid(partitions: &[Partition]) -> Vec<mbr::Slot> {
    let hybrid = partitions.iter().filter_map(|one| match &one.entry {
        Entry::Gpt { hybrid, .. } => hybrid.map(|hybrid| (hybrid, one.range)),
        Entry::Mbr { .. } | Entry::None => None,
    });
    let mut hybrid: Vec<_> = hybrid.collect();
    hybrid.sort_by_key(|(hybrid, _)| hybrid.number);
    let slots = hybrid.into_iter().map(|(hybrid, range)| mbr::Slot {
        kind: hybrid.kind,
        active: hybrid.active,
        range,
    });
    slots.collect()
}

/// The protective entry covers what is before `first`, where the first of the others starts.
fn write_hybrid(disk: &dyn Disk, first: Lba, others: Vec<mbr::Slot>) -> Result<()> {
    let range = LbaRange::new(Lba::new(1), Lba::new(first.get().saturating_sub(1)));
    let range = range.ok_or_else(|| {
        let message = format!("sector {first} belongs to the table itself");
        Error::does_not_fit("hybrid MBR", message)
    })?;
    let protective = mbr::Slot {
        kind: GPT_PROTECTIVE,
        active: false,
        range,
    };
    let entries: Vec<_> = [protective].into_iter().chain(others).collect();
    mbr::write_master(disk, 0, &entries)
}

fn encode(partition: &Partition) -> Result<(u32, gpt::partition::Partition)> {
    let Entry::Gpt {
        kind,
        guid,
        name,
        attributes,
        ..
    } = &partition.entry
    else {
        return Err(partition.mixed());
    };
    let entry = gpt::partition::Partition {
        part_type_guid: Type {
            guid: *kind,
            os: OperatingSystem::None,
        },
        part_guid: *guid,
        first_lba: partition.range.first().get(),
        last_lba: partition.range.last().get(),
        flags: *attributes,
        name: name.clone(),
    };
    Ok((partition.number, entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;
    use crate::table::types::GPT_LINUX;
    use crate::table::{Role, TableId};
    use crate::units::Lba;
    use std::io;
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
        let guid = Uuid::from_u128(1);
        let table = Table {
            id: TableId::Gpt { guid },
            sector_size: SectorSize::B512,
            partitions: vec![Partition {
                number: 1,
                role: Role::Primary,
                range: LbaRange::new(Lba::new(34), Lba::new(34)).unwrap(),
                entry: Entry::Gpt {
                    kind: GPT_LINUX,
                    guid: Uuid::from_u128(2),
                    name: "primary".to_owned(),
                    attributes: 0,
                    hybrid: None,
                },
            }],
        };
        table.write(&disk).unwrap();
        let mut writes = disk.writes.into_inner().unwrap();
        writes.sort_unstable();
        let expected = [
            (440, 72),
            (512, 512),
            (1024, 128),
            (len - 33 * 512, 128),
            (len - 512, 512),
        ];
        assert_eq!(writes, expected);
    }
}
