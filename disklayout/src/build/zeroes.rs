//! The zeroes that somebody relies on.
//!
//! In a fresh image they are holes, as is what nobody cares about. Whoever copies only the data of an
//! image to a medium that holds something else has to be told of the difference.

use std::iter;
use std::ops::Range;

use super::devices::{Devices, Stretches};
use super::pending::Pending;
use crate::layout::{DiskPlan, Held, RawBytes};
use crate::units::Bytes;

/// Programs look for the signatures of filesystems and tables so far from the start and from the
/// end of a disk or a partition: what somebody else left there would count.
const ENDS: u64 = Bytes::MIB;

/// Which zeroes an image file tells of where nothing is written on its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zeroes {
    /// None: the file is as small as can be.
    Sparsest,
    /// Those that are read before somebody writes there, so that a copy of what the file tells is
    /// sound, whatever was in its place before.
    #[default]
    Needed,
    /// All but free space, and both ends of the disk and of every partition in which anything is: a
    /// copy has nothing left of what was in its place before that programs look for.
    All,
}

/// Adds to what comes to each device what must read as zero there where nothing is written. `pending` is
/// what is still to be copied.
pub(super) fn add(
    plan: &DiskPlan,
    zeroes: Zeroes,
    devices: &Devices<'_>,
    pending: &[Pending<'_>],
    to: &mut [Stretches],
) {
    for (position, device) in devices.iter() {
        let all = 0..device.area.len();
        let Some(held) = device.held else { continue };
        let zeroes = match zeroes {
            // A hole would be noise to whoever opens it.
            Zeroes::Sparsest if devices.is_encrypted(position) => Zeroes::Needed,
            zeroes => zeroes,
        };
        let own = match zeroes {
            _ if devices.encrypts_all(position) => vec![all],
            Zeroes::Sparsest => continue,
            _ if devices.is_hashed(position) => vec![all],
            Zeroes::Needed => needed_in(plan, held, &all),
            Zeroes::All => all_in(plan, held, &all),
        };
        to[position].zeroes.extend(own);
        if zeroes == Zeroes::Needed {
            let own = pending.iter().filter(|one| one.device == position);
            to[position].zeroes.extend(own.flat_map(Pending::zeroes));
        }
    }
    let own = &mut to[0].zeroes;
    match zeroes {
        Zeroes::Sparsest => return,
        Zeroes::Needed => own.extend(plan.table().extents(plan.size)),
        Zeroes::All => own.extend(ends(&(0..plan.size.get()))),
    }
    own.extend(plan.blobs.iter().map(all_of));
}

/// The bytes of a device that are read.
fn needed_in(plan: &DiskPlan, held: &Held, all: &Range<u64>) -> Vec<Range<u64>> {
    match held {
        Held::Filesystem(filesystem) => between(all, &filesystem.unread()),
        held => in_use(plan, held).into_iter().collect(),
    }
}

/// The bytes of a device that are in use, and its ends.
fn all_in(plan: &DiskPlan, held: &Held, all: &Range<u64>) -> Vec<Range<u64>> {
    let used = match held {
        Held::Nothing => return Vec::new(),
        Held::Filesystem(filesystem) => between(all, &filesystem.unused()),
        held => in_use(plan, held).into_iter().collect(),
    };
    used.into_iter().chain(ends(all)).collect()
}

/// The bytes of a device that are used by what is no filesystem.
fn in_use(plan: &DiskPlan, held: &Held) -> Option<Range<u64>> {
    let end = match held {
        Held::Nothing | Held::Filesystem(_) => return None,
        Held::Bytes(bytes) => bytes.content.len(),
        Held::Member(member) => plan.groups[member.group].lvm.metadata_extent().end,
        Held::Encrypted(encrypted) => encrypted.luks.data_offset().get(),
        Held::Hashes(hashes) => hashes.verity.hash_len().get(),
    };
    Some(0..end)
}

/// What `left_out`, which counts from the start of `all`, leaves of that.
fn between(all: &Range<u64>, left_out: &[Range<u64>]) -> Vec<Range<u64>> {
    let starts = iter::once(0).chain(left_out.iter().map(|range| range.end));
    let ends = left_out.iter().map(|range| range.start);
    let ends = ends.chain(iter::once(all.end - all.start));
    let rest = starts.zip(ends).filter(|(start, end)| start < end);
    rest.map(|(start, end)| all.start + start..all.start + end)
        .collect()
}

fn all_of(bytes: &RawBytes) -> Range<u64> {
    let start = bytes.offset.get();
    start..start + bytes.content.len()
}

/// Both ends of a stretch.
fn ends(all: &Range<u64>) -> [Range<u64>; 2] {
    let first = all.start..all.end.min(all.start + ENDS);
    let last = all.start.max(all.end.saturating_sub(ENDS))..all.end;
    [first, last]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;
    use crate::fs::Registry;
    use crate::identity::{Identity, Timestamp};
    use crate::layout::spec::{Disk as Spec, DiskTable, Filesystem, Partition};
    use crate::layout::{self, DiskSize};
    use crate::tree::{Attributes, Content, FileTree};
    use crate::units::SectorSize;

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
            groups: Vec::new(),
            others: Vec::new(),
            kept_table: Vec::new(),
        };
        let identity = Identity::new("t", time);
        layout::plan(spec, &identity, &Registry::native()).unwrap()
    }

    fn relied_on(plan: &DiskPlan, zeroes: Zeroes) -> Vec<Range<u64>> {
        let disk = MemDisk::new(plan.size.get());
        let devices = Devices::of(plan, &disk).unwrap();
        let mut coming = devices.nothing();
        add(plan, zeroes, &devices, &[], &mut coming);
        devices.prepare(coming).unwrap().zeroes
    }

    fn total(ranges: &[Range<u64>]) -> u64 {
        ranges.iter().map(|range| range.end - range.start).sum()
    }

    /// Whether nothing of `ranges` is outside of `others`.
    fn are_within(ranges: &[Range<u64>], others: &[Range<u64>]) -> bool {
        ranges.iter().all(|range| {
            let covers = |one: &Range<u64>| one.start <= range.start && range.end <= one.end;
            others.iter().any(covers)
        })
    }

    #[test]
    fn what_is_needed_is_a_part_of_what_is_in_use() {
        for (filesystem, needed, most) in [
            ("ext2", 8 * MIB, 12 * MIB),
            ("ext4", MIB, 18 * MIB),
            ("fat32", 3 * MIB, 5 * MIB),
            ("exfat", 3 * MIB, 5 * MIB),
            ("swap", 64 << 10, 4 * MIB),
        ] {
            let plan = plan(filesystem, 100 * MIB);
            let known = [Zeroes::Sparsest, Zeroes::Needed, Zeroes::All];
            let [none, some, all] = known.map(|zeroes| relied_on(&plan, zeroes));
            assert!(none.is_empty(), "{filesystem}: {none:?}");
            assert!(are_within(&some, &all), "{filesystem}: {some:?} {all:?}");
            assert!(total(&some) < needed, "{filesystem}: {}", total(&some));
            assert!(total(&all) < most, "{filesystem}: {}", total(&all));
            // The table, and the ends of the disk and of its partition.
            let tables = [0..34 * 512, 100 * MIB - 33 * 512..100 * MIB];
            assert!(are_within(&tables, &some), "{filesystem}: {some:?}");
            let partition = MIB..100 * MIB - 33 * 512;
            for ends in [ends(&(0..100 * MIB)), ends(&partition)] {
                assert!(are_within(&ends, &all), "{filesystem}: {all:?}");
            }
        }
    }

    #[test]
    fn a_filesystem_of_which_nothing_is_free_is_written_whole() {
        let plan = plan("erofs", 30 * MIB);
        let all = relied_on(&plan, Zeroes::All);
        assert_eq!((all[0].start, total(&all)), (0, 30 * MIB));
    }

    #[test]
    fn what_is_left_out_is_between_the_others() {
        let (all, some) = (100..200, 110..120);
        assert_eq!(between(&all, &[]), std::slice::from_ref(&all));
        assert_eq!(between(&all, &[0..10, 20..100]), [some]);
        assert!(between(&all, &[crate::fs::EVERYTHING]).is_empty());
    }
}
