//! Images whose data alone is copied onto a medium that holds something else.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom as Hole;

use crate::checkers::{self, Volume};
use crate::world::World;

/// What the medium held before.
const OLD: u8 = 0xFF;

/// Copies the data of `image` onto a medium of its size on which all is [`OLD`].
fn used_medium(image: &Path) -> PathBuf {
    let source = File::open(image).unwrap();
    let len = source.metadata().unwrap().len();
    let path = image.with_extension("medium");
    let mut medium = File::create(&path).unwrap();
    let piece = vec![OLD; 1 << 20];
    for at in (0..len).step_by(piece.len()) {
        let count = piece.len().min((len - at) as usize);
        medium.write_all(&piece[..count]).unwrap();
    }
    let mut at = 0;
    while let Ok(start) = rustix::fs::seek(&source, Hole::Data(at)) {
        let end = rustix::fs::seek(&source, Hole::Hole(start)).unwrap();
        let mut bytes = vec![0; (end - start) as usize];
        source.read_exact_at(&mut bytes, start).unwrap();
        medium.seek(SeekFrom::Start(start)).unwrap();
        medium.write_all(&bytes).unwrap();
        at = end;
    }
    path
}

/// A file of data, one of zeroes, a directory; nothing for swap.
fn source(world: &World, kind: &str) -> String {
    let directory = world.root().join("source");
    fs::create_dir_all(&directory).unwrap();
    if !kind.contains("swap") {
        fs::create_dir(directory.join("sub")).unwrap();
        fs::write(directory.join("sub/data"), [7; 300_000]).unwrap();
        fs::write(directory.join("zeroes"), [0; 200_000]).unwrap();
    }
    directory.to_str().unwrap().to_owned()
}

/// Makes an image with `options`, copies its data, and has the checkers look at the copy.
fn copied(kind: &str, size: &str, options: &str) -> Result<(), String> {
    let world = World::new("", "", "");
    let source = source(&world, kind);
    let line = format!("make-fs -t {kind} -s {size} {options} {source} x.img");
    world.run(&line).expect(0);
    let medium = used_medium(&world.path("x.img"));
    checkers::verify_volume(&Volume::of_file(&medium, kind))?;
    if kind.contains("swap") {
        return Ok(());
    }
    for (path, expected) in [
        ("/sub/data", [7; 300_000].as_slice()),
        ("/zeroes", &[0; 200_000]),
    ] {
        let mut command = world.command("inspect --cat");
        let output = command.args([path, medium.to_str().unwrap()]).output();
        if output.unwrap().stdout != expected {
            return Err(format!("{kind}: another {path}"));
        }
    }
    Ok(())
}

/// The formats whose content `inspect` reads.
const READ: [(&str, &str); 9] = [
    ("ext2", "20M"),
    ("ext3", "20M"),
    ("ext4", "40M"),
    ("fat16", "20M"),
    ("fat32", "40M"),
    ("exfat", "20M"),
    ("swap", "20M"),
    ("erofs", "20M"),
    ("ntfs", "20M"),
];

#[test]
fn with_explicit_zeros_the_data_alone_is_the_image() {
    for (kind, size) in READ {
        copied(kind, size, "--explicit-zeros").unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

#[test]
fn what_other_programs_make_is_whole_too() {
    for (kind, size) in [("btrfs", "110M"), ("f2fs", "64M"), ("xfs", "300M")] {
        let world = World::new("", "", "");
        let source = source(&world, kind);
        let line = format!("make-fs -t {kind} -s {size} --explicit-zeros {source} x.img");
        world.run(&line).expect(0);
        let medium = used_medium(&world.path("x.img"));
        let verdict = checkers::verify_volume(&Volume::of_file(&medium, kind));
        verdict.unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(fs::read(&medium).unwrap() == fs::read(world.path("x.img")).unwrap());
    }
}

/// Whole images with a table, written by `all` as well.
#[test]
fn a_partitioned_image_has_its_table_on_a_used_medium() {
    let world = World::new(
        r#"{"name": "t", "size": "20M", "labels": ["mbr", "gpt"], "filesystems": ["vfat"],
            "parts": [{"type": "p", "start": 2048, "end": -2048}]}"#,
        "",
        "",
    );
    world.run("all --explicit-zeros").expect(0);
    for name in ["disk_t_mbr.img", "disk_t_gpt.img"] {
        checkers::verify(&used_medium(&world.path(name))).unwrap();
    }
}

/// What the option is for: FAT without it.
#[test]
fn without_it_what_must_be_zero_is_not() {
    copied("fat16", "20M", "").unwrap_err();
}

/// The same bytes with and without the option; only what is stored differs.
#[test]
fn explicit_zeros_change_no_byte() {
    let world = World::new("", "", "");
    let source = source(&world, "ext4");
    for (image, options) in [("a.img", ""), ("b.img", "--explicit-zeros")] {
        let line = format!("make-fs -t ext4 -s 40M -p=gpt {options} {source} {image}");
        world.run(&line).expect(0);
    }
    let [a, b] = ["a.img", "b.img"].map(|name| fs::read(world.path(name)).unwrap());
    assert!(a == b);
}
