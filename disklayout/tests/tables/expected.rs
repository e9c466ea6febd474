//! What a disk is told before the data of files comes is what comes.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

use disklayout::disk::{Coming, Disk, MemDisk};
use disklayout::fs::{Registry, Unwatched};
use disklayout::layout::spec::{Blob, Filesystem};
use disklayout::layout::{DiskPlan, plan};
use disklayout::source::{Rules, add_archive, add_directory};
use disklayout::tree::{Content, FileTree, NodeKind};
use disklayout::{Bytes, Identity, Timestamp, Zeroes, build};
use testkit::program::output;

use crate::support::disk;

const MIB: u64 = Bytes::MIB;

/// Notes what it was told to expect, and where everything was written after that.
#[derive(Debug)]
struct Recorder {
    disk: MemDisk,
    wants: bool,
    copies_files: bool,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    expected: Vec<Vec<Range<u64>>>,
    /// Where data was written before and after it was told.
    before: Vec<Range<u64>>,
    after: Vec<Range<u64>>,
}

impl Recorder {
    fn new(plan: &DiskPlan, wants: bool, copies_files: bool) -> Self {
        Self {
            disk: MemDisk::new(plan.size.get()),
            wants,
            copies_files,
            told: Mutex::default(),
        }
    }

    fn note(&self, written: Range<u64>) {
        let mut told = self.told.lock().unwrap();
        match told.expected.is_empty() {
            true => told.before.push(written),
            false => told.after.push(written),
        }
    }
}

impl Disk for Recorder {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.note(offset..offset + buf.len() as u64);
        self.disk.write_at(buf, offset)
    }

    fn wants_expectations(&self) -> bool {
        self.wants
    }

    fn expect(&self, coming: &Coming<'_>) -> io::Result<()> {
        let mut told = self.told.lock().unwrap();
        told.expected.push(coming.data.to_vec());
        Ok(())
    }

    fn copies_files(&self) -> bool {
        self.copies_files
    }

    fn copy_from(&self, source: &File, from: u64, offset: u64, len: u64) -> io::Result<()> {
        assert!(self.copies_files, "{len} bytes are left to the kernel");
        self.note(offset..offset + len);
        self.disk.copy_from(source, from, offset, len)
    }
}

/// Files around the sizes of blocks, of pages and of what is copied at once, holes and zeroes.
fn fill(directory: &Path) {
    let path = |name: &str| directory.join(name);
    fs::create_dir(path("d")).unwrap();
    for (index, len) in [0, 1, 60, 511, 512, 513, 4095, 4096, 4097, 100_000]
        .into_iter()
        .enumerate()
    {
        fs::write(path(&format!("d/{len}")), vec![index as u8 + 1; len]).unwrap();
    }
    let large: Vec<u8> = (0..3_000_001_u32).map(|at| (at % 251) as u8).collect();
    fs::write(path("large"), large).unwrap();
    fs::write(path("zeroes"), vec![0; 700_000]).unwrap();
    let sparse = File::create(path("sparse")).unwrap();
    sparse.set_len(2 << 20).unwrap();
    sparse.write_all_at(&[9; 8192], 1 << 20).unwrap();
    File::create(path("hole")).unwrap().set_len(50_000).unwrap();
}

/// The same files from a directory and from two archives of it.
fn trees(directory: &Path, archives: &Path) -> Vec<(&'static str, FileTree)> {
    let rules = Rules::default();
    let empty = || FileTree::new(Timestamp::default());
    let mut tree = empty();
    add_directory(&mut tree, "rootfs", directory, &rules).unwrap();
    let mut trees = vec![("directory", tree)];
    for (name, option) in [("plain.tar", "-cSf"), ("compressed.tar.gz", "-czSf")] {
        let path = archives.join(name);
        let [from, to] = [directory, &path].map(|path| path.to_str().unwrap());
        let said = output("tar", &[option, to, "-C", from, "."]);
        assert!(said.status.success(), "{said:?}");
        let mut tree = empty();
        add_archive(&mut tree, "rootfs", name, File::open(path).unwrap(), &rules).unwrap();
        trees.push((name, tree));
    }
    trees
}

/// Two partitions with these filesystems, the files of `tree` in both, and bytes between them.
fn plan_with(formats: [&str; 2], tree: &FileTree) -> DiskPlan {
    let sectors = |mebibytes: i64| mebibytes * 2048;
    let parts = [
        ("p", sectors(1), sectors(50)),
        ("p", sectors(52), sectors(102) - 1),
    ];
    let mut spec = disk(104 * 2048, "gpt", &parts);
    for (part, format) in spec.partitions.iter_mut().zip(formats) {
        part.holds = Filesystem::new(format, tree.clone()).into();
    }
    spec.blobs = vec![Blob {
        place: "blobs[0]".into(),
        offset: Bytes::new(51 * MIB + 777),
        content: Content::inline(&[0xB1; 5000]),
    }];
    let identity = Identity::new("disk_test.img", Timestamp::default());
    plan(spec, &identity, &Registry::native()).unwrap()
}

/// How many bytes of files and of what stands for itself there are.
fn data_len(plan: &DiskPlan) -> u64 {
    let nodes = plan.filesystems().flat_map(|one| one.tree().nodes());
    let files = nodes.map(|(_, node)| match &node.kind {
        NodeKind::File(content) => content.data_len(),
        _ => 0,
    });
    let bytes = plan.raw_bytes().map(|bytes| bytes.content.data_len());
    files.chain(bytes).sum()
}

/// Sorts stretches and joins those that touch; none may overlap.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end >= range.start => {
                assert_eq!(last.end, range.start, "written twice");
                last.end = range.end;
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// What of `all` isn't in `told`.
fn beside(all: &[Range<u64>], told: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut beside = Vec::new();
    for stretch in all {
        let mut at = stretch.start;
        for one in told
            .iter()
            .filter(|one| one.start < stretch.end && one.end > stretch.start)
        {
            beside.push(at..one.start.max(at));
            at = one.end;
        }
        beside.push(at..stretch.end.max(at));
    }
    beside.retain(|stretch| !stretch.is_empty());
    beside
}

fn len(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

fn read(disk: &dyn Disk) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(disk.len()).unwrap()];
    disk.read_at(&mut bytes, 0).unwrap();
    bytes
}

fn build_on(disk: &dyn Disk, plan: &DiskPlan, threads: usize) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = pool.build().unwrap();
    pool.install(|| build(plan, Zeroes::default(), disk, &Unwatched))
        .unwrap();
}

/// Everything is told once, when all else has been written; then each byte of it comes once, and
/// beside it nothing but zeroes where nothing is. The image is the same as on any other disk.
fn assert_expected(plan: &DiskPlan, threads: usize, copies_files: bool, expected: &[u8]) {
    let disk = Recorder::new(plan, true, copies_files);
    build_on(&disk, plan, threads);
    let image = expected;
    assert!(read(&disk) == image, "another image");
    let told = disk.told.into_inner().unwrap();
    let [expected] = &told.expected[..] else {
        panic!("told {} times", told.expected.len());
    };
    assert!(!told.before.is_empty());
    assert_eq!(len(expected), data_len(plan));
    assert_eq!(
        *expected,
        joined(expected.clone()),
        "not in order or touching"
    );
    let after = joined(told.after);
    for expected in expected {
        let within = after
            .iter()
            .any(|it| it.start <= expected.start && expected.end <= it.end);
        assert!(within, "{expected:?} hasn't come");
    }
    for stretch in beside(&after, expected) {
        let zeroes = &image[stretch.start as usize..stretch.end as usize];
        assert!(
            zeroes.iter().all(|byte| *byte == 0),
            "{stretch:?} wasn't told"
        );
        assert!(
            told.before
                .iter()
                .all(|it| it.end <= stretch.start || stretch.end <= it.start)
        );
    }
}

#[test]
fn exactly_what_is_expected_comes_after_all_else() {
    let [directory, archives] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    fill(directory.path());
    for (source, tree) in trees(directory.path(), archives.path()) {
        for formats in [["ext4", "fat32"], ["exfat", "erofs"]] {
            println!("{formats:?} from {source}");
            let plan = plan_with(formats, &tree);
            let usual = Recorder::new(&plan, false, false);
            build_on(&usual, &plan, 2);
            let image = read(&usual);
            // Who doesn't want to know is told of no data.
            assert_eq!(usual.told.into_inner().unwrap().expected, [[]]);
            for (threads, copies_files) in [(1, false), (3, false), (3, true)] {
                assert_expected(&plan, threads, copies_files, &image);
            }
        }
    }
}

/// What a disk says when it is told ends it, before any data is written.
#[test]
fn a_disk_that_refuses_what_comes_gets_none_of_it() {
    #[derive(Debug)]
    struct Refusing(Recorder);

    impl Disk for Refusing {
        fn len(&self) -> u64 {
            self.0.len()
        }

        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
            self.0.read_at(buf, offset)
        }

        fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
            self.0.write_at(buf, offset)
        }

        fn wants_expectations(&self) -> bool {
            true
        }

        fn expect(&self, coming: &Coming<'_>) -> io::Result<()> {
            self.0.expect(coming)?;
            Err(io::Error::other("too much"))
        }
    }

    let plan = plan_with(["ext4", "exfat"], &FileTree::new(Timestamp::default()));
    let disk = Refusing(Recorder::new(&plan, true, false));
    let error = build(&plan, Zeroes::default(), &disk, &Unwatched).unwrap_err();
    assert_eq!(error.to_string(), "disk: can't make room for the data");
    assert!(disk.0.told.into_inner().unwrap().after.is_empty());
}
