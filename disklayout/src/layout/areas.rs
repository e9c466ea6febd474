//! Whose the bytes of a disk are that belong to no partition.

use std::ops::Range;

use crate::layout::DiskPlan;
use crate::table::Kind;
use crate::table::format::{BOOT_CODE_BYTES, BOOT_RECORD_BYTES};
use crate::units::{Bytes, SectorSize};

/// The bytes of a table of this kind on a disk of `size`: at its start, and of a GPT at its end too. The
/// boot code in front of it isn't part of it.
pub(super) fn of_table(kind: Kind, size: Bytes, sector: SectorSize) -> Vec<Range<u64>> {
    let before = match kind {
        Kind::None => return Vec::new(),
        Kind::Mbr => BOOT_RECORD_BYTES,
        Kind::Gpt => (kind.sectors_after(sector) + 1) * sector.get(),
    };
    let after = kind.sectors_after(sector) * sector.get();
    let start = BOOT_CODE_BYTES as u64..before;
    let end = size.get().saturating_sub(after)..size.get();
    let areas = [start, end].into_iter();
    areas.filter(|area| !area.is_empty()).collect()
}

impl DiskPlan {
    /// The bytes of the partition table at both ends of the disk, ascending.
    pub fn table_areas(&self) -> Vec<Range<u64>> {
        of_table(self.table.kind(), self.size, self.sector_size)
    }

    /// The bytes that belong to neither a partition nor the table, ascending.
    pub fn free_areas(&self) -> Vec<Range<u64>> {
        let mut taken = self.table_areas();
        taken.extend(self.partitions.iter().map(|one| {
            let start = one.record.range.offset(self.sector_size).get();
            start..start + one.record.range.size(self.sector_size).get()
        }));
        taken.push(self.size.get()..self.size.get());
        taken.sort_by_key(|range| range.start);
        let mut at = 0;
        let mut free = Vec::new();
        for range in taken {
            if range.start > at {
                free.push(at..range.start);
            }
            at = at.max(range.end);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;
    use crate::fs::Registry;
    use crate::identity::Timestamp;
    use crate::layout::spec::{Disk, DiskTable, End, Holds, Partition, Start};
    use crate::layout::{DiskSize, plan};

    fn areas(table: DiskTable) -> (Vec<Range<u64>>, Vec<Range<u64>>) {
        let part = |first, last| Partition {
            start: Start::Sector(first),
            end: End::Sector(last),
            ..Partition::new("part", Holds::Nothing)
        };
        let disk = Disk {
            place: "disk".into(),
            size: DiskSize::Fixed(Bytes::new(1 << 20)),
            multiple: Bytes::new(1),
            sector_size: SectorSize::B512,
            table,
            partitions: vec![part(100, 199), part(200, 299), part(400, 499)],
            blobs: Vec::new(),
            groups: Vec::new(),
            others: Vec::new(),
            kept_table: Vec::new(),
        };
        let identity = Identity::new("disk", Timestamp::default());
        let plan = plan(disk, &identity, &Registry::native()).unwrap();
        (plan.table_areas(), plan.free_areas())
    }

    #[test]
    fn every_byte_is_the_tables_a_partitions_or_free() {
        let (table, free) = areas(DiskTable::Mbr { signature: None });
        assert_eq!(table.len(), 1);
        assert_eq!(table[0], 440..512);
        let expected = [0..440, 512..51_200, 153_600..204_800, 256_000..1 << 20];
        assert_eq!(free, expected);
        let (table, free) = areas(DiskTable::Gpt {
            guid: None,
            hybrid: Vec::new(),
        });
        assert_eq!(table, [440..34 * 512, (2048 - 33) * 512..1 << 20]);
        let expected = [
            0..440,
            34 * 512..51_200,
            153_600..204_800,
            256_000..(2048 - 33) * 512,
        ];
        assert_eq!(free, expected);
    }
}
