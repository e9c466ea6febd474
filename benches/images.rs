//! How long planning and writing take, without syncing: `cargo bench`.
//!
//! `compare.sh` holds the whole program against others.

use std::num::NonZeroUsize;
use std::sync::Arc;

use createhdds::describe::hdds::Config;
use createhdds::describe::hdds::locate::DataDir;
use createhdds::describe::hdds::releases::NextRelease;
use createhdds::engine::download::Downloads;
use createhdds::engine::{self, Conditions, Directory, Planner, Silent, Temporaries};
use createhdds::image::{Image, Recipe};
use disklayout::disk::SparseFile;
use disklayout::fs::{FsPlan, Registry, Request, Unwatched};
use disklayout::layout::spec::{Holds, Partition};
use disklayout::{Bytes, Identity, Timestamp};
use divan::Bencher;

const TIME: Timestamp = Timestamp::from_seconds(946_684_800);

/// Sizes of filesystems in MiB: 100 MiB, 1 GiB, 25 GiB, 1 TiB, 8 TiB.
const SIZES: [u64; 5] = [100, 1 << 10, 25 << 10, 1 << 20, 8 << 20];

fn main() {
    divan::main();
}

fn plan(kind: &str, mebibytes: u64) -> Box<dyn FsPlan> {
    let identity = Identity::new("bench", TIME);
    let draft = Registry::native().draft(Request::new("bench", kind, identity));
    let size = Bytes::new(mebibytes * Bytes::MIB);
    draft.expect("it is possible").at(size).expect("it fits")
}

#[divan::bench(args = SIZES)]
fn plan_ext4(mebibytes: u64) -> Box<dyn FsPlan> {
    plan("ext4", mebibytes)
}

#[divan::bench(args = SIZES)]
fn write_ext4(bencher: Bencher<'_, '_>, mebibytes: u64) {
    let plan = plan("ext4", mebibytes);
    bencher
        .with_inputs(|| {
            let file = tempfile::tempfile().expect("a temporary file");
            SparseFile::create(file, mebibytes * Bytes::MIB).expect("a sparse file")
        })
        .bench_refs(|disk| plan.write_all(disk, &Unwatched).expect("it is written"));
}

fn is_native(partition: &Partition) -> bool {
    let names = Registry::native().names();
    match &partition.holds {
        Holds::Filesystem(held) => names.contains(&held.format.as_str()),
        _ => true,
    }
}

fn conditions() -> Conditions {
    Conditions {
        time: TIME,
        latest: None,
        downloads: Downloads::default(),
    }
}

/// The layouts of the shipped set that need no other program.
fn shipped() -> Vec<Image> {
    let config = Config::parse(include_str!("../hdds.json"), "hdds.json", &[]).expect("sound");
    let mut next = NextRelease::new(None, || anyhow::bail!("no relative release"));
    let mut images = config.images(&mut next).expect("sound");
    images.retain(|image| match &image.recipe {
        Recipe::Layout(layout, _) => layout.disk.partitions.iter().all(is_native),
        Recipe::Install(_) => false,
    });
    images
}

#[divan::bench(args = ["disk_full_gpt.img", "disk_freespace_mbr.img", "disk_ks-9.img"])]
fn plan_image(bencher: Bencher<'_, '_>, name: &str) {
    let mut images = shipped();
    images.retain(|image| image.file_name == name);
    let find = |name: &str| DataDir::Shipped.upload(name);
    let registry = Registry::native();
    let planner = Planner::offline(&images, &find, &registry, &conditions());
    bencher.bench(|| planner.decide(&images));
}

#[divan::bench(args = [1, 2, 4])]
fn build_set(bencher: Bencher<'_, '_>, jobs: usize) {
    let images = shipped();
    let root = tempfile::tempdir().expect("a temporary directory");
    let settings = engine::Settings {
        directory: Arc::new(Directory::lock(root.path()).expect("it is ours alone")),
        temporaries: Temporaries::default(),
        jobs: NonZeroUsize::new(jobs).expect("at least one"),
        sync: false,
        zeroes: disklayout::Zeroes::default(),
        conditions: conditions(),
        install: createhdds::virtinstall::Settings::default(),
    };
    let find = |name: &str| DataDir::Shipped.upload(name);
    let registry = Registry::native();
    bencher.bench(|| {
        let outcome = engine::run(&images, &settings, &registry, &find, &Silent).expect("threads");
        assert!(outcome.is_success());
    });
}
