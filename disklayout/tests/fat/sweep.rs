//! The same numbers as mkfs.fat at hundreds of sizes, for every type and both sizes of sectors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use disklayout::fs::Request;
use disklayout::{Lba, SectorSize};

use testkit::compare::unequal;

use crate::boot_sector::numbers;
use crate::checkers::{self, SAMPLE, mkfs_fat};
use crate::support::{GIB, KIB, KINDS, MIB, Scratch, options, plan_at, request, write_image};

/// Larger ones aren't given to fsck.fat, which reads all of the FATs.
const CHECKED: u64 = 256 * MIB;

#[derive(Clone, Debug)]
struct Case {
    kind: &'static str,
    size: u64,
    sector_size: SectorSize,
    start: u64,
    chosen: Vec<(&'static str, String)>,
    options: Vec<String>,
}

impl Case {
    fn new(kind: &'static str, sectors: u64, sector_size: SectorSize) -> Self {
        let mut options = Vec::new();
        if let Some(bits) = kind.strip_prefix("fat") {
            options.extend(["-F".to_owned(), bits.to_owned()]);
        }
        if sector_size == SectorSize::B4096 {
            options.extend(["-S", "4096"].map(str::to_owned));
        }
        Self {
            kind,
            size: sectors * sector_size.get(),
            sector_size,
            start: 0,
            chosen: Vec::new(),
            options,
        }
    }

    fn with(mut self, name: &'static str, value: &str, options: &[&str]) -> Self {
        self.chosen.push((name, value.to_owned()));
        self.options
            .extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// As on a partition that starts there.
    fn at(mut self, start: u64) -> Self {
        self.start = start;
        self.options.extend(["-h".to_owned(), start.to_string()]);
        self
    }

    /// Formats with both and says what differs, with fsck.fat's objections to ours.
    fn check(&self) -> Vec<String> {
        let scratch = Scratch::new();
        let (ours, theirs) = (
            &scratch.path("ours"),
            &scratch.path(&format!("{SAMPLE}theirs")),
        );
        let chosen: Vec<_> = self
            .chosen
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let plan = plan_at(
            self.size,
            Request {
                sector_size: self.sector_size,
                start: Lba::new(self.start),
                options: options(&chosen),
                ..request(self.kind)
            },
        );
        let options: Vec<_> = self.options.iter().map(String::as_str).collect();
        match (plan, mkfs_fat(self.size, &options, theirs)) {
            (Err(_), Err(_)) => return Vec::new(),
            // A type follows from the number of clusters: what mkfs.fat makes with a warning is
            // taken for FAT16 by who keeps to the specification.
            (Err(_), Ok(said)) if said.contains("clusters for 32 bit FAT is less") => {
                return Vec::new();
            }
            // By size, another type is taken where mkfs.fat gives up.
            (Ok(plan), Err(said)) if self.kind == "vfat" && said.contains("too many clusters") => {
                write_image(&*plan, self.size, ours);
                return checkers::fsck_fat(ours).err().into_iter().collect();
            }
            (Err(error), Ok(_)) => return vec![format!("only mkfs.fat: {error}")],
            (Ok(_), Err(said)) => return vec![format!("only ours: {said}")],
            (Ok(plan), Ok(_)) => write_image(&*plan, self.size, ours),
        }
        let mut found = unequal(&numbers(ours), &numbers(theirs));
        if self.size <= CHECKED {
            found.extend(checkers::fsck_fat(ours).err());
        }
        found
    }
}

/// Checks all, in as many threads as there are processors.
fn check_all(cases: &[Case]) {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let lines = case
                .check()
                .into_iter()
                .map(|line| format!("{case:?}: {line}"));
            found.lock().unwrap().extend(lines);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let found = found.into_inner().unwrap();
    assert!(
        found.is_empty(),
        "{} of {}:\n{}",
        found.len(),
        cases.len(),
        found.join("\n")
    );
}

/// Sectors at which something changes: heads and tracks, alignment, clusters, types.
const BOUNDS: [u64; 22] = [
    100, 4096, 8192, 8224, 16_384, 16_416, 32_768, 65_440, 65_536, 66_592, 130_848, 261_696,
    262_144, 262_656, 523_392, 524_288, 524_790, 532_480, 1_032_192, 1_048_576, 1_049_013,
    2_064_384,
];
const LARGE_BOUNDS: [u64; 8] = [
    2_097_396, 4_128_768, 4_194_288, 8_257_536, 8_388_009, 16_777_216, 33_554_432, 67_108_864,
];

/// Numbers that follow no pattern, each power of two as likely as the next.
fn scattered(count: u64, most_bits: u64) -> impl Iterator<Item = u64> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..count).map(move |i| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let power = 7 + i % (most_bits - 7);
        (1 << power) + (state >> 20) % (1 << power)
    })
}

#[test]
fn every_number_is_that_of_mkfs_fat_at_hundreds_of_sizes() {
    let around = BOUNDS.into_iter().flat_map(|bound| {
        [-63_i64, -1, 0, 1, 17].map(|away| bound.saturating_add_signed(away).max(1))
    });
    let sectors = around.chain(scattered(60, 24));
    let cases =
        sectors.flat_map(|sectors| KINDS.map(|kind| Case::new(kind, sectors, SectorSize::B512)));
    check_all(&cases.collect::<Vec<_>>());
}

#[test]
fn every_number_is_that_of_mkfs_fat_with_large_sectors() {
    let around = BOUNDS
        .into_iter()
        .chain([16, 48, 131_072])
        .flat_map(|bound| [-1_i64, 0, 33].map(|away| bound.saturating_add_signed(away).max(1)));
    let sectors = around.chain(scattered(30, 21));
    let cases =
        sectors.flat_map(|sectors| KINDS.map(|kind| Case::new(kind, sectors, SectorSize::B4096)));
    check_all(&cases.collect::<Vec<_>>());
}

#[test]
fn every_number_is_that_of_mkfs_fat_at_huge_sizes() {
    let around = LARGE_BOUNDS
        .into_iter()
        .flat_map(|bound| [bound - 1, bound, bound + 1]);
    let cases =
        around.flat_map(|sectors| KINDS.map(|kind| Case::new(kind, sectors, SectorSize::B512)));
    // mkfs.fat would take a few more sectors, and leave them unused.
    let largest = Case::new("vfat", 1 << 32, SectorSize::B512);
    check_all(&cases.chain([largest]).collect::<Vec<_>>());
}

/// With tracks of one sector there are no tracks to round to: every sector counts.
#[test]
fn the_last_cluster_of_a_type() {
    let bounds = [8192, 16_396, 16_416, 262_644, 66_581, 523_000, 1_048_576];
    let sectors = bounds.into_iter().flat_map(|bound| bound - 20..bound + 24);
    let cases = sectors.flat_map(|sectors| {
        ["vfat", "fat12", "fat16", "fat32"].map(|kind| {
            let case = Case::new(kind, sectors, SectorSize::B512);
            case.with("drive-geometry", "2/1", &["-g", "2/1"])
        })
    });
    let cases = cases.filter(|case| case.size % 3 == 0 || case.kind == "vfat");
    check_all(&cases.collect::<Vec<_>>());
}

#[test]
fn floppies_and_sizes_beside_them() {
    let kib = [360, 720, 1200, 1440, 2880].into_iter();
    let sectors =
        kib.flat_map(|kib| [-1, 0, 1, 2].map(|away| (kib * 2_u64).saturating_add_signed(away)));
    let cases = sectors.map(|sectors| Case::new("vfat", sectors, SectorSize::B512));
    check_all(&cases.collect::<Vec<_>>());
}

#[test]
fn every_choice_has_the_numbers_of_its_option() {
    let sizes = [3 * MIB, 64 * MIB, 600 * MIB, 3 * GIB];
    let cases = sizes.into_iter().flat_map(|size| {
        let case = || Case::new("vfat", size / 512, SectorSize::B512);
        let with = |name, value: &str, option: &str| case().with(name, value, &[option, value]);
        let mut cases = vec![
            case().at(2048),
            case().at(63),
            with("hidden-sectors", "77", "-h"),
            with("reserved-sectors", "40", "-R"),
            with("reserved-sectors", "8", "-R"),
            with("fats", "1", "-f"),
            with("media", "0xf0", "-M"),
            with("drive-number", "0x81", "-D"),
            with("drive-geometry", "64/32", "-g"),
            with("volume-id", "1234abcd", "-i"),
            case().with("align", "no", &["-a"]),
            case()
                .with("align", "no", &["-a"])
                .with("fats", "1", &["-f", "1"]),
            case().with("logical-sector-size", "1024", &["-S", "1024"]),
            case().with("logical-sector-size", "2048", &["-S", "2048"]),
        ];
        if size < 512 * MIB {
            cases.extend(["16", "48", "512", "1000"].map(|n| with("root-entries", n, "-r")));
        }
        cases
    });
    // What mkfs.fat leaves as they are: entries of less than a sector.
    let cases = cases.filter(|case| {
        case.size > 4 * MIB || !case.chosen.contains(&("root-entries", "1000".to_owned()))
    });
    check_all(&cases.collect::<Vec<_>>());
}

#[test]
fn clusters_of_every_size() {
    let sizes = [64 * MIB, 300 * MIB, 600 * MIB, 20 * GIB];
    let cases = sizes.into_iter().flat_map(|size| {
        KINDS.into_iter().flat_map(move |kind| {
            [1, 2, 4, 8, 16, 32, 64, 128_u64].map(|sectors| {
                let (bytes, sectors) = ((sectors * 512).to_string(), sectors.to_string());
                Case::new(kind, size / 512, SectorSize::B512).with(
                    "cluster-size",
                    &bytes,
                    &["-s", &sectors],
                )
            })
        })
    });
    check_all(&cases.collect::<Vec<_>>());
}

#[test]
fn another_size_or_choice_differs() {
    let scratch = Scratch::new();
    let of = |name: &str, size: u64, chosen: &[(&str, &str)]| {
        let plan = plan_at(
            size,
            Request {
                options: options(chosen),
                ..request("vfat")
            },
        );
        let path = scratch.path(name);
        write_image(&*plan.unwrap(), size, &path);
        numbers(&path)
    };
    let ours = of("a", 64 * MIB, &[]);
    assert_eq!(
        unequal(&ours, &of("b", 64 * MIB, &[])),
        Vec::<String>::new()
    );
    assert!(!unequal(&ours, &of("c", 64 * MIB + 16 * KIB, &[])).is_empty());
    assert!(!unequal(&ours, &of("d", 64 * MIB, &[("media", "F0")])).is_empty());
}
