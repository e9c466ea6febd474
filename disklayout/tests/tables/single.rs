//! Sizes that follow from the content: disks with one filesystem, and last partitions.

use disklayout::fs::{Options, Registry};
use disklayout::layout::spec::{Disk as Spec, End, Filesystem, Holds, Kinds, Partition, Start};
use disklayout::layout::{DiskPlan, DiskSize, Room, plan};
use disklayout::table::types::PartitionType;
use disklayout::table::{Entry, Role, TableId};
use disklayout::tree::{Attributes, Content, FileTree};
use disklayout::{Bytes, ErrorKind, Identity, Result, SECTOR_SIZE, SectorSize};

use crate::support::{
    MARKER_EMPTY, TIME, assert_reads_back, built, disk, filesystem, holding, plan_of, table,
};

const SMALL: SectorSize = SectorSize::B512;

/// A tree with a file of `len` bytes.
fn tree(len: usize) -> FileTree {
    let mut tree = FileTree::new(TIME);
    let content = Content::inline(&vec![7; len]);
    tree.put_file("t", b"/file", content, Attributes::file(TIME))
        .unwrap();
    tree
}

/// A disk with nothing but this filesystem.
fn single(kind: &str, size: DiskSize, filesystem: Filesystem) -> Spec {
    let mut part = Partition::new("ext4", Holds::Filesystem(filesystem));
    part.seed = Some("filesystem");
    Spec {
        place: "image".into(),
        size,
        sector_size: SMALL,
        table: table(kind),
        partitions: vec![part],
        blobs: Vec::new(),
    }
}

fn plan_single(kind: &str, size: DiskSize, len: usize) -> Result<DiskPlan> {
    plan_of(&single(kind, size, Filesystem::new("ext4", tree(len))))
}

fn room(bytes: u64) -> DiskSize {
    DiskSize::Smallest(Room::Bytes(Bytes::new(bytes)))
}

fn fixed(bytes: u64) -> DiskSize {
    DiskSize::Fixed(Bytes::new(bytes))
}

/// What the size asks for is FAT12; firmware reads FAT32 for sure.
#[test]
fn an_efi_system_partition_of_the_contents_size_is_fat32() {
    let esp = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
    for (table, kind, size, fat_size, expected) in [
        ("gpt", Some("esp"), room(0), None, "FAT32"),
        ("mbr", Some("esp"), room(0), None, "FAT32"),
        ("mbr", Some("0xEF"), room(0), None, "FAT32"),
        ("gpt", Some(esp), room(1), None, "FAT32"),
        ("mbr", Some(esp), room(1), None, "FAT32"),
        ("gpt", None, room(0), None, "FAT12"),
        ("mbr", None, room(0), None, "FAT12"),
        ("gpt", Some("esp"), room(0), Some(16), "FAT16"),
        ("gpt", Some("esp"), fixed(20 << 20), None, "FAT16"),
    ] {
        let mut spec = single(table, size, Filesystem::new("vfat", tree(1)));
        let part = &mut spec.partitions[0];
        part.kind = kind.map_or_else(Kinds::default, of);
        let options = Options::default();
        filesystem(part).options = match fat_size {
            Some(bits) => options.with("fat-size", bits),
            None => options,
        };
        let plan = plan(spec, &Identity::new("seed", TIME), &Registry::native()).unwrap();
        let found = plan.filesystems().next().unwrap().summary().kind;
        let is_it = found.eq_ignore_ascii_case(expected);
        assert!(is_it, "{table} {kind:?}: {found}");
        assert!(plan.size.get() < 40 << 20, "{}", plan.size);
    }
}

/// The type for either table that `text` spells.
fn of(text: &str) -> Kinds {
    PartitionType::parse(text).unwrap().into()
}

#[test]
fn the_type_is_the_one_asked_for_or_that_of_linux() {
    let linux = "0fc63daf-8483-4772-8e79-3d69d8477de4";
    let esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
    let msr = "e3c9e316-0b5c-4db8-817d-f92df00215ae";
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        for (kind, byte, guid) in [
            (None, Some(0x83), Some(linux)),
            (Some("esp"), Some(0xEF), Some(esp)),
            (Some(esp), Some(0xEF), Some(esp)),
            (Some("0x0b"), Some(0x0B), None),
            (Some("msr"), None, Some(msr)),
        ] {
            let entry = |table| {
                let mut spec = single(table, room(0), Filesystem::new("ntfs", tree(1)));
                spec.sector_size = sector_size;
                spec.partitions[0].kind = kind.map_or_else(Kinds::default, of);
                let plan = plan_of(&spec).ok()?;
                assert_reads_back(&plan, &built(&plan));
                let record = plan.partitions[0].record.clone();
                assert_eq!(record.range.offset(sector_size).get(), Bytes::MIB);
                Some(record.entry)
            };
            let active = false;
            let expected = byte.map(|kind| Entry::Mbr { kind, active });
            assert_eq!(entry("mbr"), expected, "{kind:?}");
            let found = entry("gpt").map(|entry| match entry {
                Entry::Gpt { kind, .. } => kind.to_string(),
                other => panic!("{other:?}"),
            });
            assert_eq!(found.as_deref(), guid, "{kind:?}");
        }
    }
    let mut bare = single("none", room(0), Filesystem::new("ext4", tree(1)));
    plan_of(&bare).unwrap();
    for (kind, place) in [("esp", "ext4.type_guid"), ("0x0b", "ext4.type_byte")] {
        bare.partitions[0].kind = of(kind);
        let error = plan_of(&bare).unwrap_err();
        assert_eq!(error.place(), place);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
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
    let half = DiskSize::Smallest(Room::Percent(50));
    for (size, len, expected) in [
        (room(0), 512, MARKER_EMPTY + 512),
        (room(0), 513, MARKER_EMPTY + 1024),
        (room(1 << 20), 512, MARKER_EMPTY + 512 + (1 << 20)),
        (half, 512, (MARKER_EMPTY + 512) * 3 / 2),
        (fixed(1 << 20), 0, 1 << 20),
    ] {
        let plan = plan_single("none", size, len).unwrap();
        assert_eq!(plan.size.get(), expected, "{size:?}");
        assert_eq!(plan.table, TableId::None);
        let one = &plan.partitions[0].record;
        let found = (one.range.offset(SMALL), one.range.size(SMALL));
        assert_eq!(found, (Bytes::new(0), plan.size));
        assert_eq!(one.entry, Entry::None);
        built(&plan);
    }
}

#[test]
fn a_partition_starts_at_one_mib_and_ends_with_its_filesystem_or_with_the_disk() {
    let mib = Bytes::MIB / SECTOR_SIZE;
    let rest = room(Bytes::MIB - MARKER_EMPTY);
    for (table, size, sectors, last) in [
        // The backup of a GPT takes 33 sectors.
        ("mbr", rest, 2 * mib, 2 * mib - 1),
        ("gpt", rest, 3 * mib, 2 * mib - 1),
        ("mbr", fixed(8 << 20), 8 * mib, 8 * mib - 1),
        ("gpt", fixed(8 << 20), 8 * mib, 8 * mib - 34),
    ] {
        let plan = plan_single(table, size, 0).unwrap();
        let one = &plan.partitions[0].record;
        let found = (plan.size.whole_sectors(SMALL), one.range.last().get());
        assert_eq!(found, (sectors, last), "{table} {size:?}");
        assert_eq!((one.number, one.range.first().get()), (1, mib));
        assert_reads_back(&plan, &built(&plan));
    }
}

#[test]
fn a_size_that_is_too_small_says_which_would_do() {
    let least = MARKER_EMPTY + 4096;
    for (table, size, would_do) in [
        ("mbr", Bytes::MIB + least - 512, 2 << 20),
        ("gpt", Bytes::MIB + (34 << 9), 2 << 20),
    ] {
        let error = plan_single(table, fixed(size), 4096).unwrap_err();
        let message = format!(
            "{} is too small; the smallest image with its partition table has {would_do} bytes \
             ({})",
            Bytes::new(size - Bytes::MIB - if table == "gpt" { 33 << 9 } else { 0 }),
            Bytes::new(would_do)
        );
        assert_eq!(error.to_string(), format!("image.size: {message}"));
        assert_eq!(error.kind(), ErrorKind::DoesNotFit);
        assert_eq!(error.needed(), Some(Bytes::new(least)));
        plan_single(table, fixed(would_do), 4096).unwrap();
    }
    // An image without a table is its filesystem: the format says it all.
    let error = plan_single("none", fixed(least - 512), 4096).unwrap_err();
    assert_eq!(error.to_string(), "image.size: 4 KiB is too small");
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
        part.holds = holding("ext4", tree(4096));
        let place = format!("{}.{place}", part.place);
        let error = plan_of(&spec).unwrap_err();
        assert_eq!(error.place(), place.trim_end_matches('.'), "{error}");
        assert!(error.message().ends_with(message), "{error}");
        let found = (error.kind(), error.needed());
        assert_eq!(found, (ErrorKind::DoesNotFit, Some(Bytes::new(least))));
    }
}

/// A disk with a partition of 1 MiB and one that ends with its content.
fn open_disk(table: &str, size: DiskSize) -> Spec {
    let mut spec = disk(0, table, &[("p", 2048, 4095), ("p", 4096, 0)]);
    spec.size = size;
    spec.partitions[1].end = End::Auto;
    spec
}

#[test]
fn a_disk_ends_with_its_last_partition_rounded_up() {
    for (table, free, sectors) in [("mbr", 0, 3 * 2048), ("gpt", 2 << 20, 5 * 2048)] {
        let mut spec = open_disk(table, room(free));
        spec.partitions[1].holds = holding("ext4", tree(512));
        let plan = plan_of(&spec).unwrap();
        assert_eq!(plan.size.whole_sectors(SMALL), sectors, "{table}");
        let last = &plan.partitions[1];
        let size = last.record.range.size(SMALL).get();
        assert_eq!(size, MARKER_EMPTY + 512 + free);
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
        let tree = &mut filesystem(&mut spec.partitions[index]).tree;
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
    for (table, last) in [("mbr", 32767), ("gpt", 32734)] {
        let plan = plan_of(&open_disk(table, fixed(16 << 20))).unwrap();
        let range = plan.partitions[1].record.range;
        assert_eq!(range.last().get(), last, "{table}");
    }
}

#[test]
fn what_cannot_follow_from_the_content_is_refused() {
    type Row<'a> = (fn(&mut Spec), &'a str, &'a str);
    let rows: [Row<'_>; 6] = [
        (
            |spec| spec.partitions[1].end = End::Sector(9999),
            "guestfs[2].size",
            "of the last partition only",
        ),
        (
            |spec| spec.partitions[0].end = End::Auto,
            "guestfs[2].parts[1].end",
            "only one partition may end with its content",
        ),
        (
            |spec| {
                spec.partitions[0].start = Start::Sector(5000);
                spec.partitions[0].end = End::Sector(5999);
            },
            "guestfs[2].parts[1].end",
            "partition 1 starts later, at 5000",
        ),
        (
            |spec| spec.partitions[0].end = End::Sector(-7),
            "guestfs[2].parts[0].end",
            "end -7 counts from the end of the disk",
        ),
        (
            |spec| spec.partitions[1].role = Role::Extended,
            "guestfs[2].parts[1].end",
            "only a primary partition",
        ),
        (
            |spec| spec.partitions[0].end = End::Sector(4096),
            "guestfs[2].parts[1].start",
            "overlap",
        ),
    ];
    for (change, place, part) in rows {
        let mut spec = open_disk("mbr", room(0));
        change(&mut spec);
        let error = plan_of(&spec).unwrap_err();
        assert_eq!(error.place(), place, "{error}");
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn an_extended_partition_has_no_contents() {
    let mut spec = disk(16384, "mbr", &[("e", 2048, -1)]);
    filesystem(&mut spec.partitions[0]).tree = tree(1);
    let error = plan_of(&spec).unwrap_err();
    assert_eq!(error.place(), "guestfs[2].parts[0].content");
}
