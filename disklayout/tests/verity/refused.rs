//! What can't be a tree is refused while it is planned.

use disklayout::disk::MemDisk;
use disklayout::volume::verity::{Leaves, Request, plan};
use disklayout::{Bytes, ErrorKind};

use crate::support::{Case, Pair};

fn said(change: impl FnOnce(&mut Request)) -> (ErrorKind, String) {
    let mut request = Case::of(10).request(0);
    change(&mut request);
    let error = plan(request).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn what_the_kernel_does_not_know_is_refused() {
    let block = "dm-verity has no blocks of";
    for (found, expected) in [
        (
            said(|it| it.data_block = 0),
            format!("parts[1].data-block: {block} 0 bytes"),
        ),
        (
            said(|it| it.data_block = 256),
            format!("parts[1].data-block: {block} 256 bytes"),
        ),
        (
            said(|it| it.data_block = 131_072),
            format!("parts[1].data-block: {block} 131072 bytes"),
        ),
        (
            said(|it| it.hash_block = 3072),
            format!("parts[1].hash-block: {block} 3072 bytes"),
        ),
        (
            said(|it| it.hash_block = 1 << 20),
            format!("parts[1].hash-block: {block} 1048576 bytes"),
        ),
        (
            said(|it| it.salt = vec![1; 257]),
            "parts[1].salt: a salt has 256 bytes".to_owned(),
        ),
        (
            said(|it| it.hash_offset = Bytes::new(100)),
            "parts[1].hash-offset: 100 is no".to_owned(),
        ),
        (
            said(|it| it.data_len = Bytes::new(0)),
            "parts[1].size: 0 bytes aren't whole".to_owned(),
        ),
        (
            said(|it| it.data_len = Bytes::new(4097)),
            "parts[1].size: 4097 bytes aren't".to_owned(),
        ),
    ] {
        let (kind, said) = found;
        assert_eq!(kind, ErrorKind::InvalidSpec, "{said}");
        assert!(said.starts_with(&expected), "{said}");
    }
    for found in [
        said(|it| it.data_len = Bytes::new(1 << 63)),
        said(|it| it.hash_offset = Bytes::new((1 << 63) - 8192)),
        said(|it| it.hash_offset = Bytes::new(u64::MAX - 511)),
    ] {
        assert_eq!(found.0, ErrorKind::DoesNotFit, "{}", found.1);
    }
}

/// veritysetup agrees on sizes of blocks that a tree may have.
#[test]
fn veritysetup_refuses_the_same_blocks() {
    let pair = Pair::new(Case::of(10));
    let theirs = pair.scratch.path("sample-hash.img");
    for (size, is_right) in [
        (256, false),
        (512, true),
        (3072, false),
        (524_288, true),
        (1 << 20, false),
    ] {
        let case = Case::sized(10, 4096, size);
        let format = case.format(&pair.data, &theirs, &[]);
        assert_eq!(format.is_ok(), is_right, "{size}: {format:?}");
        assert_eq!(plan(case.request(0)).is_ok(), is_right, "{size}");
    }
}

#[test]
fn disks_that_are_too_short_are_refused() {
    let case = Case::of(300);
    let plan = case.plan(8192);
    let error = Leaves::read(&plan, &MemDisk::new(case.data_len() - 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    let leaves = Leaves::new(&plan);
    let end = plan.hash_range().end;
    let error = plan.write(&leaves, &MemDisk::new(end - 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    assert_eq!(error.needed(), Some(plan.hash_len()));
    assert!(
        error.to_string().contains(&format!("ends at {end} bytes")),
        "{error}"
    );
    plan.write(&Leaves::new(&plan), &MemDisk::new(end)).unwrap();
}

#[test]
fn blocks_that_were_not_planned_are_refused() {
    let leaves = Leaves::new(&Case::of(10).plan(0));
    leaves.leaf(9, &[1; 4096]).unwrap();
    for (block, len) in [(10, 4096), (u64::MAX, 4096), (0, 4095), (0, 0)] {
        let error = leaves.leaf(block, &vec![1; len]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    }
}
