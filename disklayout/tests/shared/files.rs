//! Random files.

use std::fmt::Debug;

use disklayout::tree::{Attributes, Content, FileTree};
use proptest::prelude::*;

use crate::data::data;

/// The names on the way to a file, how many bytes it has, and its attributes.
pub(crate) type AnyFile<N> = (Vec<N>, u64, Attributes);

/// Some files of lengths around multiples of `unit`, the smallest block or cluster.
pub(crate) fn any_files<N: Debug>(
    unit: u64,
    name: impl Strategy<Value = N>,
    attributes: impl Strategy<Value = Attributes>,
) -> impl Strategy<Value = Vec<AnyFile<N>>> {
    let length = prop_oneof![
        4 => 0..5000_u64,
        1 => 0..400_000_u64,
        // Whole units, and one byte more or less.
        2 => (1..300_u64, 0..3_u64).prop_map(move |(units, more)| units * unit + more - 1),
    ];
    let path = prop::collection::vec(name, 1..6);
    prop::collection::vec((path, length, attributes), 0..25)
}

/// `tree` with those files that it can hold: what is a file already can't become a directory.
pub(crate) fn tree_of<N: AsRef<[u8]>>(mut tree: FileTree, files: &[AnyFile<N>]) -> FileTree {
    for (names, length, attributes) in files {
        let names = names.iter();
        let path: Vec<u8> = names
            .flat_map(|name| [b"/", name.as_ref()].concat())
            .collect();
        let content = Content::inline(&data(*length));
        let _ = tree.put_file("writes[0]", &path, content, *attributes);
    }
    tree
}
