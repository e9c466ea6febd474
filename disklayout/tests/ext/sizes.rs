//! The sizes at which the formats change, and some in between.

use std::collections::BTreeSet;

use crate::support::{GIB, KIB, KINDS, MIB, TIB, empty_tree, plan};

/// What mke2fs rounds a size down to.
const PAGE: u64 = 4 * KIB;
const RANDOM: usize = 120;

/// Sizes for all three formats, ascending.
pub(crate) fn common() -> BTreeSet<u64> {
    let mut sizes: BTreeSet<u64> = smallest().collect();
    for edge in edges() {
        sizes.extend([edge - PAGE, edge - 1, edge, edge + 1, edge + PAGE]);
    }
    sizes.extend(tails());
    sizes.extend(random());
    sizes
}

/// Sizes that take long, with the formats that they are for.
pub(crate) const HUGE: [(&str, u64); 14] = [
    ("ext4", 16 * TIB),
    ("ext4", 16 * TIB - PAGE),
    ("ext3", 8 * TIB),
    ("ext4", 8 * TIB + GIB),
    ("ext4", 8 * TIB),
    ("ext2", 4 * TIB),
    ("ext4", 4 * TIB),
    ("ext4", 4 * TIB - PAGE),
    ("ext4", 2 * TIB + 133 * MIB),
    ("ext3", TIB + PAGE),
    ("ext4", TIB),
    ("ext2", 128 * GIB),
    ("ext3", 128 * GIB - PAGE),
    ("ext3", 128 * GIB),
];

/// From the largest that nobody can format to some that everybody can.
fn smallest() -> impl Iterator<Item = u64> {
    (0..40).map(|pages| pages * PAGE)
}

fn edges() -> Vec<u64> {
    let classes = [3 * MIB, 512 * MIB];
    // Below 512 MiB blocks have 1 KiB and groups 8 MiB, from there on 4 KiB and 128 MiB.
    let small_groups = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 25, 31, 32, 33, 48, 49];
    let large_groups = [4, 5, 8, 9, 16, 17, 25, 27, 32, 33, 49, 64, 65, 81, 128, 129];
    let journals = [2048 * KIB, 32_768 * KIB, 262_144 * KIB].into_iter();
    let large_journals = [262_144, 524_288, 4_194_304, 8_388_608, 16_777_216];
    let edges = classes
        .into_iter()
        .chain(small_groups.map(|groups| groups * 8 * MIB))
        .chain(large_groups.map(|groups| groups * 128 * MIB))
        .chain(journals)
        .chain(large_journals.map(|blocks| blocks * 4 * KIB))
        // From here on 32 bits of blocks end before 1024 times the size, as far as the
        // descriptors may grow.
        .chain([16 * GIB]);
    edges.collect()
}

/// Last groups of which the last page decides whether they are kept.
fn tails() -> BTreeSet<u64> {
    let mut tails = BTreeSet::new();
    for kind in KINDS {
        for (groups, group_size) in [
            (1, 8 * MIB),
            (2, 8 * MIB),
            (3, 8 * MIB),
            (16, 8 * MIB),
            (4, 128 * MIB),
            (5, 128 * MIB),
            (32, 128 * MIB),
            (49, 128 * MIB),
            (64, 128 * MIB),
        ] {
            let kept = smallest_kept_tail(kind, groups * group_size, group_size);
            tails.extend([kept - PAGE, kept - 1, kept]);
        }
    }
    tails
}

/// The smallest size above `whole`, which ends with a group, that has a group more.
fn smallest_kept_tail(kind: &str, whole: u64, group_size: u64) -> u64 {
    let blocks = |size| plan(kind, size, empty_tree()).unwrap().summary().blocks;
    let without = blocks(whole);
    // A few pages behind a group with 1 KiB blocks, whose first block is no part of any group.
    let (mut dropped, mut kept) = (1, group_size / PAGE);
    while kept - dropped > 1 {
        let middle = (dropped + kept) / 2;
        if blocks(whole + middle * PAGE) > without + 1 {
            kept = middle;
        } else {
            dropped = middle;
        }
    }
    whole + kept * PAGE
}

/// Anything up to 16 GiB, each power of two as likely as the next (a linear congruential
/// generator with the constants of Knuth's MMIX).
fn random() -> impl Iterator<Item = u64> {
    let numbers = std::iter::successors(Some(20_u64), |number| {
        let next = number.wrapping_mul(6_364_136_223_846_793_005);
        Some(next.wrapping_add(1_442_695_040_888_963_407))
    });
    let sizes = numbers.skip(1).map(|number| {
        let power = 17 + (number >> 32) % 17;
        (1 << power) + (number >> 8) % (1 << power)
    });
    sizes.take(RANDOM)
}

#[test]
fn there_are_hundreds_of_sizes_and_they_are_always_the_same() {
    assert!(common().len() >= 300, "{}", common().len());
    assert_eq!(common(), common());
    let random: BTreeSet<_> = random().collect();
    assert_eq!(random.len(), RANDOM);
    assert!(random.first() > Some(&(128 * KIB)) && random.last() < Some(&(32 * GIB)));
}
