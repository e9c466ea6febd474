//! Random files, and how many cases are tried.

use std::fmt::Debug;

use disklayout::tree::{Attributes, Content, FileTree};
use proptest::prelude::*;

use crate::trees::data;

/// As many cases as a test is worth by default, scaled by `PROPTEST_CASES`: 256 is what proptest
/// tries without it.
pub fn cases(by_default: u32) -> ProptestConfig {
    let asked = ProptestConfig::default().cases;
    let scaled = u64::from(by_default) * u64::from(asked) / 256;
    ProptestConfig::with_cases(scaled.clamp(1, u32::MAX.into()) as u32)
}

/// The names on the way to a file, how many bytes it has, and its attributes.
pub type AnyFile<N> = (Vec<N>, u64, Attributes);

/// Some files of lengths around multiples of `unit`, the smallest block or cluster.
pub fn any_files<N: Debug>(
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
pub fn tree_of<N: AsRef<[u8]>>(mut tree: FileTree, files: &[AnyFile<N>]) -> FileTree {
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

/// Names of Linux: mostly short text that collides, some of any bytes, some of the longest length.
pub fn any_name() -> impl Strategy<Value = Vec<u8>> {
    let legal = |name: &Vec<u8>| name != b"." && name != b"..";
    prop_oneof![
        6 => "[a-e]{1,2}".prop_map(String::into_bytes),
        2 => prop::collection::vec((1..=255_u8).prop_filter("slash", |byte| *byte != b'/'), 1..20)
            .prop_filter("own names", legal),
        1 => (250..=255_usize).prop_map(|length| vec![b'n'; length]),
    ]
}
