//! What is taken for an image, and what for files.

use super::super::{Recognized, decompress, holds_image_files, recognize, recognize_directory};
use super::*;
use crate::source::{add_archive, add_directory};

fn seen(bytes: &[u8]) -> &'static str {
    match recognize("p", "i.tar", &file_of(bytes)).unwrap() {
        Recognized::Files => "files",
        Recognized::Image(_) => "image",
        Recognized::Compressed => "compressed",
    }
}

fn saved() -> Image {
    let list = json!([{"Config": "c.json", "RepoTags": null, "Layers": []}]).to_string();
    Image::default()
        .put("c.json", "{}")
        .put("manifest.json", list)
}

#[test]
fn an_image_holds_nothing_else() {
    let large = small().put("blobs/sha256/large", vec![7; 3 << 20]);
    for (image, expected) in [
        (small(), "image"),
        (saved(), "image"),
        (
            saved().put("a/layer.tar", "").put("repositories", "{}"),
            "image",
        ),
        (small().put("./blobs/sha256/ab", ""), "image"),
        (large, "image"),
        // Somebody's tree.
        (small().put("etc/passwd", ""), "files"),
        (saved().put("README", ""), "files"),
        (saved().put("a/b/layer.tar", ""), "files"),
        (Image::default().put("manifest.json", "[]"), "files"),
        (
            Image::default().put("manifest.json", r#"{"name": "x"}"#),
            "files",
        ),
        (
            Image::default().put("manifest.json", r#"[{"Config": "c", "Layers": []}]"#),
            "files",
        ),
        (
            Image::default()
                .put("oci-layout", "x")
                .put("index.json", "{}"),
            "files",
        ),
        (Image::default(), "files"),
    ] {
        let tar = image.tar();
        assert_eq!(seen(&tar), expected, "{:?}", image.0.keys());
        let directory = image.directory();
        let found = recognize_directory("p", directory.path()).unwrap();
        assert_eq!(found.is_some(), expected == "image", "{:?}", image.0.keys());
        for pack in [gzip, zstd] {
            let packed = seen(&pack(&tar));
            if expected == "image" {
                assert_eq!(packed, "compressed", "{:?}", image.0.keys());
            } else {
                assert_ne!(packed, "image");
            }
        }
    }
    assert_eq!(seen(b""), "files");
    assert_eq!(seen(b"no archive at all"), "files");
    assert_eq!(
        seen(&gzip(&Archive::default().file("bin/sh", "").end())),
        "files"
    );
}

#[test]
fn a_compressed_image_is_one_without_its_compression() {
    let tar = small().tar();
    let mut bytes = Vec::new();
    decompress(
        "p",
        "i.tar",
        file_of(&gzip(&tar)),
        &Rules::default(),
        &mut bytes,
    )
    .unwrap();
    assert_eq!(bytes, tar);
    assert!(
        decompress(
            "p",
            "i.tar",
            file_of(&tar),
            &Rules::default(),
            &mut Vec::new()
        )
        .is_err()
    );
    let mut cut = gzip(&tar);
    cut.truncate(cut.len() / 2);
    let error = decompress(
        "p",
        "i.tar",
        file_of(&cut),
        &Rules::default(),
        &mut Vec::new(),
    )
    .unwrap_err();
    assert!(error.message().contains("i.tar"), "{error}");
}

#[test]
fn files_of_an_image_among_others_are_seen_in_the_tree() {
    let rules = Rules::default();
    let with = |image: &Image| {
        let mut tree = FileTree::new(Timestamp::default());
        add_archive(&mut tree, "p", "i.tar", file_of(&image.tar()), &rules).unwrap();
        holds_image_files(&tree, &rules)
    };
    assert!(with(&small().put("notes", "")));
    assert!(with(&saved().put("a/layer.tar", "")));
    assert!(!with(&saved()));
    assert!(!with(
        &Image::default()
            .put("etc/passwd", "")
            .put("manifest.json", "")
    ));
    let directory = small().put("notes", "").directory();
    let mut tree = FileTree::new(Timestamp::default());
    add_directory(&mut tree, "p", directory.path(), &rules).unwrap();
    assert!(holds_image_files(&tree, &rules));
}
