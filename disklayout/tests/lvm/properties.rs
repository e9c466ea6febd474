//! Random groups beside those that vgcreate and lvcreate make of the same requests.

use disklayout::SectorSize;
use disklayout::disk::Disk;
use disklayout::inspect::lvm::{groups, member};
use proptest::prelude::*;
use testkit::MIB;
use testkit::random::cases;
use testkit::root::is_root;
use testkit::scratch::Scratch;

use crate::support::{Asked, Lvm, disks, dynamic, of_plan, planned, write};

fn sizes() -> impl Strategy<Value = Vec<u64>> {
    let whole = prop_oneof![6..150_u64, 6..40_u64, Just(50)];
    let size = (whole, 0..2 * MIB).prop_map(|(whole, more)| whole * MIB + more);
    prop::collection::vec(size, 1..5)
}

fn asked() -> impl Strategy<Value = (String, u32)> {
    let extents = prop_oneof![1..20_u32, 1..40_u32].prop_map(|count| count.to_string());
    let percent = prop_oneof![0..60_u32, Just(100), 1..250_u32];
    let of = prop_oneof![Just("VG"), Just("FREE"), Just("PVS")];
    let share = (percent, of).prop_map(|(percent, of)| format!("{percent}%{of}"));
    (
        prop_oneof![extents, share],
        prop_oneof![3 => Just(1_u32), 2 => 2..5_u32],
    )
}

/// The volumes of `asked` that there is room for, and which of them there is none for.
fn those_with_room(sizes: &[u64], asked: &[(String, u32)]) -> (Vec<Asked>, Vec<bool>) {
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for (number, (size, stripes)) in asked.iter().enumerate() {
        kept.push(Asked::new(&format!("lv{number}"), size, *stripes));
        let is_refused = planned(sizes, &kept).is_err();
        kept.pop_if(|_| is_refused);
        refused.push(is_refused);
    }
    (kept, refused)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn extents_are_those_that_lvcreate_chooses(
        sizes in sizes(),
        asked in prop::collection::vec(asked(), 1..7),
    ) {
        if !is_root() {
            return Ok(());
        }
        let (kept, refused) = those_with_room(&sizes, &asked);
        let theirs = Lvm::with_group(&sizes, SectorSize::B512, &[]);
        for (number, (size, stripes)) in asked.iter().enumerate() {
            let asked = Asked::new(&format!("lv{number}"), size, *stripes);
            let said = theirs.create(&asked);
            prop_assert_eq!(said.is_err(), refused[number], "{:?}: {:?}", asked, said);
        }
        let plan = planned(&sizes, &kept).unwrap();
        prop_assert_eq!(of_plan(&plan), theirs.extents());
        let ours = Lvm::with_plan(&plan, &sizes, SectorSize::B512);
        ours.accepts();
        prop_assert_eq!(ours.extents(), theirs.extents());
    }
}

proptest! {
    #![proptest_config(cases(128))]

    /// The size that an error asks for does, and one extent less doesn't.
    #[test]
    fn the_size_that_is_needed_is_the_smallest(
        sizes in sizes(),
        asked in prop::collection::vec(asked(), 1..5),
    ) {
        let volumes: Vec<_> = asked
            .iter()
            .enumerate()
            .map(|(number, (size, stripes))| Asked::new(&format!("lv{number}"), size, *stripes))
            .collect();
        let Err(error) = planned(&sizes, &volumes) else { return Ok(()) };
        let Some(needed) = error.needed() else { return Ok(()) };
        let with = |size: u64| {
            let mut sizes = sizes.clone();
            *sizes.last_mut().unwrap() = size;
            planned(&sizes, &volumes)
        };
        prop_assert!(with(needed.get()).is_ok(), "{}", error);
        prop_assert!(with(needed.get() - 1).is_err(), "{}", error);
    }

    /// What is read is what was planned, and no byte of one volume is one of another.
    #[test]
    fn what_is_written_is_read_back(
        sizes in sizes(),
        asked in prop::collection::vec(asked(), 0..7),
    ) {
        let (kept, _) = those_with_room(&sizes, &asked);
        let plan = planned(&sizes, &kept).unwrap();
        let scratch = Scratch::new();
        let images = write(&plan, &sizes, &scratch);
        let disks = disks(&images);
        let members = dynamic(&disks).into_iter().rev().map(|disk| member(disk).unwrap().unwrap());
        let (found, alone) = groups(members.collect());
        prop_assert!(alone.is_empty() && found.len() == 1);
        let group = &found[0];
        prop_assert!(group.warnings.is_empty(), "{:?}", group.warnings);
        prop_assert_eq!((&*group.name, group.id, group.seqno), (plan.name(), plan.uuid(), 1));
        for (member, planned) in group.members.iter().zip(plan.members()) {
            let found = (member.volume.id, member.volume.size, member.volume.extents);
            prop_assert_eq!(found, (planned.uuid, planned.size, planned.extents));
        }
        prop_assert_eq!(group.volumes.len(), plan.volumes().len());
        for (number, planned) in plan.volumes().iter().enumerate() {
            let volume = group.volume(&planned.name).unwrap();
            prop_assert_eq!((volume.id, volume.size), (planned.uuid, planned.size));
            // Nothing is written to it yet.
            let disk = group.open(volume).unwrap();
            let is_linear = planned.segments.iter().all(|segment| segment.areas.len() == 1);
            let expected = if is_linear { planned.size.get() } else { 0 };
            prop_assert_eq!(disk.next_data(0).min(disk.len()), expected);
            // Each area is marked where it is planned to be, and the marks are in the volume.
            for segment in &planned.segments {
                for (stripe, area) in segment.areas.iter().enumerate() {
                    let mark = [number as u8 + 1, stripe as u8 + 1];
                    disks[area.member].write_at(&mark, area.offset.get()).unwrap();
                    let step = segment.stripe_size.map_or(0, |size| size.get());
                    let at = segment.start.get() + step * stripe as u64;
                    let mut found = [0; 2];
                    disk.read_at(&mut found, at).unwrap();
                    prop_assert_eq!(found, mark);
                    prop_assert_eq!(disk.next_data(at), at);
                }
            }
        }
    }
}
