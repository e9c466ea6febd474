//! Two readers find what was asked for, and one of them writes on.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use disklayout::fs::Request;
use disklayout::tree::{Attributes, Content, Extent, FileTree, Store};
use disklayout::{Lba, SectorSize};

use testkit::compare::differences;
use testkit::image::bytes_of;

use crate::listing::{self, planned};
use crate::support::{
    GIB, KIB, MIB, Mount, Scratch, TIME, empty_tree, fsck, is_root, options, plan, plan_at,
    plan_with, request, run,
};
use crate::trees;

#[test]
fn the_crate_reads_everything() {
    for (size, cluster_size) in [(60 * MIB, 512), (60 * MIB, 4096), (300 * MIB, 32 << 10)] {
        let tree = trees::awkward(cluster_size);
        let chosen = [("cluster-size", &*cluster_size.to_string())];
        let plan = plan_with(size, &chosen, tree.clone()).unwrap();
        assert!(plan.warnings().is_empty(), "{:?}", plan.warnings());
        let scratch = Scratch::new();
        let image = scratch.image(&format!("crate-{cluster_size}.img"), size, &*plan);
        let found = listing::crate_differences(&tree, &image);
        assert!(found.is_empty(), "{cluster_size}:\n{}", found.join("\n"));
    }
}

#[test]
fn the_driver_reads_everything_and_writes_on() {
    if !is_root() {
        return;
    }
    for cluster_size in [512, 4096, 32 * KIB] {
        let size = 60 * MIB + 20 * cluster_size;
        let tree = trees::full_directories(cluster_size);
        let chosen = [("cluster-size", &*cluster_size.to_string())];
        let plan = plan_with(2 * size, &chosen, tree.clone()).unwrap();
        let scratch = Scratch::new();
        let image = scratch.image(&format!("fuse-{cluster_size}.img"), 2 * size, &*plan);
        let mut expected = planned(&tree);
        {
            let mount = Mount::new(&image, &scratch, "rw");
            let found = differences(&expected, &listing::of_host(&mount.point));
            assert!(found.is_empty(), "{cluster_size}:\n{}", found.join("\n"));
            // Directories grow, where something else comes behind them.
            for number in 0..300 {
                let path = format!("lengths/written later {number}");
                std::fs::write(mount.point.join(path), number.to_string()).unwrap();
            }
            expected = listing::of_host(&mount.point);
        }
        fsck(&image).unwrap();
        let mount = Mount::new(&image, &scratch, "ro");
        let found = differences(&expected, &listing::of_host(&mount.point));
        assert!(found.is_empty(), "{cluster_size}:\n{}", found.join("\n"));
    }
}

/// A sector of 4096 bytes, on a partition that starts anywhere.
#[test]
fn sectors_of_4096_bytes_are_read() {
    let tree = trees::awkward(4096);
    let plan = plan_at(
        80 * MIB,
        Request {
            sector_size: SectorSize::B4096,
            start: Lba::new(63),
            tree: tree.clone(),
            ..request()
        },
    );
    let scratch = Scratch::new();
    let image = scratch.image("sectors.img", 80 * MIB, &*plan.unwrap());
    let found = listing::crate_differences(&tree, &image);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_directory_has_twenty_thousand_names() {
    let scratch = Scratch::new();
    let tree = trees::many(20_000);
    // 32 KiB each.
    let plan = plan(GIB, tree.clone()).unwrap();
    let image = scratch.image("many.img", GIB, &*plan);
    let found = listing::crate_differences(&tree, &image);
    assert!(found.is_empty(), "{} differ", found.len());
}

/// More than 4 GiB, nearly all of it holes: they aren't written, and read as zero.
#[test]
fn a_large_file_has_its_holes() {
    let len = 5 * GIB + 7;
    let places = [0, 3 * MIB + 5, 4 * GIB - 3, len - 6];
    let bytes = b"piece!".repeat(places.len());
    let extents = (0..).zip(places).map(|(number, logical)| Extent {
        logical,
        len: 6,
        offset: number * 6,
    });
    let store = tempfile::tempfile().unwrap();
    (&store).write_all(&bytes).unwrap();
    let store = Arc::new(Store::file("pieces", store));
    let content = Content::stored_with_holes(&store, len, extents.collect());
    let mut tree = empty_tree();
    tree.put_file("c", b"/large", content, Attributes::file(TIME))
        .unwrap();
    trees::put(&mut tree, "/behind", b"behind");
    let scratch = Scratch::new();
    let image = scratch.image("large.img", 6 * GIB, &*plan(6 * GIB, tree).unwrap());
    let blocks = std::os::unix::fs::MetadataExt::blocks(&image.metadata().unwrap());
    assert!(blocks * 512 < MIB, "{} KiB are allocated", blocks / 2);
    assert_pieces(&image, len, &places);
}

fn assert_pieces(image: &std::path::Path, len: u64, places: &[u64]) {
    use std::io::Read;
    let volume = exfat::ExFat::open(File::open(image).unwrap()).unwrap();
    let file = volume.into_iter().find_map(|item| match item {
        exfat::directory::Item::File(file) if file.name() == "large" => Some(file),
        _ => None,
    });
    let mut file = file.unwrap();
    assert_eq!(file.len(), len);
    let mut reader = file.open().unwrap().unwrap();
    let mut before = [1; 2];
    let mut piece = [0; 6];
    for place in places {
        if *place > 2 {
            reader.seek(SeekFrom::Start(place - 2)).unwrap();
            reader.read_exact(&mut before).unwrap();
            assert_eq!(before, [0; 2]);
        }
        reader.seek(SeekFrom::Start(*place)).unwrap();
        reader.read_exact(&mut piece).unwrap();
        assert_eq!(&piece, b"piece!", "{place}");
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let bytes = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let plan = plan(40 * MIB, trees::awkward(4096)).unwrap();
        let write = || bytes_of(&*plan, 40 * MIB);
        pool.build().unwrap().install(write)
    };
    let one = bytes(1);
    assert!([2, 7].into_iter().all(|threads| bytes(threads) == one));
}

/// dump.exfat follows a path to its set of entries.
#[test]
fn files_are_found_by_their_names() {
    let scratch = Scratch::new();
    let mut tree = FileTree::new(TIME);
    trees::put(&mut tree, "/directory/File.txt", &trees::data(10_000));
    let request = Request {
        options: options(&[("cluster-size", "4096")]),
        tree,
        ..request()
    };
    let plan = plan_at(20 * MIB, request).unwrap();
    let image = scratch.image("dump.img", 20 * MIB, &*plan);
    let text = run("dump.exfat", &[&image]).unwrap();
    let free = text
        .lines()
        .find_map(|line| line.strip_prefix("Free Clusters:"));
    let free: u64 = free.unwrap().trim().parse().unwrap();
    assert_eq!(Some(free), plan.summary().free_blocks);
    // One each for bitmap, root and directory, two for the table, three for the file.
    assert_eq!(plan.summary().blocks - free, 8);
}
