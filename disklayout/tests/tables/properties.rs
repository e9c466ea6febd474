//! Random descriptions: what is accepted keeps every promise, what is refused says how to go on,
//! and no bytes make the reader panic.

use disklayout::disk::{Disk, MemDisk};
use disklayout::layout::spec::{Disk as Spec, End, Length, Start};
use disklayout::layout::{DiskPlan, DiskSize};
use disklayout::table::Role;
use disklayout::{Bytes, Error, SECTOR_SIZE, SectorSize, inspect};
use proptest::prelude::*;

use crate::support::{Part, assert_reads_back, built, disk, plan_of};

/// Any list of parts at all: bounds on a small disk, so that they often collide.
fn any_parts() -> impl Strategy<Value = Vec<(&'static str, i64, i64)>> {
    let role = prop_oneof![4 => Just("p"), 1 => Just("e"), 4 => Just("l")];
    let bound = prop_oneof![6 => 0..3000_i64, 2 => -3000..0_i64, 1 => any::<i64>()];
    prop::collection::vec((role, bound.clone(), bound), 0..9)
}

fn any_label() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["mbr", "gpt"])
}

fn any_disk() -> impl Strategy<Value = Spec> {
    let sectors = prop_oneof![8 => 68..3000_u64, 1 => 0..68_u64, 1 => 1_u64 << 31..1 << 35];
    (sectors, any_label(), any_parts())
        .prop_map(|(sectors, label, parts)| disk(sectors, label, &parts))
}

/// The tail of a message that names a legal value.
fn legal_value(error: &Error) -> Option<i64> {
    let message = error.message();
    let from = ["legal start is ", "legal end is ", "the same sector is "]
        .iter()
        .find_map(|words| Some(message.find(words)? + words.len()))?;
    let digits = message[from..].split([' ', ';']).next()?;
    Some(digits.parse().unwrap())
}

/// Does what a refusal says; whether it said anything about a bound.
fn follow(spec: &mut Spec, error: &Error) -> bool {
    let Some(value) = legal_value(error) else {
        return false;
    };
    let index = index_of(spec, error);
    let part = &mut spec.partitions[index];
    match error.place().to_string().rsplit('.').next().unwrap() {
        "start" => part.start = Start::Sector(value),
        "end" => part.end = End::Sector(value),
        other => panic!("a legal value for '{other}'"),
    }
    true
}

/// How far a description is from acceptance: everything before the place of the error is sound.
fn index_of(spec: &Spec, error: &Error) -> usize {
    let place = error.place().to_string();
    let mut parts = spec.partitions.iter();
    let found = parts.position(|part| place.starts_with(&part.place.to_string()));
    found.unwrap()
}

fn assert_promises(spec: &Spec, plan: &DiskPlan) {
    let total = plan.size.get() / SECTOR_SIZE;
    assert_eq!(DiskSize::Fixed(plan.size), spec.size);
    assert_eq!(plan.partitions.len(), spec.partitions.len());
    assert!(plan.partitions.is_sorted_by_key(|one| one.record.number));
    for part in &spec.partitions {
        // Never moved and never aligned, the end included.
        let end = match part.end {
            End::Sector(end @ ..0) => total as i64 + end,
            End::Sector(end) => end,
            other => panic!("{other:?}"),
        };
        let Start::Sector(start) = part.start else {
            panic!("{:?}", part.start)
        };
        let same = |first: u64, last: u64| (first as i64, last as i64) == (start, end);
        let mut planned = plan.partitions.iter().map(|one| one.record.range);
        assert!(planned.any(|range| same(range.first().get(), range.last().get())));
        assert!((1..total as i64).contains(&start) && (1..total as i64).contains(&end));
    }
    for (index, held) in plan.partitions.iter().enumerate() {
        let one = &held.record;
        for other in plan.partitions[..index].iter().map(|one| &one.record) {
            let nested = matches!((other.role, one.role), (Role::Extended, Role::Logical));
            assert_eq!(other.range.overlaps(one.range), nested);
            assert!(!nested || other.range.contains(one.range));
        }
        assert_eq!(held.filesystem().is_none(), one.role == Role::Extended);
    }
}

fn bytes_of(disk: &MemDisk) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(disk.len()).unwrap()];
    disk.read_at(&mut bytes, 0).unwrap();
    bytes
}

/// Gaps and lengths of partitions that follow one another, and the order in which they are made.
fn legal_parts() -> impl Strategy<Value = Vec<(i64, i64, u8)>> {
    prop::collection::vec((0..5_i64, 1..600_i64, any::<u8>()), 1..20)
}

/// Lays partitions out from sector `next` on, at least `gap` sectors apart.
fn lay_out<'a>(next: i64, gap: i64, role: &'a str, parts: &[(i64, i64, u8)]) -> Vec<Part<'a>> {
    let mut next = next;
    let mut laid: Vec<_> = parts
        .iter()
        .map(|(before, length, order)| {
            let start = next + before + gap;
            next = start + length;
            (*order, (role, start, next - 1))
        })
        .collect();
    laid.sort_by_key(|(order, _)| *order);
    laid.into_iter().map(|(_, part)| part).collect()
}

proptest! {
    #[test]
    fn what_is_accepted_keeps_every_promise(spec in any_disk()) {
        if let Ok(plan) = plan_of(&spec) {
            assert_promises(&spec, &plan);
            assert_reads_back(&plan, &built(&plan));
        }
    }

    /// Each refusal of a bound leads on: the part that it is about is settled after a few steps.
    #[test]
    fn the_ways_out_lead_to_a_legal_disk(mut spec in any_disk()) {
        let mut steps = 0;
        let mut settled = 0;
        while let Err(error) = plan_of(&spec) {
            if !follow(&mut spec, &error) {
                break;
            }
            let index = index_of(&spec, &error);
            prop_assert!(index >= settled, "{error}");
            steps = if index == settled { steps + 1 } else { 1 };
            settled = index;
            prop_assert!(steps <= 5, "{error}");
        }
    }

    #[test]
    fn legal_disks_are_accepted(parts in legal_parts(), label in any_label()) {
        let mut laid = lay_out(34, 0, "p", &parts);
        if label == "mbr" {
            laid.truncate(4);
        }
        let spec = disk(15_000, label, &laid);
        let plan = plan_of(&spec).unwrap();
        assert_promises(&spec, &plan);
        assert_reads_back(&plan, &built(&plan));
    }

    /// A free sector before each logical partition is enough, in whichever order they are made;
    /// the first in the list doesn't need one of its own, but the start of the extended one does.
    #[test]
    fn legal_chains_are_accepted(parts in legal_parts(), start in 1..40_000_000_i64) {
        let mut laid = vec![("p", start, start), ("e", start + 1, start + 20_000)];
        laid.extend(lay_out(start + 2, 1, "l", &parts));
        let spec = disk(50_000_000, "mbr", &laid);
        let plan = plan_of(&spec).unwrap();
        assert_promises(&spec, &plan);
        assert_reads_back(&plan, &built(&plan));
    }

    #[test]
    fn the_same_description_gives_the_same_bytes(parts in legal_parts(), label in any_label()) {
        let mut laid = lay_out(34, 0, "p", &parts);
        laid.truncate(4);
        let spec = disk(15_000, label, &laid);
        let [one, two] = [(); 2].map(|()| bytes_of(&built(&plan_of(&spec).unwrap())));
        prop_assert!(one == two);
    }

    /// Damage is an error or goes unnoticed where nothing is checked, but nothing panics or hangs.
    #[test]
    fn no_bytes_make_the_reader_panic(
        label in any_label(),
        pokes in prop::collection::vec((0..6_usize, 0..512_u64, any::<u8>()), 1..12),
    ) {
        let parts = [("p", 100, 199), ("e", 200, 900), ("l", 300, 400), ("l", 500, 500)];
        let parts = if label == "mbr" { &parts[..] } else { &parts[..2] };
        let disk = built(&plan_of(&disk(1000, label, parts)).unwrap());
        for (sector, offset, byte) in pokes {
            let sector = [0, 1, 2, 200, 499, 999][sector];
            disk.write_at(&[byte], sector * SECTOR_SIZE + offset).unwrap();
        }
        let _ = inspect::table(&disk);
    }

    /// Partitions that follow one another are aligned, as long as they were asked to be, and no
    /// further apart than alignment needs.
    #[test]
    fn what_follows_is_aligned_and_exactly_as_long(
        parts in prop::collection::vec((1..40_u64, 0..6_u32), 1..12),
        is_large in any::<bool>(),
        label in any_label(),
    ) {
        let sector = if is_large { SectorSize::B4096 } else { SectorSize::B512 };
        let mut spec = disk(0, label, &vec![("p", 0, 0); parts.len().min(4)]);
        spec.sector_size = sector;
        spec.size = DiskSize::Fixed(Bytes::new(64 << 20));
        for (part, (size, align)) in spec.partitions.iter_mut().zip(&parts) {
            part.start = Start::Next;
            part.end = End::Size(Length::Bytes(Bytes::new(size * 4096)));
            part.align = Some(Length::Bytes(Bytes::new(4096 << align)));
        }
        let plan = plan_of(&spec).unwrap();
        let mut behind = if label == "mbr" { 1 } else { 2 + 16384 / sector.get() };
        for (one, (size, align)) in plan.partitions.iter().zip(&parts) {
            let unit = (4096 << align) / sector.get();
            prop_assert_eq!(one.record.range.first().get(), behind.next_multiple_of(unit));
            prop_assert_eq!(one.record.range.size(sector), Bytes::new(size * 4096));
            behind = one.record.range.last().get() + 1;
        }
        assert_reads_back(&plan, &built(&plan));
    }

    /// One partition up to a percentage and one from there on always meet, whatever the size.
    #[test]
    fn percentages_meet(
        size in 3..1_000_000_u64,
        percent in 1..100_u8,
        is_large in any::<bool>(),
        label in any_label(),
    ) {
        let sector = if is_large { SectorSize::B4096 } else { SectorSize::B512 };
        let mut spec = disk(0, label, &[("p", 0, 0), ("p", 0, 0)]);
        spec.sector_size = sector;
        let bytes = size * 4096;
        spec.size = DiskSize::Fixed(Bytes::new(bytes));
        spec.partitions[0].start = Start::Next;
        spec.partitions[0].end = End::Percent(percent);
        spec.partitions[1].start = Start::Percent(percent);
        spec.partitions[1].end = End::Auto;
        let boundary = bytes * u64::from(percent) / 100 / Bytes::MIB * Bytes::MIB;
        match plan_of(&spec) {
            Ok(plan) => {
                let [one, two] = [0, 1].map(|index| plan.partitions[index].record.range);
                prop_assert_eq!(one.last().get() + 1, two.first().get());
                prop_assert_eq!(two.offset(sector).get(), boundary);
                assert_reads_back(&plan, &built(&plan));
            }
            // No room below the boundary, or behind it.
            Err(error) => {
                let end = bytes - if label == "mbr" { 0 } else { 16384 + sector.get() };
                prop_assert!(boundary < 2 << 20 || boundary >= end, "{error}");
            }
        }
    }
}
