//! What was planned is what four readers find; e2fsck has no objection to any of it.

use std::path::Path;

use disklayout::tree::{Content, FileTree};

use crate::checkers::{debugfs, differences};
use testkit::listing::{Listing, seen_by};
use testkit::readers::{LWEXT4_KNOWS, VIEW_KNOWS, ext4_view, lwext4 as read_by_lwext4};

use crate::readers::{self, planned, with_rwx_only};
use crate::support::{GIB, KINDS, MIB, Scratch, TIME, empty_tree, least_size, plan, plan_labelled};
use crate::trees;

fn assert_same(planned: &Listing, read: &Listing, reader: &str, image: &Path) {
    let found = differences(planned, read);
    let image = image.display();
    assert!(
        found.is_empty(),
        "{reader} on {image}:\n{}",
        found.join("\n")
    );
}

/// Whether lwext4 can read a tree: it takes names for text and knows 16 bits of an owner.
#[derive(Clone, Copy, PartialEq)]
enum Lwext4 {
    Reads,
    CanNot,
}

/// Builds `tree` in every format and holds it against every reader.
fn assert_reads_back(name: &str, size: u64, lwext4: Lwext4, tree: &FileTree) {
    let scratch = Scratch::new();
    let planned = planned(tree);
    for kind in KINDS {
        let size = size.max(least_size(kind));
        let image = format!("{name}-{kind}.img");
        let image = scratch.image(&image, size, &*plan(kind, size, tree.clone()).unwrap());
        let masked = seen_by(&planned, VIEW_KNOWS);
        assert_same(&masked, &ext4_view(&image), "ext4-view", &image);
        let masked = with_rwx_only(&planned);
        assert_same(&masked, &readers::debugfs(&image), "debugfs", &image);
        if kind != "ext4" && lwext4 == Lwext4::Reads {
            let masked = seen_by(&planned, LWEXT4_KNOWS);
            assert_same(&masked, &read_by_lwext4(&image), "lwext4", &image);
        }
    }
}

#[test]
fn files_of_awkward_sizes() {
    for (name, size, block_size) in [("sizes-1k", 400 * MIB, 1024), ("sizes-4k", GIB, 4096)] {
        let tree = trees::of_sizes(trees::awkward_sizes(block_size));
        assert_reads_back(name, size, Lwext4::Reads, &tree);
    }
}

/// The triple indirect block comes after 64 MiB and some with blocks of 1 KiB.
#[test]
fn a_file_beyond_the_double_indirect_block() {
    let double = (12 + 256 + 256 * 256) * 1024;
    let tree = trees::of_sizes([double, double + 1, double + 256 * 1024 + 1]);
    assert_reads_back("triple", 400 * MIB, Lwext4::Reads, &tree);
}

#[test]
fn awkward_names() {
    for (name, size) in [("names-1k", 64 * MIB), ("names-4k", GIB)] {
        assert_reads_back(name, size, Lwext4::CanNot, &trees::names(3000));
    }
}

#[test]
fn awkward_attributes() {
    assert_reads_back("attributes", 8 * MIB, Lwext4::CanNot, &trees::attributes());
}

#[test]
fn nothing_at_all_in_the_smallest_filesystem() {
    assert_reads_back("smallest", 104 * 1024, Lwext4::Reads, &empty_tree());
}

/// lost+found may hold more than it has from the start, and may as well be a file.
#[test]
fn an_own_lost_found() {
    let mut tree = empty_tree();
    for number in 0..500 {
        let path = format!("/lost+found/{number:0>200}");
        trees::put(&mut tree, path.as_bytes(), b"", file());
    }
    assert_reads_back("lost-found", 8 * MIB, Lwext4::Reads, &tree);
}

fn file() -> disklayout::tree::Attributes {
    disklayout::tree::Attributes::file(TIME)
}

/// Seconds as debugfs prints them: the stored lower half and the extra bits.
#[test]
fn times_of_every_epoch() {
    let scratch = Scratch::new();
    for kind in KINDS {
        let plan = plan(kind, 8 * MIB, trees::times()).unwrap();
        let image = scratch.image(&format!("times-{kind}.img"), 8 * MIB, &*plan);
        for seconds in trees::TIMES {
            let said = debugfs(&format!("stat \"/{seconds}\""), &image);
            let epoch = (seconds + (1 << 31)) >> 32;
            let extra = 999_999_999_u32 << 2 | epoch as u32;
            let stored = format!("mtime: 0x{:08x}:{extra:08x}", seconds as u32);
            assert!(said.contains(&stored), "{stored}: {said}");
            assert!(said.contains("crtime: 0x386d4380:00000000"), "{said}");
        }
    }
}

#[test]
fn labels_of_every_length() {
    let scratch = Scratch::new();
    for length in 0..=16 {
        let label = "label of 16 char"[..length].to_owned();
        let plan = plan_labelled("ext4", 8 * MIB, Some(&label), empty_tree()).unwrap();
        assert_eq!(plan.summary().label.unwrap_or_default(), label);
        let image = scratch.image(&format!("label-{length}.img"), 8 * MIB, &*plan);
        let numbers = crate::checkers::dumpe2fs(&[], &image).unwrap();
        let shown = if length == 0 { "<none>" } else { label.trim() };
        assert_eq!(numbers["Filesystem volume name"], shown);
    }
}

/// Without flex_bg each group's tables lie in the way, so that a file that fills the filesystem
/// is in pieces; with it each copy of the descriptors is.
fn assert_filled_by_one_file(size: u64, levels: &str) {
    for kind in KINDS {
        let block_size = 1024;
        let empty = plan(kind, size, empty_tree()).unwrap();
        let free = empty.summary().free_blocks.unwrap();
        let fits = |blocks: u64| plan(kind, size, host_file(blocks * block_size)).is_ok();
        let (mut fit, mut too_many) = (0, free + 1);
        while too_many - fit > 1 {
            let middle = (fit + too_many) / 2;
            if fits(middle) {
                fit = middle;
            } else {
                too_many = middle;
            }
        }
        let tree = trees::of_sizes([fit * block_size]);
        // The directory of the file takes a block as well.
        let plan = plan(kind, size, host_file(fit * block_size)).unwrap();
        assert_eq!(plan.summary().free_blocks, Some(0), "{kind} of {size}");
        let error = crate::support::plan(kind, size, tree).unwrap_err();
        assert!(error.message().contains("doesn't fit"), "{error}");
        fill(kind, size, fit * block_size, levels);
    }
}

#[test]
fn a_file_that_fills_everything_and_no_byte_more() {
    assert_filled_by_one_file(3 * MIB, " 0/ 0 ");
    assert_filled_by_one_file(8 * MIB, " 0/ 0 ");
    assert_filled_by_one_file(150 * MIB, " 1/ 1 ");
}

/// A file in the root directory whose data is nowhere, for plans only.
fn host_file(len: u64) -> FileTree {
    let mut tree = empty_tree();
    let content = Content::host("/nowhere", len);
    tree.put_file("writes[0]", b"/full", content, file())
        .unwrap();
    tree
}

fn fill(kind: &str, size: u64, length: u64, levels: &str) {
    let scratch = Scratch::new();
    let mut tree = empty_tree();
    trees::put(&mut tree, b"/full", &trees::data(length), file());
    let plan = plan(kind, size, tree.clone()).unwrap();
    let image = scratch.image(&format!("full-{kind}-{size}.img"), size, &*plan);
    let found = readers::ext4_view_differences(&tree, &image);
    assert!(found.is_empty(), "{}", found.join("\n"));
    if kind == "ext4" {
        let said = debugfs("dump_extents /full", &image);
        assert!(said.contains(levels), "{said}");
    }
}

/// A directory with more subdirectories than an inode counts links.
#[test]
fn more_subdirectories_than_links() {
    let tree = |count: usize| {
        let mut tree = empty_tree();
        for number in 0..count {
            let path = format!("/many/{number}/x");
            trees::put(&mut tree, path.as_bytes(), b"", file());
        }
        tree
    };
    let scratch = Scratch::new();
    let size = 4 * GIB;
    for (count, links) in [(64_998, 65_000), (64_999, 1)] {
        let plan = plan("ext4", size, tree(count)).unwrap();
        let image = scratch.image(&format!("links-{count}.img"), size, &*plan);
        let said = debugfs("stat /many", &image);
        assert!(said.contains(&format!("Links: {links} ")), "{said}");
    }
    for kind in ["ext2", "ext3"] {
        assert!(plan(kind, size, tree(31_998)).is_ok());
        let error = plan(kind, size, tree(31_999)).unwrap_err();
        assert!(error.message().contains("31998 at most"), "{error}");
    }
}
