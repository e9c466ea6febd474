//! The bytes of some filesystems: whoever changes them says so in CHANGELOG.md under "Image bytes".

use disklayout::tree::FileTree;
use sha2::{Digest, Sha256};

use crate::support::{BLOCK, plan};
use crate::trees;

const DIGESTS: [(&str, &str); 3] = [
    (
        "kinds",
        "b2f9232f2a3ebd174529e9b13fd612b524d6913ac5a81fc71f63b82bc5b834ef",
    ),
    (
        "names",
        "900c8c5d82c685e959fe33ddde8c0138398fe9ac0798c7a71ccb54398358a502",
    ),
    (
        "sizes",
        "aca2e3d69f3cfd99a2022f1c4ceaf809f6dc15e6c93356bc5381cae46697c061",
    ),
];

fn digest(tree: FileTree) -> String {
    let plan = plan(tree).unwrap();
    let size = plan.summary().blocks * BLOCK;
    let sum = Sha256::digest(testkit::image::bytes_of(&*plan, size));
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn images_keep_their_bytes() {
    let trees = [trees::every_kind(), trees::names(500), trees::sizes()];
    let found: Vec<_> = trees.into_iter().map(digest).collect();
    let pinned = DIGESTS.map(|(_, digest)| digest);
    assert_eq!(
        found, pinned,
        "to be declared in CHANGELOG under \"Image bytes\""
    );
}

#[test]
fn one_byte_more_is_another_digest() {
    let with = |data: &[u8]| {
        let mut tree = trees::empty();
        trees::put(&mut tree, "/f", data);
        digest(tree)
    };
    assert_ne!(with(b"a"), with(b"ab"));
}
