//! The zeroes that an image relies on, written out.
//!
//! In a fresh image they are holes. Whoever copies only its data to a medium that holds something
//! else needs them as data.

use std::ops::Range;

use crate::disk::{Disk, fill_holes};
use crate::error::{Error, Result};
use crate::layout::{DiskPlan, Held, PartitionPlan, RawBytes};
use crate::units::{Bytes, SectorSize};

/// Programs look for the signatures of filesystems and tables so far from the start and from the
/// end of a disk or a partition: what somebody else left there would count.
const ENDS: u64 = Bytes::MIB;

/// Writes the zeroes that `plan` relies on and that [`crate::build()`] left as holes of `disk`: all
/// of a filesystem but its free space, all holes of bytes that stand for themselves, and the ends of the
/// disk and of every partition that holds something.
///
/// # Errors
/// `Io` when storage fails.
pub fn write_zeroes(plan: &DiskPlan, disk: &dyn Disk) -> Result<()> {
    for range in relied_on(plan) {
        fill_holes(disk, &range).map_err(|error| {
            Error::io(
                "disk",
                "can't write the zeroes that the image relies on",
                error,
            )
        })?;
    }
    Ok(())
}

/// What must read as zero where [`crate::build()`] writes nothing, in ascending stretches that don't
/// touch: all of a filesystem but its free space, all of bytes that stand for themselves, and the ends of
/// the disk and of every partition that holds something.
pub fn relied_on(plan: &DiskPlan) -> Vec<Range<u64>> {
    let partitions = plan.partitions.iter();
    let parts = partitions.flat_map(|one| relied_on_in(one, plan.sector_size));
    let all = ends(0..plan.size.get()).into_iter().chain(parts);
    merged(all.chain(plan.blobs.iter().map(all_of)).collect())
}

fn relied_on_in(partition: &PartitionPlan, sector: SectorSize) -> Vec<Range<u64>> {
    let range = partition.record.range;
    let start = range.offset(sector).get();
    let end = start + range.size(sector).get();
    let mut used = Vec::from(ends(start..end));
    match &partition.holds {
        Held::Nothing => used.clear(),
        Held::Bytes(bytes) => used.push(all_of(bytes)),
        Held::Filesystem(filesystem) => {
            let mut at = start;
            for unused in filesystem.unused() {
                used.push(at..start + unused.start);
                at = start + unused.end;
            }
            used.push(at..end);
        }
    }
    used
}

fn all_of(bytes: &RawBytes) -> Range<u64> {
    let start = bytes.offset.get();
    start..start + bytes.content.len()
}

/// Both ends of a stretch.
fn ends(all: Range<u64>) -> [Range<u64>; 2] {
    let first = all.start..all.end.min(all.start + ENDS);
    let last = all.start.max(all.end.saturating_sub(ENDS))..all.end;
    [first, last]
}

fn merged(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;
    use crate::fs::{Registry, Unwatched};
    use crate::identity::{Identity, Timestamp};
    use crate::layout::spec::{Disk as Spec, DiskTable, Filesystem, Partition};
    use crate::layout::{self, DiskSize};
    use crate::tree::{Attributes, Content, FileTree};

    const MIB: u64 = Bytes::MIB;

    fn plan(filesystem: &str, size: u64) -> DiskPlan {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        if filesystem != "swap" {
            let content = Content::inline(&[7; 100_000]);
            let file = tree.put_file("t", b"/d/f", content, Attributes::file(time));
            file.unwrap();
        }
        let holds = Filesystem::new(filesystem, tree);
        let spec = Spec {
            place: "t".into(),
            size: DiskSize::Fixed(Bytes::new(size)),
            multiple: Bytes::new(1),
            sector_size: SectorSize::B512,
            table: DiskTable::Gpt {
                guid: None,
                hybrid: Vec::new(),
            },
            partitions: vec![Partition::new("t", holds)],
            blobs: Vec::new(),
        };
        let identity = Identity::new("t", time);
        layout::plan(spec, &identity, &Registry::native()).unwrap()
    }

    /// All bytes that were written, and what they are.
    fn written(disk: &MemDisk) -> (Vec<Range<u64>>, Vec<u8>) {
        let mut ranges = Vec::new();
        let mut at = disk.next_data(0);
        while at < disk.len() {
            let end = disk.next_hole(at);
            ranges.push(at..end);
            at = disk.next_data(end);
        }
        let mut bytes = vec![0; disk.len() as usize];
        disk.read_at(&mut bytes, 0).unwrap();
        (ranges, bytes)
    }

    #[test]
    fn a_used_medium_gets_all_that_is_relied_on_and_no_more() {
        for (filesystem, most) in [
            ("ext2", 12 * MIB),
            ("ext4", 18 * MIB),
            ("fat32", 5 * MIB),
            ("exfat", 5 * MIB),
            ("swap", 4 * MIB),
        ] {
            let plan = plan(filesystem, 100 * MIB);
            let fresh = MemDisk::new(100 * MIB);
            crate::build(&plan, &fresh, &Unwatched).unwrap();
            let (_, expected) = written(&fresh);
            write_zeroes(&plan, &fresh).unwrap();
            let (ranges, bytes) = written(&fresh);
            assert!(bytes == expected, "{filesystem}: other bytes");
            let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
            assert!(total < most, "{filesystem}: {total} bytes");
            let is_written = |wanted: &Range<u64>| {
                let covers = |one: &Range<u64>| one.start <= wanted.start && wanted.end <= one.end;
                ranges.iter().any(covers)
            };
            let wanted = relied_on(&plan);
            assert!(wanted.iter().all(is_written), "{filesystem}: {wanted:?}");
            // The ends of the disk, and of its partition.
            let partition = MIB..100 * MIB - 33 * 512;
            for end in ends(0..100 * MIB).into_iter().chain(ends(partition)) {
                assert!(is_written(&end), "{filesystem}: {end:?}");
            }
        }
    }

    #[test]
    fn a_filesystem_of_which_nothing_is_free_is_written_whole() {
        let plan = plan("erofs", 30 * MIB);
        assert_eq!(relied_on(&plan)[0].start, 0);
        let total: u64 = relied_on(&plan).iter().map(|one| one.end - one.start).sum();
        assert_eq!(total, 30 * MIB);
    }

    #[test]
    fn stretches_that_touch_become_one() {
        let ranges = vec![5..9, 0..2, 2..3, 9..9, 6..7];
        assert_eq!(merged(ranges), [0..3, 5..9]);
    }
}
