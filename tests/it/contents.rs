//! What goes into the partitions of an hdds.json, and sizes that follow from it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::checkers::{self, Volume, command};
use crate::world::World;

/// A group of one image with a tree, an archive and single entries in its only partition.
fn group(size: &str, end: &str) -> String {
    format!(
        r#"{{"name": "c", "size": "{size}", "labels": ["gpt"],
            "parts": [{{"type": "p", "start": 2048, "end": {end}, "filesystem": "ext4",
                "contents": [
                    {{"directory": "tree", "exclude": ["*.orig"], "owner": "1:2"}},
                    {{"archive": "over.tar", "target": "/opt/over"}},
                    {{"path": "/dev/null", "type": "char", "major": 1, "minor": 3,
                      "mode": "0666"}},
                    {{"path": "/link", "type": "symlink", "target": "file"}},
                    {{"path": "/other", "type": "hardlink", "target": "/file"}},
                    {{"path": "/inline", "content": "in line", "owner": "7:8", "mtime": 9}},
                    {{"path": "/source", "source": "tree/file"}}]}}],
            "writes": [{{"part": 1, "path": "/inline", "content": "on top"}}]}}"#
    )
}

fn world(group: &str) -> World {
    let world = World::new(group, "", "");
    let uploads = world.root().join("uploads");
    fs::create_dir_all(uploads.join("tree/dir")).unwrap();
    for name in ["file", "file.orig", "dir/inner"] {
        fs::write(uploads.join("tree").join(name), name).unwrap();
    }
    let mut tar = command("tar");
    tar.arg("-C").arg(uploads.join("tree")).arg("-cf");
    assert!(
        tar.arg(uploads.join("over.tar"))
            .arg("dir")
            .status()
            .unwrap()
            .success()
    );
    world
}

/// The filesystem of the image, which every checker has accepted.
fn volume(image: &Path) -> Volume {
    let mut volumes = checkers::verify(image).unwrap();
    assert_eq!(volumes.len(), 1);
    volumes.remove(0).1
}

fn ask(volume: &Volume, request: &str) -> String {
    String::from_utf8(checkers::debugfs(request, volume).unwrap()).unwrap()
}

fn assert_holds_all(volume: &Volume) {
    for (path, content) in [
        ("/file", "file"),
        ("/other", "file"),
        ("/dir/inner", "dir/inner"),
        ("/opt/over/dir/inner", "dir/inner"),
        ("/inline", "on top"),
        ("/source", "file"),
    ] {
        assert_eq!(ask(volume, &format!("cat {path}")), content, "{path}");
    }
    let list = ask(volume, "ls -p /");
    assert!(
        list.contains("/1/2/file/") && !list.contains("orig"),
        "{list}"
    );
    let device = ask(volume, "stat /dev/null");
    assert!(
        device.contains("Type: character special") && device.contains("01:03"),
        "{device}"
    );
}

#[test]
fn directories_archives_and_entries_are_in_the_image_beneath_the_writes() {
    let world = world(&group("32M", r#""auto""#));
    world.run("c").expect(0);
    let image = world.path("disk_c.img");
    assert_eq!(fs::metadata(&image).unwrap().len(), 32 << 20);
    assert_holds_all(&volume(&image));
}

#[test]
fn an_image_may_be_as_large_as_its_content() {
    let mut sizes = Vec::new();
    for size in ["auto", "auto+10M", "auto+10000%"] {
        let world = world(&group(size, r#""auto""#));
        world.run("c").expect(0);
        let image = world.path("disk_c.img");
        let len = fs::metadata(&image).unwrap().len();
        assert!(len.is_multiple_of(1 << 20), "{size}: {len}");
        assert_holds_all(&volume(&image));
        sizes.push(len);
    }
    assert!(
        sizes[0] < 8 << 20 && sizes[1] >= sizes[0] + (9 << 20),
        "{sizes:?}"
    );
    assert!(sizes[2] > sizes[0], "{sizes:?}");
}

#[test]
fn what_is_missing_is_told_with_its_place() {
    for (change, with, part) in [
        (
            "\"directory\": \"tree\"",
            "\"directory\": \"nothing\"",
            "guestfs[0].parts[0].contents[0].directory: can't find the directory 'nothing'",
        ),
        (
            "over.tar",
            "nothing.tar",
            "guestfs[0].parts[0].contents[1].archive: can't find the upload 'nothing.tar'",
        ),
        ("over.tar", "tree/file", "guestfs[0].parts[0].contents[1]: "),
        (
            "\"source\": \"tree/file\"",
            "\"source\": \"nothing\"",
            "guestfs[0].parts[0].contents[6].source: can't find the upload 'nothing'",
        ),
        (
            "\"target\": \"/file\"",
            "\"target\": \"/nothing\"",
            "guestfs[0].parts[0].contents[4]: ",
        ),
    ] {
        let world = world(&group("32M", r#""auto""#).replace(change, with));
        world.run("c").expect(3).says([part]);
        assert_eq!(world.names(), [""; 0], "{part}");
    }
}

#[test]
fn a_plan_shows_the_contents() {
    let world = world(&group("32M", "-34"));
    let text = world.run("plan c").expect(0).stdout;
    assert!(text.contains("/opt/over/dir/inner 9 bytes\n"), "{text}");
    let json: Value = serde_json::from_str(&world.run("--json plan c").expect(0).stdout).unwrap();
    let filesystem = &json["images"][0]["partitions"][0]["filesystem"];
    assert_eq!(
        (&filesystem["file_count"], &filesystem["file_bytes"]),
        (&5.into(), &32.into())
    );
    for number in 0..50 {
        fs::write(world.root().join(format!("uploads/tree/{number}")), "x").unwrap();
    }
    let text = world.run("plan c").expect(0).stdout;
    assert!(
        text.contains("55 files of 82 B together, 8 directories and others\n"),
        "{text}"
    );
    assert_eq!(world.names(), [""; 0]);
}
