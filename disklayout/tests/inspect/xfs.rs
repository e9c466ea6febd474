//! What mkfs.xfs and the kernel made, as the kernel shows it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use disklayout::ErrorKind;
use disklayout::inspect::fs::State;
use testkit::mount::Mounted;
use testkit::root::is_root;

use crate::awkward::{self, Limits, assert_as_mounted};
use crate::support::{MIB, Scratch, assert_as_blkid, filesystem, listed, open, problem, run};
use crate::tree;

const LIMITS: Limits = Limits {
    xattr: (65_536, usize::MAX),
    target: 1023,
};

#[test]
fn what_the_kernel_wrote_is_read_as_it_shows_it() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    for (index, options) in [
        "",
        "-b size=1024",
        "-b size=2048 -i size=1024",
        "-b size=1024 -n size=16384 -m bigtime=0,inobtcount=0,reflink=0",
        "-i nrext64=1 -m rmapbt=1",
        "-n size=65536 -i sparse=0 -m finobt=0",
        "-s size=4096 -i size=2048",
    ]
    .into_iter()
    .enumerate()
    {
        let image = scratch.sample(&format!("{index}.img"), 320 * MIB);
        run(&format!("mkfs.xfs -q -L label {options}"), &[&image]);
        let mounted = Mounted::new(&image, "rw");
        awkward::fill(mounted.path(), LIMITS);
        drop(mounted);
        assert_as_mounted(options, &image, "");
        let disk = open(&image);
        assert_as_blkid(filesystem(&disk).facts(), &image);
        fs::remove_file(image).unwrap();
    }
}

/// What mkfs.xfs is told of a directory of the host: everything is root's in it.
pub(crate) fn prototype(root: &Path) -> String {
    let mut text = String::from("/dev/null\n0 0\nd--755 0 0\n");
    below(root, &mut text);
    text
}

fn below(directory: &Path, text: &mut String) {
    let entries = fs::read_dir(directory).unwrap();
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let mode = metadata.mode();
        let set = if mode & 0o4000 == 0 { '-' } else { 'u' };
        let permissions = mode & 0o777;
        let shown = path.display();
        let kind = metadata.file_type();
        if kind.is_dir() {
            writeln!(text, "{name} d{set}-{permissions:o} 0 0").unwrap();
            below(&path, text);
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            writeln!(text, "{name} l--777 0 0 {}", target.display()).unwrap();
        } else if kind.is_file() {
            writeln!(text, "{name} -{set}-{permissions:o} 0 0 {shown}").unwrap();
        } else {
            writeln!(text, "{name} p{set}-{permissions:o} 0 0").unwrap();
        }
    }
    text.push_str("$\n");
}

/// Version 4, which kernels can be without, and blocks that are larger than pages.
#[test]
fn what_mkfs_packs_in_versions_and_blocks_of_all_sizes() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    tree::make(&root);
    // mkfs.xfs has no room for it among its words.
    fs::remove_file(root.join("dir/deep/deeper/\u{e4}\u{20ac}\u{1f600}")).unwrap();
    fs::remove_file(root.join("linked")).unwrap();
    for entry in fs::read_dir(root.join("many")).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .replace(' ', "_");
        fs::rename(&path, path.with_file_name(name)).unwrap();
    }
    let packed = |options: &[&str]| {
        let expected = tree::host(&root);
        let file = scratch.path("prototype");
        fs::write(&file, prototype(&root)).unwrap();
        for options in options {
            let image = scratch.sample("a.img", 400 * MIB);
            let line = format!("mkfs.xfs -q -f -p {} {options}", file.display());
            run(&line, &[&image]);
            let mut found = tree::read(&open(&image));
            for (path, seen) in &mut found {
                // It gives everything the time at which it is made.
                seen.seconds = expected[path].seconds;
                seen.owner = expected[path].owner;
            }
            println!("{options}");
            tree::assert_same(&found, &expected);
            fs::remove_file(image).unwrap();
        }
    };
    packed(&[
        "-m crc=0 -b size=512",
        "-m crc=0 -b size=512 -n size=8192,ftype=0",
        "-m crc=0 -b size=1024 -i size=512",
        "-m crc=0 -b size=4096",
    ]);
    // Of version 5, mkfs.xfs 6.1 forgets the header of a long target, so that no kernel reads it.
    fs::remove_file(root.join("long")).unwrap();
    packed(&[
        "-b size=1024",
        "-b size=16384",
        "-b size=65536 -i size=512",
        "-n version=ci",
    ]);
}

#[test]
fn a_log_that_was_not_replayed_is_told() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    for options in [
        "-l size=8m --unsupported",
        "-d su=64k,sw=2 -l su=64k",
        "-s size=4096",
        "-l version=2",
    ] {
        let image = scratch.sample("a.img", 1024 * MIB);
        run(&format!("mkfs.xfs -q -f {options}"), &[&image]);
        assert_eq!(
            listed(&open(&image)).0.state,
            Some(State::Clean),
            "{options}"
        );
        let mounted = Mounted::new(&image, "rw");
        // More than once around in the smallest log.
        for _ in 0..8 {
            let directory = mounted.path().join("d");
            fs::create_dir(&directory).unwrap();
            for number in 0..1500 {
                File::create(directory.join(format!("{number:0>100}"))).unwrap();
            }
            fs::remove_dir_all(directory).unwrap();
            run("sync -f", &[mounted.path()]);
        }
        fs::write(mounted.path().join("left"), "content").unwrap();
        run("sync -f", &[mounted.path()]);
        let copy = scratch.path("sample-b.img");
        run("cp --sparse=always", &[&image, &copy]);
        drop(mounted);
        let (facts, count) = listed(&open(&image));
        assert_eq!((facts.state, count), (Some(State::Clean), 2), "{options}");
        assert_eq!(facts.warnings, [""; 0], "{options}");
        let facts = listed(&open(&copy)).0;
        assert_eq!(facts.state, Some(State::NeedsRecovery), "{options}");
        assert!(facts.warnings[0].contains("log"), "{:?}", facts.warnings);
    }
}

/// What xfs_db says to commands that change something.
fn xfs_db(image: &Path, commands: &[&str]) -> String {
    let mut words = vec![Path::new("-x")];
    for command in commands {
        words.extend([Path::new("-c"), Path::new(command)]);
    }
    words.push(image);
    run("xfs_db", &words)
}

#[test]
fn what_is_not_known_is_refused_by_its_name() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("f"), "content").unwrap();
    let file = scratch.path("prototype");
    fs::write(&file, prototype(&root)).unwrap();
    let image = scratch.sample("a.img", 320 * MIB);
    run(&format!("mkfs.xfs -q -p {}", file.display()), &[&image]);
    let copy = scratch.path("sample-b.img");
    let with_features = |incompat: u32| {
        let mut bytes = fs::read(&image).unwrap();
        bytes[216..220].copy_from_slice(&incompat.to_be_bytes());
        bytes[224..228].fill(0);
        let sum = crc32c::crc32c(&bytes[..512]);
        bytes[224..228].copy_from_slice(&sum.to_le_bytes());
        fs::write(&copy, bytes).unwrap();
    };
    with_features(0x8000_020B);
    let said = problem(&copy);
    assert!(
        said.contains("unknown features: zoned, incompat 0x80000000"),
        "{said}"
    );
    with_features(0x1B);
    let said = problem(&copy);
    assert!(said.contains("has to be repaired"), "{said}");
    let number = {
        let disk = open(&image);
        let found = filesystem(&disk);
        found.find(b"/f").unwrap().unwrap().number
    };
    fs::copy(&image, &copy).unwrap();
    xfs_db(
        &copy,
        &[&format!("inode {number}"), "write core.realtime 1"],
    );
    let disk = open(&copy);
    let found = filesystem(&disk);
    let node = found.find(b"/f").unwrap().unwrap();
    let error = found.open(&node).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("realtime"), "{error}");
}

/// Every kind of metadata that has a checksum: a bit that is wrong is found. A superblock has a copy.
#[test]
fn wrong_checksums_are_found() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let image = scratch.sample("a.img", 320 * MIB);
    run("mkfs.xfs -q -b size=1024", &[&image]);
    let mounted = Mounted::new(&image, "rw");
    awkward::fill(mounted.path(), LIMITS);
    drop(mounted);
    let sound = fs::read(&image).unwrap();
    let bytes = File::options().write(true).open(&image).unwrap();
    for (magic, within, offset, what) in [
        (&b"XDD3"[..], 0, 70, "directory of inode"),
        (b"XDB3", 0, 70, "directory of inode"),
        (b"BMA3", 0, 80, "tree of the extents of inode"),
        (b"XSLM", 0, 70, "target of inode"),
        (b"XARM", 0, 70, "attributes of inode"),
        (&[0x3B, 0xEE], 8, 500, "attributes of inode"),
        (&[0x3E, 0xBE], 8, 60, "attributes of inode"),
        (b"IN", 0, 8, "inode"),
    ] {
        let starts = (0..sound.len()).step_by(512);
        let has = |at: &usize| sound[*at + within..].starts_with(magic);
        // Of these, some belong to files that were removed.
        let problems = starts.filter(has).take(40).map(|at| {
            let at = at + offset;
            bytes.write_all_at(&[sound[at] ^ 1], at as u64).unwrap();
            let said = awkward::first_error(&image);
            bytes.write_all_at(&sound[at..=at], at as u64).unwrap();
            said
        });
        let mut problems = problems.flatten();
        let is_it = |said: &String| said.starts_with(what) && said.contains("checksum");
        assert!(problems.any(|said| is_it(&said)), "{what} {magic:?}");
    }
    assert_eq!(awkward::first_error(&image), None);
    bytes.write_all_at(&[0xFF], 140).unwrap();
    let (facts, count) = listed(&open(&image));
    assert!(
        facts.warnings[0].contains("checksum"),
        "{:?}",
        facts.warnings
    );
    assert!(count > 9000, "{count}");
}
