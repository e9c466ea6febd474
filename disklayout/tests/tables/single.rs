//! Sizes that follow from the content: disks with one filesystem, and last partitions.

use std::collections::BTreeMap;

use disklayout::fs::{Misfits, Options, Registry};
use disklayout::layout::guestfs::{DiskSpec, End, Start, plan};
use disklayout::layout::single::{self, SingleSpec, Table};
use disklayout::layout::{DiskPlan, DiskSize, EntryPlan, Room, TablePlan};
use disklayout::tree::{Attributes, Content, FileTree};
use disklayout::{Bytes, ErrorKind, Identity, Result, SECTOR_SIZE, SectorSize, Timestamp};

use crate::support::{MARKER_EMPTY, MarkerFormat, assert_reads_back, built, disk, file};

const SMALL: SectorSize = SectorSize::B512;

const TIME: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// A tree with a file of `len` bytes.
fn tree(len: usize) -> FileTree {
    let mut tree = FileTree::new(TIME);
    let content = Content::inline(&vec![7; len]);
    tree.put_file("t", b"/file", content, Attributes::file(TIME))
        .unwrap();
    tree
}

fn plan_single(table: Option<Table>, size: DiskSize, len: usize) -> Result<DiskPlan> {
    let spec = SingleSpec {
        place: "ext4",
        table,
        sector_size: SectorSize::B512,
        part_type: None,
        size,
        filesystem: "ext4",
        label: None,
        uuid: None,
        options: &Options::default(),
        misfits: Misfits::Refuse,
    };
    let registry = Registry::default().with(MarkerFormat);
    single::plan(&spec, tree(len), &Identity::new("seed", TIME), &registry)
}

/// What the size asks for is FAT12; firmware reads FAT32 for sure.
#[test]
fn an_efi_system_partition_of_the_contents_size_is_fat32() {
    let none = Options::default();
    let chosen = none.clone().with("fat-size", 16);
    for (table, part_type, size, options, kind) in [
        (Table::Gpt, Some("esp"), room(0), None, "FAT32"),
        (Table::Mbr, Some("esp"), room(0), None, "FAT32"),
        (Table::Mbr, Some("0xEF"), room(0), None, "FAT32"),
        (
            Table::Gpt,
            Some("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
            room(1),
            None,
            "FAT32",
        ),
        (Table::Gpt, None, room(0), None, "FAT12"),
        (Table::Gpt, Some("esp"), room(0), Some(&chosen), "FAT16"),
        (
            Table::Gpt,
            Some("esp"),
            DiskSize::Fixed(Bytes::new(20 << 20)),
            None,
            "FAT16",
        ),
    ] {
        let spec = SingleSpec {
            place: "x",
            table: Some(table),
            sector_size: SectorSize::B512,
            part_type,
            size,
            filesystem: "vfat",
            label: None,
            uuid: None,
            options: options.unwrap_or(&none),
            misfits: Misfits::Refuse,
        };
        let identity = Identity::new("seed", TIME);
        let plan = single::plan(&spec, tree(1), &identity, &Registry::native()).unwrap();
        let filesystem = plan.partitions[0].filesystem.as_ref().unwrap();
        let found = filesystem.summary().kind;
        assert!(
            found.eq_ignore_ascii_case(kind),
            "{table:?} {part_type:?}: {found}"
        );
        assert!(plan.size.get() < 40 << 20, "{}", plan.size);
    }
}

#[test]
fn the_type_suits_the_filesystem_or_is_the_one_asked_for() {
    let linux = "0fc63daf-8483-4772-8e79-3d69d8477de4";
    let basic = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7";
    let esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        for (filesystem, part_type, byte, guid) in [
            ("ext4", None, Some(0x83), Some(linux)),
            ("ntfs", None, Some(0x07), Some(basic)),
            ("ntfs", Some("esp"), Some(0xEF), Some(esp)),
            ("ext4", Some(esp), Some(0xEF), Some(esp)),
            ("ext4", Some("0x0b"), Some(0x0B), None),
            (
                "ext4",
                Some("msr"),
                None,
                Some("e3c9e316-0b5c-4db8-817d-f92df00215ae"),
            ),
            ("ext4", Some("nonsense"), None, None),
            ("ext4", Some("0f"), None, None),
        ] {
            let plan = |table| {
                let spec = SingleSpec {
                    place: "x",
                    table: Some(table),
                    sector_size,
                    part_type,
                    size: room(0),
                    filesystem,
                    label: None,
                    uuid: None,
                    options: &Options::default(),
                    misfits: Misfits::Refuse,
                };
                let registry = Registry::default().with(MarkerFormat);
                let identity = Identity::new("seed", TIME);
                let plan = single::plan(&spec, tree(1), &identity, &registry).ok()?;
                assert_reads_back(&plan, &built(&plan));
                assert_eq!(
                    plan.partitions[0].range.offset(sector_size).get(),
                    Bytes::MIB
                );
                plan.partitions.into_iter().next().map(|one| one.entry)
            };
            let found = plan(Table::Mbr);
            let expected = byte.map(|kind| EntryPlan::Mbr {
                kind,
                active: false,
            });
            assert_eq!(found, expected, "{filesystem} {part_type:?}");
            let found = plan(Table::Gpt).map(|entry| match entry {
                EntryPlan::Gpt { kind, .. } => kind.to_string(),
                other => panic!("{other:?}"),
            });
            assert_eq!(found.as_deref(), guid, "{filesystem} {part_type:?}");
        }
    }
    let spec = SingleSpec {
        place: "x",
        table: None,
        sector_size: SectorSize::B512,
        part_type: Some("esp"),
        size: room(0),
        filesystem: "ext4",
        label: None,
        uuid: None,
        options: &Options::default(),
        misfits: Misfits::Refuse,
    };
    let registry = Registry::default().with(MarkerFormat);
    single::plan(&spec, tree(1), &Identity::new("seed", TIME), &registry).unwrap_err();
}

fn room(bytes: u64) -> DiskSize {
    DiskSize::Smallest(Room::Bytes(Bytes::new(bytes)))
}

#[test]
fn a_filesystem_alone_is_exactly_as_large_as_its_image() {
    for (size, len, expected) in [
        (room(0), 512, MARKER_EMPTY + 512),
        (room(0), 513, MARKER_EMPTY + 1024),
        (room(1 << 20), 512, MARKER_EMPTY + 512 + (1 << 20)),
        (
            DiskSize::Smallest(Room::Percent(50)),
            512,
            (MARKER_EMPTY + 512) * 3 / 2,
        ),
        (DiskSize::Fixed(Bytes::new(1 << 20)), 0, 1 << 20),
        (DiskSize::Fixed(Bytes::new((1 << 20) - 511)), 0, 1 << 20),
    ] {
        let plan = plan_single(None, size, len).unwrap();
        assert_eq!(plan.size.get(), expected, "{size:?}");
        assert_eq!(plan.table, TablePlan::None);
        let one = &plan.partitions[0];
        assert_eq!(
            (one.range.offset(SMALL), one.range.size(SMALL)),
            (Bytes::new(0), plan.size)
        );
        assert_eq!(one.entry, EntryPlan::None);
        built(&plan);
    }
}

#[test]
fn a_partition_starts_at_one_mib_and_ends_with_its_filesystem_or_with_the_disk() {
    let mib = Bytes::MIB / SECTOR_SIZE;
    for (table, size, sectors, last) in [
        // The backup of a GPT takes 33 sectors.
        (
            Table::Mbr,
            room(Bytes::MIB - MARKER_EMPTY),
            2 * mib,
            2 * mib - 1,
        ),
        (
            Table::Gpt,
            room(Bytes::MIB - MARKER_EMPTY),
            3 * mib,
            2 * mib - 1,
        ),
        (
            Table::Mbr,
            DiskSize::Fixed(Bytes::new(8 << 20)),
            8 * mib,
            8 * mib - 1,
        ),
        (
            Table::Gpt,
            DiskSize::Fixed(Bytes::new(8 << 20)),
            8 * mib,
            8 * mib - 34,
        ),
    ] {
        let plan = plan_single(Some(table), size, 0).unwrap();
        let one = &plan.partitions[0];
        let found = (plan.size.whole_sectors(SMALL), one.range.last().get());
        assert_eq!(found, (sectors, last), "{table:?} {size:?}");
        assert_eq!((one.number, one.range.first().get()), (1, mib));
        assert_reads_back(&plan, &built(&plan));
    }
}

#[test]
fn a_size_that_is_too_small_says_which_would_do() {
    let least = MARKER_EMPTY + 4096;
    for (table, size, expected) in [
        (
            Some(Table::Mbr),
            Bytes::MIB + least - 512,
            Bytes::new(2 << 20),
        ),
        (Some(Table::Gpt), 512, Bytes::new(2 << 20)),
    ] {
        let fixed = DiskSize::Fixed(Bytes::new(size));
        let error = plan_single(table, fixed, 4096).unwrap_err();
        assert_eq!(
            (error.kind(), error.place()),
            (ErrorKind::DoesNotFit, "ext4")
        );
        let count = expected.get();
        let end =
            format!("the smallest image with its partition table has {count} bytes ({expected})");
        assert!(error.message().ends_with(&end), "{error}");
        plan_single(table, DiskSize::Fixed(expected), 4096).unwrap();
    }
    // An image without a table is its filesystem: the format says it all.
    let fixed = |size| DiskSize::Fixed(Bytes::new(size));
    let error = plan_single(None, fixed(least - 512), 4096).unwrap_err();
    assert!(!error.message().contains("table"), "{error}");
    plan_single(None, fixed(least), 4096).unwrap();
}

fn plan_of(spec: &DiskSpec, contents: BTreeMap<usize, FileTree>) -> Result<DiskPlan> {
    let registry = Registry::default().with(MarkerFormat);
    plan(spec, contents, &Identity::new("disk.img", TIME), &registry)
}

/// A disk with a partition of 1 MiB and one that ends with its content.
fn open_disk(label: &str, size: DiskSize) -> DiskSpec {
    let mut spec = disk(0, label, &[("p", 2048, 4095), ("p", 4096, 0)]);
    spec.size = size;
    spec.partitions[1].end = End::Auto;
    spec
}

#[test]
fn a_disk_ends_with_its_last_partition_rounded_up() {
    for (label, size, sectors) in [("mbr", room(0), 3 * 2048), ("gpt", room(2 << 20), 5 * 2048)] {
        let spec = open_disk(label, size);
        let plan = plan_of(&spec, BTreeMap::from([(1, tree(512))])).unwrap();
        assert_eq!(plan.size.whole_sectors(SMALL), sectors, "{label}");
        let DiskSize::Smallest(Room::Bytes(free)) = size else {
            panic!("{size:?}")
        };
        let last = &plan.partitions[1];
        assert_eq!(
            last.range.size(SMALL).get(),
            MARKER_EMPTY + 512 + free.get()
        );
        assert_eq!(last.filesystem.as_ref().unwrap().tree().files().len(), 1);
        assert_reads_back(&plan, &built(&plan));
    }
}

#[test]
fn files_go_on_top_of_the_contents() {
    let mut spec = open_disk("mbr", room(0));
    spec.files = vec![file(2, "/file"), file(2, "/other"), file(1, "/first")];
    let plan = plan_of(&spec, BTreeMap::from([(1, tree(512))])).unwrap();
    let files = plan.partitions[1]
        .filesystem
        .as_ref()
        .unwrap()
        .tree()
        .files();
    let files: Vec<_> = files
        .iter()
        .map(|(path, content)| (&**path, content.len()))
        .collect();
    assert_eq!(files, [(&b"/file"[..], 7), (b"/other", 7)]);
}

#[test]
fn on_a_disk_of_a_given_size_the_last_partition_reaches_to_the_end() {
    let size = DiskSize::Fixed(Bytes::new(16 << 20));
    for (label, last) in [("mbr", 32767), ("gpt", 32734)] {
        let plan = plan_of(&open_disk(label, size), BTreeMap::new()).unwrap();
        assert_eq!(plan.partitions[1].range.last().get(), last, "{label}");
    }
}

#[test]
fn what_cannot_follow_from_the_content_is_refused() {
    let spec = |change: fn(&mut DiskSpec)| {
        let mut spec = open_disk("mbr", room(0));
        change(&mut spec);
        spec
    };
    for (spec, place, part) in [
        (
            spec(|spec| spec.partitions[1].end = End::Sector(9999)),
            "guestfs[2].size",
            "of the last partition only",
        ),
        (
            spec(|spec| spec.partitions[0].end = End::Auto),
            "guestfs[2].parts[1].end",
            "only one partition may end with its content",
        ),
        (
            spec(|spec| {
                spec.partitions[0].start = Start::Sector(5000);
                spec.partitions[0].end = End::Sector(5999);
            }),
            "guestfs[2].parts[1].end",
            "guestfs[2].parts[0] starts later, at 5000",
        ),
        (
            spec(|spec| spec.partitions[0].end = End::Sector(-7)),
            "guestfs[2].parts[0].end",
            "end -7 counts from the end of the disk",
        ),
        (
            spec(|spec| spec.partitions[1].prlogex = "e".to_owned()),
            "guestfs[2].parts[1].end",
            "only a primary partition",
        ),
        (
            spec(|spec| spec.partitions[0].end = End::Sector(4096)),
            "guestfs[2].parts[1].start",
            "overlap",
        ),
    ] {
        let error = plan_of(&spec, BTreeMap::new()).unwrap_err();
        assert_eq!(error.place(), place, "{error}");
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn an_extended_partition_has_no_contents() {
    let spec = disk(16384, "mbr", &[("e", 2048, -1)]);
    let error = plan_of(&spec, BTreeMap::from([(0, tree(1))])).unwrap_err();
    assert_eq!(error.place(), "guestfs[2].parts[0].contents");
}
