//! The smallest sizes are exact.

use disklayout::fs::Request;
use disklayout::tree::FileTree;
use disklayout::{Bytes, ErrorKind, Lba, SectorSize};

use crate::listing;
use crate::support::{GIB, KIB, MIB, Scratch, empty_tree, options, plan_at, request, smallest};
use crate::trees;

fn assert_exact(name: &str, asked: &dyn Fn() -> Request<'static>, free: u64) -> u64 {
    let size = smallest(asked(), free).unwrap();
    let plan = plan_at(size, asked()).unwrap();
    let summary = plan.summary();
    let left = summary.free_blocks.unwrap() * u64::from(summary.block_size);
    assert!(left >= free, "{name}: {left} bytes are free in {size}");
    let sector = asked().sector_size.get();
    for less in [1, 2, 3, 8, 64, 2048].map(|sectors| sectors * sector) {
        let Some(size) = size.checked_sub(less) else {
            continue;
        };
        match plan_at(size, asked()) {
            Ok(plan) => {
                let summary = plan.summary();
                let left = summary.free_blocks.unwrap() * u64::from(summary.block_size);
                assert!(left < free, "{name}: {size} bytes suffice");
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::DoesNotFit),
        }
    }
    let scratch = Scratch::new();
    let image = scratch.image(&format!("fit-{name}.img"), size, &*plan);
    let found = listing::crate_differences(plan.tree(), &image);
    assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
    size
}

#[test]
fn one_sector_less_is_too_small() {
    let tree = trees::awkward(4096);
    let of = |tree: &FileTree, chosen: &[(&str, &str)]| {
        let (tree, options) = (tree.clone(), options(chosen));
        move || Request {
            tree: tree.clone(),
            options: options.clone(),
            ..request()
        }
    };
    let empty = empty_tree();
    let found = assert_exact("empty", &of(&empty, &[]), 0);
    assert_eq!(found, 2 * MIB + 16 * KIB);
    let small = [("boundary-align", "512"), ("cluster-size", "512")];
    assert_eq!(assert_exact("least", &of(&empty, &small), 0), MIB);
    assert_exact("awkward", &of(&tree, &[]), 0);
    assert_exact("aligned", &of(&tree, &small), 0);
    assert_exact("large", &of(&tree, &[("cluster-size", "1M")]), 0);
    // The bitmap, the FAT and the clusters grow.
    for free in [
        1,
        4096,
        4097,
        128 * MIB - 40 * KIB,
        200 * MIB,
        253 * MIB,
        254 * MIB,
        GIB,
    ] {
        assert_exact(&format!("free-{free}"), &of(&empty, &[]), free);
    }
    assert_exact("free-far", &of(&empty, &[]), 32 * GIB - 3 * MIB);
}

#[test]
fn start_and_sectors_count() {
    let tree = trees::awkward(4096);
    for (start, sector_size) in [(63, SectorSize::B512), (7, SectorSize::B4096)] {
        let asked = || Request {
            tree: tree.clone(),
            start: Lba::new(start),
            sector_size,
            ..request()
        };
        assert_exact(&format!("start-{start}"), &asked, MIB);
    }
}

#[test]
fn what_does_not_fit_says_what_would() {
    let asked = || Request {
        tree: trees::awkward(4096),
        ..request()
    };
    let smallest = smallest(asked(), 0).unwrap();
    let error = plan_at(smallest - 512, asked()).unwrap_err();
    assert_eq!(error.needed(), Some(Bytes::new(smallest)));
    let said = format!("the smallest size that holds it is {smallest} bytes");
    assert!(error.to_string().contains(&said), "{error}");
}
