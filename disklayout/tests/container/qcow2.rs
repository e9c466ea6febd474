//! What is peculiar to qcow2.

use std::fs;

use disklayout::ErrorKind;
use testkit::scratch::Scratch;

use crate::kinds::KINDS;
use crate::sample::{How, Sample};

const MIB: u64 = 1 << 20;
const CLUSTER: u64 = 65_536;

/// The end of an L2 table, and a cluster less and more.
#[test]
fn disks_end_with_a_table_or_beside_it() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    for size in [8192 * CLUSTER, 8192 * CLUSTER + 512, 8192 * CLUSTER - 512] {
        for kind in &KINDS[..3] {
            let sample = Sample::with_last_byte(size, size);
            let raw = sample.raw(&image);
            sample
                .image(&How::new("qcow2", kind.options), &image)
                .unwrap();
            kind.check(&image, &raw);
        }
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
    for kind in [&KINDS[0], &KINDS[2]] {
        let raw = sample.raw(&image);
        sample
            .image(&How::new("qcow2", kind.options), &image)
            .unwrap();
        assert!(fs::metadata(&image).unwrap().len() < 2 * MIB);
        kind.check(&image, &raw);
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
