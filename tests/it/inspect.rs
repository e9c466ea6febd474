//! `inspect`: what the other commands made, as text and as JSON, and what is refused.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::process::Stdio;
use std::thread;

use disklayout::disk::SparseFile;
use serde_json::{Value, json};
use testkit::compare::assert_same;
use testkit::listing::{Knows, seen_by};
use testkit::{host, inspected};

use crate::world::{Run, World};

/// A world with a disk of two partitions, one with files, beside a configuration for it.
pub(crate) fn world(label: &str) -> World {
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

pub(crate) fn json_of(world: &World, line: &str, status: i32) -> Value {
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
        (
            "gpt",
            512,
            4096,
            "GPT: it is in order with sectors of 512 bytes",
        ),
        (
            "gpt",
            4096,
            512,
            "GPT: it is in order with sectors of 4096 bytes",
        ),
    ] {
        let world = world_of(label, bytes);
        let name = world.names().remove(0);
        let line = format!("inspect --sector-size {wrong} {name}");
        world.run(&line).expect(3).says([message]);
    }
    let world = world_of("mbr", 512);
    let name = world.names().remove(0);
    let line = format!("inspect --sector-size 4096 {name}");
    let text = world.run(&line).expect(0).stdout;
    assert!(text.contains("there are only 2048 sectors"), "{text}");
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
fn what_is_no_image_is_refused() {
    let world = World::new("", "", "");
    let image = |name: &str, magic: &[u8]| {
        let file = File::create(world.path(name)).unwrap();
        file.set_len(25 << 30).unwrap();
        file.write_all_at(magic, 0).unwrap();
    };
    image("zero.img", b"");
    image("qcow2.img", b"QFI\xFB\0\0\0\x03");
    image("gzip.img", &[0x1F, 0x8B, 8]);
    image("tar.img", &[&[1; 257][..], b"ustar"].concat());
    File::create(world.path("empty.img")).unwrap();
    for (line, message) in [
        (
            "zero.img",
            "zero.img: no table and no filesystem recognised",
        ),
        ("qcow2.img", "qcow2: the header says that it has 0 bytes"),
        ("tar.img", "it is a tar archive"),
        ("gzip.img", "image: "),
        ("empty.img", "it is empty"),
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
    let text = world.run(&format!("inspect {image}")).expect(0).stdout;
    assert!(
        text.contains("partition 1: error: superblock: blocks of 2^200 KiB"),
        "{text}"
    );
    assert!(text.contains("partition 2: ext4"), "{text}");
    let document = json_of(&world, &image, 0);
    let error = &document["images"][0]["partitions"][0]["filesystem"]["error"];
    assert!(error.as_str().unwrap().contains("2^200"), "{error}");
    // Of what was asked for nothing can be read.
    world.run(&format!("inspect --part 1 {image}")).expect(3);
    json_of(&world, &format!("--part 1 {image}"), 3);
}

/// Gives `bytes` to the program in a pipe.
pub(crate) fn through_pipe(world: &World, line: &str, bytes: Vec<u8>) -> Run {
    let (reader, mut writer) = io::pipe().unwrap();
    let feeder = thread::spawn(move || writer.write_all(&bytes));
    let run = Run::of(world.command(line).stdin(reader));
    feeder.join().unwrap().unwrap();
    run
}

#[test]
fn what_is_damaged_is_shown_with_warnings() {
    let world = world("gpt");
    let image = world.names().remove(0);
    let path = world.path(&image);
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[0; 512], 512).unwrap();
    file.set_len(20 << 20).unwrap();
    let text = world
        .run(&format!("inspect --tree {image}"))
        .expect(0)
        .stdout;
    for part in [
        "\n  warning: primary GPT: no header",
        "\n  warning: backup GPT: it is in sector 16383, not in the last one, 40959",
        "/dir/file",
        "  partition 2: ext4",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    world
        .run(&format!("inspect --part 1 --cat /dir/file {image}"))
        .expect(0)
        .prints("text")
        .says(["primary GPT: no header"]);
    // Partition 2 ends behind the end.
    file.set_len(6 << 20).unwrap();
    let text = world.run(&format!("inspect {image}")).expect(0).stdout;
    let expected = "partition 2: warning: sectors 8192 to 16320 reach behind the end";
    assert!(text.contains(expected), "{text}");
    let document = json_of(&world, &image, 0);
    let of = |value: &Value| value["warnings"].as_array().unwrap().len();
    let document = &document["images"][0];
    assert!(of(document) > 0, "{document}");
    let partitions = &document["partitions"];
    assert_eq!(
        (of(&partitions[0]), of(&partitions[1])),
        (0, 1),
        "{document}"
    );
    assert!(of(&partitions[1]["filesystem"]) > 0, "{document}");
}

#[test]
fn pipes_are_images() {
    let world = world("mbr");
    let image = world.names().remove(0);
    let bytes = fs::read(world.path(&image)).unwrap();
    let text = world.run(&format!("inspect {image}")).expect(0).stdout;
    for name in ["-", "/dev/stdin", "/dev/fd/0"] {
        let run = through_pipe(&world, &format!("inspect {name}"), bytes.clone()).expect(0);
        assert_eq!(run.stdout, text.replacen(&image, name, 1));
    }
    through_pipe(&world, "inspect --part 1 --cat /dir/file -", bytes.clone())
        .expect(0)
        .prints("text");
    // From a file it is read where it is.
    let file = File::open(world.path(&image)).unwrap();
    Run::of(world.command("inspect -").stdin(file))
        .expect(0)
        .prints(&text.replacen(&image, "-", 1));
    for (bytes, message) in [
        (Vec::new(), "it is empty"),
        (vec![0x1F, 0x8B, 8, 0], "can't decompress the archive"),
        (vec![0; 70_000], "no table and no filesystem"),
    ] {
        through_pipe(&world, "inspect -", bytes)
            .expect(3)
            .says([message]);
    }
}

/// A named pipe is read when somebody writes to it, and isn't waited for otherwise.
#[test]
fn named_pipes() {
    let world = world("mbr");
    let image = world.names().remove(0);
    let pipe = world.path("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    world
        .run("inspect pipe")
        .expect(3)
        .says(["it is no regular file but a pipe to which nobody writes"]);
    let bytes = fs::read(world.path(&image)).unwrap();
    // Opened for both, it has a writer before anybody reads.
    let mut writer = File::options().read(true).write(true).open(&pipe).unwrap();
    let command = world.command("inspect pipe");
    let reader = thread::spawn(move || {
        let mut command = command;
        Run::of(&mut command)
    });
    writer.write_all(&bytes).unwrap();
    drop(writer);
    let run = reader.join().unwrap().expect(0);
    assert!(run.stdout.contains("partition 2: ext4"), "{}", run.stdout);
}

#[test]
fn standard_output_that_takes_nothing_is_an_error() {
    let world = world("gpt");
    let image = world.names().remove(0);
    for line in ["", "--json", "--part 1 --cat /dir/file"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = world.command(&format!("inspect {line} {image}"));
        let output = command
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{line}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.contains("can't write to standard output: No space"),
            "{text}"
        );
    }
}

/// Whatever stands in an image or is called so, a terminal does nothing but show it.
#[test]
fn control_characters_are_escaped() {
    let world = world("gpt");
    let image = world.names().remove(0);
    let path = world.path(&image);
    let strange = "a\u{1b}]0;b\u{7}.img";
    fs::rename(&path, world.path(strange)).unwrap();
    let file = File::options()
        .write(true)
        .open(world.path(strange))
        .unwrap();
    // Label and last place of the first one, and a name that isn't there.
    file.write_all_at(b"x\x1B[31m", 64 * 512 + 1024 + 0x78)
        .unwrap();
    let run = Run::of(world.command("inspect --tree").arg(strange)).expect(0);
    let is_plain = |text: &str| !text.chars().any(|c| c.is_control() && c != '\n');
    assert!(is_plain(&run.stdout), "{:?}", run.stdout);
    for part in ["a\\u{1b}]0;b\\u{7}.img", "label 'x\\u{1b}[31m"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let run = Run::of(world.command("inspect").arg("no\u{1b}[31m")).expect(3);
    assert!(is_plain(&run.stderr), "{:?}", run.stderr);
}

/// A tree with thousands of names, as it comes back from the formats that other programs make.
#[test]
fn what_make_fs_fills_through_others_comes_back() {
    let world = World::new("", "", "");
    let tree = world.root().join("tree");
    fs::create_dir_all(tree.join("many/deep")).unwrap();
    for number in 0..3000_usize {
        let name = format!("many/{number:0>width$}", width = 5 + number % 240);
        fs::write(tree.join(name), "x".repeat(number % 50)).unwrap();
    }
    fs::write(tree.join("l".repeat(255)), "long").unwrap();
    fs::write(tree.join("large"), "of some length\n".repeat(24_000)).unwrap();
    fs::hard_link(tree.join("large"), tree.join("many/deep/linked")).unwrap();
    std::os::unix::fs::symlink("t".repeat(300), tree.join("symbolic")).unwrap();
    let sparse = File::create(tree.join("sparse")).unwrap();
    sparse.write_all_at(b"middle", 3 << 20).unwrap();
    sparse.set_len(5 << 20).unwrap();
    let name = "user.some";
    rustix::fs::lsetxattr(
        tree.join("large"),
        name,
        b"value",
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    let expected = host::list(&tree);
    for options in [
        "xfs",
        "btrfs",
        "xfs --block-size 1024",
        "btrfs --sector-size 4096",
    ] {
        let line = format!("make-fs --force -t {options} ../tree a.img");
        world.run(&line).expect(0);
        let disk = SparseFile::open(File::open(world.path("a.img")).unwrap()).unwrap();
        let image = disklayout::inspect::image(&disk).unwrap();
        let found = image.volumes[0]
            .filesystem
            .as_ref()
            .unwrap()
            .as_ref()
            .unwrap();
        assert_eq!(found.facts().warnings, [""; 0], "{options}");
        let expected = seen_by(
            &expected,
            Knows {
                times: true,
                names: true,
                devices: true,
                xattrs: true,
                allocated: false,
            },
        );
        assert_same(options, &expected, &inspected::list(found));
        let run = world.run("inspect --cat /many/deep/linked a.img").expect(0);
        assert_eq!(run.stdout.len(), 360_000);
    }
}
