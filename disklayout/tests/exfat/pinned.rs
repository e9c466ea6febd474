//! The bytes of a filled volume: whoever changes them says so in CHANGELOG.md under "Image bytes".

use disklayout::tree::FileTree;

use crate::support::{MIB, plan};
use crate::trees;

const SIZE: u64 = 48 * MIB;

fn digest(tree: FileTree) -> String {
    testkit::image::digest(SIZE, &*plan(SIZE, tree).unwrap())
}

#[test]
fn filled_images_keep_their_bytes() {
    let found = [digest(trees::awkward(4096)), digest(trees::many(500))];
    let pinned = [
        "fbfe38622d5df9df4a27a4bdb78024f4953704196fd229a7f1a37ae067472349",
        "b19ed352d2b9169d86dcfbe943c21ba5f79a231a74437bfafa7095bf9a286d8f",
    ];
    assert_eq!(
        found, pinned,
        "to be declared in CHANGELOG under \"Image bytes\""
    );
}

#[test]
fn one_byte_more_is_another_digest() {
    let tree = |data: &[u8]| {
        let mut tree = crate::support::empty_tree();
        trees::put(&mut tree, "/file", data);
        tree
    };
    assert_ne!(digest(tree(b"1")), digest(tree(b"12")));
}
