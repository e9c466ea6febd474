//! What layers do to those below, however they are stored.

use super::*;
use crate::source::archive::tests::{node, paths, text};
use crate::tree::NodeKind;

/// Three layers that do to each other what layers can.
fn stack() -> Vec<Vec<u8>> {
    let lower = Archive::default()
        .directory("etc")
        .file("etc/os-release", "one")
        .file("etc/removed", "")
        .directory("cleared")
        .file("cleared/a", "")
        .directory("gone")
        .file("gone/deep/b", "")
        .symlink("link", "etc")
        .pax(&[("SCHILY.xattr.security.capability", b"\x01\0\0\x02")])
        .file("ping", "ping");
    let middle = Archive::default()
        .file("etc/.wh.removed", "")
        .file("cleared/c", "")
        .file("cleared/.wh..wh..opq", "")
        .file(".wh.gone", "")
        .link("ping2", "ping")
        .directory("link")
        .file("link/inner", "inner");
    let upper = Archive::default().file("etc/os-release", "three");
    [lower, middle, upper].map(Archive::end).to_vec()
}

#[track_caller]
fn assert_is_the_stack(tree: &FileTree) {
    let mut found = paths(tree);
    found.sort_unstable();
    let expected = [
        "/cleared",
        "/cleared/c",
        "/etc",
        "/etc/os-release",
        "/link",
        "/link/inner",
        "/ping",
        "/ping2",
    ];
    assert_eq!(found, expected);
    assert_eq!(text(tree, "/etc/os-release"), "three");
    assert_eq!(text(tree, "/ping2"), "ping");
    assert_eq!(text(tree, "/link/inner"), "inner");
    assert_eq!(tree.find(b"/ping"), tree.find(b"/ping2"));
    let ping = node(tree, "/ping");
    let names: Vec<_> = ping
        .xattrs
        .iter()
        .map(|it| it.name.escape_ascii().to_string())
        .collect();
    assert_eq!(names, ["security.capability"]);
    assert_eq!((ping.attributes.uid, ping.attributes.gid), (0o1750, 0o144));
    assert!(node(tree, "/link").kind.is_directory());
}

#[test]
fn layers_go_over_each_other_however_they_are_stored() {
    for packing in PACKINGS {
        let mut image = Image::default();
        let manifest = image.image(&stack(), packing, &json!({}));
        let image = image.layout(&[manifest]);
        assert_is_the_stack(&tree_of(&image).unwrap());
        let directory = image.directory();
        let mut tree = FileTree::new(Timestamp::default());
        let opened = ContainerImage::directory("p", directory.path());
        add_image(&mut tree, &opened, &choice("", None), &Rules::default()).unwrap();
        assert_is_the_stack(&tree);
    }
}

#[test]
fn rules_hold_for_all_layers() {
    let mut image = Image::default();
    let manifest = image.image(&stack(), PACKINGS[1], &json!({}));
    let image = image.layout(&[manifest]);
    let rules = Rules {
        target: b"/root".to_vec(),
        excluded: vec![crate::source::Exclude::parse("t", b"/ping").unwrap()],
        ..Rules::default()
    };
    let opened = ContainerImage::archive("p", "i.tar", file_of(&image.tar())).unwrap();
    let mut tree = FileTree::new(Timestamp::default());
    add_image(&mut tree, &opened, &choice("", None), &rules).unwrap();
    assert_eq!(text(&tree, "/root/etc/os-release"), "three");
    // It is the second name of what is left out.
    assert_eq!(text(&tree, "/root/ping2"), "ping");
    assert!(tree.find(b"/root/ping").is_none() && tree.find(b"/root/etc/removed").is_none());
}

/// The archive that `docker save` makes of the layers, as it did before it made layouts.
fn saved(pack: fn(&[u8]) -> Vec<u8>, names: [&str; 3]) -> Image {
    let layers = stack();
    let ids: Vec<_> = layers
        .iter()
        .map(|it| format!("sha256:{}", sum(it)))
        .collect();
    let config = json!({"os": "linux", "architecture": "arm64",
                        "rootfs": {"type": "layers", "diff_ids": ids}});
    let config = config.to_string();
    let name = format!("{}.json", sum(config.as_bytes()));
    let list = json!([{"Config": name, "RepoTags": ["a:b"], "Layers": names}]).to_string();
    let image = Image::default()
        .put(&name, config)
        .put("manifest.json", list);
    let files = layers.iter().zip(names);
    files.fold(image, |image, (layer, path)| image.put(path, pack(layer)))
}

#[test]
fn archives_of_docker_save_hold_the_same() {
    for (pack, names) in [
        (
            plain as fn(&[u8]) -> Vec<u8>,
            ["a/layer.tar", "b/layer.tar", "c/layer.tar"],
        ),
        (plain, ["1.tar", "2.tar", "3.tar"]),
        (gzip, ["1.tar.gz", "2.tar.gz", "3.tar.gz"]),
    ] {
        assert_is_the_stack(&tree_of(&saved(pack, names)).unwrap());
    }
    // Those by digests.
    let names = stack()
        .iter()
        .map(|it| format!("blobs/sha256/{}", sum(it)))
        .collect::<Vec<_>>();
    let image = saved(plain, [&names[0], &names[1], &names[2]]);
    assert_is_the_stack(&tree_of(&image).unwrap());
}

#[test]
fn equal_layers_may_be_links_to_one() {
    let mut image = saved(plain, ["a/layer.tar", "b/layer.tar", "c/layer.tar"]);
    let layer = image.0.remove("b/layer.tar").unwrap();
    let archive = image
        .0
        .iter()
        .fold(Archive::default(), |archive, (path, bytes)| {
            archive.entry(b'0', path.as_bytes(), b"", bytes)
        });
    let archive = archive
        .symlink("b/layer.tar", "../d/layer.tar")
        .link("d/layer.tar", "x.tar")
        .entry(b'0', b"x.tar", b"", &layer);
    let opened = ContainerImage::archive("p", "i.tar", file_of(&archive.end())).unwrap();
    let mut tree = FileTree::new(Timestamp::default());
    add_image(&mut tree, &opened, &choice("", None), &Rules::default()).unwrap();
    assert_is_the_stack(&tree);
}

#[test]
fn layers_may_change_nothing() {
    let layers = [
        vec![],
        Archive::default().file("f", "x").end(),
        vec![0; 1024],
    ];
    let mut image = Image::default();
    let manifest = image.image(&layers, PACKINGS[0], &json!({}));
    let tree = tree_of(&image.layout(&[manifest])).unwrap();
    assert_eq!(paths(&tree), ["/f"]);
}

#[test]
fn files_are_read_where_the_layers_lie() {
    let mut image = Image::default();
    let big = "0123456789abcdef".repeat(40_000);
    let layer = Archive::default().file("big", &big).end();
    let manifest = image.image(&[layer], PACKINGS[0], &json!({}));
    let tree = tree_of(&image.layout(&[manifest])).unwrap();
    assert!(matches!(&node(&tree, "/big").kind, NodeKind::File(it) if it.len() == 640_000));
    assert_eq!(text(&tree, "/big"), big);
}
