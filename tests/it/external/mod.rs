//! XFS, Btrfs and F2FS, which programs of others make: a tree of everything is packed, checked by
//! their own checkers and read back.

mod btrfs;
mod dumped;
mod f2fs;
mod planned;
mod sample;
mod staging;
mod xfs;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use testkit::checkers::{blkid_value as blkid, fsck as check};
use testkit::root::is_root_user;
use testkit::scratch::Scratch;

use crate::checkers::{self, command};
use crate::world::{Run, World};

use sample::sample;

const UUID: &str = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";

/// Runs `createhdds make-fs` in an environment in which nothing may stay behind.
fn make(line: &str, input: &Path, image: &Path) -> Run {
    make_in(&std::env::temp_dir(), line, input, image)
}

/// The same, with temporary files below `parent`.
fn make_in(parent: &Path, line: &str, input: &Path, image: &Path) -> Run {
    let staging = tempfile::tempdir_in(parent).unwrap();
    let world = World::new("", "", "");
    let mut command = world.command(&format!("--no-sync make-fs {line}"));
    command.args([input, image]).env("TMPDIR", staging.path());
    let run = Run::of(&mut command);
    let left: Vec<_> = std::fs::read_dir(staging.path()).unwrap().collect();
    assert!(left.is_empty(), "{line}: {left:?}");
    run
}

/// The partition of an image with a table, alone.
fn partition(image: &Path) -> checkers::Volume {
    let table = checkers::table(image).unwrap();
    checkers::Volume::of_partition(image, &table.entries[0])
}

/// Runs as a user who isn't root; needs root.
fn as_nobody(parent: &Path, line: &str, input: &Path, image: &Path) {
    let world = World::new("", "", "");
    let staging = tempfile::tempdir_in(parent).unwrap();
    let chown = |path: &Path| {
        std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).unwrap();
    };
    chown(staging.path());
    chown(image.parent().unwrap());
    let inner = world.command(&format!("--no-sync make-fs {line}"));
    let mut outer = command("setpriv");
    outer.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    // The binary may be where others can't go.
    let binary = image.with_extension("binary");
    std::fs::copy(inner.get_program(), &binary).unwrap();
    outer
        .arg(binary)
        .args(inner.get_args())
        .args([input, image]);
    outer.env("TMPDIR", staging.path());
    outer.current_dir(image.parent().unwrap());
    let output = outer.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
}

/// An empty filesystem has the size, label and UUID that it was asked for with, and few blocks.
fn comes_back(kind: &str, size: u64, options: &str, label: &str) {
    let empty = tempfile::tempdir().unwrap();
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path(&format!("{kind}-{size}.img"));
    let line = format!("--zeroes sparsest -t {kind} -s {size} -U {UUID} {options}");
    make(&line, empty.path(), &image).expect(0);
    check(kind, &image).unwrap();
    assert_eq!(blkid(&image, "TYPE"), kind);
    assert_eq!(blkid(&image, "LABEL"), label);
    assert_eq!(blkid(&image, "UUID"), UUID);
    let metadata = std::fs::metadata(&image).unwrap();
    assert_eq!(metadata.len(), size);
    let allocated = metadata.blocks() * 512;
    assert!(allocated < 32 << 20, "{allocated}");
}

fn is_in_the_partition_of_a_table(kind: &str) {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    for table in ["mbr", "gpt"] {
        let image = scratch.path(&format!("{kind}-{table}.img"));
        let line = format!("-t {kind} -s 420M -p={table}");
        make(&line, source.path(), &image).expect(0);
        let volume = partition(&image);
        check(kind, &volume).unwrap();
    }
}

/// With a file of `large` bytes beside the sample.
fn smallest_size_holds(kind: &str, large: usize) {
    let source = sample();
    let scratch = Scratch::for_whole_systems();
    std::fs::write(source.path().join("large"), vec![7; large]).unwrap();
    let image = scratch.path(&format!("{kind}-auto.img"));
    make(&format!("-t {kind} -s auto"), source.path(), &image).expect(0);
    check(kind, &image).unwrap();
}

/// Root with temporary files in one place, and another user, a second later, with those in memory.
fn same_bytes_for_everybody(kind: &str) {
    let source = sample();
    let input = source.path().join("many");
    let scratch = Scratch::for_whole_systems();
    let [one, other] = ["one", "other"].map(|name| scratch.path(&format!("{kind}-{name}.img")));
    let line = format!("-t {kind} -s 400M");
    make_in(&std::env::temp_dir(), &line, &input, &one).expect(0);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let memory = Path::new("/dev/shm");
    match is_root_user() {
        true => as_nobody(memory, &line, &input, &other),
        false => drop(make_in(memory, &line, &input, &other).expect(0)),
    }
    assert!(std::fs::read(one).unwrap() == std::fs::read(other).unwrap());
}
