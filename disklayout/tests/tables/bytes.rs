//! Bytes that stand for themselves, in partitions and beside them: boot loaders, and filesystems
//! that are ready.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, OnceLock};

use disklayout::disk::{Coming, Disk, MemDisk};
use disklayout::fs::Unwatched;
use disklayout::layout::spec::{Blob, Disk as Spec, DiskTable, End, Holds, Length, Start};
use disklayout::layout::{DiskPlan, DiskSize, Held, Room};
use disklayout::tree::{Content, Extent, Store};
use disklayout::{Bytes, ErrorKind, SECTOR_SIZE, SectorSize, Zeroes, build};
use proptest::prelude::*;

use crate::external::assert_all_agree_on;
use crate::support::{Part, assert_reads_back, built, disk, disk_4096, plan_of};

const MIB: u64 = Bytes::MIB;

/// Sectors of the disks here: 8 MiB.
const SECTORS: u64 = 16384;

/// The code in front of an MBR.
const CODE: u64 = 440;

/// What a GPT takes at the end of a disk, and without the sector of the MBR at the start.
const GPT: u64 = 33 * SECTOR_SIZE;

/// Bytes of which none is zero, others for every `seed`.
fn bytes(len: u64, seed: u64) -> Vec<u8> {
    (0..len)
        .map(|at| ((at * 7 + at / 251 + seed * 31) % 255 + 1) as u8)
        .collect()
}

/// The blob `blobs[index]` with [`bytes`] of that seed.
fn blob(index: u64, offset: u64, len: u64) -> Blob {
    Blob {
        place: format!("blobs[{index}]").into(),
        offset: Bytes::new(offset),
        content: Content::inline(&bytes(len, index)),
    }
}

fn raw(bytes: &[u8]) -> Holds {
    Holds::Bytes(Content::inline(bytes))
}

fn read(disk: &dyn Disk) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(disk.len()).unwrap()];
    disk.read_at(&mut bytes, 0).unwrap();
    bytes
}

fn put(image: &mut [u8], offset: u64, bytes: &[u8]) {
    let at = usize::try_from(offset).unwrap();
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

/// The image of a disk with these blobs and with `held` at the start of its first partition is that
/// of the disk without any, but for their bytes.
fn assert_placed(spec: &Spec, held: &[u8], blobs: &[Blob]) -> DiskPlan {
    let mut expected = read(&built(&plan_of(spec).unwrap()));
    let mut spec = spec.clone();
    spec.partitions[0].holds = raw(held);
    spec.blobs = blobs.to_vec();
    let plan = assert_all_agree_on(&spec);
    let start = plan.partitions[0].record.range.offset(plan.sector_size);
    put(&mut expected, start.get(), held);
    for blob in blobs {
        let content = blob.content.inline_bytes().unwrap();
        put(&mut expected, blob.offset.get(), content);
    }
    assert!(read(&built(&plan)) == expected, "{spec:?}");
    plan
}

#[test]
fn bytes_are_exactly_where_they_belong_and_nothing_else_changes() {
    for (table, sector, first_free) in [
        ("mbr", 512, 512),
        ("gpt", 512, 512 + GPT),
        ("mbr", 4096, 512),
        ("gpt", 4096, 6 * 4096),
    ] {
        let parts = [("p", 2048, 2100), ("p", 3000, 4000)];
        let mut spec = match sector {
            512 => disk(SECTORS, table, &parts),
            _ => disk_4096(SECTORS, table, &parts),
        };
        spec.partitions[0].holds = Holds::Nothing;
        let gap = 2048 * sector;
        let behind = 2101 * sector;
        let blobs = [
            // Against the first partition, out of order, next to each other, across sectors.
            blob(1, gap - 3, 3),
            blob(2, first_free, 1),
            blob(3, 100_001, 777),
            blob(4, 100_778, 5000),
            blob(5, behind, 513),
            blob(6, 3000 * sector - 1, 1),
            blob(7, 0, CODE),
        ];
        let plan = assert_placed(&spec, &bytes(5001, 0), &blobs);
        let offsets: Vec<_> = plan.blobs.iter().map(|one| one.offset).collect();
        assert!(offsets.is_sorted());
        assert_eq!(plan.raw_bytes().count(), blobs.len() + 1);
    }
}

#[test]
fn a_partition_can_be_full_of_bytes() {
    for table in ["mbr", "gpt"] {
        let mut spec = disk(SECTORS, table, &[("p", 35, 40), ("p", 41, 41)]);
        spec.partitions[0].holds = Holds::Nothing;
        assert_placed(&spec, &bytes(6 * SECTOR_SIZE, 3), &[]);
        let plan = assert_placed(&spec, &[], &[]);
        assert!(matches!(plan.partitions[0].holds, Held::Bytes(_)));
    }
    let mut bare = disk(SECTORS, "none", &[]);
    bare.blobs = vec![blob(1, SECTORS * SECTOR_SIZE - 5, 5), blob(2, 0, 513)];
    let image = read(&built(&plan_of(&bare).unwrap()));
    let mut expected = vec![0; image.len()];
    put(&mut expected, 0, &bytes(513, 2));
    put(&mut expected, SECTORS * SECTOR_SIZE - 5, &bytes(5, 1));
    assert!(image == expected);
}

#[test]
fn boot_code_is_in_front_of_every_kind_of_table() {
    let hybrid = DiskTable::Gpt {
        guid: None,
        hybrid: vec![1],
    };
    let signed = DiskTable::Mbr {
        signature: Some(0x1234_5678),
    };
    let parts = [("p", 2048, 4095), ("p", 6000, 7000)];
    for table in [
        signed,
        hybrid,
        crate::support::table("mbr"),
        crate::support::table("gpt"),
    ] {
        let mut spec = disk(SECTORS, "mbr", &parts);
        spec.table = table;
        let without = read(&built(&plan_of(&spec).unwrap()));
        for (offset, len) in [(0, CODE), (0, 1), (437, 3)] {
            spec.blobs = vec![blob(1, offset, len)];
            let plan = assert_all_agree_on(&spec);
            let mut expected = without.clone();
            put(&mut expected, offset, &bytes(len, 1));
            assert!(read(&built(&plan)) == expected, "{:?}", spec.table);
        }
    }
}

#[test]
fn what_bytes_lie_over_is_named() {
    use ErrorKind::{DoesNotFit, InvalidSpec};
    let last = SECTORS * SECTOR_SIZE;
    let parts = [("p", 2048, 4095), ("e", 6000, 9999), ("l", 7000, 7999)];
    type Row<'a> = (&'a str, (u64, u64), ErrorKind, &'a str);
    let rows: [Row<'_>; 15] = [
        (
            "mbr",
            (CODE, 1),
            InvalidSpec,
            "start: byte 440 overlaps the partition table (bytes 440 to 511)",
        ),
        (
            "mbr",
            (0, 512),
            InvalidSpec,
            "start: bytes 0 to 511 overlap the partition table (bytes 440 to 511)",
        ),
        (
            "gpt",
            (0, 441),
            InvalidSpec,
            "start: bytes 0 to 440 overlap the partition table (bytes 440 to 17407)",
        ),
        (
            "gpt",
            (17_407, 2),
            InvalidSpec,
            "start: bytes 17407 to 17408 overlap the partition table (bytes 440 to 17407)",
        ),
        (
            "gpt",
            (last - GPT - 1, 2),
            InvalidSpec,
            "start: bytes 8371711 to 8371712 overlap the backup of the partition table (bytes \
             8371712 to 8388607)",
        ),
        (
            "gpt",
            (last - 1, 1),
            InvalidSpec,
            "start: byte 8388607 overlaps the backup of the partition table (bytes 8371712 to \
             8388607)",
        ),
        (
            "mbr",
            (MIB - 1, 2),
            InvalidSpec,
            "start: bytes 1048575 to 1048576 overlap partition 1 (bytes 1048576 to 2097151)",
        ),
        (
            "gpt",
            (2 * MIB - 1, 1),
            InvalidSpec,
            "start: byte 2097151 overlaps partition 1 (bytes 1048576 to 2097151)",
        ),
        (
            "mbr",
            (6000 * 512, 1),
            InvalidSpec,
            "start: byte 3072000 overlaps extended partition 2 (bytes 3072000 to 5119999)",
        ),
        // In front of a logical partition, and behind all of them.
        (
            "mbr",
            (6999 * 512, 512),
            InvalidSpec,
            "start: bytes 3583488 to 3583999 overlap extended partition 2 (bytes 3072000 to \
             5119999)",
        ),
        (
            "mbr",
            (9999 * 512, 512),
            InvalidSpec,
            "start: bytes 5119488 to 5119999 overlap extended partition 2 (bytes 3072000 to \
             5119999)",
        ),
        (
            "mbr",
            (30_009, 5),
            InvalidSpec,
            "start: bytes 30009 to 30013 overlap the bytes of blobs[7] (bytes 30000 to 30009)",
        ),
        (
            "mbr",
            (last - 1, 2),
            DoesNotFit,
            "start: 2 bytes from byte 8388607 on reach behind the end of the disk, which has \
             8388608 bytes",
        ),
        (
            "gpt",
            (u64::MAX, 2),
            DoesNotFit,
            "start: 2 bytes from byte 18446744073709551615 on reach behind the end of the disk, \
             which has 8388608 bytes",
        ),
        (
            "mbr",
            (600, 0),
            InvalidSpec,
            "source: there are no bytes in it",
        ),
    ];
    for (table, (offset, len), kind, message) in rows {
        let parts = if table == "mbr" {
            &parts[..]
        } else {
            &parts[..1]
        };
        let mut spec = disk(SECTORS, table, parts);
        spec.blobs = vec![blob(7, 30_000, 10)];
        plan_of(&spec).unwrap();
        spec.blobs.push(blob(8, offset, len));
        let error = plan_of(&spec).unwrap_err();
        assert_eq!(error.to_string(), format!("blobs[8].{message}"));
        assert_eq!(error.kind(), kind);
    }
    let mut bare = disk(SECTORS, "none", &[("p", 0, -1)]);
    bare.blobs = vec![blob(1, 5000, 1)];
    let error = plan_of(&bare).unwrap_err();
    let message = "blobs[1].start: byte 5000 overlaps what has the whole disk (bytes 0 to 8388607)";
    assert_eq!(error.to_string(), message);
}

#[test]
fn bytes_that_exceed_their_partition_say_what_they_need() {
    let size = Length::Bytes(Bytes::new(8 * SECTOR_SIZE));
    for (table, end, place, message) in [
        (
            "mbr",
            End::Sector(2055),
            "guestfs[2].parts[0].end",
            "5000 bytes don't fit into 4096 bytes (4 KiB); the smallest legal end is 2057",
        ),
        (
            "gpt",
            End::Size(size),
            "guestfs[2].parts[0].length",
            "5000 bytes don't fit into 4096 bytes (4 KiB); the smallest legal length in sectors \
             is 10",
        ),
        (
            "mbr",
            End::Auto,
            "guestfs[2].size",
            "5000 bytes don't fit into 4096 bytes (4 KiB); the smallest image with its partition \
             table has 2097152 bytes (2 MiB)",
        ),
        (
            "none",
            End::Auto,
            "guestfs[2].size",
            "5000 bytes don't fit into 4096 bytes (4 KiB)",
        ),
    ] {
        let sectors = match end {
            End::Auto if table == "none" => 8,
            End::Auto => 2056,
            _ => SECTORS,
        };
        let mut spec = disk(sectors, table, &[("p", 2048, 0)]);
        let part = &mut spec.partitions[0];
        part.end = end;
        part.holds = raw(&bytes(5000, 1));
        if table == "none" {
            part.start = Start::Next;
        }
        let error = plan_of(&spec).unwrap_err();
        assert_eq!(error.to_string(), format!("{place}: {message}"));
        assert_eq!(error.kind(), ErrorKind::DoesNotFit);
        assert_eq!(error.needed(), Some(Bytes::new(5000)));
        spec.partitions[0].holds = raw(&bytes(4096, 1));
        plan_of(&spec).unwrap();
    }
    let mut extended = disk(SECTORS, "mbr", &[("e", 2048, 4095)]);
    extended.partitions[0].holds = raw(&[1]);
    let error = plan_of(&extended).unwrap_err();
    let message = "guestfs[2].parts[0].source: an extended partition holds logical ones and no \
                   bytes of its own";
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_size_can_follow_from_bytes() {
    let room = Room::Bytes(Bytes::new(5 * MIB));
    for (table, sector, len, room, sectors, size) in [
        ("mbr", 512, 5000, Room::NONE, 10, 2 * MIB),
        ("gpt", 512, 5000, Room::NONE, 10, 2 * MIB),
        ("gpt", 512, MIB - GPT, Room::NONE, 2048 - 33, 2 * MIB),
        ("gpt", 512, MIB - GPT + 1, Room::NONE, 2048 - 32, 3 * MIB),
        ("none", 512, 5000, Room::NONE, 10, 5120),
        ("none", 4096, 5000, Room::NONE, 2, 8192),
        ("mbr", 4096, 4097, Room::NONE, 2, 2 * MIB),
        ("mbr", 512, 0, Room::NONE, 1, 2 * MIB),
        // Nothing is ever free in bytes that are what they are.
        ("mbr", 512, 5000, room, 10, 2 * MIB),
        ("none", 512, 5000, Room::Percent(100), 10, 5120),
    ] {
        let mut spec = disk(0, table, &[("p", 0, 0)]);
        spec.size = DiskSize::Smallest(room);
        if sector == 4096 {
            spec.sector_size = SectorSize::B4096;
        }
        let part = &mut spec.partitions[0];
        (part.start, part.end) = (Start::Next, End::Auto);
        part.holds = raw(&bytes(len, 1));
        let plan = plan_of(&spec).unwrap();
        let range = plan.partitions[0].record.range;
        assert_eq!((range.sectors(), plan.size.get()), (sectors, size));
        let disk = built(&plan);
        if table != "none" {
            assert_reads_back(&plan, &disk);
        }
        let start = usize::try_from(range.offset(plan.sector_size).get()).unwrap();
        let image = read(&disk);
        assert!(image[start..].starts_with(&bytes(len, 1)), "{table} {len}");
        let mut behind = image[start + usize::try_from(len).unwrap()..].iter();
        assert!(table == "gpt" || behind.all(|byte| *byte == 0));
    }
}

/// Bytes of a partition are known before it is placed, so that blobs behind it are too.
#[test]
fn blobs_of_a_disk_whose_size_follows() {
    let mut spec = disk(0, "mbr", &[("p", 2048, 0)]);
    spec.size = DiskSize::Smallest(Room::NONE);
    spec.partitions[0].end = End::Auto;
    spec.partitions[0].holds = raw(&bytes(5000, 0));
    spec.blobs = vec![blob(1, MIB + 5120, MIB - 5120)];
    let image = read(&built(&plan_of(&spec).unwrap()));
    assert_eq!(image.len() as u64, 2 * MIB);
    assert!(image.ends_with(&bytes(MIB - 5120, 1)));
    for (offset, what) in [
        (MIB + 5119, "partition 1 (bytes 1048576 to 1053695)"),
        (2 * MIB, "the disk, which has 2097152 bytes"),
    ] {
        spec.blobs = vec![blob(1, offset, 1)];
        let error = plan_of(&spec).unwrap_err();
        assert!(error.message().ends_with(what), "{error}");
    }
}

/// A store of 4 MiB.
fn store() -> Arc<Store> {
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&bytes(4 * MIB, 9), 0).unwrap();
    Arc::new(Store::file("store", file))
}

/// `len` bytes with data at these places, so many bytes each.
fn with_holes(len: u64, places: &[(u64, u64)]) -> Content {
    let extents = places.iter().map(|(logical, len)| Extent {
        logical: *logical,
        len: *len,
        offset: logical % MIB,
    });
    Content::stored_with_holes(&store(), len, extents.collect())
}

/// The bytes of [`with_holes`].
fn filled(len: u64, places: &[(u64, u64)]) -> Vec<u8> {
    let (mut all, data) = (vec![0; usize::try_from(len).unwrap()], bytes(4 * MIB, 9));
    for (logical, count) in places {
        let from = usize::try_from(logical % MIB).unwrap();
        put(
            &mut all,
            *logical,
            &data[from..][..usize::try_from(*count).unwrap()],
        );
    }
    all
}

const PLACES: [(u64, u64); 3] = [(7, 3), (MIB + 1, 600), (3 * MIB - 5, 5)];

/// A disk of 16 MiB with [`with_holes`] of 3 MiB in a partition of 4 MiB and beside it.
fn holed() -> Spec {
    let mut spec = disk(32 * 1024, "gpt", &[("p", 2048, 2048 + 8191)]);
    spec.partitions[0].holds = Holds::Bytes(with_holes(3 * MIB, &PLACES));
    spec.blobs = vec![Blob {
        place: "blobs[0]".into(),
        offset: Bytes::new(8 * MIB + 1),
        content: with_holes(3 * MIB, &PLACES),
    }];
    spec
}

#[test]
fn holes_are_not_written() {
    let plan = plan_of(&holed()).unwrap();
    let disk = built(&plan);
    assert_reads_back(&plan, &disk);
    // A page or two for each place, six of the table.
    assert!(disk.allocated() <= 4096 * (2 * 2 * PLACES.len() as u64 + 6));
    let image = read(&disk);
    let expected = filled(3 * MIB, &PLACES);
    for start in [MIB, 8 * MIB + 1] {
        let start = usize::try_from(start).unwrap();
        assert!(image[start..].starts_with(&expected), "{start}");
    }
}

#[test]
fn a_large_hole_costs_nothing() {
    let len = 1 << 40;
    let mut spec = disk(1 << 32, "gpt", &[("p", 2048, -34)]);
    spec.partitions[0].holds = Holds::Bytes(with_holes(len, &[(len - 9, 9)]));
    let plan = plan_of(&spec).unwrap();
    let disk = built(&plan);
    assert!(disk.allocated() < 100_000);
    let mut end = [0; 10];
    disk.read_at(&mut end, MIB + len - 9).unwrap();
    let from = usize::try_from((len - 9) % MIB).unwrap();
    assert_eq!(end[..9], bytes(4 * MIB, 9)[from..from + 9]);
    assert_eq!(end[9], 0);
}

/// A disk, and what it was told must be zero.
#[derive(Debug)]
struct Told {
    disk: MemDisk,
    zeroes: OnceLock<Vec<Range<u64>>>,
}

impl Disk for Told {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.disk.write_at(buf, offset)
    }

    fn expect(&self, coming: &Coming<'_>) -> io::Result<()> {
        self.zeroes.set(coming.zeroes.to_vec()).unwrap();
        Ok(())
    }
}

impl Told {
    fn new(plan: &DiskPlan, zeroes: Zeroes) -> Self {
        let disk = MemDisk::new(plan.size.get());
        let told = Self {
            disk,
            zeroes: OnceLock::new(),
        };
        build(plan, zeroes, &told, &Unwatched).unwrap();
        told
    }

    /// What a medium that held something else has when all that is told is copied onto it.
    fn copied_onto_a_used_medium(&self) -> Vec<u8> {
        let mut medium = vec![0xFF; usize::try_from(self.disk.len()).unwrap()];
        let in_memory = |start, end| usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
        for range in self.zeroes.get().unwrap() {
            medium[in_memory(range.start, range.end)].fill(0);
        }
        let bytes = read(&self.disk);
        let mut at = self.disk.next_data(0);
        while at < self.disk.len() {
            let end = self.disk.next_hole(at);
            let range = in_memory(at, end);
            medium[range.clone()].copy_from_slice(&bytes[range]);
            at = self.disk.next_data(end);
        }
        medium
    }
}

#[test]
fn a_used_medium_gets_the_holes_of_bytes_as_zeroes() {
    let plan = plan_of(&holed()).unwrap();
    let expected = read(&built(&plan));
    for (zeroes, has_ends) in [(Zeroes::Needed, false), (Zeroes::All, true)] {
        let told = Told::new(&plan, zeroes);
        assert!(read(&told.disk) == expected);
        let medium = told.copied_onto_a_used_medium();
        for (what, start, end, is_told) in [
            ("the table", 0, 34 * 512, true),
            ("the start of the disk", 34 * 512, MIB, has_ends),
            ("the bytes in the partition", MIB, 4 * MIB, true),
            ("the end of the partition", 4 * MIB, 5 * MIB, has_ends),
            ("the blob", 8 * MIB + 1, 11 * MIB + 1, true),
            (
                "the end of the disk",
                15 * MIB,
                16 * MIB - 33 * 512,
                has_ends,
            ),
            ("the table at the end", 16 * MIB - 33 * 512, 16 * MIB, true),
        ] {
            let range = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
            let is_same = medium[range.clone()] == expected[range];
            assert_eq!(is_same, is_told, "{what}, {zeroes:?}");
        }
        // Nobody relies on what is between them.
        assert_eq!(medium[usize::try_from(12 * MIB).unwrap()], 0xFF);
    }
}

#[test]
fn bytes_are_the_same_with_any_number_of_threads() {
    let host = tempfile::NamedTempFile::new().unwrap();
    host.as_file().write_all_at(&bytes(3 * MIB, 4), 0).unwrap();
    let mut spec = disk(
        64 * 1024,
        "gpt",
        &[("p", 2048, 20_000), ("p", 20_001, 40_000)],
    );
    spec.partitions[0].holds = Holds::Bytes(Content::host(host.path(), 3 * MIB));
    spec.blobs = vec![Blob {
        place: "blobs[0]".into(),
        offset: Bytes::new(40_001 * SECTOR_SIZE + 1),
        content: with_holes(3 * MIB, &PLACES),
    }];
    let plan = plan_of(&spec).unwrap();
    let images = [1, 2, 8].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| read(&built(&plan)))
    });
    assert!(images[0] == images[1] && images[0] == images[2]);
    let start = usize::try_from(MIB).unwrap();
    assert!(images[0][start..].starts_with(&bytes(3 * MIB, 4)));
    assert!(
        images[0][start + 3 * start..][..start]
            .iter()
            .all(|byte| *byte == 0)
    );
}

#[test]
fn a_source_that_fails_is_an_error_of_its_bytes() {
    let host = tempfile::NamedTempFile::new().unwrap();
    host.as_file().write_all_at(&bytes(5000, 1), 0).unwrap();
    let content = Content::host(host.path(), 5000);
    let mut spec = disk(SECTORS, "mbr", &[("p", 2048, 4095)]);
    spec.blobs = vec![Blob {
        place: "blobs[0]".into(),
        offset: Bytes::new(512),
        content: content.clone(),
    }];
    let beside = plan_of(&spec).unwrap();
    spec.blobs.clear();
    spec.partitions[0].holds = Holds::Bytes(content);
    let inside = plan_of(&spec).unwrap();
    built(&beside);
    built(&inside);
    File::create(host.path()).unwrap();
    for plan in [beside, inside] {
        let disk = MemDisk::new(plan.size.get());
        let error = build(&plan, Zeroes::default(), &disk, &Unwatched).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        let name = host.path().to_str().unwrap();
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// A partition of so many sectors behind so many free ones, and how many bytes it holds, if any.
type SmallPart = (i64, i64, Option<u64>);

/// A blob of so many bytes near an edge of something: whether before or behind it, and how far off.
type SmallBlob = (prop::sample::Index, bool, i64, u64);

fn small_part() -> impl Strategy<Value = SmallPart> {
    (0..20_i64, 1..9_i64, prop::option::of(0..2000_u64))
}

fn small_blob() -> impl Strategy<Value = SmallBlob> {
    let off = prop_oneof![3 => Just(0_i64), 1 => -2..3_i64, 1 => -900..900_i64];
    let len = prop_oneof![1 => Just(0_u64), 20 => 1..600_u64];
    (any::<prop::sample::Index>(), any::<bool>(), off, len)
}

/// A disk with these partitions behind one another.
fn with_parts(table: &str, sectors: u64, parts: &[SmallPart]) -> Spec {
    let mut next = if table == "gpt" { 34 } else { 1 };
    let bounds = parts.iter().map(|(gap, len, _)| match table {
        "none" => ("p", 0, -1),
        _ => {
            let start = next + gap;
            next = start + len;
            ("p", start, next - 1)
        }
    });
    let mut spec = disk(sectors, table, &bounds.collect::<Vec<Part<'_>>>());
    for ((index, (.., held)), part) in (0..).zip(parts).zip(&mut spec.partitions) {
        match held {
            None => part.holds = Holds::Nothing,
            Some(len) if len % 4 != 0 => part.holds = raw(&bytes(*len, index)),
            Some(_) => {}
        }
    }
    spec
}

/// What belongs to something on this disk, in bytes.
fn taken(plan: &DiskPlan, table: &str) -> Vec<(u64, u64)> {
    let size = plan.size.get();
    let mut taken = match table {
        "mbr" => vec![(CODE, 512)],
        "gpt" => vec![(CODE, 512 + GPT), (size - GPT, size)],
        _ => Vec::new(),
    };
    taken.extend(plan.partitions.iter().map(|one| {
        let start = one.record.range.offset(plan.sector_size).get();
        (start, start + one.record.range.size(plan.sector_size).get())
    }));
    taken
}

/// The first byte of a blob near one of the edges.
fn offset(edges: &[(u64, u64)], (edge, is_before, off, len): &SmallBlob) -> u64 {
    let edges: Vec<_> = edges
        .iter()
        .flat_map(|(start, end)| [*start, *end])
        .collect();
    let at = edges[edge.index(edges.len())];
    let at = if *is_before {
        at.saturating_sub(*len)
    } else {
        at
    };
    at.saturating_add_signed(*off)
}

/// Whether each of these has bytes, all of them on the disk and where nothing else is.
fn are_free(size: u64, taken: &[(u64, u64)], blobs: &[Blob]) -> bool {
    let mut is_taken = vec![false; usize::try_from(size).unwrap()];
    for (start, end) in taken {
        is_taken[*start as usize..*end as usize].fill(true);
    }
    blobs.iter().all(|blob| {
        let start = blob.offset.get() as usize;
        let Some(all) = is_taken.get_mut(start..start + blob.content.len() as usize) else {
            return false;
        };
        let is_free = !all.is_empty() && all.iter().all(|one| !one);
        all.fill(true);
        is_free
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A disk is accepted exactly where each of its bytes belongs to one of its objects at most, and
    /// then all of them are there.
    #[test]
    fn random_bytes_are_refused_or_read_back(
        table in prop::sample::select(vec!["none", "mbr", "gpt"]),
        sectors in 100..200_u64,
        parts in prop::collection::vec(small_part(), 0..4),
        blobs in prop::collection::vec(small_blob(), 0..4),
    ) {
        let mut spec = with_parts(table, sectors, &parts);
        let without = plan_of(&spec);
        let taken = without.as_ref().map_or(Vec::new(), |plan| taken(plan, table));
        let edges = [&[(0, sectors * SECTOR_SIZE)], &taken[..]].concat();
        let blobs = (100..).zip(&blobs);
        let blobs = blobs.map(|(index, small)| blob(index, offset(&edges, small), small.3));
        spec.blobs = blobs.collect();
        let plan = plan_of(&spec);
        let Ok(without) = without else {
            prop_assert!(plan.is_err());
            return Ok(());
        };
        let are_free = are_free(without.size.get(), &taken, &spec.blobs);
        prop_assert_eq!(plan.is_ok(), are_free, "{:?}", plan.err());
        let Ok(plan) = plan else {
            return Ok(());
        };
        let mut expected = read(&built(&without));
        for blob in &spec.blobs {
            put(&mut expected, blob.offset.get(), blob.content.inline_bytes().unwrap());
        }
        let disk = built(&plan);
        let image = read(&disk);
        prop_assert!(image == expected);
        if table != "none" {
            assert_reads_back(&plan, &disk);
        }
        for one in &plan.partitions {
            let Held::Bytes(held) = &one.holds else { continue };
            let start = one.record.range.offset(plan.sector_size).get() + held.offset.get();
            let start = usize::try_from(start).unwrap();
            prop_assert!(image[start..].starts_with(held.content.inline_bytes().unwrap()));
        }
    }
}
