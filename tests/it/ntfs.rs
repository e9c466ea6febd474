//! NTFS volumes as the programs of ntfs-3g see them. Every volume that is built here is checked by
//! ntfsfix, ntfsresize (which compares all runs with the bitmap) and blkid, and all of its files and
//! directories are read back.

/// Disks with sectors of 4096 bytes.
mod large_sectors;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use disklayout::disk::{Disk, MemDisk, SparseFile};
use disklayout::fs::{Format, FsPlan, Misfits, Progress, Request, Unwatched};
use disklayout::tree::{Attributes, Content, Extent, FileTree, Node, NodeKind};
use disklayout::{Bytes, ErrorKind, Identity, Lba, SectorSize, Timestamp};
use foreign::ntfs::NtfsFormat;
use foreign::run::Runner;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::checkers;

const MIB: u64 = 1 << 20;

/// 2020-06-01 12:00:00 UTC.
const BUILT: Timestamp = Timestamp::from_seconds(1_591_012_800);
/// 2001-09-09 01:46:40 UTC.
const WRITTEN: Timestamp = Timestamp::from_seconds(1_000_000_000);

/// What a test asks for.
struct Wanted<'a> {
    size: u64,
    start: u64,
    sector_size: SectorSize,
    label: Option<&'a str>,
    files: Vec<(String, Content)>,
}

impl Wanted<'_> {
    fn of_size(size: u64) -> Self {
        Self {
            size,
            start: 2048,
            sector_size: SectorSize::B512,
            label: None,
            files: Vec::new(),
        }
    }

    fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.files.push((path.to_owned(), Content::inline(content)));
        self
    }

    fn tree(&self) -> FileTree {
        let mut tree = FileTree::new(WRITTEN);
        for (path, content) in &self.files {
            tree.put_file(
                "writes",
                path.as_bytes(),
                content.clone(),
                Attributes::file(WRITTEN),
            )
            .unwrap();
        }
        tree
    }

    fn plan(&self, runner: Runner) -> Box<dyn FsPlan> {
        let identity = Identity::new("disk_shrink_ntfs.img", BUILT).child("partition 1");
        let request = Request {
            start: Lba::new(self.start),
            sector_size: self.sector_size,
            label: self.label,
            tree: self.tree(),
            ..Request::new("guestfs[0].parts[0]", "ntfs", identity)
        };
        let draft = NtfsFormat::new(runner).draft(request).unwrap();
        draft.at(Bytes::new(self.size)).unwrap()
    }

    /// The smallest size that is found for it with `free` bytes left.
    fn smallest(&self, free: u64) -> u64 {
        let request = Request {
            tree: self.tree(),
            sector_size: self.sector_size,
            ..Request::new("p", "ntfs", Identity::new("d", BUILT))
        };
        let draft = NtfsFormat::default().draft(request).unwrap();
        draft.smallest(Bytes::new(free)).unwrap().get()
    }

    /// Builds the volume and has every checker look at it.
    fn build(&self) -> Volume {
        let volume = self.build_unchecked();
        volume.check(&self.files, &self.tree());
        volume
    }

    fn build_unchecked(&self) -> Volume {
        written(&*self.plan(Runner::from_env()), self.size)
    }
}

fn written(plan: &dyn FsPlan, size: u64) -> Volume {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().file_name().unwrap().to_string_lossy();
    let path = dir.path().join(format!("ntfs-{size}-{name}.img"));
    let file = File::create_new(&path).unwrap();
    let disk = SparseFile::create(file, size).unwrap();
    plan.write_all(&disk, &Unwatched).unwrap();
    Volume { _dir: dir, path }
}

struct Volume {
    _dir: TempDir,
    path: PathBuf,
}

impl Volume {
    /// The output of a program that must be there and succeed.
    fn run(&self, program: &str, args: &[&str], rest: &[&str]) -> Vec<u8> {
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new(program)
            .env("PATH", format!("{path}:/usr/sbin:/sbin"))
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .args(args)
            .arg(&self.path)
            .args(rest)
            .output()
            .unwrap_or_else(|error| panic!("{program} can't be run: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{program} {args:?}: {said}\n{printed}"
        );
        checkers::accepted(program, &self.path);
        output.stdout
    }

    fn text(&self, program: &str, args: &[&str]) -> String {
        String::from_utf8(self.run(program, args, &[])).unwrap()
    }

    fn check(&self, files: &[(String, Content)], tree: &FileTree) {
        let fixed = self.text("ntfsfix", &["-n"]);
        assert!(fixed.contains("processed successfully"), "{fixed}");
        let resized = self.text("ntfsresize", &["--info", "--force"]);
        assert!(
            resized.contains("Checking filesystem consistency"),
            "{resized}"
        );
        let kind = self.text("blkid", &["-p", "-o", "value", "-s", "TYPE"]);
        assert_eq!(kind.trim(), "ntfs");
        for (path, content) in files {
            let mut expected = vec![0; usize::try_from(content.len()).unwrap()];
            content.open().unwrap().read_exact(&mut expected).unwrap();
            assert!(
                self.run("ntfscat", &[], &[path]) == expected,
                "{path} differs"
            );
        }
        for directory in tree.directories() {
            self.check_directory(std::str::from_utf8(&directory).unwrap(), files);
        }
        self.check_directory("/", files);
    }

    /// Directories list so many names.
    fn check_counts(&self, directories: &[(&str, usize)]) {
        let fixed = self.text("ntfsfix", &["-n"]);
        assert!(fixed.contains("processed successfully"), "{fixed}");
        for (path, count) in directories {
            let listed = self.text("ntfsls", &["-p", path]);
            let names = listed.lines().filter(|line| ![".", ".."].contains(line));
            assert_eq!(names.count(), *count, "{path}");
        }
    }

    /// The directory lists exactly the names that are in it, and is a directory to ntfsinfo.
    fn check_directory(&self, path: &str, files: &[(String, Content)]) {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let entries = files.iter().filter_map(|(file, _)| {
            // Directories are listed with a slash, by what the parent's index says.
            file.strip_prefix(&prefix)?.split_inclusive('/').next()
        });
        let expected: BTreeSet<&str> = entries.collect();
        let listed = self.text("ntfsls", &["-F", "-p", path]);
        let mut names: BTreeSet<&str> = listed.lines().collect();
        names.remove("./");
        names.remove("../");
        assert_eq!(names, expected, "{path}");
        if path != "/" {
            let info = self.text("ntfsinfo", &["-v", "-F", path]);
            assert!(
                info.contains("MFT Record Flags:\t IN_USE DIRECTORY"),
                "{info}"
            );
            assert!(info.contains("Dumping attribute $INDEX_ROOT"), "{info}");
            assert!(!info.contains("Dumping attribute $DATA"), "{info}");
            assert!(info.contains("I30_INDEX (0x10000020)"), "{info}");
        }
    }

    fn sha256(&self) -> String {
        let digest = Sha256::digest(fs::read(&self.path).unwrap());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Bytes of the boot sector.
    fn boot<const N: usize>(&self, offset: u64) -> [u8; N] {
        let mut bytes = [0; N];
        let file = File::open(&self.path).unwrap();
        file.read_exact_at(&mut bytes, offset).unwrap();
        bytes
    }
}

/// Bytes in which a misplaced piece shows.
fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32)
        .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(len)
        .collect()
}

#[test]
fn the_shrink_volume_has_the_recorded_numbers() {
    let wanted = Wanted {
        start: 4096,
        ..Wanted::of_size(20_963_328 * 512)
    };
    let volume = wanted.file("/testfile", b"Hello, world!").build();
    let info = volume.text("ntfsinfo", &["-m"]);
    for line in [
        "Volume Name: ",
        "Volume Flags: 0x0000",
        "Volume Version: 3.1",
        "Sector Size: 512",
        "Cluster Size: 4096",
        "Index Block Size: 4096",
        "Volume Size in Clusters: 2620415",
        "MFT Record Size: 1024",
        "LCN of Data Attribute for FILE_MFT: 4",
        "LCN of Data Attribute for File_MFTMirr: 1310207",
        "Attribute Allocated Size: 327680",
        "Attribute Data Size: 327552",
    ] {
        let found = info.lines().any(|found| found.trim() == line.trim());
        assert!(found, "{line} is not in\n{info}");
    }
    let listed = volume.text("ntfsls", &["-l"]);
    assert!(
        listed.contains("      13 Sep  9 01:46 2001 testfile"),
        "{listed}"
    );
    assert_eq!(u32::from_le_bytes(volume.boot(0x1C)), 4096);
    assert_eq!(u16::from_le_bytes(volume.boot(0x18)), 63);
    assert_eq!(u16::from_le_bytes(volume.boot(0x1A)), 255);
    let allocated = volume.path.metadata().unwrap().blocks() * 512;
    assert!(allocated < 54 * MIB, "{allocated}");
}

#[test]
fn awkward_sizes_are_accepted_by_every_checker() {
    let sizes = [
        MIB + 512,
        MIB + 7 * 512,
        2 * MIB - 512,
        2 * MIB + 512,
        4_206_592 + 512,
        33 * MIB + 3 * 512,
        200 * MIB + 4096 + 512,
        (3 << 30) - 512,
    ];
    for size in sizes {
        let wanted = Wanted::of_size(size).file("/dir/file", b"content");
        let planned = wanted.plan(Runner::from_env()).summary();
        let volume = wanted.build();
        let info = volume.text("ntfsinfo", &["-m"]);
        let clusters = format!("Volume Size in Clusters: {}\n", planned.blocks);
        assert!(info.contains(&clusters), "{size}: {info}");
        let cluster_size = format!("Cluster Size: {}\n", planned.block_size);
        assert!(info.contains(&cluster_size), "{size}: {info}");
    }
}

#[test]
fn a_volume_beyond_2_tib_works() {
    let wanted = Wanted {
        start: (1 << 32) + 8,
        ..Wanted::of_size((2 << 40) + 3 * 512)
    };
    let volume = wanted.file("/a/b", &pattern(9000)).build();
    // The field has 32 bits and the start has more.
    assert_eq!(u32::from_le_bytes(volume.boot(0x1C)), 0);
}

#[test]
fn labels_come_back() {
    let long = "\u{E9}".repeat(128);
    for label in ["data", "-L", "\u{65E5}\u{672C} \u{1F600}", &long] {
        let wanted = Wanted {
            label: Some(label),
            ..Wanted::of_size(4 * MIB)
        };
        let volume = wanted.build();
        assert_eq!(volume.text("ntfslabel", &[]), format!("{label}\n"));
    }
}

#[test]
fn files_of_every_kind_of_storage_come_back() {
    let mut wanted = Wanted::of_size(32 * MIB);
    // In the record up to some 700 bytes, then in clusters.
    for size in [
        0,
        1,
        500,
        700,
        720,
        800,
        1024,
        1025,
        4095,
        4096,
        4097,
        65_537,
        3 << 20,
    ] {
        wanted = wanted.file(&format!("/file{size}"), &pattern(size));
    }
    wanted.build();
}

#[test]
fn host_files_are_copied_by_relative_and_absolute_paths() {
    // cargo runs the tests in the directory of the package.
    let relative = PathBuf::from("Cargo.toml");
    let absolute = relative.canonicalize().unwrap();
    let mut wanted = Wanted::of_size(8 * MIB);
    for (target, path) in [("/relative", relative), ("/d/absolute", absolute)] {
        let len = path.metadata().unwrap().len();
        wanted
            .files
            .push((target.to_owned(), Content::host(path, len)));
    }
    wanted.build();
}

#[test]
fn names_in_other_scripts_come_back() {
    let long = format!("/{}", "n".repeat(255));
    Wanted::of_size(8 * MIB)
        .file("/\u{65E5}\u{672C}/stra\u{DF}e", b"1")
        .file("/\u{1F600}", b"2")
        .file(&long, b"3")
        .file("/-f", b"4")
        .file("/with space", b"5")
        .file("/$dollar", b"6")
        .build();
}

#[test]
fn directories_nest() {
    Wanted::of_size(8 * MIB)
        .file("/a/b/c/d/e/f/g/h/file", b"deep")
        .file("/a/b/other", b"beside")
        .file("/a/b/c/last", &pattern(10_000))
        .build();
}

/// The index of a directory outgrows its record after a few names and then its first block.
#[test]
fn full_directories_have_an_index_of_their_own() {
    let mut wanted = Wanted::of_size(16 * MIB);
    for i in 0..200 {
        let content = pattern(if i % 10 == 0 { 5000 } else { 5 });
        wanted = wanted.file(&format!("/many/file number {i}"), &content);
    }
    // These have to be marked as directories in blocks of the parents' indexes.
    for i in 0..30 {
        wanted = wanted.file(&format!("/many/sub {i}/leaf"), b"leaf");
        wanted = wanted.file(&format!("/top {i}/leaf"), b"leaf");
    }
    wanted.build();
}

/// Names of several hundred directories and thousands of files, whose indexes have two levels of
/// blocks; and a size that is found for them.
#[test]
fn thousands_of_names_fit_into_the_size_that_is_found() {
    let mut wanted = Wanted::of_size(0);
    for i in 0..900 {
        let content = pattern(if i % 50 == 0 { 20_000 } else { i % 900 });
        wanted = wanted.file(&format!("/many/file number {i:0100}"), &content);
    }
    for i in 0..300 {
        wanted = wanted.file(&format!("/directories/sub {i}/leaf"), b"leaf");
    }
    wanted.size = wanted.smallest(MIB);
    assert!(wanted.size < 12 * MIB, "{}", wanted.size);
    let volume = wanted.build_unchecked();
    volume.check_counts(&[("/many", 900), ("/directories", 300)]);
    for i in [0, 50, 777, 899] {
        let (path, content) = &wanted.files[i];
        let mut expected = vec![0; content.len() as usize];
        content.open().unwrap().read_exact(&mut expected).unwrap();
        assert!(volume.run("ntfscat", &[], &[path]) == expected, "{path}");
    }
    let resized = volume.text("ntfsresize", &["--info", "--force"]);
    assert!(resized.contains("Checking filesystem consistency"));
}

/// What is found is enough for volumes of every shape.
#[test]
fn the_size_that_is_found_does() {
    let none = || Wanted::of_size(0);
    let large = none().file("/large", &pattern(5 << 20));
    let clusters = (0..300).fold(none(), |wanted, i| {
        wanted.file(&format!("/{i}"), &pattern(4097))
    });
    let deep = (0..60).fold(none(), |wanted, i| {
        wanted.file(&format!("{}/f", format!("/d{i}").repeat(9)), b"")
    });
    for mut wanted in [none(), large, clusters, deep] {
        wanted.size = wanted.smallest(0);
        let volume = wanted.build_unchecked();
        let fixed = volume.text("ntfsfix", &["-n"]);
        assert!(fixed.contains("processed successfully"), "{fixed}");
    }
}

/// A tree of Linux: what a volume can't hold is left out where that is wanted, and told.
#[test]
fn what_a_volume_cannot_hold_is_left_out() {
    let mut tree = FileTree::new(WRITTEN);
    let mut put = |path: &str, kind| {
        let node = Node::new(kind, Attributes::file(WRITTEN));
        tree.put("t", path.as_bytes(), node).unwrap()
    };
    let file = put("/d/file", NodeKind::File(Content::inline(b"data")));
    put("/d/link", NodeKind::Symlink(b"file".as_slice().into()));
    put("/d/a:b", NodeKind::File(Content::inline(b"")));
    tree.link("t", b"/other", file).unwrap();
    let request = || Request {
        tree: tree.clone(),
        ..Request::new("p", "ntfs", Identity::new("d", BUILT))
    };
    let format = NtfsFormat::default();
    let refused = format.draft(request()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    let draft = format.draft(Request {
        misfits: Misfits::Drop,
        ..request()
    });
    let plan = draft.unwrap().at(Bytes::new(4 * MIB)).unwrap();
    let expected = [
        "left out 1 symbolic link, which NTFS can't hold: '/d/link'",
        "left out 1 entry with names that NTFS can't hold: '/d/a:b' has ':'",
        "made 1 copy of files with several names, which NTFS can't hold: '/d/file' is one of 2 \
         names of a file",
    ];
    assert_eq!(plan.warnings(), expected);
    let wanted = Wanted::of_size(4 * MIB)
        .file("/d/file", b"data")
        .file("/other", b"data");
    let volume = written(&*plan, wanted.size);
    volume.check(&wanted.files, &wanted.tree());
}

#[test]
fn the_same_input_gives_the_same_bytes_at_another_time() {
    let build = || {
        let mut wanted = Wanted::of_size(16 * MIB).file("/big", &pattern(100_000));
        for i in 0..60 {
            wanted = wanted.file(&format!("/many/file number {i}"), &pattern(i * 40));
            wanted = wanted.file(&format!("/{i} in the root/file"), b"x");
        }
        wanted.build_unchecked()
    };
    let first = build();
    // Every time in the volume must differ if it comes from the clock.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(first.sha256(), build().sha256());
    let other = Wanted::of_size(16 * MIB).file("/big", &pattern(100_000));
    assert_ne!(first.sha256(), other.build_unchecked().sha256());
}

#[test]
fn serial_number_and_times_come_from_the_identity() {
    let wanted = Wanted::of_size(4 * MIB).file("/d/file", b"x");
    let volume = wanted.build();
    let identity = Identity::new("disk_shrink_ntfs.img", BUILT).child("partition 1");
    let serial = identity.number("volume serial");
    assert_eq!(u64::from_le_bytes(volume.boot(0x48)), serial);
    assert_eq!(volume.boot::<512>(0), volume.boot::<512>(wanted.size - 512));
    let uuid = volume.text("blkid", &["-p", "-o", "value", "-s", "UUID"]);
    assert_eq!(uuid.trim(), format!("{serial:016X}"));

    for (file, time) in [("/d/file", WRITTEN), ("/d", WRITTEN), ("/$MFT", BUILT)] {
        let info = volume.text("ntfsinfo", &["-v", "-F", file]);
        let expected = match time {
            WRITTEN => "Sun Sep  9 01:46:40 2001 UTC",
            _ => "Mon Jun  1 12:00:00 2020 UTC",
        };
        let times: Vec<_> = info.lines().filter(|l| l.contains(" UTC")).collect();
        assert!(times.len() >= 8, "{file}: {info}");
        for time in times {
            assert!(time.ends_with(expected), "{file}: {time}");
        }
    }
    // The root directory lists metadata files and ours.
    let root = volume.text("ntfsinfo", &["-v", "-F", "/"]);
    let from_clock = |line: &&str| {
        line.contains(" UTC") && !line.contains("Sep  9 01:46:40 2001") && !line.contains("2020")
    };
    assert_eq!(root.lines().find(from_clock), None);
}

#[test]
fn without_the_programs_the_error_names_the_packages() {
    let empty = tempfile::tempdir().unwrap();
    let runner = Runner::with_search(vec![empty.path().to_owned()]);
    let expected = "guestfs[0].parts[0]: mkntfs isn't installed; install the package \
        'ntfs-3g' (Debian, Ubuntu) or 'ntfsprogs' (Fedora, Rocky with EPEL)";
    let disk = MemDisk::new(4 * MIB);
    let plan = Wanted::of_size(4 * MIB).plan(runner);
    let checked = plan.check_tools().unwrap_err();
    assert_eq!(checked.to_string(), expected);
    let error = plan.write_all(&disk, &Unwatched);
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.kind(), ErrorKind::Tool);
    assert_eq!(disk.allocated(), 0);
}

/// Files that fit by their data alone, but not with what directories and records need.
#[test]
fn a_full_volume_is_told_of_before_anything_is_written() {
    for (count, kind, words) in [
        // There is no room for data, or none for names.
        (
            76,
            ErrorKind::DoesNotFit,
            "bytes, and the NTFS volume has 0 left",
        ),
        (79, ErrorKind::DoesNotFit, "an automatic size has room"),
    ] {
        let mut wanted = Wanted::of_size(MIB + 512);
        for i in 0..count {
            wanted = wanted.file(&format!("/{i}"), &pattern(4096));
        }
        let disk = MemDisk::new(wanted.size);
        let plan = wanted.plan(Runner::from_env());
        let error = plan.write_all(&disk, &Unwatched).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert_eq!(disk.allocated(), 0);
    }
}

/// A disk that looks at the file in memory of the same length whenever it is written to.
#[derive(Debug)]
struct Watching {
    disk: MemDisk,
    most: AtomicU64,
}

impl Disk for Watching {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        for entry in fs::read_dir("/proc/self/fd")? {
            // Other threads close theirs meanwhile.
            let Ok(file) = fs::metadata(entry?.path()) else {
                continue;
            };
            if file.is_file() && file.len() == self.len() {
                self.most.fetch_max(file.blocks() * 512, Ordering::Relaxed);
            }
        }
        self.disk.write_at(buf, offset)
    }
}

#[test]
fn data_of_files_is_never_in_memory() {
    let mut wanted = Wanted::of_size(48 * MIB + 7 * 512);
    wanted = wanted.file("/large", &pattern(30 << 20));
    let disk = Watching {
        disk: MemDisk::new(wanted.size),
        most: AtomicU64::new(0),
    };
    let plan = wanted.plan(Runner::from_env());
    plan.write_all(&disk, &Unwatched).unwrap();
    let most = disk.most.into_inner();
    assert!((1..5 * MIB).contains(&most), "{most} bytes in memory");
}

/// Adds up what it is told.
#[derive(Debug, Default)]
struct Told {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Progress for Told {
    fn advance(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[test]
fn holes_stay_holes_and_are_no_progress() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sparse");
    let file = File::create(&path).unwrap();
    file.set_len(20 * MIB).unwrap();
    file.write_all_at(&pattern(8192), 5 * MIB).unwrap();
    let extent = Extent {
        logical: 5 * MIB,
        len: 8192,
        offset: 5 * MIB,
    };
    let sparse = Content::host_with_holes(&path, 20 * MIB, vec![extent]);
    let mut wanted = Wanted::of_size(32 * MIB).file("/small", &pattern(100));
    wanted = wanted.file("/empty", b"");
    wanted.files.push(("/sparse".to_owned(), sparse));
    let disk = MemDisk::new(wanted.size);
    let told = Told::default();
    let plan = wanted.plan(Runner::from_env());
    plan.write_all(&disk, &told).unwrap();
    assert!(disk.allocated() < 4 * MIB, "{}", disk.allocated());
    assert_eq!(told.files.into_inner(), 3);
    assert_eq!(told.bytes.into_inner(), 8192 + 100);
    wanted.build();
}

#[test]
fn a_source_that_is_gone_is_told_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    for len in [5, 50_000] {
        let path = dir.path().join(format!("source {len}"));
        fs::write(&path, pattern(len)).unwrap();
        let mut wanted = Wanted::of_size(4 * MIB);
        let content = host_file(&path, len as u64);
        wanted.files.push(("/file".to_owned(), content));
        let plan = wanted.plan(Runner::from_env());
        fs::remove_file(&path).unwrap();
        let error = plan.write_all(&MemDisk::new(wanted.size), &Unwatched);
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.place(), path.to_str().unwrap());
    }
}

/// Programs that end well without having done what they were asked for.
#[test]
fn what_the_programs_left_undone_is_seen() {
    for (program, script, words) in [
        ("mkntfs", "exit 0", "NTFS signature is missing"),
        // A volume that is smaller than its place.
        (
            "mkntfs",
            "real=$(PATH=$PATH:/usr/sbin:/sbin command -v mkntfs); exec \"$real\" \"$@\" 8000",
            "where there are 8192",
        ),
        ("ntfscp", "exit 0", "has no file"),
        // The volume's bitmap is in cluster 135 here.
        (
            "ntfscp",
            "real=$(PATH=$PATH:/usr/sbin:/sbin command -v ntfscp); \"$real\" \"$@\" || exit; \
             head -c 8 /dev/zero | dd of=\"$3\" bs=1 seek=552960 conv=notrunc",
            "its bitmap calls free",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(program);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let others = std::env::var("PATH").unwrap_or_default();
        let others = format!("{others}:/usr/sbin:/sbin");
        let search = std::env::split_paths(&others);
        let runner =
            Runner::with_search([dir.path().to_owned()].into_iter().chain(search).collect());
        let wanted = Wanted::of_size(4 * MIB).file("/file", b"content");
        let disk = MemDisk::new(wanted.size);
        let error = wanted
            .plan(runner)
            .write_all(&disk, &Unwatched)
            .unwrap_err();
        let told = format!("{error}: {:?}", std::error::Error::source(&error));
        assert!(told.contains(words), "{told}");
        assert_eq!(disk.allocated(), 0);
    }
}

#[test]
fn a_source_that_changed_since_planning_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source");
    fs::write(&path, "12345").unwrap();
    let mut wanted = Wanted::of_size(4 * MIB);
    wanted.files.push(("/file".to_owned(), host_file(&path, 5)));
    let plan = wanted.plan(Runner::from_env());
    fs::write(&path, "123456").unwrap();
    let disk = MemDisk::new(wanted.size);
    let error = plan.write_all(&disk, &Unwatched).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(error.place(), path.to_str().unwrap());
}

fn host_file(path: &Path, len: u64) -> Content {
    Content::host(path, len)
}

/// The checker must be able to fail.
#[test]
fn the_checker_sees_a_changed_byte_and_a_broken_boot_sector() {
    let wanted = Wanted::of_size(8 * MIB).file("/file", &pattern(100_000));
    let volume = wanted.build();
    let image = fs::read(&volume.path).unwrap();
    // Clusters of 4 KiB: the file starts at a multiple of that.
    let start = pattern(64);
    let cluster = image.chunks(4096).position(|c| c.starts_with(&start));
    let at = cluster.unwrap() * 4096;
    let file = File::options().write(true).open(&volume.path).unwrap();
    file.write_all_at(b"X", at as u64).unwrap();
    let check =
        || std::panic::catch_unwind(|| volume.check(&wanted.files, &wanted.tree())).is_err();
    assert!(check());
    file.write_all_at(&image[at..=at], at as u64).unwrap();
    assert!(!check());
    file.write_all_at(&[0; 8], 8 * MIB - 512).unwrap();
    assert!(check());
}
