//! qcow2 held against qemu-img.

use std::fs;
use std::path::Path;

use disklayout::ErrorKind;
use testkit::program::{arguments, run};
use testkit::scratch::Scratch;

use crate::sample::{How, Sample};

const MIB: u64 = 1 << 20;

/// All that can be chosen, and what qemu-img then says.
const ALL: &[(&[(&str, &str)], &str)] = &[
    (&[], "compat: 1.1"),
    (&[("compression_type", "zlib")], "compression type: zlib"),
    (&[("compression_type", "zstd")], "compression type: zstd"),
    (&[("cluster_size", "512")], "cluster_size: 512"),
    (
        &[("cluster_size", "4K"), ("compression_type", "zlib")],
        "cluster_size: 4096",
    ),
    (
        &[
            ("cluster_size", "2M"),
            ("compression_type", "zstd"),
            ("compression_level", "9"),
        ],
        "cluster_size: 2097152",
    ),
    (&[("cluster_size", "2M")], "cluster_size: 2097152"),
    (&[("compat", "0.10")], "compat: 0.10"),
    (
        &[("compat", "0.10"), ("compression_type", "zlib")],
        "compat: 0.10",
    ),
    (&[("lazy_refcounts", "on")], "lazy refcounts: true"),
    (&[("extended_l2", "on")], "extended l2: true"),
    (
        &[("extended_l2", "on"), ("compression_type", "zstd")],
        "extended l2: true",
    ),
];

fn check(image: &Path, raw: &Path, said: &str) {
    run("qemu-img", &arguments(&["check", "-f", "qcow2"], &[image])).unwrap();
    let info = run("qemu-img", &arguments(&["info", "-f", "qcow2"], &[image])).unwrap();
    assert!(info.contains(said), "{said}: {info}");
    let compare = ["compare", "-f", "qcow2", "-F", "raw"];
    run("qemu-img", &arguments(&compare, &[image, raw])).unwrap();
}

#[test]
fn every_choice_reads_as_the_raw_disk() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    for (seed, (options, said)) in (0..).zip(ALL) {
        let sample = Sample::random(seed, 20 * MIB);
        let raw = sample.raw(&image);
        sample.image(&How::new("qcow2", options), &image).unwrap();
        check(&image, &raw, said);
    }
}

/// Nothing, one sector, a cluster less and more, an L2 table's end, a disk that ends in a cluster.
#[test]
fn sizes_at_bounds_read_as_the_raw_disk() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    const CLUSTER: u64 = 65_536;
    for size in [
        0,
        512,
        CLUSTER - 512,
        CLUSTER,
        CLUSTER + 512,
        8192 * CLUSTER,
        8192 * CLUSTER + 512,
        8192 * CLUSTER - 512,
    ] {
        for options in [&ALL[0], &ALL[1], &ALL[2]] {
            let mut sample = Sample::random(size, size);
            if size > 0 {
                // The last byte is there too.
                sample
                    .metadata
                    .retain(|(at, _, len)| at + (*len as u64) < size);
                sample.data.retain(|(at, _, len)| at + (*len as u64) < size);
                sample.data.push((size - 1, 5, 1));
            }
            let raw = sample.raw(&image);
            sample.image(&How::new("qcow2", options.0), &image).unwrap();
            check(&image, &raw, options.1);
        }
    }
}

#[test]
fn the_same_bytes_come_from_any_number_of_threads() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    for (options, _) in ALL {
        let sample = Sample::random(9, 40 * MIB);
        let made = [1, 2, 5].map(|threads| {
            let how = How {
                threads,
                ..How::new("qcow2", options)
            };
            sample.image(&how, &image).unwrap();
            fs::read(&image).unwrap()
        });
        assert!(made[0] == made[1] && made[0] == made[2], "{options:?}");
    }
}

/// 8 TiB with something in every corner.
#[test]
fn a_disk_of_tebibytes_takes_no_more_than_its_data() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    let size = 8 << 40;
    let sample = Sample {
        size,
        metadata: vec![(0, 3, 5000), (4 << 40, 2, 100)],
        data: vec![(1 << 40, 1, 200_000), (size - 70_000, 2, 70_000)],
    };
    for (options, said) in [&ALL[0], &ALL[2]] {
        let raw = sample.raw(&image);
        sample.image(&How::new("qcow2", options), &image).unwrap();
        assert!(fs::metadata(&image).unwrap().len() < 2 * MIB);
        check(&image, &raw, said);
    }
}

/// What QEMU couldn't read is refused.
#[test]
fn a_disk_with_too_many_clusters_is_refused() {
    let scratch = Scratch::new();
    let sample = Sample {
        size: 1 << 40,
        ..Sample::default()
    };
    let how = How::new("qcow2", &[("cluster_size", "512")]);
    let error = sample.image(&how, &scratch.path("a.qcow2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    assert!(
        error.message().contains("137438953472 bytes are the most"),
        "{error}"
    );
}
