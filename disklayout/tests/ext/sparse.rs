//! Files with holes: as many extents as a node of the tree holds and one more, holes at every level
//! of a block map, and files larger than any disk of theirs.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::Unwatched;
use disklayout::fs::ext::Options;
use disklayout::tree::{Attributes, Content, Extent, FileTree, Store};

use testkit::mount::Mounted;
use testkit::root::is_root;

use crate::checkers::{debugfs, differences};
use crate::readers::{self, planned, with_rwx_only};
use crate::support::{GIB, KIB, MIB, Scratch, TIB, TIME, empty_tree, plan, plan_with};
use crate::trees::data;

/// A store of which each byte is told by its offset.
fn store() -> Arc<Store> {
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&data(4 * MIB), 0).unwrap();
    Arc::new(Store::file("store", file))
}

/// A tree with one file of `len` bytes that has data, out of the store, at these offsets.
fn tree(len: u64, extents: impl IntoIterator<Item = (u64, u64)>) -> FileTree {
    let extents = extents.into_iter().map(|(logical, count)| Extent {
        logical,
        len: count,
        offset: logical % MIB,
    });
    let content = Content::stored_with_holes(&store(), len, extents.collect());
    let mut tree = empty_tree();
    let attributes = Attributes::file(TIME);
    tree.put_file("t", b"/sparse", content, attributes).unwrap();
    tree
}

/// Blocks of data with a hole behind each.
fn fragments(count: u64, block_size: u64) -> FileTree {
    let extents = (0..count).map(|number| (2 * number * block_size, block_size));
    tree(2 * count * block_size, extents)
}

#[test]
fn extents_fill_a_node_of_the_tree_and_one_more() {
    for (block_size, in_node) in [(1024, (1024 - 16) / 12), (4096, (4096 - 16) / 12)] {
        for (count, depth) in [
            (4, 0),
            (5, 1),
            (in_node, 1),
            (in_node + 1, 1),
            (4 * in_node, 1),
            (4 * in_node + 1, 2),
        ] {
            let scratch = Scratch::new();
            let tree = fragments(count, block_size);
            let options = Options {
                block_size: Some(u32::try_from(block_size).unwrap()),
                ..Options::default()
            };
            let plan = plan_with("ext4", 64 * MIB, options, tree.clone()).unwrap();
            let name = format!("fragments-{block_size}-{count}.img");
            let image = scratch.image(&name, 64 * MIB, &*plan);
            let found = readers::ext4_view_differences(&tree, &image);
            assert!(found.is_empty(), "{name}: {}", found.join("\n"));
            let said = debugfs("dump_extents /sparse", &image);
            assert!(said.contains(&format!(" 0/ {depth} ")), "{name}: {said}");
        }
    }
}

#[test]
fn holes_of_a_block_map_take_no_blocks() {
    // The last direct block, both ends of the single and of the double indirect one, and the
    // first of the triple, with blocks of 1 KiB.
    let blocks = [11, 12, 267, 268, 268 + 65_535, 268 + 65_536];
    for kind in ["ext2", "ext3"] {
        let scratch = Scratch::new();
        let len = (268 + 65_537 + 5) * KIB;
        let tree = tree(len, blocks.map(|block| (block * KIB, KIB)));
        let plan = plan(kind, 16 * MIB, tree.clone()).unwrap();
        let image = scratch.image(&format!("map-{kind}.img"), 16 * MIB, &*plan);
        // ext4-view knows no holes in block maps.
        let planned = with_rwx_only(&planned(&tree));
        let found = differences(&planned, &readers::debugfs(&image));
        assert!(found.is_empty(), "{kind}: {}", found.join("\n"));
        // Six of data; one, 1 + 2 and 1 + 1 + 1 indirect ones, in sectors.
        let said = debugfs("stat /sparse", &image);
        assert!(said.contains(&format!("Blockcount: {}", 2 * 13)), "{said}");
    }
}

/// A file that ends in a hole, beyond what its filesystem could ever hold.
#[test]
fn a_file_of_5_tib_in_a_filesystem_of_64_mib() {
    let len = 5 * TIB + 5;
    let at = [0, 128 * GIB - 8192, 128 * GIB, 5 * TIB - MIB];
    let tree = tree(len, at.map(|offset| (offset, 5000)));
    let scratch = Scratch::new();
    let options = Options {
        block_size: Some(4096),
        ..Options::default()
    };
    let plan = plan_with("ext4", 64 * MIB, options, tree).unwrap();
    let image = scratch.image("5-tib.img", 64 * MIB, &*plan);
    let said = debugfs("stat /sparse", &image);
    assert!(said.contains(&format!("Size: {len}")), "{said}");
    if !is_root() {
        return;
    }
    let mount = Mounted::new(&image, "ro");
    let file = File::open(mount.path().join("sparse")).unwrap();
    assert_eq!(file.metadata().unwrap().len(), len);
    let expected = data(2 * MIB);
    let mut bytes = [1; 5000];
    for offset in at {
        file.read_exact_at(&mut bytes, offset).unwrap();
        let start = usize::try_from(offset % MIB).unwrap();
        assert!(bytes == expected[start..start + 5000], "{offset}");
    }
    file.read_exact_at(&mut bytes, 4 * TIB).unwrap();
    assert_eq!(bytes, [0; 5000]);
}

#[test]
fn a_path_of_thousands_of_names() {
    let mut tree = empty_tree();
    let path = "/d".repeat(5000);
    let content = Content::inline(b"deep");
    let attributes = Attributes::file(TIME);
    tree.put_file("t", path.as_bytes(), content, attributes)
        .unwrap();
    for kind in ["ext2", "ext4"] {
        let scratch = Scratch::new();
        let plan = plan(kind, 64 * MIB, tree.clone()).unwrap();
        scratch.image(&format!("deep-{kind}.img"), 64 * MIB, &*plan);
    }
}

/// Nothing is written where the source has a hole.
#[test]
fn holes_cost_nothing() {
    let size = 64 * MIB;
    let cost = |tree| {
        let disk = MemDisk::new(size);
        let plan = plan("ext4", size, tree).unwrap();
        plan.write_all(&disk, &Unwatched).unwrap();
        assert_eq!(disk.len(), size);
        disk.allocated()
    };
    let with = cost(tree(TIB, [(GIB, 4096), (3 * GIB, 4096)]));
    assert!(with <= cost(empty_tree()) + 3 * 4096 + 8192, "{with}");
}
