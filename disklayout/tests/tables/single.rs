//! Sizes that follow from the content: disks with one filesystem, and last partitions.

use disklayout::fs::{Options, Registry};
use disklayout::layout::spec::{Disk, End, Filesystem, Kinds, Partition, Start};
use disklayout::layout::{self, DiskPlan, DiskSize, Room};
use disklayout::table::types::PartitionType;
use disklayout::table::{Entry, Role, TableId};
use disklayout::tree::{Attributes, Content, FileTree};
use disklayout::{Bytes, ErrorKind, Identity, Result, SECTOR_SIZE, SectorSize, Timestamp};

use crate::support::{MARKER_EMPTY, MarkerFormat, assert_reads_back, built, disk, held, table};

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

/// A disk with one filesystem: alone on it, or in a partition of the table of this name.
fn single(label: &str, size: DiskSize, filesystem: Filesystem) -> Disk {
    Disk {
        place: "disk".into(),
        size,
        multiple: Bytes::new(1),
        sector_size: SectorSize::B512,
        table: table(label),
        partitions: vec![Partition::new("part", filesystem)],
        blobs: Vec::new(),
        groups: Vec::new(),
        others: Vec::new(),
        kept_table: Vec::new(),
    }
}

fn plan(spec: Disk, registry: &Registry) -> Result<DiskPlan> {
    layout::plan(spec, &Identity::new("seed", TIME), registry)
}

fn plan_single(label: &str, size: DiskSize, len: usize) -> Result<DiskPlan> {
    let spec = single(label, size, Filesystem::new("ext4", tree(len)));
    plan(spec, &Registry::default().with(MarkerFormat))
}

/// What the size asks for is FAT12; firmware reads FAT32 for sure.
#[test]
fn an_efi_system_partition_of_the_contents_size_is_fat32() {
    let none = Options::default();
    let chosen = none.clone().with("fat-size", 16);
    for (label, part_type, size, options, kind) in [
        ("gpt", Some("esp"), room(0), None, "FAT32"),
        ("mbr", Some("esp"), room(0), None, "FAT32"),
        ("mbr", Some("0xEF"), room(0), None, "FAT32"),
        (
            "gpt",
            Some("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
            room(1),
            None,
            "FAT32",
        ),
        ("gpt", None, room(0), None, "FAT12"),
        ("gpt", Some("esp"), room(0), Some(&chosen), "FAT16"),
        (
            "gpt",
            Some("esp"),
            DiskSize::Fixed(Bytes::new(20 << 20)),
            None,
            "FAT16",
        ),
    ] {
        let filesystem = Filesystem {
            options: options.unwrap_or(&none).clone(),
            ..Filesystem::new("vfat", tree(1))
        };
        let mut spec = single(label, size, filesystem);
        spec.partitions[0].kind = kinds(part_type);
        let plan = plan(spec, &Registry::native()).unwrap();
        let filesystem = plan.filesystems().next().unwrap();
        let found = filesystem.summary().kind;
        assert!(
            found.eq_ignore_ascii_case(kind),
            "{label} {part_type:?}: {found}"
        );
        assert!(plan.size.get() < 40 << 20, "{}", plan.size);
    }
}

fn kinds(part_type: Option<&str>) -> Kinds {
    let kind = part_type.map(|text| PartitionType::parse(text).unwrap());
    kind.map(Kinds::from).unwrap_or_default()
}

#[test]
fn a_type_of_either_table_is_what_the_other_calls_it() {
    let esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        for (part_type, byte, guid) in [
            (
                None,
                Some(0x83),
                Some("0fc63daf-8483-4772-8e79-3d69d8477de4"),
            ),
            (Some("esp"), Some(0xEF), Some(esp)),
            (Some(esp), Some(0xEF), Some(esp)),
            (Some("0x0b"), Some(0x0B), None),
            (
                Some("msr"),
                None,
                Some("e3c9e316-0b5c-4db8-817d-f92df00215ae"),
            ),
        ] {
            let entry = |label| {
                let mut spec = single(label, room(0), Filesystem::new("ext4", tree(1)));
                spec.sector_size = sector_size;
                spec.partitions[0].kind = kinds(part_type);
                let plan = plan(spec, &Registry::default().with(MarkerFormat)).ok()?;
                assert_reads_back(&plan, &built(&plan));
                let record = plan.partitions[0].record.clone();
                assert_eq!(record.range.offset(sector_size).get(), Bytes::MIB);
                Some(record.entry)
            };
            let expected = byte.map(|kind| Entry::Mbr {
                kind,
                active: false,
            });
            assert_eq!(entry("mbr"), expected, "{part_type:?}");
            let found = entry("gpt").map(|entry| match entry {
                Entry::Gpt { kind, .. } => kind.to_string(),
                other => panic!("{other:?}"),
            });
            assert_eq!(found.as_deref(), guid, "{part_type:?}");
        }
    }
    let mut spec = single("none", room(0), Filesystem::new("ext4", tree(1)));
    spec.partitions[0].kind = kinds(Some("esp"));
    plan(spec, &Registry::default().with(MarkerFormat)).unwrap_err();
}

fn room(bytes: u64) -> DiskSize {
    DiskSize::Smallest(Room::Bytes(Bytes::new(bytes)))
}

/// A filesystem alone is the same in a partition or without, wherever its image ends.
#[test]
fn what_a_filesystem_derives_from_is_its_seed_or_its_number() {
    let uuid = |table, seed| {
        let mut spec = single(table, room(0), Filesystem::new("ext4", tree(1)));
        spec.partitions[0].seed = seed;
        plan_of(&spec)
            .unwrap()
            .filesystems()
            .next()
            .unwrap()
            .summary()
            .uuid
    };
    let seeded = uuid("gpt", Some("filesystem"));
    assert_eq!(uuid("mbr", Some("filesystem")), seeded);
    assert_eq!(uuid("none", Some("filesystem")), seeded);
    assert_ne!(uuid("gpt", None), seeded);
    assert_eq!(uuid("gpt", None), uuid("mbr", None));
    assert_ne!(uuid("none", None), uuid("gpt", None));
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
    ] {
        let plan = plan_single("none", size, len).unwrap();
        assert_eq!(plan.size.get(), expected, "{size:?}");
        assert_eq!(plan.table, TableId::None);
        let one = &plan.partitions[0];
        assert_eq!(
            (one.record.range.offset(SMALL), one.record.range.size(SMALL)),
            (Bytes::new(0), plan.size)
        );
        assert_eq!(one.record.entry, Entry::None);
        built(&plan);
    }
}

#[test]
fn a_partition_starts_at_one_mib_and_ends_with_its_filesystem_or_with_the_disk() {
    let mib = Bytes::MIB / SECTOR_SIZE;
    for (label, size, sectors, last) in [
        // The backup of a GPT takes 33 sectors.
        ("mbr", room(Bytes::MIB - MARKER_EMPTY), 2 * mib, 2 * mib - 1),
        ("gpt", room(Bytes::MIB - MARKER_EMPTY), 3 * mib, 2 * mib - 1),
        (
            "mbr",
            DiskSize::Fixed(Bytes::new(8 << 20)),
            8 * mib,
            8 * mib - 1,
        ),
        (
            "gpt",
            DiskSize::Fixed(Bytes::new(8 << 20)),
            8 * mib,
            8 * mib - 34,
        ),
    ] {
        let plan = plan_single(label, size, 0).unwrap();
        let one = &plan.partitions[0];
        let found = (
            plan.size.whole_sectors(SMALL),
            one.record.range.last().get(),
        );
        assert_eq!(found, (sectors, last), "{label} {size:?}");
        assert_eq!(
            (one.record.number, one.record.range.first().get()),
            (1, mib)
        );
        assert_reads_back(&plan, &built(&plan));
    }
}

#[test]
fn a_size_that_is_too_small_says_which_would_do() {
    let least = MARKER_EMPTY + 4096;
    for (label, size, expected) in [
        ("mbr", Bytes::MIB + least - 512, Bytes::new(2 << 20)),
        ("gpt", Bytes::MIB + 35 * 512, Bytes::new(2 << 20)),
    ] {
        let fixed = DiskSize::Fixed(Bytes::new(size));
        let error = plan_single(label, fixed, 4096).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DoesNotFit);
        assert_eq!(error.place(), "disk.size");
        let count = expected.get();
        let end =
            format!("the smallest image with its partition table has {count} bytes ({expected})");
        assert!(error.message().ends_with(&end), "{error}");
        plan_single(label, DiskSize::Fixed(expected), 4096).unwrap();
    }
    let fixed = DiskSize::Fixed(Bytes::new(Bytes::MIB));
    let error = plan_single("gpt", fixed, 4096).unwrap_err();
    assert_eq!(error.place(), "disk.size");
    let end = "outside the disk, which has 2048 sectors; nothing is left for part; the smallest \
               image with its partition table has 2097152 bytes (2 MiB)";
    assert!(error.message().ends_with(end), "{error}");
    // An image without a table is its filesystem: the format says it all.
    let fixed = |size| DiskSize::Fixed(Bytes::new(size));
    let error = plan_single("none", fixed(least - 512), 4096).unwrap_err();
    assert!(!error.message().contains("table"), "{error}");
    plan_single("none", fixed(least), 4096).unwrap();
}

/// Where the end of a partition is given, it is that which is too small.
#[test]
fn an_end_that_is_too_small_says_which_would_do() {
    let least = MARKER_EMPTY + 4096;
    for (role, end, place, message) in [
        (
            "p",
            End::Sector(2055),
            "end",
            "; the smallest legal end is 2056",
        ),
        (
            "p",
            End::Bytes(Bytes::new(Bytes::MIB + 4096)),
            "end",
            "; the smallest legal end is 2056",
        ),
        (
            "p",
            End::Size(disklayout::layout::spec::Length::Sectors(8)),
            "length",
            "; the smallest legal length in sectors is 9",
        ),
        ("l", End::Auto, "", "4 KiB is too small"),
    ] {
        let parts = [("e", 2047, 2055), (role, 2048, 0)];
        let parts = if role == "l" { &parts[..] } else { &parts[1..] };
        let mut spec = disk(9000, "mbr", parts);
        let part = spec.partitions.last_mut().unwrap();
        part.end = end;
        part.holds = Filesystem::new("ext4", tree(4096)).into();
        let place = format!("{}.{place}", part.place);
        let error = plan_of(&spec).unwrap_err();
        assert_eq!(error.place(), place.trim_end_matches('.'), "{error}");
        assert!(error.message().ends_with(message), "{error}");
        let found = (error.kind(), error.needed());
        assert_eq!(found, (ErrorKind::DoesNotFit, Some(Bytes::new(least))));
    }
}

fn plan_of(spec: &Disk) -> Result<DiskPlan> {
    plan(spec.clone(), &Registry::default().with(MarkerFormat))
}

/// A disk with a partition of 1 MiB and one that ends with its content.
fn open_disk(label: &str, size: DiskSize) -> Disk {
    let mut spec = disk(0, label, &[("p", 2048, 4095), ("p", 4096, 0)]);
    spec.size = size;
    spec.partitions[1].end = End::Auto;
    spec
}

#[test]
fn a_disk_ends_with_its_last_partition_rounded_up() {
    for (label, size, sectors) in [("mbr", room(0), 3 * 2048), ("gpt", room(2 << 20), 5 * 2048)] {
        let mut spec = open_disk(label, size);
        held(&mut spec.partitions[1]).tree = tree(512);
        let plan = plan_of(&spec).unwrap();
        assert_eq!(plan.size.whole_sectors(SMALL), sectors, "{label}");
        let DiskSize::Smallest(Room::Bytes(free)) = size else {
            panic!("{size:?}")
        };
        let last = &plan.partitions[1];
        assert_eq!(
            last.record.range.size(SMALL).get(),
            MARKER_EMPTY + 512 + free.get()
        );
        assert_eq!(last.filesystem().unwrap().tree().files().len(), 1);
        assert_reads_back(&plan, &built(&plan));
    }
}

#[test]
fn files_are_in_the_partition_that_they_were_put_into() {
    let paths = |tree: &FileTree| -> Vec<String> {
        let paths = tree.files().into_iter();
        paths
            .map(|(path, _)| String::from_utf8(path).unwrap())
            .collect()
    };
    let parts = [
        ("e", 6000, 9999),
        ("l", 8000, 9000),
        ("p", 2048, 4095),
        ("l", 6100, 7000),
    ];
    let mut spec = disk(20_000, "mbr", &parts);
    for (index, path) in [(1, "/one"), (2, "/two"), (3, "/deep/three"), (3, "/more")] {
        let tree = &mut held(&mut spec.partitions[index]).tree;
        let content = Content::inline(b"content");
        let put = tree.put_file("t", path.as_bytes(), content, Attributes::file(TIME));
        put.unwrap();
        tree.notice(path);
    }
    let plan = plan_of(&spec).unwrap();
    let found = plan.partitions.iter().map(|one| {
        let tree = one.filesystem().map(|plan| paths(plan.tree()));
        (one.record.number, one.record.role, tree.unwrap_or_default())
    });
    let expected = [
        (1, Role::Extended, vec![]),
        (2, Role::Primary, vec!["/two".to_owned()]),
        (5, Role::Logical, vec!["/one".to_owned()]),
        (
            6,
            Role::Logical,
            vec!["/deep/three".to_owned(), "/more".to_owned()],
        ),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert_eq!(plan.notices, ["/one", "/two", "/deep/three", "/more"]);
}

#[test]
fn on_a_disk_of_a_given_size_the_last_partition_reaches_to_the_end() {
    let size = DiskSize::Fixed(Bytes::new(16 << 20));
    for (label, last) in [("mbr", 32767), ("gpt", 32734)] {
        let plan = plan_of(&open_disk(label, size)).unwrap();
        assert_eq!(
            plan.partitions[1].record.range.last().get(),
            last,
            "{label}"
        );
    }
}

#[test]
fn what_cannot_follow_from_the_content_is_refused() {
    let spec = |change: fn(&mut Disk)| {
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
            "partition 1 starts later, at 5000",
        ),
        (
            spec(|spec| spec.partitions[0].end = End::Sector(-7)),
            "guestfs[2].parts[0].end",
            "end -7 counts from the end of the disk",
        ),
        (
            spec(|spec| spec.partitions[1].role = Role::Extended),
            "guestfs[2].parts[1].end",
            "only a primary partition",
        ),
        (
            spec(|spec| spec.partitions[0].end = End::Sector(4096)),
            "guestfs[2].parts[1].start",
            "overlap",
        ),
    ] {
        let error = plan_of(&spec).unwrap_err();
        assert_eq!(error.place(), place, "{error}");
        assert!(error.message().contains(part), "{error}");
    }
}
