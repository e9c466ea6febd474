//! Random trees on random sizes, and sizes and labels of any kind.

use disklayout::tree::{Attributes, FileTree};
use disklayout::{ErrorKind, Timestamp};
use proptest::prelude::*;

use testkit::random::{self, AnyFile, cases, tree_of};

use crate::checkers::e2fsck;
use crate::readers;
use crate::support::{KIB, KINDS, MIB, Scratch, empty_tree, plan, plan_labelled, write_image};

fn any_kind() -> impl Strategy<Value = &'static str> {
    prop::sample::select(KINDS.to_vec())
}

/// Any name, and that of a directory that is always there.
fn any_name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        9 => random::any_name(),
        1 => Just(b"lost+found".to_vec()),
    ]
}

/// Times of which the lower 32 bits count as positive: ext4-view 1.0.0 refuses the others.
fn any_time() -> impl Strategy<Value = Timestamp> {
    (0..1_i64 << 31, 0..4_i64, 0..1_000_000_000_u32).prop_map(|(low, epoch, nanoseconds)| {
        Timestamp {
            seconds: low + (epoch << 32),
            nanoseconds,
        }
    })
}

fn any_attributes() -> impl Strategy<Value = Attributes> {
    (0..0o10000_u16, any::<u32>(), any::<u32>(), any_time()).prop_map(
        |(permissions, uid, gid, mtime)| Attributes {
            permissions,
            uid,
            gid,
            mtime,
        },
    )
}

fn any_files() -> impl Strategy<Value = Vec<AnyFile<Vec<u8>>>> {
    random::any_files(1024, any_name(), any_attributes())
}

/// Sizes from the smallest on, a few beyond the start of blocks of 4 KiB.
fn any_size() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 104 * KIB..2 * MIB,
        3 => 2 * MIB..40 * MIB,
        1 => 500 * MIB..600 * MIB,
    ]
}

fn bytes_of(kind: &str, size: u64, tree: FileTree) -> Vec<u8> {
    testkit::image::bytes_of(&*plan(kind, size, tree).unwrap(), size)
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn whatever_fits_is_sound_and_reads_back(
        kind in any_kind(),
        size in any_size(),
        files in any_files(),
    ) {
        let tree = tree_of(empty_tree(), &files);
        let plan = match plan(kind, size, tree.clone()) {
            Ok(plan) => plan,
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::DoesNotFit);
                return Ok(());
            }
        };
        let scratch = Scratch::new();
        let image = scratch.path("random.img");
        write_image(&*plan, size, &image);
        e2fsck(&image).map_err(TestCaseError::fail)?;
        let found = readers::ext4_view_differences(&tree, &image);
        prop_assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn the_same_plan_gives_the_same_bytes(
        kind in any_kind(),
        size in 4 * MIB..8 * MIB,
        files in any_files(),
    ) {
        let tree = tree_of(empty_tree(), &files);
        if plan(kind, size, tree.clone()).is_ok() {
            prop_assert!(bytes_of(kind, size, tree.clone()) == bytes_of(kind, size, tree));
        }
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Each power of two is as likely as the next; the largest that succeed take gigabytes to
    /// plan, so that those between 2 TiB and the end are left to the sweep.
    #[test]
    fn planning_never_panics(
        kind in any_kind(),
        (power, mantissa) in (0..60_u32, any::<u64>()),
        label in any::<String>(),
    ) {
        let size = (1_u64 << power) + mantissa % (1 << power);
        prop_assume!(!(1 << 41..=1 << 48).contains(&size));
        let _ = plan_labelled(kind, size, Some(&label), empty_tree());
    }
}
