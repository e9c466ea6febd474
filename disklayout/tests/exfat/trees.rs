//! Trees of awkward names and sizes.

use disklayout::Timestamp;
use disklayout::tree::{Attributes, Content, FileTree};

pub(crate) use testkit::trees::{data, put, put_directory};

use crate::support::{TIME, empty_tree};

/// Files of the sizes around the ends of clusters, names of all lengths around those of entries,
/// letters of many scripts, directories with nothing in them and deep ones, and times and attributes of every kind.
pub(crate) fn awkward(cluster_size: u64) -> FileTree {
    let mut tree = empty_tree();
    for clusters in [0, 1, 2, 9] {
        for more in [-1, 0, 1] {
            let size = (clusters * cluster_size).checked_add_signed(more);
            if let Some(size) = size {
                put(&mut tree, &format!("/sizes/{size}"), &data(size));
            }
        }
    }
    for length in [1, 2, 14, 15, 16, 29, 30, 31, 254, 255] {
        put(
            &mut tree,
            &format!("/lengths/{}", "n".repeat(length)),
            b"name",
        );
    }
    for name in [
        "Größe",
        "ЖУК.txt",
        "日本語",
        "😀😀",
        "İı",
        "ﬀ",
        "a b",
        " x",
        "#$%&'()-@^_`{}~!+,;=[]",
    ] {
        put(&mut tree, &format!("/letters/{name}"), name.as_bytes());
    }
    put_directory(&mut tree, "/empty");
    let deep = "/d".repeat(60);
    put(&mut tree, &format!("{deep}/file"), b"deep");
    attributes(&mut tree);
    tree
}

/// Directories with an entry less than a cluster holds, exactly as many, and one more. What `awkward`
/// has is in it too, and a name that the crate exfat can't read.
pub(crate) fn full_directories(cluster_size: u64) -> FileTree {
    let mut tree = awkward(cluster_size);
    // Its letters of two units of UTF-16 are in two entries each.
    put(&mut tree, &format!("/split/{}", "x😀".repeat(40)), b"split");
    // Three entries of 32 bytes each, and one with a longer name that fills up the cluster.
    for fill in [-1, 0, 1] {
        let entries = (cluster_size / 32).checked_add_signed(fill).unwrap();
        let three = (0..(entries - 5) / 3).map(|number| format!("{number:06}"));
        let rest = 3 + (entries - 5) % 3 + 2;
        let long = "l".repeat((rest as usize - 2) * 15);
        for name in three.chain([long]).filter(|name| name.len() <= 255) {
            put(&mut tree, &format!("/full{fill}/{name}"), b"");
        }
    }
    tree
}

/// Whether a directory has an entry in the last place of its last cluster, or one that nothing
/// comes behind: the crate exfat 0.1.0 panics then.
pub(crate) fn fills_a_directory(tree: &FileTree, cluster_size: u64) -> bool {
    let directories = tree.nodes().filter(|(_, node)| node.kind.is_directory());
    let mut entries = directories.map(|(id, _)| {
        let own = if id == FileTree::ROOT { 3 } else { 0 };
        let units = |name: &[u8]| str::from_utf8(name).unwrap().encode_utf16().count() as u64;
        let names = tree
            .entries(id)
            .map(|(name, _)| 2 + units(name).div_ceil(15));
        own + names.sum::<u64>()
    });
    entries.any(|entries| {
        entries > 0 && (entries * 32 % cluster_size == 0 || (entries + 1) * 32 % cluster_size == 0)
    })
}

fn attributes(tree: &mut FileTree) {
    // The driver for FUSE takes 2100 for a leap year, so that nothing is from later.
    let times = [
        315_532_800,
        315_532_801,
        951_782_400,
        1_709_208_001,
        4_107_542_399,
    ];
    for seconds in times {
        for (permissions, nanoseconds) in [(0o644, 0), (0o444, 990_000_000)] {
            let attributes = Attributes {
                permissions,
                mtime: Timestamp {
                    seconds,
                    nanoseconds,
                },
                ..Attributes::file(TIME)
            };
            let path = format!("/attributes/{seconds}-{permissions:o}");
            let content = Content::inline(b"x");
            tree.put_file("c", path.as_bytes(), content, attributes)
                .unwrap();
        }
    }
}

/// So many files in one directory.
pub(crate) fn many(count: usize) -> FileTree {
    let mut tree = empty_tree();
    for number in 0..count {
        let path = format!("/many/a file with number {number}");
        put(&mut tree, &path, number.to_string().as_bytes());
    }
    tree
}
