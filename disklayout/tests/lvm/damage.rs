//! Damaged and hostile groups are told, and never end the program.

use disklayout::disk::{Disk, MemDisk};
use disklayout::inspect::lvm::{Group, groups, member};
use proptest::prelude::*;
use testkit::MIB;
use testkit::random::cases;

use crate::support::{Asked, planned};

const SIZES: [u64; 2] = [64 * MIB, 100 * MIB];

fn written() -> Vec<MemDisk> {
    let volumes = [
        Asked::new("a", "20", 1),
        Asked::new("b", "4", 2),
        Asked::new("c", "100%FREE", 1),
    ];
    let plan = planned(&SIZES, &volumes).unwrap();
    let disks = SIZES.iter().enumerate().map(|(number, size)| {
        let disk = MemDisk::new(*size);
        plan.write_member(number, &disk).unwrap();
        disk
    });
    disks.collect()
}

fn flip(disk: &MemDisk, offset: u64, bits: u8) {
    let mut byte = [0];
    disk.read_at(&mut byte, offset).unwrap();
    byte[0] ^= bits;
    disk.write_at(&byte, offset).unwrap();
}

/// What is told of some disks: errors, or the warnings of their only group.
fn told(disks: &[MemDisk]) -> Vec<String> {
    let mut told = Vec::new();
    let mut found = Vec::new();
    for disk in disks {
        match member(disk) {
            Ok(Some(member)) => found.push(member),
            Ok(None) => told.push("nothing is there".to_owned()),
            Err(error) => told.push(error.to_string()),
        }
    }
    let (groups, alone) = groups(found);
    for member in alone {
        told.push(format!("{:?} is alone: {:?}", member.id, member.warnings));
    }
    for group in &groups {
        told.extend(group.warnings.clone());
        read_all(group);
    }
    told
}

/// Reads some bytes of every volume that opens.
fn read_all(group: &Group<'_>) {
    for volume in &group.volumes {
        if let Ok(disk) = group.open(volume) {
            let mut bytes = [0; 5000];
            for at in [0, disk.len() / 2, disk.len().saturating_sub(5000)] {
                let _ = disk.read_at(&mut bytes, at);
            }
            let _ = disk.next_data(0);
        }
    }
}

#[test]
fn every_bit_of_headers_and_text_counts() {
    assert_eq!(told(&written()), Vec::<String>::new());
    let end = {
        let disk = &written()[0];
        let mut start = vec![0; 65_536];
        disk.read_at(&mut start, 0).unwrap();
        start.iter().rposition(|byte| *byte != 0).unwrap() as u64
    };
    let text = (4608..=end).step_by(13);
    for offset in (512..1024).chain(4096..4608).chain(text) {
        let disks = written();
        flip(&disks[0], offset, 1 << (offset % 8));
        let told = told(&disks);
        assert!(!told.is_empty(), "{offset}");
        let known = ["label", "metadata", "missing", "alone"];
        let is_told = told
            .iter()
            .any(|told| known.iter().any(|known| told.contains(known)));
        assert!(is_told, "{offset}: {told:?}");
    }
}

/// Each disk has the text of the whole group.
#[test]
fn the_other_text_is_used() {
    let disks = written();
    flip(&disks[0], 4700, 1);
    let members = disks.iter().map(|disk| member(disk).unwrap().unwrap());
    let (found, alone) = groups(members.collect());
    assert!(alone.is_empty());
    assert_eq!(found[0].volumes.len(), 3);
    let [warning] = &found[0].warnings[..] else {
        panic!("{:?}", found[0].warnings)
    };
    assert!(
        warning.starts_with(
            "physical volume 'pv0': metadata area 1: LVM metadata: it has the checksum"
        ),
        "{warning}"
    );
    for volume in &found[0].volumes {
        found[0].open(volume).unwrap();
    }
}

#[test]
fn missing_and_short_disks_are_told() {
    let disks = written();
    let (found, _) = groups(vec![member(&disks[1]).unwrap().unwrap()]);
    let group = &found[0];
    let warnings = &group.warnings;
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("physical volume 'pv0' is missing: "),
        "{warnings:?}"
    );
    assert!(warnings[0].ends_with(", once /dev/disk0"), "{warnings:?}");
    // This one is on the other disk alone.
    assert!(group.open(group.volume("a").unwrap()).is_ok());
    let said = group
        .open(group.volume("b").unwrap())
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "logical volume 'b': physical volume 'pv0' is missing, which has some of it"
    );

    let short = MemDisk::new(10 * MIB);
    let mut start = vec![0; MIB as usize];
    disks[1].read_at(&mut start, 0).unwrap();
    short.write_at(&start, 0).unwrap();
    let (found, _) = groups(vec![
        member(&disks[0]).unwrap().unwrap(),
        member(&short).unwrap().unwrap(),
    ]);
    assert!(
        found[0].warnings[0].contains("it had 100 MiB"),
        "{:?}",
        found[0].warnings
    );
    let said = found[0]
        .open(found[0].volume("a").unwrap())
        .unwrap_err()
        .to_string();
    assert!(said.contains("'pv1' is too short"), "{said}");

    let twice = [0, 0, 1].map(|number: usize| member(&disks[number]).unwrap().unwrap());
    let (found, _) = groups(twice.into());
    assert!(
        found[0].warnings[0].contains("there twice"),
        "{:?}",
        found[0].warnings
    );
    assert!(member(&MemDisk::new(10)).unwrap().is_none());
    assert!(member(&MemDisk::new(MIB)).unwrap().is_none());
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = 0xf597_a6cf_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    crc
}

/// Puts a text in place of the metadata, with checksums that are right.
fn replace(disk: &MemDisk, text: &[u8]) {
    let mut header = [0; 512];
    disk.read_at(&mut header, 4096).unwrap();
    header[40..48].copy_from_slice(&512_u64.to_le_bytes());
    header[48..56].copy_from_slice(&(text.len() as u64).to_le_bytes());
    header[56..60].copy_from_slice(&crc(text).to_le_bytes());
    let sum = crc(&header[4..]);
    header[..4].copy_from_slice(&sum.to_le_bytes());
    disk.write_at(&header, 4096).unwrap();
    disk.write_at(text, 4608).unwrap();
}

/// The text of the group, without its NUL.
fn text(disk: &MemDisk) -> String {
    let mut start = vec![0; 65_536];
    disk.read_at(&mut start, 4608).unwrap();
    start.truncate(start.iter().position(|byte| *byte == 0).unwrap());
    String::from_utf8(start).unwrap()
}

/// What is told of a text that is otherwise in order.
fn told_of(text: &str) -> Vec<String> {
    let disks = written();
    disks.iter().for_each(|disk| replace(disk, text.as_bytes()));
    told(&disks)
}

#[test]
fn what_makes_no_sense_is_told() {
    let sound = text(&written()[0]);
    assert_eq!(told_of(&sound), Vec::<String>::new());
    for (from, to, expected) in [
        (
            "extent_size = 8192",
            "extent_size = 0",
            "extents hold nothing",
        ),
        (
            "extent_size = 8192",
            "extent_size = -1",
            "has no extent_size",
        ),
        (
            "extent_size = 8192",
            "extent_size = 9223372036854775807",
            "larger than any disk",
        ),
        ("version = 1", "version = 2", "isn't version 1"),
        ("seqno = 1", "seqno = \"x\"", "has no seqno"),
        ("pe_count = 15", "pe_count = 3", "which has 3 extents"),
        ("extent_count = 20", "extent_count = 0", "has no extents"),
        (
            "extent_count = 20",
            "extent_count = 9223372036854775807",
            "no usable extent_count",
        ),
        ("start_extent = 0", "start_extent = 1", "begins at"),
        (
            "segment_count = 1",
            "segment_count = 2",
            "which isn't what it says",
        ),
        (
            "stripe_count = 2",
            "stripe_count = 3",
            "other stripes than it says",
        ),
        ("stripe_size = 128", "stripe_size = 0", "impossible size"),
        ("stripe_size = 128", "stripe_size = 100", "impossible size"),
        ("\"pv1\", 0\n", "\"pv1\", -1\n", "a segment leaves 'pv1'"),
        (
            "\"pv1\", 0\n",
            "\"pv1\", 9223372036854775807\n",
            "a segment leaves 'pv1'",
        ),
        ("\"pv1\", 0\n", "\"pv1\"\n", "other stripes than it says"),
        ("\"pv1\", 0\n", "\"pv1\", 1\n", "have extents in common"),
        ("pv1 {", "pv1 { {", "no name or value"),
    ] {
        assert!(sound.contains(from), "{from}: {sound}");
        let told = told_of(&sound.replacen(from, to, 1));
        assert!(
            told.iter().any(|told| told.contains(expected)),
            "{to}: {told:?}"
        );
    }
}

#[test]
fn places_outside_are_told() {
    for (offset, len, expected) in [
        (511, 10, "aren't inside it"),
        (u64::MAX, 10, "aren't inside it"),
        (MIB - 4096, 10, "aren't inside it"),
        (512, 0, "aren't inside it"),
        (512, u64::MAX, "aren't inside it"),
        (512, MIB - 4096 - 511, "aren't inside it"),
        (512, MIB - 4096 - 512, "checksum"),
    ] {
        let disks = written();
        let mut header = [0; 512];
        disks[0].read_at(&mut header, 4096).unwrap();
        header[40..48].copy_from_slice(&offset.to_le_bytes());
        header[48..56].copy_from_slice(&len.to_le_bytes());
        let sum = crc(&header[4..]);
        header[..4].copy_from_slice(&sum.to_le_bytes());
        disks[0].write_at(&header, 4096).unwrap();
        let told = told(&disks);
        assert!(
            told.len() == 1 && told[0].contains(expected),
            "{offset} {len}: {told:?}"
        );
    }
}

/// The label's lists with right checksums: without an end, and areas beyond the disk.
#[test]
fn hostile_labels_are_told() {
    for (at, value, expected) in [
        (20, 500_u32.to_le_bytes().to_vec(), "middle of a structure"),
        (20, 10_u32.to_le_bytes().to_vec(), "outside its sector"),
        (20, u32::MAX.to_le_bytes().to_vec(), "outside its sector"),
        (8, 3_u64.to_le_bytes().to_vec(), "says that it is in 3"),
        (24, b"LVM1 001".to_vec(), "of type 'LVM1 001'"),
        (32, vec![0; 32], "is no UUID"),
        (72, vec![7; 440], "middle of a structure"),
        (
            104,
            [u64::MAX; 2].map(u64::to_le_bytes).concat(),
            "larger than any disk",
        ),
        (
            104,
            [u64::MAX / 2; 1].map(u64::to_le_bytes).concat(),
            "lie behind the end",
        ),
        (
            112,
            [u64::MAX / 2; 1].map(u64::to_le_bytes).concat(),
            "it says that it has",
        ),
    ] {
        let disks = written();
        let mut sector = [0; 512];
        disks[0].read_at(&mut sector, 512).unwrap();
        sector[at..at + value.len()].copy_from_slice(&value);
        let sum = crc(&sector[20..]);
        sector[16..20].copy_from_slice(&sum.to_le_bytes());
        disks[0].write_at(&sector, 512).unwrap();
        let told = told(&disks);
        assert!(
            told.iter().any(|told| told.contains(expected)),
            "{at}: {told:?}"
        );
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// Texts with pieces cut out, doubled or changed: some answer comes back.
    #[test]
    fn no_text_ends_the_program(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..60_usize, 0..4_u8), 1..6),
    ) {
        let disks = written();
        let mut bytes = text(&disks[0]).into_bytes();
        for (place, len, what) in cuts {
            let start = place.index(bytes.len());
            let end = (start + len).min(bytes.len());
            let piece = bytes[start..end].to_vec();
            match what {
                0 => drop(bytes.drain(start..end)),
                1 => drop(bytes.splice(start..start, piece)),
                2 => drop(bytes.splice(start..end, b"{\"99999999999".iter().copied())),
                _ => bytes[start..end].iter_mut().for_each(|byte| *byte = byte.wrapping_add(1)),
            }
        }
        bytes.push(b' ');
        disks.iter().for_each(|disk| replace(disk, &bytes));
        told(&disks);
    }
}
