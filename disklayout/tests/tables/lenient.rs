//! What a strict reader refuses is shown with warnings, from whichever copy is good.

use disklayout::disk::{Disk, MemDisk};
use disklayout::inspect::{self, Image};
use disklayout::table::{Table, TableId};

use crate::support::{Part, built, disk, disk_4096, plan_of};

const SECTORS: u64 = 3000;
const GPT_PARTS: [Part<'_>; 3] = [("p", 100, 999), ("p", 1000, 1499), ("p", 1600, 2899)];

/// The bytes of a disk, and what its sectors hold.
#[derive(Clone)]
struct Bytes {
    bytes: Vec<u8>,
    sector: usize,
}

impl Bytes {
    fn of(disk: &MemDisk, sector: usize) -> Self {
        let mut bytes = vec![0; usize::try_from(disk.len()).unwrap()];
        disk.read_at(&mut bytes, 0).unwrap();
        Self { bytes, sector }
    }

    fn disk(&self) -> MemDisk {
        let disk = MemDisk::new(self.bytes.len() as u64);
        disk.write_at(&self.bytes, 0).unwrap();
        disk
    }

    fn last(&self) -> usize {
        self.bytes.len() / self.sector - 1
    }

    /// Sectors that one copy of the entries takes.
    fn entries(&self) -> usize {
        128 * 128 / self.sector
    }

    fn zero(mut self, first: usize, count: usize) -> Self {
        self.bytes[first * self.sector..(first + count) * self.sector].fill(0);
        self
    }

    fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn flip(mut self, sector: usize, at: usize) -> Self {
        self.bytes[sector * self.sector + at] ^= 1;
        self
    }

    fn resize(mut self, sectors: usize) -> Self {
        self.bytes.resize(sectors * self.sector, 0);
        self
    }
}

type Damage = fn(Bytes) -> Bytes;

/// Numbers and bounds of partitions.
fn shown(table: &Table) -> Vec<(u32, u64, u64)> {
    let partitions = table.partitions.iter();
    let shown = partitions.map(|one| (one.number, one.range.first(), one.range.last()));
    shown
        .map(|(number, first, last)| (number, first.get(), last.get()))
        .collect()
}

fn warnings(image: &Image<'_>) -> Vec<String> {
    image.all_warnings().map(str::to_owned).collect()
}

/// Where a strict reader finds something, a lenient one shows all partitions and says the same.
fn assert_shown(what: &str, disk: &MemDisk, expected: &[(u32, u64, u64)]) -> Vec<String> {
    let error = inspect::table(disk).unwrap_err();
    let image = inspect::image(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let table = image.table.as_ref().unwrap_or_else(|| panic!("{what}"));
    assert_eq!(shown(table), expected, "{what}");
    let told = warnings(&image);
    assert!(!told.is_empty(), "{what}: {error}");
    told
}

#[test]
fn a_gpt_of_which_one_copy_is_left() {
    let damages: &[(&str, &str, Damage)] = &[
        ("no primary header", "primary GPT: no header", |it| {
            it.zero(1, 1)
        }),
        ("primary header", "its header has the checksum", |it| {
            it.flip(1, 40)
        }),
        ("primary entries", "its entries have the checksum", |it| {
            it.flip(2, 56)
        }),
        ("no primary", "backup GPT: it is read in place", |it| {
            let count = 1 + it.entries();
            it.zero(1, count)
        }),
        ("no backup header", "backup GPT: no header", |it| {
            let last = it.last();
            it.zero(last, 1)
        }),
        ("backup entries", "backup GPT: its entries", |it| {
            let at = it.last() - it.entries();
            it.flip(at, 57)
        }),
        ("no backup", "backup GPT", |it| {
            let count = 1 + it.entries();
            let first = it.last() + 1 - count;
            it.zero(first, count)
        }),
        ("grown", "the disk has grown", |it| it.resize(9000)),
        ("grown, no primary", "the disk has grown", |it| {
            it.zero(1, 1).resize(9000)
        }),
        ("grown by one", "the disk has grown", |it| {
            let sectors = it.last() + 2;
            it.resize(sectors)
        }),
        ("cut by one", "the end of the disk is missing", |it| {
            let last = it.last();
            it.resize(last)
        }),
        ("no boot record", "no entry that covers the GPT", |it| {
            it.zero(0, 1)
        }),
        ("no entry", "no entry that covers the GPT", |it| {
            it.put(446, &[0; 64])
        }),
        ("neither boot record nor primary", "read in place", |it| {
            it.zero(0, 2)
        }),
        ("protective of all", "4294967295", |it| {
            it.put(458, &[0xFF; 4])
        }),
        ("protective of one", "must cover", |it| {
            it.put(458, &[1, 0, 0, 0])
        }),
        ("protective from 0", "must cover", |it| {
            it.put(454, &[0, 0, 0, 0])
        }),
        ("protective twice", "must cover", |it| {
            let entry: [u8; 16] = it.bytes[446..462].try_into().unwrap();
            it.put(462, &entry)
        }),
        ("entries there, header here", "are read instead", |it| {
            let last = it.last();
            it.flip(2, 56).zero(last, 1)
        }),
        ("entries here, header there", "are read instead", |it| {
            let at = it.last() - it.entries();
            it.zero(1, 1).flip(at, 56)
        }),
        ("no header at all", "no copy is in order", |it| {
            let last = it.last();
            it.zero(1, 1).zero(last, 1)
        }),
        ("no header, and cut", "no copy is in order", |it| {
            it.zero(1, 1).resize(2950)
        }),
        ("a byte in both", "no copy is in order", |it| {
            let at = it.last() - it.entries();
            it.flip(2, 56).flip(at, 57)
        }),
    ];
    let expected = [(1, 100, 999), (2, 1000, 1499), (3, 1600, 2899)];
    for (spec, sector) in [
        (disk(SECTORS, "gpt", &GPT_PARTS), 512),
        (disk_4096(SECTORS, "gpt", &GPT_PARTS), 4096),
    ] {
        let plan = plan_of(&spec).unwrap();
        let sound = Bytes::of(&built(&plan), sector);
        let image = sound.disk();
        assert_eq!(warnings(&inspect::image(&image).unwrap()), [""; 0]);
        for (what, message, damage) in damages {
            let disk = damage(sound.clone()).disk();
            let what = format!("{what}, {sector}");
            let told = match what.starts_with("no boot")
                || what.starts_with("no entry")
                || what.starts_with("neither")
            {
                // An MBR without partitions is one, or there is none.
                true => {
                    let image = inspect::image(&disk).unwrap();
                    assert_eq!(shown(image.table.as_ref().unwrap()), expected, "{what}");
                    warnings(&image)
                }
                false => assert_shown(&what, &disk, &expected),
            };
            assert!(
                told.iter().any(|told| told.contains(message)),
                "{what}: {told:?}"
            );
            let image = inspect::image(&disk).unwrap();
            let table = image.table.as_ref().unwrap();
            assert_eq!(table.sector_size, plan.sector_size, "{what}");
            if !message.contains("no copy") {
                assert_eq!(table.id, plan.table, "{what}");
            }
        }
    }
}

/// What lies behind the end is shown all the same, and said to be missing.
#[test]
fn a_cut_gpt_has_all_partitions() {
    let sound = Bytes::of(
        &built(&plan_of(&disk(SECTORS, "gpt", &GPT_PARTS)).unwrap()),
        512,
    );
    let expected = [(1, 100, 999), (2, 1000, 1499), (3, 1600, 2899)];
    for (sectors, missing) in [
        (2950, 0),
        (2899, 1),
        (1600, 1),
        (1200, 2),
        (100, 3),
        (40, 3),
    ] {
        let disk = sound.clone().resize(sectors).disk();
        let told = assert_shown("cut", &disk, &expected);
        let behind = told
            .iter()
            .filter(|told| told.contains("reach behind the end"));
        assert_eq!(behind.count(), missing, "{sectors}: {told:?}");
        let image = inspect::image(&disk).unwrap();
        let with_warnings = image.volumes.iter().filter(|one| !one.warnings.is_empty());
        assert_eq!(with_warnings.count(), missing);
    }
}

/// Tables of genimage and gdisk: some partitions stand in the MBR too, the protective entry covers
/// the GPT alone or all before the first of them, and may be any of the four.
#[test]
fn hybrid_records_are_in_order_in_several_forms() {
    let sound = Bytes::of(
        &built(&plan_of(&disk(SECTORS, "gpt", &GPT_PARTS)).unwrap()),
        512,
    );
    let entry = |kind: u8, first: u32, count: u32| {
        let mut entry = [0; 16];
        entry[4] = kind;
        entry[8..12].copy_from_slice(&first.to_le_bytes());
        entry[12..].copy_from_slice(&count.to_le_bytes());
        entry
    };
    let none = [0; 16];
    let (one, two) = (entry(0x83, 100, 900), entry(0x0C, 1000, 500));
    for (entries, is_right) in [
        ([one, none, entry(0xEE, 1, 33), none], true),
        ([entry(0xEE, 1, 99), one, two, none], true),
        ([one, two, none, entry(0xEE, 1, 99)], true),
        (
            [entry(0xEE, 1, 99), one, two, entry(0xEE, 1500, 1500)],
            true,
        ),
        ([entry(0xEE, 1, 2999), one, none, none], true),
        ([entry(0xEE, 1, 5), one, none, none], false),
        (
            [entry(0xEE, 1, 99), entry(0x83, 100, 901), none, none],
            false,
        ),
    ] {
        let disk = sound.clone().put(446, entries.as_flattened()).disk();
        let image = inspect::image(&disk).unwrap();
        let table = image.table.as_ref().unwrap();
        assert_eq!(table.partitions.len(), 3);
        assert!(matches!(table.id, TableId::Gpt { .. }));
        assert_eq!(
            warnings(&image).is_empty(),
            is_right,
            "{:?}",
            warnings(&image)
        );
        assert_eq!(inspect::table(&disk).is_ok(), is_right);
    }
}

/// Partitions of an MBR count where a GPT isn't covered, and the GPT is told of.
#[test]
fn an_mbr_with_partitions_beside_a_gpt() {
    let sound = Bytes::of(
        &built(&plan_of(&disk(SECTORS, "gpt", &GPT_PARTS)).unwrap()),
        512,
    );
    let disk = sound.put(450, &[0x83]).disk();
    let image = inspect::image(&disk).unwrap();
    assert!(matches!(
        image.table.as_ref().unwrap().id,
        TableId::Mbr { .. }
    ));
    assert!(
        warnings(&image)[0].contains("one with 3 partitions"),
        "{:?}",
        warnings(&image)
    );
}

const MBR_PARTS: [Part<'_>; 5] = [
    ("p", 100, 499),
    ("e", 500, 2499),
    ("l", 600, 699),
    ("l", 800, 899),
    ("l", 1000, 1099),
];

#[test]
fn an_mbr_is_shown_up_to_where_it_is_broken() {
    let sound = Bytes::of(
        &built(&plan_of(&disk(SECTORS, "mbr", &MBR_PARTS)).unwrap()),
        512,
    );
    let all = [
        (1, 100, 499),
        (2, 500, 2499),
        (5, 600, 699),
        (6, 800, 899),
        (7, 1000, 1099),
    ];
    let cases: &[(&str, usize, &str, Damage)] = &[
        ("first record", 2, "no boot record", |it| it.zero(500, 1)),
        ("second record", 3, "no boot record", |it| it.zero(799, 1)),
        ("third record", 4, "no boot record", |it| it.zero(999, 1)),
        ("a loop", 5, "a second time", |it| {
            it.put(999 * 512 + 466, &[5, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0])
        }),
        ("a link away", 5, "leaves sectors", |it| {
            it.put(999 * 512 + 466, &[5, 0, 0, 0, 0xFF, 0xFF, 0, 0, 9, 0, 0, 0])
        }),
        (
            "a link of another type",
            3,
            "its link is of type 83",
            |it| it.put(500 * 512 + 466, &[0x83]),
        ),
        ("an indicator", 5, "its boot indicator is 01", |it| {
            it.put(500 * 512 + 446, &[1])
        }),
        ("cut", 5, "reach behind the end", |it| it.resize(2000)),
        ("cut before a record", 4, "lies outside the disk", |it| {
            it.resize(950)
        }),
        ("cut in the first one", 2, "reach behind the end", |it| {
            it.resize(300)
        }),
    ];
    for (what, count, message, damage) in cases {
        let disk = damage(sound.clone()).disk();
        let told = assert_shown(what, &disk, &all[..*count]);
        assert!(
            told.iter().any(|told| told.contains(message)),
            "{what}: {told:?}"
        );
    }
    // Beyond the extended one, and over another.
    let disk = sound.clone().put(500 * 512 + 458, &[0, 8]).disk();
    let told = assert_shown(
        "long",
        &disk,
        &[
            (1, 100, 499),
            (2, 500, 2499),
            (5, 600, 2647),
            (6, 800, 899),
            (7, 1000, 1099),
        ],
    );
    for message in [
        "no range within",
        "overlaps partition 5",
        "a boot record of the chain",
    ] {
        assert!(told.iter().any(|told| told.contains(message)), "{told:?}");
    }
}

/// Bytes that look like a boot record by chance aren't shown as partitions.
#[test]
fn code_is_no_table() {
    let mut bytes = vec![0; 3000 * 512];
    bytes[446..510].fill(0x41);
    bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
    let disk = Bytes { bytes, sector: 512 }.disk();
    assert!(inspect::image(&disk).is_err());
}

/// An image of a disc whose first sector is a table is shown as both.
#[test]
fn a_disc_with_a_table_is_both() {
    for label in ["gpt", "mbr"] {
        let parts = [("p", 100, 499)];
        let sound = Bytes::of(
            &built(&plan_of(&disk(SECTORS, label, &parts)).unwrap()),
            512,
        );
        let disk = sound.put(0x8001, b"CD001").put(0x8028, b"DISC  ").disk();
        let image = inspect::image(&disk).unwrap();
        assert_eq!(shown(image.table.as_ref().unwrap()), [(1, 100, 499)]);
        let whole = image.volumes.last().unwrap();
        assert!(whole.partition.is_none());
        let found = whole.filesystem.as_ref().unwrap().as_ref().unwrap();
        assert_eq!(
            (found.facts().kind, found.facts().label.as_deref()),
            ("iso9660", Some("DISC"))
        );
        assert_eq!(warnings(&image), [""; 0]);
        // Also when its end, with that of the partition, is missing.
        let cut = Bytes::of(&disk, 512).resize(300).disk();
        let image = inspect::image(&cut).unwrap();
        assert_eq!(shown(image.table.as_ref().unwrap()), [(1, 100, 499)]);
        assert_eq!(image.volumes.len(), 2);
    }
}

/// Whatever a header says, no more is read than there is.
#[test]
fn numbers_without_bounds() {
    let sound = Bytes::of(
        &built(&plan_of(&disk(SECTORS, "gpt", &GPT_PARTS)).unwrap()),
        512,
    );
    let seal = |mut it: Bytes| {
        for header in [1, 2999] {
            let at = header * 512;
            let entries = usize::try_from(u64::from_le_bytes(
                it.bytes[at + 72..at + 80].try_into().unwrap(),
            ));
            let entries = entries.unwrap() * 512;
            let sum = crc32fast::hash(&it.bytes[entries..entries + 128 * 128]);
            it = it.put(at + 88, &sum.to_le_bytes()).put(at + 16, &[0; 4]);
            let sum = crc32fast::hash(&it.bytes[at..at + 92]);
            it = it.put(at + 16, &sum.to_le_bytes());
        }
        it
    };
    for (first, last, count) in [
        (u64::MAX, u64::MAX, 2),
        (100, u64::MAX, 2),
        (100, u64::MAX / 512 - 1, 3),
        (u64::MAX / 512 - 1, u64::MAX / 512 - 1, 3),
        (0, 0, 3),
        (7, 5, 2),
    ] {
        let mut it = sound.clone();
        for entry in [2 * 512, (2999 - 32) * 512] {
            it = it.put(entry + 32, &u64::to_le_bytes(first));
            it = it.put(entry + 40, &u64::to_le_bytes(last));
        }
        let disk = seal(it).disk();
        let image = inspect::image(&disk).unwrap();
        let partitions = &image.table.as_ref().unwrap().partitions;
        assert_eq!(partitions.len(), count, "{first} to {last}");
        assert!(!warnings(&image).is_empty());
    }
}
