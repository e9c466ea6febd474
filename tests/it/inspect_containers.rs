//! `inspect` of image files that QEMU makes: what is told of the disk, of the file, and of what is
//! wrong with it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde_json::{Value, json};
use testkit::program::{arguments, run};

use crate::inspect::{json_of, through_pipe, world};
use crate::world::{Run, World};

/// What an image is made with, and what is told of it.
struct Kind {
    options: &'static [&'static str],
    compat: &'static str,
    cluster_size: u64,
    compression_type: &'static str,
    extended_l2: bool,
}

const USUAL: Kind = Kind {
    options: &[],
    compat: "1.1",
    cluster_size: 65_536,
    compression_type: "zlib",
    extended_l2: false,
};

const KINDS: [Kind; 5] = [
    USUAL,
    Kind {
        options: &["-c", "-o", "compat=0.10"],
        compat: "0.10",
        ..USUAL
    },
    Kind {
        options: &["-c", "-o", "compression_type=zstd"],
        compression_type: "zstd",
        ..USUAL
    },
    Kind {
        options: &["-c", "-o", "cluster_size=512"],
        cluster_size: 512,
        ..USUAL
    },
    Kind {
        options: &["-o", "extended_l2=on"],
        extended_l2: true,
        ..USUAL
    },
];

fn convert(from: &Path, options: &[&str], to: &Path) {
    let command = ["convert", "-f", "raw", "-O", "qcow2"];
    let command = [&command[..], options].concat();
    run("qemu-img", &arguments(&command, &[from, to])).unwrap();
}

/// A world with a disk, and the name of its image.
fn disk() -> (World, String) {
    let world = world("gpt");
    let image = world.names().remove(0);
    (world, image)
}

/// What JSON tells of an image besides its name.
fn told(world: &World, name: &str) -> Value {
    let mut document = json_of(world, &format!("--tree {name}"), 0);
    let mut image = document["images"][0].take();
    image.as_object_mut().unwrap().remove("file").unwrap();
    image
}

#[test]
fn a_qcow2_is_told_as_its_raw_disk_with_what_is_around_it() {
    let (world, image) = disk();
    let raw = told(&world, &image);
    assert_eq!(
        (&raw["format"], &raw["containers"]),
        (&json!("raw"), &json!([]))
    );
    let line = format!("inspect --tree {image}");
    let text = world.run(&line).expect(0).stdout;
    let (first, others) = text.split_once('\n').unwrap();
    for kind in KINDS {
        convert(&world.path(&image), kind.options, &world.path("a.qcow2"));
        let mut expected = raw.clone();
        expected["format"] = json!("qcow2");
        expected["containers"] = json!([{
            "format": "qcow2",
            "size": 8 << 20,
            "compat": kind.compat,
            "cluster_size": kind.cluster_size,
            "compression_type": kind.compression_type,
            "extended_l2": kind.extended_l2,
        }]);
        assert_eq!(told(&world, "a.qcow2"), expected);
        let expected = format!(
            "{}, in the format qcow2 (compat {}, cluster size {}, compression type {}, extended \
             l2 {})\n{others}",
            first.replacen(&image, "a.qcow2", 1),
            kind.compat,
            kind.cluster_size,
            kind.compression_type,
            if kind.extended_l2 { "yes" } else { "no" },
        );
        world
            .run("inspect --tree a.qcow2")
            .expect(0)
            .prints(&expected);
        world
            .run("inspect --part 1 --cat /dir/file a.qcow2")
            .expect(0)
            .prints("text");
    }
}

/// Tables are here and there: from a pipe an image is kept first. One that is compressed as a whole is
/// an image file when it isn't any more.
#[test]
fn image_files_come_from_pipes_and_compressed() {
    let (world, image) = disk();
    let qcow2 = world.path("a.qcow2");
    convert(&world.path(&image), &["-c"], &qcow2);
    let line = "inspect --json --tree";
    let expected = world.run(&format!("{line} a.qcow2")).expect(0).stdout;
    let named = |name: &str| expected.replace("\"a.qcow2\"", &format!("\"{name}\""));
    let bytes = fs::read(&qcow2).unwrap();
    through_pipe(&world, &format!("{line} -"), bytes)
        .expect(0)
        .prints(&named("-"));
    let stored = File::open(&qcow2).unwrap();
    let mut command = world.command(&format!("{line} -"));
    Run::of(command.stdin(stored)).expect(0).prints(&named("-"));
    for (program, extension) in [("gzip", "gz"), ("xz", "xz"), ("zstd", "zst")] {
        run(program, &arguments(&["-qk"], &[&qcow2])).unwrap();
        let name = format!("a.qcow2.{extension}");
        let found = told(&world, &name);
        assert_eq!(found["format"], "qcow2", "{name}");
        assert_eq!(found["partitions"], told(&world, &image)["partitions"]);
    }
}

/// The file, the format and the reason are told.
#[test]
fn a_damaged_image_file_is_an_error() {
    let (world, image) = disk();
    let qcow2 = world.path("a.qcow2");
    convert(&world.path(&image), &[], &qcow2);
    let file = File::options().read(true).write(true).open(&qcow2).unwrap();
    let number = |at| {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, at).unwrap();
        u64::from_be_bytes(bytes)
    };
    let l1 = number(40);
    for (at, bytes, reason) in [
        (23, &[99][..], "clusters have 2^99 bytes"),
        (36, &[1, 0, 0, 0], "more than the 4194304 that QEMU reads"),
        (79, &[2], "it is marked as corrupt: repair it first"),
        (l1 + 6, &[2], "an L2 table is said to be at "),
    ] {
        let mut before = vec![0; bytes.len()];
        file.read_exact_at(&mut before, at).unwrap();
        file.write_all_at(bytes, at).unwrap();
        world
            .run("inspect a.qcow2")
            .expect(3)
            .says(["createhdds: a.qcow2: ", "qcow2: ", reason]);
        let document = json_of(&world, "a.qcow2", 3);
        let error = document["images"][0]["error"].as_str().unwrap();
        assert!(
            error.contains("qcow2: ") && error.contains(reason),
            "{error}"
        );
        file.write_all_at(&before, at).unwrap();
    }
    world.run("inspect a.qcow2").expect(0);
}

/// What is written on the disk of a machine isn't taken for an image file around another disk.
#[test]
fn an_image_file_on_a_disk_is_not_opened() {
    let (world, image) = disk();
    let (inner, outer) = (world.path("inner.qcow2"), world.path("outer.qcow2"));
    convert(&world.path(&image), &[], &inner);
    convert(&inner, &[], &outer);
    world
        .run("inspect outer.qcow2")
        .expect(3)
        .says(["it is a qcow2 image, no image that can be read"]);
}

#[test]
fn formats_that_nobody_reads_are_refused_by_name() {
    let world = World::new("", "", "");
    for (magic, what) in [
        (&b"QED\0"[..], "a QED image"),
        (b"WithouFreSpacExt", "a Parallels image"),
        (b"Bochs Virtual HD Image", "a Bochs image"),
    ] {
        let mut bytes = vec![0; 1 << 20];
        bytes[..magic.len()].copy_from_slice(magic);
        fs::write(world.path("a.img"), bytes).unwrap();
        world.run("inspect a.img").expect(3).says([what]);
    }
}
