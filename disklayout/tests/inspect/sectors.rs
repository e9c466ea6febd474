//! What an MBR counts in, which nothing in it tells.

use std::fs;
use std::sync::OnceLock;

use disklayout::SectorSize;
use disklayout::disk::{Disk, MemDisk};
use disklayout::inspect::{self, Evidence, Image};

use crate::support::{MIB, Scratch, run};

const SIZES: [SectorSize; 2] = [SectorSize::B512, SectorSize::B4096];

const LINUX: u8 = 0x83;
const EXTENDED: u8 = 0x05;

/// An ext2 of 256 KiB.
fn sample() -> &'static [u8] {
    static SAMPLE: OnceLock<Vec<u8>> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let scratch = Scratch::new();
        let image = scratch.sample("a.img", MIB / 4);
        run("mke2fs -q -F -t ext2", &[&image]);
        fs::read(image).unwrap()
    })
}

/// A disk on which boot records and filesystems are put.
struct Drawn {
    disk: MemDisk,
    size: SectorSize,
}

impl Drawn {
    fn new(bytes: u64, size: SectorSize) -> Self {
        let disk = MemDisk::new(bytes);
        Self { disk, size }
    }

    /// A boot record in sector `at`, with the type, first sector and number of sectors of entries.
    fn record(self, at: u64, entries: &[(u8, u32, u32)]) -> Self {
        let mut record = [0; 512];
        record[510..].copy_from_slice(&[0x55, 0xAA]);
        for (entry, (kind, first, sectors)) in record[446..].chunks_mut(16).zip(entries) {
            entry[4] = *kind;
            entry[8..12].copy_from_slice(&first.to_le_bytes());
            entry[12..].copy_from_slice(&sectors.to_le_bytes());
        }
        self.put(at, &record)
    }

    fn filesystem(self, at: u64) -> Self {
        self.put(at, sample())
    }

    fn put(self, at: u64, bytes: &[u8]) -> Self {
        self.disk.write_at(bytes, at * self.size.get()).unwrap();
        self
    }

    /// The size that is found and why, and how many filesystems there are with it.
    fn found(&self) -> (SectorSize, Evidence, usize) {
        counted(&inspect::image(&self.disk).unwrap())
    }
}

fn counted(image: &Image<'_>) -> (SectorSize, Evidence, usize) {
    let volumes = image.volumes.iter();
    let found = volumes.filter(|volume| matches!(volume.filesystem, Ok(Some(_))));
    let table = image.table.as_ref().unwrap();
    (table.sector_size, image.evidence, found.count())
}

#[test]
fn filesystems_tell_the_size() {
    for size in SIZES {
        let drawn = Drawn::new(64 * MIB, size)
            .record(0, &[(LINUX, 64, 1024), (LINUX, 1100, 1024)])
            .filesystem(1100);
        assert_eq!(drawn.found(), (size, Evidence::Filesystems, 1));
        let table = inspect::table(&drawn.disk).unwrap();
        assert_eq!(table.sector_size, size);
        for wanted in SIZES {
            let image = inspect::image_of(&drawn.disk, wanted).unwrap();
            let expected = (wanted, Evidence::Caller, usize::from(wanted == size));
            assert_eq!(counted(&image), expected);
        }
    }
}

/// A filesystem whose blocks are beyond what is known is one nevertheless.
#[test]
fn damaged_filesystems_count() {
    for size in SIZES {
        let drawn = Drawn::new(64 * MIB, size)
            .record(0, &[(LINUX, 64, 1024)])
            .filesystem(64);
        let at = 64 * size.get() + 1024 + 0x18;
        drawn.disk.write_at(&[200], at).unwrap();
        assert_eq!(drawn.found(), (size, Evidence::Filesystems, 0));
    }
}

#[test]
fn nothing_tells_of_blank_partitions() {
    for size in SIZES {
        let drawn = Drawn::new(64 * MIB, size).record(0, &[(LINUX, 64, 1024)]);
        let expected = (SectorSize::B512, Evidence::Nothing, 0);
        assert_eq!(drawn.found(), expected);
    }
}

/// What starts at sector 256 of 4096 bytes is where sector 2048 of 512 bytes would be.
#[test]
fn a_filesystem_has_to_fit_its_partition() {
    let drawn = Drawn::new(64 * MIB, SectorSize::B4096)
        .record(0, &[(LINUX, 256, 64), (LINUX, 2048, 64)])
        .filesystem(256);
    let expected = (SectorSize::B4096, Evidence::Filesystems, 1);
    assert_eq!(drawn.found(), expected);
    // With room enough both are as likely.
    let drawn = drawn.record(0, &[(LINUX, 256, 64), (LINUX, 2048, 512)]);
    let expected = (SectorSize::B512, Evidence::Filesystems, 1);
    assert_eq!(drawn.found(), expected);
    // Until there is another one.
    let drawn = drawn.filesystem(2048);
    let expected = (SectorSize::B4096, Evidence::Filesystems, 2);
    assert_eq!(drawn.found(), expected);
}

#[test]
fn a_table_that_only_one_size_suits_tells_it() {
    for size in SIZES {
        let drawn = Drawn::new(64 * MIB, size)
            .record(0, &[(EXTENDED, 64, 1024)])
            .record(64, &[(LINUX, 8, 64)]);
        assert_eq!(drawn.found(), (size, Evidence::Table, 0));
    }
    // 1024 sectors of 4096 bytes would be too many.
    let drawn = Drawn::new(MIB, SectorSize::B512)
        .record(0, &[(LINUX, 64, 1024)])
        .filesystem(64);
    let expected = (SectorSize::B512, Evidence::Table, 1);
    assert_eq!(drawn.found(), expected);
}

/// What is told is what is wrong with the usual size.
#[test]
fn a_table_that_no_size_suits_is_shown_with_the_usual_one() {
    let drawn = Drawn::new(64 * MIB, SectorSize::B512).record(0, &[(LINUX, 64, 1 << 20)]);
    assert_eq!(drawn.found(), (SectorSize::B512, Evidence::Nothing, 0));
    let image = inspect::image(&drawn.disk).unwrap();
    let warning = image.all_warnings().next().unwrap();
    assert!(warning.contains("only 131072 sectors"), "{warning}");
    assert!(inspect::table(&drawn.disk).is_err());
}
