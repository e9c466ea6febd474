//! `inspect`: what the other commands made, as text and as JSON, and what is refused.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use serde_json::{Value, json};

use crate::world::World;

/// A world with a disk of two partitions, one with files, beside a configuration for it.
fn world(label: &str) -> World {
    world_of(label, 512)
}

/// The same on a disk with sectors of so many bytes.
fn world_of(label: &str, sector_size: u32) -> World {
    let size = 8 * sector_size / 512;
    let group = format!(
        r#"{{"name": "two", "size": "{size}M", "labels": ["{label}"], "sector_size": {sector_size},
            "parts": [{{"type": "p", "start": 64, "end": 8191, "filesystem": "ext2", "label": "first"}},
            {{"type": "p", "start": 8192, "end": -64, "filesystem": "ext4"}}],
            "writes": [{{"part": 1, "path": "/dir/file", "content": "text"}}]}}"#
    );
    let world = World::new(&group, "", "");
    world.run("two").expect(0);
    // Nothing else is to be read from now on.
    fs::write(world.config(), "no JSON").unwrap();
    world
}

fn json_of(world: &World, line: &str, status: i32) -> Value {
    let run = world.run(&format!("inspect --json {line}")).expect(status);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn text_of_a_disk() {
    let world = world("mbr");
    let image = world.names().remove(0);
    let text = world
        .run(&format!("inspect --tree {image}"))
        .expect(0)
        .stdout;
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].starts_with(&format!("{image}: 8 MiB, MBR 0x")),
        "{text}"
    );
    assert_eq!(
        lines[1],
        "  part  first   last      size  type              name"
    );
    assert_eq!(
        lines[2],
        "     1     64   8191  3.97 MiB  Linux filesystem  -"
    );
    assert!(
        lines[4].starts_with("  partition 1: ext2, label 'first', "),
        "{text}"
    );
    for part in [
        "blocks of 1024 bytes",
        "/dir/file",
        "drwx------         0:0            -",
        "  partition 2: ext4, ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        !text.contains("warning") && !text.contains("error"),
        "{text}"
    );
}

/// The size of the sectors is found out on any table, and told.
#[test]
fn sectors_of_both_sizes() {
    for (label, bytes, by, shown) in [
        ("mbr", 512, "table", ", sectors of 512 bytes"),
        (
            "mbr",
            4096,
            "filesystems",
            ", sectors of 4096 bytes (by the filesystems)",
        ),
        ("gpt", 512, "table", ", sectors of 512 bytes"),
        ("gpt", 4096, "table", ", sectors of 4096 bytes"),
    ] {
        let world = world_of(label, bytes);
        let name = world.names().remove(0);
        let text = world.run(&format!("inspect {name}")).expect(0).stdout;
        let first = text.lines().next().unwrap();
        assert!(first.ends_with(shown), "{label} {bytes}: {text}");
        let of = |line: &str| {
            let document = json_of(&world, &format!("{line} {name}"), 0);
            let image = &document["images"][0];
            let kinds = image["partitions"].as_array().unwrap().iter();
            let kinds: Vec<_> = kinds.map(|one| one["filesystem"]["kind"].clone()).collect();
            let size = image["sector_size"].clone();
            (size, image["sector_size_by"].clone(), json!(kinds))
        };
        let both = json!(["ext2", "ext4"]);
        assert_eq!(of(""), (json!(bytes), json!(by), both.clone()), "{label}");
        let forced = of(&format!("--sector-size {bytes}"));
        assert_eq!(forced, (json!(bytes), json!("option"), both), "{label}");
    }
}

/// The size that was asked for is the one that counts, also where it is wrong.
#[test]
fn sectors_of_the_wrong_size() {
    for (label, bytes, wrong, message) in [
        ("gpt", 512, 4096, "protective MBR: "),
        ("gpt", 4096, 512, "protective MBR: "),
        ("mbr", 512, 4096, "are no range within sectors 0 to 2047"),
    ] {
        let world = world_of(label, bytes);
        let name = world.names().remove(0);
        let line = format!("inspect --sector-size {wrong} {name}");
        world.run(&line).expect(3).says([message]);
    }
    let world = world_of("mbr", 4096);
    let name = world.names().remove(0);
    let line = format!("inspect --sector-size 512 {name}");
    let text = world.run(&line).expect(0).stdout;
    assert_eq!(
        text.matches("no filesystem recognised").count(),
        2,
        "{text}"
    );
    for bytes in ["1024", "0", "x"] {
        let line = format!("inspect --sector-size {bytes} {name}");
        world.run(&line).expect(64).says(["--sector-size"]);
    }
}

#[test]
fn json_has_the_documented_keys() {
    let world = world("gpt");
    let image = world.names().remove(0);
    let document = json_of(&world, &format!("--tree {image}"), 0);
    assert_eq!(document["version"], 1);
    let image = &document["images"][0];
    assert_eq!(image["table"], "gpt");
    assert_eq!(image["size"], 8 << 20);
    let partition = &image["partitions"][0];
    assert_eq!(
        (&partition["number"], &partition["first"]),
        (&json!(1), &json!(64))
    );
    let found = &partition["filesystem"];
    assert_eq!(
        (&found["kind"], &found["label"]),
        (&json!("ext2"), &json!("first"))
    );
    assert_eq!(found["state"], "clean");
    assert_eq!(found["warnings"], json!([]));
    let tree = found["tree"].as_array().unwrap();
    let file = tree
        .iter()
        .find(|entry| entry["path"] == "/dir/file")
        .unwrap();
    assert_eq!((&file["type"], &file["size"]), (&json!("file"), &json!(4)));
    assert_eq!(file["mode"], "0644");
    // Every key that is there is in the document.
    let documented = include_str!("../../docs/inspect.md");
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(all) => open.extend(all),
            Value::Object(keys) => {
                for (key, value) in keys {
                    assert!(
                        documented.contains(&format!("{key}`"))
                            || documented.contains(&format!("{key}[]`")),
                        "{key}"
                    );
                    open.push(value);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn one_partition_and_one_file() {
    let world = world("gpt");
    let image = world.names().remove(0);
    let document = json_of(&world, &format!("--part 2 {image}"), 0);
    let partitions = document["images"][0]["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), 1);
    assert_eq!(partitions[0]["filesystem"]["kind"], "ext4");
    world
        .run(&format!("inspect --part 1 --cat /dir/file {image}"))
        .expect(0)
        .prints("text");
    for (line, message) in [
        (format!("--cat /dir/file {image}"), "several filesystems"),
        (format!("--part 3 {image}"), "there is no partition 3"),
        (
            format!("--part 1 --cat /dir {image}"),
            "'/dir' is a directory",
        ),
        (
            format!("--part 1 --cat /none {image}"),
            "there is no '/none'",
        ),
    ] {
        world
            .run(&format!("inspect {line}"))
            .expect(3)
            .says([message]);
    }
}

#[test]
fn a_filesystem_alone() {
    let world = World::new("", "", "");
    let tree = world.root().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("f"), "content").unwrap();
    world.run("make-fs ../tree a.img").expect(0);
    let document = json_of(&world, "a.img", 0);
    let image = &document["images"][0];
    assert_eq!(
        (&image["table"], &image["id"]),
        (&json!("none"), &json!(""))
    );
    assert_eq!(image["partitions"][0]["number"], 0);
    assert_eq!(image["partitions"][0]["filesystem"]["kind"], "ext4");
    world
        .run("inspect --cat f a.img")
        .expect(0)
        .prints("content");
}

#[test]
fn what_is_no_raw_image_is_refused() {
    let world = World::new("", "", "");
    let image = |name: &str, magic: &[u8]| {
        let file = File::create(world.path(name)).unwrap();
        file.set_len(25 << 30).unwrap();
        file.write_all_at(magic, 0).unwrap();
    };
    image("zero.img", b"");
    image("qcow2.img", b"QFI\xFB\0\0\0\x03");
    image("gzip.img", &[0x1F, 0x8B, 8]);
    for (line, message) in [
        (
            "zero.img",
            "zero.img: no table and no filesystem recognised",
        ),
        ("qcow2.img", "it is a qcow2 image, not a raw image"),
        ("gzip.img", "compressed with gzip"),
        ("none.img", "can't open it"),
        (".", "it is no regular file"),
    ] {
        world
            .run(&format!("inspect {line}"))
            .expect(3)
            .says([message]);
    }
    let document = json_of(&world, "zero.img none.img", 3);
    let error = document["images"][0]["error"].as_str().unwrap();
    assert!(error.contains("no filesystem recognised"), "{error}");
    world.run("inspect").expect(64);
}

/// What one partition has doesn't keep the others from being told.
#[test]
fn a_damaged_filesystem_is_told_in_its_place() {
    let world = world("gpt");
    let image = world.names().remove(0);
    let file = File::options()
        .write(true)
        .open(world.path(&image))
        .unwrap();
    // The block size of the first one, 2^200 KiB.
    file.write_all_at(&[200], 64 * 512 + 1024 + 0x18).unwrap();
    let text = world.run(&format!("inspect {image}")).expect(3).stdout;
    assert!(
        text.contains("partition 1: error: superblock: blocks of 2^200 KiB"),
        "{text}"
    );
    assert!(text.contains("partition 2: ext4"), "{text}");
}
