//! What can be said of a disk and its partitions beside bounds and filesystems: on each table, with
//! sectors of either size, read by programs that others wrote.

use disklayout::layout::spec::{Disk, DiskTable, End, Holds, Length, Start};
use disklayout::layout::{DiskPlan, DiskSize};
use disklayout::table::types::PartitionType;
use disklayout::table::{Entry, Flag, Hybrid, Role, TableId};
use disklayout::tree::FileTree;
use disklayout::{Bytes, ErrorKind, SectorSize};
use uuid::{Uuid, uuid};

use crate::external::{assert_all_agree_on, seen_by};
use crate::support::{Part, assert_reads_back, built, disk, disk_4096, held, kind, plan_of, put};

const MIB: u64 = Bytes::MIB;
const ESP: Uuid = uuid!("C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
const GUID: Uuid = uuid!("11111111-2222-4333-8444-555555555555");

fn mib(count: u64) -> Bytes {
    Bytes::new(count * MIB)
}

/// A disk of so many bytes with partitions of which nothing is said.
fn open(bytes: u64, sector: SectorSize, label: &str, count: usize) -> Disk {
    let parts = vec![("p", 0, 0); count];
    let mut spec = Disk {
        sector_size: sector,
        size: DiskSize::Fixed(Bytes::new(bytes)),
        ..disk(0, label, &parts)
    };
    for part in &mut spec.partitions {
        part.start = Start::Next;
        part.end = End::Size(Length::Bytes(mib(1)));
    }
    spec
}

/// A GPT with these partitions in its MBR too.
fn hybrid(numbers: Vec<i64>) -> DiskTable {
    DiskTable::Gpt {
        guid: None,
        hybrid: numbers,
    }
}

/// First and last sectors.
fn bounds(plan: &DiskPlan) -> Vec<(u64, u64)> {
    let ranges = plan.partitions.iter().map(|one| one.record.range);
    ranges
        .map(|range| (range.first().get(), range.last().get()))
        .collect()
}

fn refused(spec: &Disk, kind: ErrorKind, place: &str, part: &str) {
    let error = plan_of(spec).unwrap_err();
    assert_eq!(error.place(), place, "{error}");
    assert!(error.message().contains(part), "{error}");
    assert_eq!(error.kind(), kind, "{error}");
}

#[test]
fn names_guids_types_and_flags_of_a_gpt() {
    for sector in [SectorSize::B512, SectorSize::B4096] {
        let mut spec = open(64 * MIB, sector, "gpt", 4);
        spec.table = DiskTable::Gpt {
            guid: Some(GUID),
            hybrid: Vec::new(),
        };
        let name = "Name of all of the thirty-six units!";
        assert_eq!(name.len(), 36);
        let [esp, bios, root, plain] = &mut spec.partitions[..] else {
            panic!("four")
        };
        esp.name = Some(name.to_owned());
        esp.kind.gpt = kind("esp");
        esp.flags = ["required", "no-block-io", "legacy-boot"]
            .map(|flag| Flag::parse(flag).unwrap())
            .to_vec();
        bios.kind.gpt = kind("bios-boot");
        bios.guid = Some(Uuid::from_u128(7));
        bios.name = Some(String::new());
        root.kind.mbr = kind("linux-root-arm64");
        root.flags = [48, 59, 60, 61, 62, 63].map(Flag::Bit).to_vec();
        plain.name = Some("root".to_owned());
        let plan = assert_all_agree_on(&spec);
        assert_eq!(plan.table, TableId::Gpt { guid: GUID });
        let Entry::Gpt {
            kind, attributes, ..
        } = plan.partitions[0].record.entry
        else {
            panic!("a GPT entry")
        };
        assert_eq!((kind, attributes), (ESP, 7));
        let unit = MIB / sector.get();
        let expected = (1..5).map(|n| (n * unit, (n + 1) * unit - 1));
        assert_eq!(bounds(&plan), expected.collect::<Vec<_>>());
        // What udev would call the partitions.
        let fields = seen_by("sgdisk", &["--info", "2"], &plan);
        assert!(fields.contains("BIOS boot partition"), "{fields}");
        assert!(
            fields.contains("00000000-0000-0000-0000-000000000007"),
            "{fields}"
        );
        let fields = seen_by("sgdisk", &["--info", "4"], &plan);
        assert!(fields.contains("Partition name: 'root'"), "{fields}");
    }
}

/// Programs show such names as their locale allows.
#[test]
fn names_are_utf_16_on_disk() {
    let name = "Name für 36 Einheiten, davon zwei 𝄞";
    let units: Vec<_> = name.encode_utf16().collect();
    assert_eq!(units.len(), 36);
    let mut spec = open(64 * MIB, SectorSize::B512, "gpt", 1);
    spec.partitions[0].name = Some(name.to_owned());
    let plan = plan_of(&spec).unwrap();
    let disk = built(&plan);
    assert_reads_back(&plan, &disk);
    let mut bytes = [0; 72];
    disklayout::disk::Disk::read_at(&disk, &mut bytes, 1024 + 56).unwrap();
    let expected: Vec<_> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    assert_eq!(bytes[..], expected);
}

#[test]
fn types_and_the_active_partition_of_an_mbr() {
    for sector in [SectorSize::B512, SectorSize::B4096] {
        let mut spec = open(64 * MIB + 4096, sector, "mbr", 4);
        spec.table = DiskTable::Mbr {
            signature: Some(0x1234_ABCD),
        };
        let [fat, swap, extended, logical] = &mut spec.partitions[..] else {
            panic!("four")
        };
        fat.kind.mbr = kind("0c");
        fat.flags = vec![Flag::Boot];
        swap.kind.gpt = kind("swap");
        extended.role = Role::Extended;
        extended.end = End::Auto;
        logical.role = Role::Logical;
        logical.kind.mbr = kind("lvm");
        logical.end = End::Auto;
        let plan = assert_all_agree_on(&spec);
        let signature = 0x1234_ABCD;
        assert_eq!(plan.table, TableId::Mbr { signature });
        let unit = MIB / sector.get();
        let last = 64 * unit + 4096 / sector.get() - 1;
        assert_eq!(
            bounds(&plan),
            [
                (unit, 2 * unit - 1),
                (2 * unit, 3 * unit - 1),
                (3 * unit, last),
                (4 * unit, last)
            ]
        );
        let entries: Vec<_> = plan
            .partitions
            .iter()
            .map(|one| &one.record.entry)
            .collect();
        let entry = |kind, active| Entry::Mbr { kind, active };
        assert_eq!(
            entries,
            [
                &entry(0x0C, true),
                &entry(0x82, false),
                &entry(0x0F, false),
                &entry(0x8E, false)
            ]
        );
    }
}

#[test]
fn large_sectors_at_awkward_sizes() {
    for sectors in [12, 13, 1023, 25_601, 1 << 29] {
        assert_all_agree_on(&disk_4096(sectors, "gpt", &[("p", 6, -6)]));
        assert_all_agree_on(&disk_4096(sectors, "gpt", &[]));
    }
    for sectors in [2, 3, 4097, 16_450_561, 1 << 31] {
        assert_all_agree_on(&disk_4096(sectors, "mbr", &[("p", 1, -1)]));
    }
    let parts: [Part<'_>; 5] = [
        ("p", 1, 255),
        ("e", 256, -1),
        ("l", 257, 400),
        ("l", 402, 500),
        ("l", 40_000_000, -1),
    ];
    assert_all_agree_on(&disk_4096(50_000_001, "mbr", &parts));
    let mut spec = disk_4096(100, "gpt", &[("p", 6, 6)]);
    spec.size = DiskSize::Fixed(Bytes::new(4096 * 100 + 512));
    refused(
        &spec,
        ErrorKind::InvalidSpec,
        "guestfs[2].size",
        "not a multiple of 4096",
    );
    let spec = disk_4096(11, "gpt", &[("p", 6, 6)]);
    refused(
        &spec,
        ErrorKind::DoesNotFit,
        "guestfs[2].size",
        "the least is 49152",
    );
    let spec = disk_4096(3 << 31, "mbr", &[("p", 1, -1)]);
    refused(
        &spec,
        ErrorKind::DoesNotFit,
        "guestfs[2].parts[0].end",
        "(16 TiB)",
    );
}

#[test]
fn a_hybrid_mbr_is_what_sgdisk_would_make() {
    for sector in [SectorSize::B512, SectorSize::B4096] {
        let mut spec = open(64 * MIB, sector, "gpt", 4);
        spec.table = hybrid(vec![3, 2, 4]);
        spec.partitions[1].kind.gpt = kind("esp");
        spec.partitions[2].kind.gpt = kind("bios-boot");
        spec.partitions[2].kind.mbr = Some(PartitionType::Byte(0xDA));
        spec.partitions[3].flags = vec![Flag::Boot, Flag::Bit(2)];
        let plan = assert_all_agree_on(&spec);
        let hybrid: Vec<_> = plan
            .partitions
            .iter()
            .map(|one| match one.record.entry {
                Entry::Gpt { hybrid, .. } => hybrid,
                _ => panic!("a GPT entry"),
            })
            .collect();
        let entry = |number, kind, active| {
            Some(Hybrid {
                number,
                kind,
                active,
            })
        };
        assert_eq!(
            hybrid,
            [
                None,
                entry(3, 0xEF, false),
                entry(2, 0xDA, false),
                entry(4, 0x83, true)
            ]
        );
        let flags: Vec<_> = plan.partitions[3]
            .record
            .entry
            .flags()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(flags, ["boot", "legacy-boot"]);
        assert!(seen_by("sgdisk", &["--print-mbr"], &plan).contains("0xDA"));
    }
}

#[test]
fn a_hybrid_mbr_has_the_bytes_of_sgdisk() {
    let mut spec = open(64 * MIB, SectorSize::B512, "gpt", 2);
    spec.partitions[0].end = End::Size(Length::Bytes(mib(20)));
    spec.table = hybrid(vec![2, 1]);
    spec.partitions[1].kind.gpt = kind("esp");
    let plan = plan_of(&spec).unwrap();
    let disk = built(&plan);
    let mut ours = [0; 512];
    disklayout::disk::Disk::read_at(&disk, &mut ours, 0).unwrap();
    let theirs = crate::external::hybrid_by_sgdisk(&plan, "2:1");
    assert_eq!(ours[440..], theirs[440..]);
}

#[test]
fn a_partition_may_have_no_filesystem() {
    for label in ["mbr", "gpt", "none"] {
        let mut spec = open(64 * MIB, SectorSize::B512, label, 1);
        spec.partitions[0].holds = Holds::Nothing;
        if label == "none" {
            spec.partitions[0].end = End::Auto;
        }
        let plan = plan_of(&spec).unwrap();
        assert!(plan.partitions[0].filesystem().is_none());
        let disk = built(&plan);
        let mut inside = [1; 512];
        let start = plan.partitions[0].record.range.offset(SectorSize::B512);
        disklayout::disk::Disk::read_at(&disk, &mut inside, start.get()).unwrap();
        assert_eq!(inside, [0; 512]);
        spec.size = DiskSize::Smallest(disklayout::layout::Room::NONE);
        spec.partitions[0].end = End::Auto;
        refused(
            &spec,
            ErrorKind::InvalidSpec,
            "guestfs[2].parts[0].end",
            "nothing that it could end with",
        );
    }
}

#[test]
fn without_a_table_the_filesystem_has_the_disk() {
    for sector in [SectorSize::B512, SectorSize::B4096] {
        let mut spec = open(8 * MIB + 4096, sector, "none", 1);
        spec.partitions[0].end = End::Auto;
        let plan = plan_of(&spec).unwrap();
        let last = (8 * MIB + 4096) / sector.get() - 1;
        assert_eq!(
            (plan.table, bounds(&plan)),
            (TableId::None, vec![(0, last)])
        );
        assert_eq!(plan.partitions[0].record.number, 0);
        spec.partitions[0].start = Start::Sector(0);
        spec.partitions[0].end = End::Sector(-1);
        assert_eq!(bounds(&plan_of(&spec).unwrap()), bounds(&plan));
        put(&mut spec.partitions[0], "/file");
        plan_of(&spec).unwrap();
        held(&mut spec.partitions[0]).tree = FileTree::new(Default::default());
        spec.size = DiskSize::Smallest(disklayout::layout::Room::NONE);
        spec.partitions[0].end = End::Auto;
        let plan = plan_of(&spec).unwrap();
        assert_eq!(plan.size.get(), sector.get());
    }
    let blank = plan_of(&open(MIB, SectorSize::B512, "none", 0)).unwrap();
    assert!(blank.partitions.is_empty());
}

/// A label, a change to a description, the kind of error, its place and a part of the message.
type Row = (
    &'static str,
    fn(&mut Disk),
    ErrorKind,
    &'static str,
    &'static str,
);

#[test]
fn what_a_table_has_no_place_for_is_refused_at_its_key() {
    use ErrorKind::{DoesNotFit, InvalidSpec, Unsupported};
    let rows: [Row; 29] = [
        (
            "mbr",
            |s| s.partitions[0].name = Some("x".into()),
            Unsupported,
            "parts[0].name",
            "a label",
        ),
        (
            "mbr",
            |s| s.partitions[0].guid = Some(GUID),
            Unsupported,
            "parts[0].guid",
            "disk signature",
        ),
        (
            "mbr",
            |s| s.partitions[0].flags = vec![Flag::Boot, Flag::Bit(2)],
            Unsupported,
            "parts[0].flags[1]",
            "no flag 'legacy-boot'",
        ),
        (
            "mbr",
            |s| s.partitions[0].kind.gpt = kind("bios-boot"),
            Unsupported,
            "parts[0].type_guid",
            "say which byte",
        ),
        (
            "mbr",
            |s| s.partitions[0].kind.mbr = kind("msr"),
            Unsupported,
            "parts[0].type_byte",
            "no type for 'msr'",
        ),
        (
            "mbr",
            |s| {
                for part in &mut s.partitions {
                    part.flags = vec![Flag::Boot];
                }
            },
            InvalidSpec,
            "parts[1].flags[0]",
            "partition 1 has",
        ),
        (
            "mbr",
            |s| {
                s.partitions[0].role = Role::Extended;
                s.partitions[1].role = Role::Logical;
                s.partitions[0].end = End::Auto;
                s.partitions[1].flags = vec![Flag::Boot];
            },
            InvalidSpec,
            "parts[1].flags[0]",
            "logical",
        ),
        (
            "mbr",
            |s| {
                s.partitions[1].role = Role::Extended;
                s.partitions[1].kind.mbr = Some(PartitionType::Byte(5));
            },
            InvalidSpec,
            "parts[1].type_byte",
            "fixed",
        ),
        (
            "gpt",
            |s| s.partitions[0].flags = vec![Flag::Boot],
            Unsupported,
            "parts[0].flags[0]",
            "'legacy-boot'",
        ),
        (
            "gpt",
            |s| s.partitions[0].kind.mbr = Some(PartitionType::Byte(7)),
            Unsupported,
            "parts[0].type_byte",
            "GUIDs",
        ),
        (
            "gpt",
            |s| s.partitions[0].name = Some("x".repeat(37)),
            InvalidSpec,
            "parts[0].name",
            "37 UTF-16 units",
        ),
        (
            "gpt",
            |s| s.partitions[0].name = Some("a\0b".into()),
            InvalidSpec,
            "parts[0].name",
            "NUL",
        ),
        (
            "gpt",
            |s| {
                for part in &mut s.partitions {
                    part.guid = Some(GUID);
                }
            },
            InvalidSpec,
            "parts[1].guid",
            "partition 1 has",
        ),
        (
            "gpt",
            |s| s.table = hybrid(vec![3]),
            InvalidSpec,
            "hybrid[0]",
            "there are 1 to 2",
        ),
        (
            "gpt",
            |s| s.table = hybrid(vec![1, 0]),
            InvalidSpec,
            "hybrid[1]",
            "there are 1 to 2",
        ),
        (
            "gpt",
            |s| s.table = hybrid(vec![1, 1]),
            InvalidSpec,
            "hybrid[1]",
            "already",
        ),
        (
            "gpt",
            |s| s.table = hybrid(vec![1, 2, 1, 2]),
            InvalidSpec,
            "hybrid[2]",
            "already",
        ),
        (
            "gpt",
            |s| {
                s.table = hybrid(vec![1]);
                s.partitions[0].kind.gpt = kind("msr");
            },
            Unsupported,
            "parts[0].type_guid",
            "say which byte",
        ),
        ("none", |_| {}, DoesNotFit, "parts[1]", "one filesystem"),
        (
            "none",
            |s| {
                s.partitions.pop();
                s.partitions[0].end = End::Sector(7);
            },
            InvalidSpec,
            "parts[0].end",
            "whole disk",
        ),
        (
            "none",
            |s| {
                s.partitions.pop();
                s.partitions[0].end = End::Size(Length::Sectors(9));
            },
            InvalidSpec,
            "parts[0].length",
            "whole disk",
        ),
        (
            "none",
            |s| {
                s.partitions.pop();
                s.partitions[0].start = Start::Sector(1);
            },
            InvalidSpec,
            "parts[0].start",
            "whole disk",
        ),
        (
            "none",
            |s| {
                s.partitions.pop();
                s.partitions[0].role = Role::Logical;
            },
            InvalidSpec,
            "parts[0].role",
            "leave it out",
        ),
        (
            "none",
            |s| {
                s.partitions.pop();
                s.partitions[0].name = Some("x".into());
            },
            Unsupported,
            "parts[0].name",
            "nowhere",
        ),
        (
            "none",
            |s| {
                s.partitions.pop();
                s.partitions[0].flags = vec![Flag::Boot];
            },
            Unsupported,
            "parts[0].flags[0]",
            "nowhere",
        ),
        (
            "gpt",
            |s| s.partitions[0].align = Some(Length::Bytes(Bytes::new(100))),
            InvalidSpec,
            "parts[0].align",
            "the next are 512 bytes",
        ),
        (
            "gpt",
            |s| s.partitions[0].end = End::Size(Length::Bytes(mib(63))),
            DoesNotFit,
            "parts[0].length",
            "belongs to the backup",
        ),
        (
            "gpt",
            |s| {
                s.partitions[0].end = End::Auto;
            },
            InvalidSpec,
            "parts[1].start",
            "takes all that is left",
        ),
        (
            "gpt",
            |s| {
                s.partitions[1].start = Start::Bytes(mib(1));
                s.partitions[0].start = Start::Bytes(mib(2));
                s.partitions[1].end = End::Size(Length::Bytes(mib(2)));
            },
            InvalidSpec,
            "parts[1].length",
            "largest legal length in sectors is 2048",
        ),
    ];
    for (label, change, kind, place, message) in rows {
        let mut spec = open(64 * MIB, SectorSize::B512, label, 2);
        if label == "none" {
            spec.partitions[0].end = End::Auto;
        }
        change(&mut spec);
        refused(&spec, kind, &format!("guestfs[2].{place}"), message);
    }
}

#[test]
fn a_hybrid_mbr_has_three_entries_and_starts_one_of_them() {
    let mut spec = open(64 * MIB, SectorSize::B512, "gpt", 4);
    spec.table = hybrid(vec![1, 2, 3, 4]);
    let (kind, place) = (ErrorKind::DoesNotFit, "guestfs[2].hybrid[3]");
    refused(&spec, kind, place, "this is one more");
    spec.table = hybrid(vec![4, 2]);
    for index in [1, 3] {
        spec.partitions[index].flags = vec![Flag::Bit(2), Flag::Boot];
    }
    let (kind, place) = (ErrorKind::InvalidSpec, "guestfs[2].parts[1].flags[1]");
    refused(&spec, kind, place, "partition 4 has this flag already");
    spec.table = hybrid(vec![2]);
    let (kind, place) = (ErrorKind::Unsupported, "guestfs[2].parts[3].flags[1]");
    refused(&spec, kind, place, "only an MBR marks");
}

#[test]
fn bounds_are_sectors_sizes_and_percentages() {
    let small = SectorSize::B512;
    let bytes = |count| Start::Bytes(Bytes::new(count));
    let size = |count| End::Size(Length::Bytes(mib(count)));
    for (start, align, end, expected) in [
        (Start::Next, None, End::Auto, (2048, 204_766)),
        (Start::Next, None, End::Percent(100), (2048, 204_766)),
        (Start::Next, Some(Length::Sectors(1)), size(1), (34, 2081)),
        (
            Start::Next,
            Some(Length::Bytes(mib(4))),
            size(4),
            (8192, 16_383),
        ),
        (
            Start::Sector(35),
            Some(Length::Sectors(8)),
            size(1),
            (40, 2087),
        ),
        (
            Start::Sector(35),
            None,
            End::Size(Length::Sectors(1)),
            (35, 35),
        ),
        (bytes(MIB), None, End::Bytes(mib(2)), (2048, 4095)),
        (bytes(18 * 1024), None, End::Sector(99), (36, 99)),
        (Start::Next, None, End::BytesLeft(mib(1)), (2048, 202_751)),
        // A hundredth of 100 MiB is 1 MiB, of a partition's bounds none is rounded up.
        (Start::Percent(1), None, End::Percent(50), (2048, 102_399)),
        (
            Start::Percent(50),
            None,
            End::SizePercent(25),
            (102_400, 153_599),
        ),
        (Start::Percent(99), None, End::Auto, (202_752, 204_766)),
    ] {
        let mut spec = open(100 * MIB, small, "gpt", 1);
        let part = &mut spec.partitions[0];
        (part.start, part.align, part.end) = (start, align, end);
        let plan = plan_of(&spec).unwrap();
        assert_eq!(bounds(&plan), [expected], "{start:?} {align:?} {end:?}");
        assert_reads_back(&plan, &built(&plan));
    }
    for (start, end, place, message) in [
        (
            Start::Percent(0),
            End::Auto,
            "start",
            "smallest legal start is 34",
        ),
        (Start::Percent(100), End::Auto, "start", "outside the disk"),
        (
            bytes(1000),
            End::Auto,
            "start",
            "no whole number of sectors",
        ),
        (
            Start::Next,
            End::Bytes(mib(1)),
            "end",
            "comes before start 2048",
        ),
        (
            Start::Next,
            End::BytesLeft(mib(101)),
            "end",
            "before the start of the disk",
        ),
        (
            Start::Next,
            End::BytesLeft(Bytes::new(512)),
            "end",
            "belongs to the backup",
        ),
        (
            Start::Next,
            End::Percent(0),
            "end",
            "before the start of the disk",
        ),
        (
            Start::Next,
            End::SizePercent(0),
            "length",
            "less than 1 MiB",
        ),
        (
            Start::Next,
            End::Size(Length::Sectors(0)),
            "length",
            "one sector at least",
        ),
        (
            Start::Next,
            End::Size(Length::Sectors(u64::MAX)),
            "length",
            "outside the disk",
        ),
    ] {
        let mut spec = open(100 * MIB, small, "gpt", 1);
        (spec.partitions[0].start, spec.partitions[0].end) = (start, end);
        let error = plan_of(&spec).unwrap_err();
        let place = format!("guestfs[2].parts[0].{place}");
        assert_eq!(error.place(), place.as_str(), "{error}");
        assert!(error.message().contains(message), "{error}");
    }
}

#[test]
fn a_length_has_a_sector_at_least() {
    for length in [Length::Sectors(0), Length::Bytes(Bytes::new(0))] {
        let mut spec = open(100 * MIB, SectorSize::B512, "gpt", 1);
        spec.partitions[0].align = Some(length);
        let (kind, message) = (ErrorKind::InvalidSpec, "one sector at least");
        refused(&spec, kind, "guestfs[2].parts[0].align", message);
        spec.partitions[0].align = None;
        spec.partitions[0].end = End::Size(length);
        refused(&spec, kind, "guestfs[2].parts[0].length", message);
    }
}

/// On a disk whose size follows from the content, nothing can be a part of it.
#[test]
fn parts_of_an_unknown_size_are_refused() {
    for (start, end, place) in [
        (Start::Percent(1), End::Auto, "parts[1].start"),
        (Start::Next, End::Percent(100), "size"),
    ] {
        let mut spec = open(0, SectorSize::B512, "gpt", 2);
        spec.size = DiskSize::Smallest(disklayout::layout::Room::NONE);
        (spec.partitions[1].start, spec.partitions[1].end) = (start, end);
        refused(
            &spec,
            ErrorKind::InvalidSpec,
            &format!("guestfs[2].{place}"),
            "follow",
        );
    }
    for end in [End::Percent(9), End::SizePercent(9), End::BytesLeft(mib(1))] {
        let mut spec = open(0, SectorSize::B512, "gpt", 2);
        spec.size = DiskSize::Smallest(disklayout::layout::Room::NONE);
        spec.partitions[1].end = End::Auto;
        spec.partitions[0].end = end;
        let error = plan_of(&spec).unwrap_err();
        assert!(error.place().object() == "guestfs[2].parts[0]", "{error}");
    }
    let mut spec = open(0, SectorSize::B512, "gpt", 1);
    spec.size = DiskSize::Smallest(disklayout::layout::Room::NONE);
    (spec.partitions[0].start, spec.partitions[0].end) = (Start::Sector(-9), End::Auto);
    refused(
        &spec,
        ErrorKind::InvalidSpec,
        "guestfs[2].parts[0].start",
        "only an end may be; the smallest legal start is 34",
    );
    let mut spec = open(0, SectorSize::B4096, "gpt", 2);
    spec.size = DiskSize::Smallest(disklayout::layout::Room::NONE);
    spec.partitions[1].end = End::Auto;
    let plan = plan_of(&spec).unwrap();
    assert_eq!(bounds(&plan), [(256, 511), (512, 512)]);
    assert_eq!(plan.size, mib(3));
    assert_reads_back(&plan, &built(&plan));
}
