//! Random trees on random sizes.

use disklayout::fs::{Misfits, Request};
use disklayout::tree::{Attributes, Content, FileTree};
use disklayout::{ErrorKind, Timestamp};
use proptest::prelude::*;
use testkit::random::cases;

use crate::checkers::fsck_fat;
use crate::readers::{self, planned};
use crate::support::{KIB, MIB, Scratch, data, empty_tree, options, plan_at, request, write_image};

/// Names that collide when they are made short, of lengths around those of entries, and of any
/// characters.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-cA-C]{1,2}",
        3 => "[a-c]{1,9}(\\.[a-c]{1,4})?",
        2 => "(longname|LONGNA~|longna)[0-9]{1,2}(\\.txt)?",
        2 => (0..3_usize, 1..=19_usize).prop_map(|(more, entries)| "n".repeat(entries * 13 + more - 1)),
        2 => "[ -~]{1,12}".prop_filter("a slash", |name| !name.contains('/')),
        1 => "[\u{e0}-\u{ff}\u{4e00}-\u{4e20}\u{1F600}-\u{1F610}.]{1,20}",
    ]
}

type AnyFile = (Vec<String>, u64, i64, bool);

fn any_files() -> impl Strategy<Value = Vec<AnyFile>> {
    let length = prop_oneof![
        4 => 0..3000_u64,
        1 => 0..100_000_u64,
        2 => (1..40_u64, 0..3_u64).prop_map(|(clusters, more)| clusters * 512 + more - 1),
    ];
    let path = prop::collection::vec(any_name(), 1..5);
    let time = 0..5_000_000_000_i64;
    prop::collection::vec((path, length, time, any::<bool>()), 0..60)
}

fn tree_of(files: &[AnyFile]) -> FileTree {
    let mut tree = empty_tree();
    for (names, length, seconds, may_write) in files {
        let path: String = names.iter().flat_map(|name| ["/", name]).collect();
        let attributes = Attributes {
            permissions: if *may_write { 0o644 } else { 0o444 },
            ..Attributes::file(Timestamp::from_seconds(*seconds))
        };
        let content = Content::inline(&data(*length));
        let _ = tree.put_file("tree", path.as_bytes(), content, attributes);
    }
    tree
}

fn any_size() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 50 * KIB..3 * MIB,
        3 => 3 * MIB..40 * MIB,
        1 => 500 * MIB..600 * MIB,
    ]
}

fn any_choice() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let choices = prop::sample::select(vec![
        ("fats", "1"),
        ("align", "no"),
        ("reserved-sectors", "9"),
        ("sectors-per-cluster", "1"),
        ("sectors-per-cluster", "64"),
        ("fat-size", "12"),
        ("fat-size", "32"),
        ("root-entries", "700"),
        ("logical-sector-size", "2048"),
    ]);
    prop::collection::vec(choices, 0..2)
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn whatever_fits_is_sound_and_reads_back(
        size in any_size(),
        chosen in any_choice(),
        label in prop::option::of("[A-Za-z0-9]{1,11}"),
        files in any_files(),
    ) {
        let plan = plan_at(size, Request {
            tree: tree_of(&files),
            misfits: Misfits::Drop,
            label: label.as_deref(),
            options: options(&chosen),
            ..request("vfat") });
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::DoesNotFit);
                return Ok(());
            }
        };
        let scratch = Scratch::new();
        let image = scratch.path("random.img");
        write_image(&*plan, size, &image);
        fsck_fat(&image).map_err(TestCaseError::fail)?;
        readers::check_fatfs(&image, plan.tree()).map_err(TestCaseError::fail)?;
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn planning_never_panics(
        kind in prop::sample::select(vec!["vfat", "msdos", "fat", "fat12", "fat16", "fat32"]),
        (power, mantissa) in (0..63_u32, any::<u64>()),
        label in any::<String>(),
        chosen in any_choice(),
    ) {
        let size = (1_u64 << power) + mantissa % (1 << power);
        let _ = plan_at(size, Request {
            label: Some(&label),
            options: options(&chosen),
            ..request(kind) });
    }
}

/// What the property above looks at does show differences.
#[test]
fn another_tree_reads_back_as_another() {
    let files = |name: &str| tree_of(&[(vec![name.to_owned()], 5, 2, true)]);
    assert_ne!(planned(&files("a")), planned(&files("b")));
    let scratch = Scratch::new();
    let image = scratch.path("broken.img");
    let plan = crate::support::plan("fat12", MIB, files("a")).unwrap();
    write_image(&*plan, MIB, &image);
    fsck_fat(&image).unwrap();
    // Another second FAT.
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(&image).unwrap();
    file.write_all_at(&[0x12], 512 + 3).unwrap();
    fsck_fat(&image).unwrap_err();
}
