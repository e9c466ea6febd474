//! Which extents volumes are given, as lvcreate was recorded.

use disklayout::volume::lvm::Segment;

use crate::support::{Asked, planned};

/// The only area of a volume's only segment, as its first and last extent.
fn only_area(segments: &[Segment], extent: u64, start: u64) -> (u64, u64) {
    let [segment] = segments else {
        panic!("{segments:?}")
    };
    let [area] = &segment.areas[..] else {
        panic!("{segment:?}")
    };
    let first = (area.offset.get() - start) / extent;
    (first, first + area.size.get() / extent - 1)
}

#[test]
fn every_recorded_request_takes_what_was_recorded() {
    let mut lines = 0;
    for line in include_str!("extents.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        lines += 1;
        let words: Vec<_> = line.split(' ').collect();
        let [size, extents, requests @ ..] = &words[..] else {
            panic!("{line}")
        };
        let size = size.parse().unwrap();
        let requests = requests.chunks(2);
        let volumes = requests
            .clone()
            .enumerate()
            .map(|(number, request)| Asked::new(&format!("lv{number}"), request[0], 1));
        let volumes: Vec<_> = volumes.collect();
        let expected: Vec<_> = requests.map(|request| request[1]).collect();
        let plan = match planned(&[size], &volumes) {
            Ok(plan) => plan,
            Err(error) => {
                assert_eq!(expected, ["-"], "{line}: {error}");
                continue;
            }
        };
        assert_eq!(plan.members()[0].extents.to_string(), *extents, "{line}");
        for (volume, expected) in plan.volumes().iter().zip(expected) {
            let extent = plan.extent_size().get();
            let (first, last) = only_area(&volume.segments, extent, plan.metadata_extent().end);
            let found = match expected.contains('-') {
                true => format!("{first}-{last}"),
                false => (last + 1 - first).to_string(),
            };
            assert_eq!(found, expected, "{line}");
        }
    }
    assert_eq!(lines, 30);
}

/// More than there is makes a difference to where it lies: as lvcreate of 2.03.16 has it.
#[test]
fn shares_of_more_than_all_take_the_largest_first() {
    let sizes = [52_428_800, 6_291_456, 55_574_528];
    for (size, expected) in [
        ("100%FREE", [0, 2, 1]),
        ("139%FREE", [0, 2, 1]),
        ("150%FREE", [2, 0, 1]),
        ("150%VG", [0, 2, 1]),
        ("105%PVS", [0, 2, 1]),
        ("150%PVS", [2, 0, 1]),
    ] {
        let plan = planned(&sizes, &[Asked::new("lv", size, 3)]).unwrap();
        let [segment] = &plan.volumes()[0].segments[..] else {
            panic!("{size}: {plan:?}")
        };
        let members: Vec<_> = segment.areas.iter().map(|area| area.member).collect();
        assert_eq!(members, expected, "{size}");
    }
}
