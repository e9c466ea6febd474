//! Images whose data alone is copied onto a medium that holds something else.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom as Hole;
use testkit::mount::Mounted;
use testkit::root::is_root;

use crate::checkers::{self, Volume};
use crate::world::World;

/// What the medium held before.
const OLD: u8 = 0xFF;

/// A medium of the size of `image` on which all is [`OLD`].
pub(crate) fn medium_for(image: &Path) -> PathBuf {
    let len = fs::metadata(image).unwrap().len();
    let path = image.with_extension("medium");
    let mut medium = File::create(&path).unwrap();
    let piece = vec![OLD; 1 << 20];
    for at in (0..len).step_by(piece.len()) {
        let count = piece.len().min((len - at) as usize);
        medium.write_all(&piece[..count]).unwrap();
    }
    path
}

/// Copies the data of `image` onto a used medium.
fn used_medium(image: &Path) -> PathBuf {
    let source = File::open(image).unwrap();
    let path = medium_for(image);
    let mut medium = File::options().write(true).open(&path).unwrap();
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

/// A file of data, one of zeroes, directories; nothing for swap.
pub(crate) fn source(world: &World, kind: &str) -> String {
    let directory = world.root().join("source");
    fs::create_dir_all(&directory).unwrap();
    if !kind.contains("swap") {
        fs::create_dir(directory.join("sub")).unwrap();
        for (path, bytes) in FILES {
            fs::write(directory.join(path), bytes).unwrap();
        }
        fs::create_dir(directory.join("many")).unwrap();
        for number in 0..500 {
            let path = directory.join(format!("many/a-name-that-takes-some-room-{number}"));
            fs::write(path, "x").unwrap();
        }
    }
    directory.to_str().unwrap().to_owned()
}

/// What [`source`] has, and where.
const FILES: [(&str, &[u8]); 2] = [("sub/data", &[7; 300_000]), ("zeroes", &[0; 200_000])];

/// What reads the files of a filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Inspect,
    /// The kernel, for root.
    Mount,
    None,
}

use Reader::{Inspect, Mount};

/// All filesystems.
pub(crate) const FILESYSTEMS: [(&str, &str, Reader); 15] = [
    ("fat12", "4M", Inspect),
    ("fat16", "20M", Inspect),
    ("fat32", "300M", Inspect),
    ("exfat", "60M", Inspect),
    ("ext2", "200M", Inspect),
    ("ext3", "300M", Inspect),
    ("ext4", "40M", Inspect),
    ("ext4", "3G", Inspect),
    ("btrfs", "160M", Mount),
    ("f2fs", "200M", Reader::None),
    ("xfs", "300M", Mount),
    ("ntfs", "60M", Inspect),
    ("erofs", "auto", Inspect),
    ("squashfs", "auto", Mount),
    ("swap", "20M", Reader::None),
];

/// Makes an image with `options`, copies its data, and has the checkers look at the copy, and
/// `reader` at the files in it.
fn copied(kind: &str, size: &str, reader: Reader, options: &str) -> Result<(), String> {
    let world = World::new("", "", "");
    let source = source(&world, kind);
    let line = format!("make-fs -t {kind} -s {size} {options} {source} x.img");
    world.run(&line).expect(0);
    let medium = used_medium(&world.path("x.img"));
    checkers::verify_volume(&Volume::of_file(&medium, kind))?;
    match reader {
        Reader::None => Ok(()),
        Reader::Mount if !is_root() => Ok(()),
        Reader::Mount => {
            let mounted = Mounted::new(&medium, "ro");
            compare(kind, |path| fs::read(mounted.path().join(path)).unwrap())
        }
        Reader::Inspect => compare(kind, |path| {
            let mut command = world.command("inspect --cat");
            command.args([&format!("/{path}"), medium.to_str().unwrap()]);
            command.output().unwrap().stdout
        }),
    }
}

fn compare(kind: &str, read: impl Fn(&str) -> Vec<u8>) -> Result<(), String> {
    for (path, expected) in FILES {
        if read(path) != expected {
            return Err(format!("{kind}: another {path}"));
        }
    }
    Ok(())
}

#[test]
fn the_data_alone_is_a_sound_filesystem() {
    for (kind, size, reader) in FILESYSTEMS {
        copied(kind, size, reader, "").unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

#[test]
fn all_zeroes_change_nothing_of_that() {
    for (kind, size, reader) in [
        ("ext4", "100M", Inspect),
        ("fat16", "20M", Inspect),
        ("xfs", "300M", Mount),
    ] {
        for option in ["--zeroes all", "--explicit-zeros"] {
            copied(kind, size, reader, option).unwrap_or_else(|error| panic!("{kind}: {error}"));
        }
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
    world.run("all").expect(0);
    for name in ["disk_t_mbr.img", "disk_t_gpt.img"] {
        checkers::verify(&used_medium(&world.path(name))).unwrap();
    }
}

/// What the sparsest image is not: FAT.
#[test]
fn what_must_be_zero_is_not_where_the_sparsest_image_was_copied() {
    copied("fat16", "20M", Inspect, "--zeroes sparsest").unwrap_err();
}

/// Free space, the journal and inodes that nobody uses cost nothing.
#[test]
fn what_is_needed_is_little() {
    let world = World::new("", "", "");
    let source = source(&world, "ext4");
    let blocks = |zeroes: &str| {
        let line = format!("make-fs -t ext4 -s 20G --zeroes {zeroes} {source} {zeroes}.img");
        world.run(&line).expect(0);
        fs::metadata(world.path(&format!("{zeroes}.img")))
            .unwrap()
            .blocks()
            / 2048
    };
    let [sparsest, needed, all] = ["sparsest", "needed", "all"].map(blocks);
    assert!(needed < sparsest + 4, "{needed} MiB, not {sparsest}");
    assert!(all > 200, "{all} MiB");
}

/// The same bytes whatever is chosen; only what is stored differs.
#[test]
fn zeroes_change_no_byte() {
    let world = World::new("", "", "");
    let source = source(&world, "ext4");
    for image in ["sparsest", "needed", "all"] {
        let line = format!("make-fs -t ext4 -s 40M -p=gpt --zeroes {image} {source} {image}");
        world.run(&line).expect(0);
    }
    let read = |name| fs::read(world.path(name)).unwrap();
    assert!(read("sparsest") == read("needed") && read("needed") == read("all"));
}
