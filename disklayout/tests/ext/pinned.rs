//! The bytes of some filled filesystems: whoever changes them says so in CHANGELOG.md under "Image
//! bytes".

use disklayout::fs::ext::Options;
use disklayout::tree::FileTree;

use crate::support::{KINDS, MIB, plan_with};
use crate::trees;

const SIZE: u64 = 32 * MIB;

const DIGESTS: [(&str, &str, &str); 6] = [
    (
        "kinds",
        "ext2",
        "c037d9c49de2d4bcb52e0c3b5b6da08c7580e562c3a9b50aa1696832049f9ff1",
    ),
    (
        "kinds",
        "ext3",
        "57ebf81a8b2d2a6976a54eac474adb31caf34e1c40a5ad5fb32b7a2edb8ae670",
    ),
    (
        "kinds",
        "ext4",
        "757809d9fefd28d92f32b3195ee715d1c5bb16b18b32044b99072d28a8062f4c",
    ),
    (
        "names",
        "ext2",
        "bd84a6bf45ead121406c0d9419c40535531b82a6a53492c6460a86f86dd0a255",
    ),
    (
        "names",
        "ext3",
        "b7326a5045525e1055f613091d02281f5e19d1ec61768b081fb486d4d794491c",
    ),
    (
        "names",
        "ext4",
        "386c97e0ec2cf7499a902530b3ab4ce662c80c4096cc4b28d3cce6403779ecdf",
    ),
];

fn digest(kind: &str, tree: FileTree) -> String {
    let plan = plan_with(kind, SIZE, Options::default(), tree).unwrap();
    testkit::image::digest(SIZE, &*plan)
}

#[test]
fn filled_images_keep_their_bytes() {
    let trees = [("kinds", trees::every_kind()), ("names", trees::names(500))];
    let mut found = Vec::new();
    for (name, tree) in &trees {
        for kind in KINDS {
            found.push((*name, kind, digest(kind, tree.clone())));
        }
    }
    let shown = |digests: &[(&str, &str, String)]| -> String {
        let lines = digests.iter().map(|digest| format!("{digest:?},\n"));
        lines.collect()
    };
    let pinned = DIGESTS.map(|(name, kind, digest)| (name, kind, digest.to_owned()));
    let (pinned, found) = (shown(&pinned), shown(&found));
    assert_eq!(
        pinned, found,
        "to be declared in CHANGELOG under \"Image bytes\":\n{found}"
    );
}

#[test]
fn one_byte_more_is_another_digest() {
    let tree = |length| trees::of_sizes([length]);
    assert_ne!(digest("ext4", tree(10)), digest("ext4", tree(11)));
}
