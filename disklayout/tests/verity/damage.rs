//! Whatever bit is changed, our reader finds where, and veritysetup that.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use disklayout::inspect::verity::{Mismatch, Part, verify as inspected};
use testkit::scratch::open;

use crate::support::{Case, Pair, verify};

/// Changes a bit, for as long as it takes to ask.
fn damaged<T>(path: &Path, at: u64, ask: impl FnOnce() -> T) -> T {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
    let answer = ask();
    file.write_all_at(&byte, at).unwrap();
    answer
}

/// What ours and veritysetup find.
fn found(pair: &Pair) -> (Option<Mismatch>, bool) {
    let ours = inspected(
        &open(&pair.data),
        &open(&pair.hash),
        0,
        pair.root.as_bytes(),
    );
    let theirs = verify(&pair.data, &pair.hash, &pair.root.to_string(), &[]);
    (ours.unwrap(), theirs.is_ok())
}

fn mismatch(part: Part, block: u64, offset: u64) -> Option<Mismatch> {
    Some(Mismatch {
        part,
        block,
        offset,
    })
}

#[test]
fn a_changed_block_of_data_is_named() {
    for case in [Case::of(1), Case::of(700), Case::sized(3000, 512, 512)] {
        let pair = Pair::new(case);
        assert_eq!(found(&pair), (None, true), "{case:?}");
        let size = u64::from(case.data_block);
        for block in [0, case.blocks / 2, case.blocks - 1] {
            for at in [0, size - 1] {
                let offset = block * size;
                let found = damaged(&pair.data, offset + at, || found(&pair));
                let expected = mismatch(Part::Data, block, offset);
                assert_eq!(found, (expected, false), "{case:?} {block}");
            }
        }
    }
}

/// The first of two, and a hole where there should be data as well.
#[test]
fn the_first_wrong_block_is_named() {
    let pair = Pair::new(Case::of(2000));
    let found = damaged(&pair.data, 1999 * 4096, || {
        damaged(&pair.data, 555 * 4096, || found(&pair))
    });
    assert_eq!(found.0, mismatch(Part::Data, 555, 555 * 4096));
    let case = Case::of(2000);
    let empty = disklayout::disk::MemDisk::new(case.data_len());
    let wrong = inspected(&empty, &open(&pair.hash), 0, pair.root.as_bytes());
    assert_eq!(wrong.unwrap(), mismatch(Part::Data, 0, 0));
}

#[test]
fn a_changed_block_of_the_tree_is_named() {
    let case = Case::sized(3000, 512, 512);
    let pair = Pair::new(case);
    let levels = pair.plan.levels().to_vec();
    assert_eq!(levels.len(), 3);
    for (number, level) in levels.iter().enumerate() {
        for block in [0, level.blocks - 1] {
            let offset = level.offset + block * 512;
            // The last byte may belong to no digest.
            for at in [0, 511] {
                let found = damaged(&pair.hash, offset + at, || found(&pair));
                let expected = mismatch(Part::Level(number), block, offset);
                assert_eq!(found, (expected, false), "{number} {block} {at}");
            }
        }
    }
}

#[test]
fn another_root_hash_is_that_of_another_tree() {
    let pair = Pair::new(Case::of(300));
    let other = Pair::new(Case::of(301));
    let (data, hash) = (open(&pair.data), open(&pair.hash));
    let wrong = inspected(&data, &hash, 0, other.root.as_bytes()).unwrap();
    let top = pair.plan.levels().last().unwrap();
    let expected = mismatch(Part::Level(1), 0, top.offset);
    assert_eq!(wrong, expected);
    verify(&pair.data, &pair.hash, &other.root.to_string(), &[]).unwrap_err();
    let said = wrong.unwrap().to_string();
    let expected =
        "block 0 of level 1 of the hash tree, at 4096 bytes, isn't the one that was hashed";
    assert_eq!(said, expected);
    for len in [0, 31, 33, 64] {
        let error = inspected(&data, &hash, 0, &vec![0; len]).unwrap_err();
        assert!(error.to_string().contains(&format!("not {len}")), "{error}");
    }
}

/// All that a superblock has is needed but the UUID and what isn't used: of each byte both say the
/// same.
#[test]
fn a_changed_superblock_is_noticed() {
    let pair = Pair::new(Case::of(40));
    let mut harmless = Vec::new();
    for at in (0..130).chain([343, 344, 511]) {
        let (ours, theirs) = damaged(&pair.hash, at, || {
            let (data, hash) = (open(&pair.data), open(&pair.hash));
            let ours = inspected(&data, &hash, 0, pair.root.as_bytes());
            let theirs = verify(&pair.data, &pair.hash, &pair.root.to_string(), &[]);
            (matches!(ours, Ok(None)), theirs.is_ok())
        });
        assert_eq!(ours, theirs, "byte {at}");
        harmless.extend(ours.then_some(at));
    }
    let unused = |at: &u64| {
        (16..32).contains(at) || (39..64).contains(at) || (82..88).contains(at) || *at >= 120
    };
    let strange: Vec<_> = harmless.iter().filter(|at| !unused(at)).collect();
    assert!(strange.is_empty(), "{strange:?}");
}
