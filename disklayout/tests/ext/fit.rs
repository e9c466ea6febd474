//! The smallest size: it does, one page less doesn't, and what is wanted free is free.

use disklayout::fs::ext::{Inodes, Journal, Options};
use disklayout::fs::{self, Request};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Error};
use proptest::prelude::*;
use testkit::mount::Mounted;
use testkit::random::cases;
use testkit::root::is_root;
use testkit::scratch::free_bytes;

use crate::support::{KIB, KINDS, MIB, Scratch, empty_tree, plan_at, request, write_image};
use crate::trees;

const PAGE: u64 = 4 * KIB;

fn asked<'a>(kind: &'a str, options: &Options, tree: &FileTree) -> Request<'a> {
    let mut options = options.clone();
    if kind == "ext3" && options.journal == Journal::None {
        options.journal = Journal::Default;
    }
    Request {
        options: fs::Options::from(&options),
        tree: tree.clone(),
        ..request(kind)
    }
}

fn smallest(kind: &str, options: &Options, tree: &FileTree, free: u64) -> u64 {
    let request = asked(kind, options, tree);
    crate::support::smallest(request, free).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

fn fits(kind: &str, options: &Options, tree: &FileTree, size: u64) -> Result<(), Error> {
    plan_at(size, asked(kind, options, tree)).map(drop)
}

/// Choices that change what a content takes.
fn choices() -> Vec<Options> {
    vec![
        Options::default(),
        Options {
            block_size: Some(4096),
            ..Options::default()
        },
        Options {
            journal: Journal::None,
            inodes: Inodes::Count(2000),
            reserved: Some(0),
            ..Options::default()
        },
    ]
}

#[test]
#[ignore = "slow: every choice of options in every format"]
fn one_page_less_is_refused_with_the_size_that_would_do() {
    let scratch = Scratch::new();
    let content = [
        ("empty", empty_tree()),
        ("kinds", trees::every_kind()),
        ("names", trees::names(300)),
        ("sizes", trees::of_sizes(trees::awkward_sizes(1024))),
    ];
    for (name, tree) in &content {
        for (number, options) in choices().iter().enumerate() {
            for kind in KINDS {
                let size = smallest(kind, options, tree, 0);
                let error = fits(kind, options, tree, size - PAGE).unwrap_err();
                assert_eq!(error.needed(), Some(Bytes::new(size)));
                let said = error.to_string();
                let least = match *name {
                    "empty" => format!("the least is {}", Bytes::new(size)),
                    _ => format!("the smallest size that holds it is {size} bytes"),
                };
                assert!(said.contains(&least), "{name} {kind}: {said}");
                let is_for_journal = kind == "ext3" && size <= 8 * MIB;
                assert_eq!(said.contains("with a journal"), is_for_journal, "{said}");
                let plan = plan_at(size, asked(kind, options, tree)).unwrap();
                scratch.image(&format!("least-{name}-{number}-{kind}.img"), size, &*plan);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(48))]

    /// No size below it does: each of them is tried.
    #[test]
    fn nothing_smaller_does(
        kind in prop::sample::select(KINDS.to_vec()),
        choice in prop::sample::select(choices()),
        sizes in prop::collection::vec(0..300_000_u64, 0..30),
    ) {
        let tree = trees::of_sizes(sizes);
        let size = smallest(kind, &choice, &tree, 0);
        prop_assert!(fits(kind, &choice, &tree, size).is_ok());
        let data = tree.files().iter().map(|(_, content)| content.len()).sum::<u64>();
        let first = match kind {
            // Nothing below the room for a journal does.
            "ext3" => size.saturating_sub(64 * PAGE),
            _ => data / PAGE * PAGE,
        };
        let lower = (first..size).step_by(PAGE as usize);
        for smaller in lower {
            prop_assert!(fits(kind, &choice, &tree, smaller).is_err(), "{} < {}", smaller, size);
        }
    }

    #[test]
    fn what_is_wanted_free_is_free(
        kind in prop::sample::select(KINDS.to_vec()),
        choice in prop::sample::select(choices()),
        free in prop_oneof![1..100_000_u64, 1..200 * MIB, 200 * MIB..4000 * MIB],
    ) {
        let tree = trees::names(20);
        let size = smallest(kind, &choice, &tree, free);
        let summary = plan_at(size, asked(kind, &choice, &tree)).unwrap().summary();
        let blocks = summary.free_blocks.unwrap() - summary.reserved_blocks;
        prop_assert!(blocks * u64::from(summary.block_size) >= free);
        // What the filesystem keeps and rounds is no more than a tenth and some.
        prop_assert!(size <= free + free / 8 + 70 * MIB, "{} for {}", size, free);
    }
}

/// `df` shows an ordinary user at least what was asked for.
#[test]
fn the_kernel_shows_what_was_asked_for_as_free() {
    if !is_root() {
        return;
    }
    let tree = trees::names(100);
    for kind in KINDS {
        for free in [1, MIB, 100 * MIB, 700 * MIB] {
            let scratch = Scratch::new();
            let options = Options::default();
            let size = smallest(kind, &options, &tree, free);
            let plan = plan_at(size, asked(kind, &options, &tree)).unwrap();
            let image = scratch.path(&format!("free-{kind}-{free}.img"));
            write_image(&*plan, size, &image);
            let mount = Mounted::new(&image, "ro");
            let shown = free_bytes(mount.path());
            let more = free / 20 + 4 * MIB;
            assert!(
                (free..free + more).contains(&shown),
                "{kind}: {shown} for {free}"
            );
        }
    }
}
