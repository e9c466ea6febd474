//! The bytes of some filled filesystems: whoever changes them says so in CHANGELOG.md under "Image
//! bytes".

use disklayout::fs::Request;
use disklayout::tree::FileTree;

use crate::contents::awkward_tree;
use crate::support::{MIB, empty_tree, plan_at, put, request};

const SIZES: [(&str, u64); 3] = [("fat12", 4 * MIB), ("fat16", 20 * MIB), ("fat32", 40 * MIB)];

const DIGESTS: [(&str, &str); 3] = [
    (
        "fat12",
        "2aa0043740ebc3f949754d12b5da18fce86c04157baa689e0f80a868cff1fc99",
    ),
    (
        "fat16",
        "76573ff59ab8faaac5bfe382f33565e9b6c857b49118e047e2d2192ff53e543a",
    ),
    (
        "fat32",
        "0e7430c3eb2606584e172dee4c04938d3b9c72bd15b7e9dce3d943d8103f1b4b",
    ),
];

fn digest(kind: &str, size: u64, tree: FileTree) -> String {
    let plan = plan_at(
        size,
        Request {
            tree,
            label: Some("LABEL"),
            ..request(kind)
        },
    )
    .unwrap();
    testkit::image::digest(size, &*plan)
}

#[test]
fn filled_images_keep_their_bytes() {
    let found = SIZES.map(|(kind, size)| (kind, digest(kind, size, awkward_tree())));
    let pinned = DIGESTS.map(|(kind, digest)| (kind, digest.to_owned()));
    assert_eq!(
        pinned, found,
        "to be declared in CHANGELOG under \"Image bytes\""
    );
}

#[test]
fn one_byte_more_is_another_digest() {
    let tree = |data: &[u8]| {
        let mut tree = empty_tree();
        put(&mut tree, "/f", data);
        tree
    };
    assert_ne!(
        digest("fat12", MIB, tree(b"a")),
        digest("fat12", MIB, tree(b"ab"))
    );
}
