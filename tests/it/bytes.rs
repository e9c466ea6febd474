//! Bytes that stand for themselves in an hdds.json: in partitions and beside them.

use std::fs;
use std::os::unix::fs::FileExt;

use serde_json::Value;

use crate::world::World;

/// Bytes that aren't zero and differ from their neighbours.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index % 251 + 1) as u8).collect()
}

/// A set of one group with these keys. Below `uploads/` are files of 440, 1000 and 70,000 bytes.
fn world(keys: &str) -> World {
    let group = format!(r#"{{"name": "b", {keys}}}"#);
    let world = World::new(&group, "", "");
    let uploads = world.root().join("uploads");
    fs::create_dir_all(&uploads).unwrap();
    for len in [440, 1000, 70_000] {
        fs::write(uploads.join(len.to_string()), bytes(len)).unwrap();
    }
    world
}

fn read(world: &World, offset: u64, len: usize) -> Vec<u8> {
    let image = fs::File::open(world.path("disk_b.img")).unwrap();
    let mut read = vec![0; len];
    image.read_exact_at(&mut read, offset).unwrap();
    read
}

fn inspect(world: &World) -> Value {
    let run = world.run("--json inspect disk_b.img").expect(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    document["images"][0].clone()
}

#[test]
fn boot_loaders_are_beside_the_partitions_and_in_them() {
    for (label, first) in [("mbr", 512), ("gpt", 34 * 512)] {
        let world = world(&format!(
            r#""size": "8M", "labels": ["{label}"],
            "blobs": [{{"start": 0, "source": "440"}}, {{"start": "32KiB", "source": "70000"}}],
            "parts": [{{"type": "p", "size": "1MiB", "source": "1000"}},
                      {{"type": "p", "filesystem": "ext2"}}]"#
        ));
        world.run("all --no-sync").expect(0);
        assert_eq!(read(&world, 0, 440), bytes(440), "{label}");
        assert_eq!(read(&world, 32 << 10, 70_000), bytes(70_000), "{label}");
        assert_eq!(read(&world, 1 << 20, 1000), bytes(1000), "{label}");
        // What lies between is nobody's.
        let gap = read(&world, first, (32 << 10) - first as usize);
        assert!(gap.iter().all(|byte| *byte == 0), "{label}");
        let image = inspect(&world);
        assert_eq!(image["table"], label);
        assert_eq!(image["warnings"], Value::Array(vec![]), "{label}");
        assert_eq!(image["partitions"][0]["filesystem"], Value::Null);
        assert_eq!(image["partitions"][1]["filesystem"]["kind"], "ext2");
    }
}

#[test]
fn an_image_may_end_with_the_bytes_of_its_last_partition() {
    let world = world(
        r#""size": "auto", "labels": ["gpt"], "parts": [{"source": "70000", "name": "loader"}]"#,
    );
    world.run("all --no-sync").expect(0);
    assert_eq!(read(&world, 1 << 20, 70_000), bytes(70_000));
    let partition = &inspect(&world)["partitions"][0];
    assert_eq!(partition["sectors"], 70_000_u64.div_ceil(512));
    assert_eq!(partition["name"], "loader");
}

#[test]
fn a_filesystem_has_the_uuid_that_it_is_given() {
    let uuid = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";
    let world = world(&format!(
        r#""size": "8M", "labels": ["none"], "parts": [{{"filesystem": "ext4",
            "fs_uuid": "{uuid}"}}]"#
    ));
    world.run("all --no-sync").expect(0);
    assert_eq!(inspect(&world)["partitions"][0]["filesystem"]["uuid"], uuid);
}

#[test]
fn what_overlaps_or_cannot_be_is_refused_with_both_names() {
    let parts = r#""parts": [{"type": "p", "size": "1MiB", "filesystem": "ext2"}]"#;
    for (keys, message) in [
        (
            r#""blobs": [{"start": 1, "source": "70000"}], "labels": ["gpt"]"#,
            "bytes 512 to 70511 overlap the partition table (bytes 440 to 17407)",
        ),
        (
            r#""blobs": [{"start": "1000KiB", "source": "70000"}]"#,
            "overlap partition 1 (bytes 1048576 to 2097151)",
        ),
        (
            r#""blobs": [{"start": 9, "source": "1000"}, {"start": 10, "source": "440"}]"#,
            "overlap the bytes of ",
        ),
        (
            r#""blobs": [{"start": "8M", "source": "440"}]"#,
            "reach behind the end of the disk, which has 8388608 bytes",
        ),
        (r#""blobs": [{"start": 1, "source": "missing"}]"#, "missing"),
        (
            r#""blobs": [{"start": 1, "source": "440", "sha256": "0"}]"#,
            "is not a SHA-256",
        ),
    ] {
        let world = world(&format!(r#""size": "8M", {parts}, {keys}"#));
        let run = world.run("all --no-sync");
        assert_ne!(run.status, Some(0), "{keys}");
        let run = run.says([message]);
        assert!(run.stderr.contains("blobs["), "{}", run.stderr);
        assert!(world.names().is_empty(), "{keys}: {:?}", world.names());
    }
    for (part, message) in [
        (
            r#""source": "70000", "size": "4K""#,
            "the smallest legal length in sectors is 137",
        ),
        (r#""source": "440", "filesystem": "ext4""#, "leave this out"),
        (r#""sha256": "0""#, "there is no 'source'"),
        (
            r#""filesystem": "none", "fs_uuid": "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de""#,
            "no filesystem",
        ),
    ] {
        let world = world(&format!(
            r#""size": "8M", "labels": ["gpt"], "parts": [{{{part}}}]"#
        ));
        let run = world.run("all --no-sync");
        assert_ne!(run.status, Some(0), "{part}");
        run.says([message]);
        assert!(world.names().is_empty(), "{part}: {:?}", world.names());
    }
}
