//! The bytes of a filled volume: whoever changes them says so in CHANGELOG.md under "Image bytes".

use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::Unwatched;
use disklayout::tree::FileTree;
use sha2::{Digest, Sha256};

use crate::support::{MIB, plan};
use crate::trees;

const SIZE: u64 = 48 * MIB;

/// The SHA-256 of every block of 4096 bytes that isn't all zero, each behind its offset.
fn digest(tree: FileTree) -> String {
    let disk = MemDisk::new(SIZE);
    plan(SIZE, tree).unwrap().write(&disk, &Unwatched).unwrap();
    let mut sum = Sha256::new();
    let mut block = [0; 4096];
    for offset in (0..SIZE).step_by(block.len()) {
        disk.read_at(&mut block, offset).unwrap();
        if block != [0; 4096] {
            sum.update(offset.to_le_bytes());
            sum.update(block);
        }
    }
    let bytes = sum.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
