//! The same numbers as mke2fs at every size, and whatever it refuses is refused.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::checkers::{self, unequal};
use crate::sizes;
use crate::support::{KINDS, MIB, Scratch, TIB, empty_tree, least_size, plan, write_image};

/// Formats with both and says what differs, with e2fsck's objections to ours.
fn check(kind: &str, size: u64) -> Vec<String> {
    let scratch = Scratch::new();
    let (ours, theirs) = (
        &scratch.path(&format!("{kind}-{size}.img")),
        &scratch.path(&format!("{}{kind}-{size}.img", checkers::SAMPLE)),
    );
    match (
        plan(kind, size, empty_tree()),
        checkers::mke2fs(kind, size, theirs),
    ) {
        (Err(_), Err(_)) => return Vec::new(),
        // mke2fs leaves out the journal.
        (Err(_), Ok(())) if size < least_size(kind) => return Vec::new(),
        (Err(error), Ok(())) => return vec![format!("only mke2fs: {error}")],
        (Ok(_), Err(said)) => return vec![format!("only ours: {said}")],
        (Ok(plan), Ok(())) => write_image(&*plan, size, ours),
    }
    let mut found: Vec<_> = checkers::e2fsck(ours).err().into_iter().collect();
    let [ours, theirs] = [ours, theirs].map(|image| checkers::dumpe2fs(&[], image).unwrap());
    found.extend(unequal(&ours, &theirs));
    found
}

/// Checks all, in as many threads as there are processors.
fn check_all(cases: &[(&str, u64)]) {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        while let Some((kind, size)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let differences = check(kind, *size).into_iter();
            let lines = differences.map(|line| format!("{kind} of {size} bytes: {line}"));
            found.lock().unwrap().extend(lines);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The largest first, which take longest.
fn common() -> Vec<(&'static str, u64)> {
    let sizes = sizes::common().into_iter().rev();
    let cases = sizes.flat_map(|size| KINDS.map(|kind| (kind, size)));
    cases.collect()
}

#[test]
fn every_number_is_that_of_mke2fs_at_dozens_of_sizes() {
    let cases: Vec<_> = common().into_iter().step_by(13).collect();
    check_all(&cases);
}

#[test]
#[ignore = "slow: mke2fs at hundreds of sizes"]
fn every_number_is_that_of_mke2fs_at_hundreds_of_sizes() {
    check_all(&common());
}

#[test]
#[ignore = "slow: mke2fs and e2fsck of up to 192 TiB"]
fn every_number_is_that_of_mke2fs_at_huge_sizes() {
    check_all(&sizes::HUGE);
}

#[test]
fn the_smallest_and_the_largest_sizes() {
    for kind in KINDS {
        assert!(plan(kind, least_size(kind) - 1, empty_tree()).is_err());
        assert!(plan(kind, least_size(kind), empty_tree()).is_ok());
    }
    for kind in ["ext2", "ext3"] {
        assert!(plan(kind, 16 * TIB - 1, empty_tree()).is_ok());
        let error = plan(kind, 16 * TIB, empty_tree()).unwrap_err();
        let limit = format!("parts[0]: {kind} holds 4294967295 blocks at most");
        assert!(error.to_string().starts_with(&limit), "{error}");
    }
    let error = plan("ext4", 192 * TIB + 1, empty_tree()).unwrap_err();
    assert!(error.to_string().contains("ends at 192 TiB"), "{error}");
}

/// The comparison notices a file that isn't what was asked for.
#[test]
fn another_size_or_format_differs() {
    let scratch = Scratch::new();
    let numbers = |kind, size| {
        let path = scratch.path(&format!("{kind}-{size}.img"));
        write_image(&*plan(kind, size, empty_tree()).unwrap(), size, &path);
        checkers::dumpe2fs(&[], &path).unwrap()
    };
    let ours = numbers("ext4", 64 * MIB);
    assert!(!unequal(&ours, &numbers("ext3", 64 * MIB)).is_empty());
    assert!(!unequal(&ours, &numbers("ext4", 64 * MIB + 4096)).is_empty());
}
