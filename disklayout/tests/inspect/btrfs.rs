//! What mkfs.btrfs and the kernel made, as the kernel shows it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use disklayout::disk::Disk;
use disklayout::inspect::fs::State;
use testkit::compare::assert_same;
use testkit::host;
use testkit::inspected;
use testkit::listing::{Listing, seen_by};
use testkit::mount::Mounted;
use testkit::root::is_root;

use crate::awkward::{self, KNOWS, Limits, assert_as_mounted};
use crate::support::{MIB, Scratch, assert_as_blkid, filesystem, listed, open, problem, run};
use crate::tree::{self, data};

/// In nodes of 16 KiB.
const LIMITS: Limits = Limits {
    xattr: (16_000, usize::MAX),
    target: 4095,
};

/// In nodes of 4 KiB.
const SMALL: Limits = Limits {
    xattr: (3900, usize::MAX),
    target: 3900,
};

/// Where names lead to subvolumes that aren't there.
const NOWHERE: &[&str] = &["snapshot/inner", "again/inner", "again/a/b/deep"];

#[test]
fn what_the_kernel_wrote_is_read_as_it_shows_it() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    for (index, (making, mounting, limits)) in [
        ("", "compress-force=zstd", LIMITS),
        ("-n 4096 -m single", "compress=zlib", SMALL),
        ("--mixed -n 4096", "compress=lzo,max_inline=4095", SMALL),
        ("--csum xxhash -O ^no-holes", "max_inline=0", LIMITS),
        (
            "--csum sha256 -n 65536 -m dup -d dup",
            "compress-force=lzo",
            LIMITS,
        ),
        (
            "-O ^skinny-metadata,^extref -R ^free-space-tree",
            "compress-force=zlib,nodatacow",
            LIMITS,
        ),
        ("--csum blake2", "compress=zstd:15", LIMITS),
    ]
    .into_iter()
    .enumerate()
    {
        let image = scratch.sample(&format!("{index}.img"), 512 * MIB);
        run(&format!("mkfs.btrfs -q -L label {making}"), &[&image]);
        let mounted = Mounted::new(&image, &format!("rw,{mounting}"));
        let root = mounted.path();
        if making.contains("^extref") {
            fs::create_dir(root.join("plain")).unwrap();
            tree::make(&root.join("plain"));
        } else {
            awkward::fill(root, limits);
        }
        compressible(root);
        shared(root);
        subvolumes(root);
        drop(mounted);
        assert_same_as_mounted(making, &image);
        let disk = open(&image);
        let mut facts = filesystem(&disk).facts().clone();
        if making.contains("blake2") {
            let said = facts.warnings.remove(0);
            assert!(said.contains("BLAKE2b"), "{said}");
        }
        assert_as_blkid(&facts, &image);
        fs::remove_file(image).unwrap();
    }
}

/// What the kernel shows of `image`, and the same by the library.
fn assert_same_as_mounted(what: &str, image: &Path) {
    let mounted = Mounted::new(image, "ro");
    let expected = timeless(seen_by(&host::list(mounted.path()), KNOWS));
    drop(mounted);
    let found = inspected::list(&filesystem(&open(image) as &dyn Disk));
    assert!(expected.len() > 3, "{what}");
    assert_same(what, &expected, &timeless(found));
}

/// Directories in place of subvolumes have the time at which the kernel has met them.
fn timeless(mut listing: Listing) -> Listing {
    for path in NOWHERE {
        if let Some(entry) = listing.get_mut(path.as_bytes()) {
            entry.mtime = None;
        }
    }
    listing
}

/// A little of what only Btrfs has: what is compressed, shared, and in subvolumes.
pub(crate) fn fill_little(root: &Path) {
    fs::write(root.join("text"), "compressible ".repeat(20_000)).unwrap();
    fs::write(root.join("inline"), "compressible ".repeat(100)).unwrap();
    run("sync -f", &[root]);
    run(
        "cp --reflink=always",
        &[&root.join("text"), &root.join("same")],
    );
    subvolumes(root);
}

/// Text of every length around what is stored in an item, a sector or an extent, written to again.
fn compressible(root: &Path) {
    let directory = root.join("text");
    fs::create_dir(&directory).unwrap();
    let text = |len: usize| -> Vec<u8> {
        let lines = (0..).map(|line: u32| format!("line {line} of {len} bytes\n"));
        let mut text = String::new();
        for line in lines {
            if text.len() >= len {
                break;
            }
            text.push_str(&line);
        }
        text.as_bytes()[..len].to_vec()
    };
    for len in [
        1, 30, 200, 2047, 2048, 2049, 4000, 4095, 4096, 4097, 8192, 12_289, 131_071, 131_072,
        131_073, 1_000_000,
    ] {
        fs::write(directory.join(len.to_string()), text(len)).unwrap();
    }
    run("sync -f", &[root]);
    for len in [12_289, 131_073, 1_000_000] {
        let file = File::options()
            .write(true)
            .open(directory.join(len.to_string()))
            .unwrap();
        file.write_all_at(b"changed", 5000).unwrap();
        file.write_all_at(&text(9000), len / 2).unwrap();
        file.write_all_at(b"behind", len + 10_000).unwrap();
    }
    let mixed = File::create(directory.join("mixed")).unwrap();
    for index in 0..100_u64 {
        let bytes = match index % 3 {
            0 => data(index as u32, 20_000),
            1 => text(20_000),
            _ => vec![0; 20_000],
        };
        mixed.write_all_at(&bytes, index * 20_000).unwrap();
    }
    let grown = directory.join("grown");
    fs::write(&grown, text(100)).unwrap();
    run("sync -f", &[root]);
    run("truncate -s 10000", &[&grown]);
    let own = directory.join("own");
    fs::create_dir(&own).unwrap();
    run(
        "btrfs property set",
        &[&own, Path::new("compression"), Path::new("zstd")],
    );
    fs::write(own.join("file"), text(50_000)).unwrap();
    run("sync -f", &[root]);
}

/// Extents that are parts of others.
fn shared(root: &Path) {
    let first = root.join("first");
    fs::write(&first, data(5, 300_000)).unwrap();
    run("sync -f", &[root]);
    run("cp --reflink=always", &[&first, &root.join("second")]);
    let large = root.join("text/1000000");
    run("cp --reflink=always", &[&large, &root.join("third")]);
    for name in ["second", "third"] {
        let file = File::options().write(true).open(root.join(name)).unwrap();
        file.write_all_at(&data(6, 5000), 100_000).unwrap();
    }
}

/// Subvolumes in each other and in directories, and snapshots, in which others aren't.
fn subvolumes(root: &Path) {
    let path = |name: &str| root.join(name);
    let create = |name: &str| run("btrfs subvolume create", &[&path(name)]);
    create("subvolume");
    create("subvolume/inner");
    fs::write(path("subvolume/file"), "in a subvolume").unwrap();
    fs::hard_link(path("subvolume/file"), path("subvolume/other name")).unwrap();
    fs::write(path("subvolume/inner/file"), data(1, 70_000)).unwrap();
    fs::create_dir_all(path("subvolume/a/b")).unwrap();
    create("subvolume/a/b/deep");
    fs::write(path("subvolume/a/b/deep/file"), "deep").unwrap();
    create("gone");
    run("btrfs subvolume delete", &[&path("gone")]);
    run("chown 5:6", &[&path("subvolume")]);
    let snapshot = "btrfs subvolume snapshot";
    run(snapshot, &[&path("subvolume"), &path("snapshot")]);
    run(
        "btrfs subvolume snapshot -r",
        &[&path("subvolume"), &path("again")],
    );
    fs::remove_dir(path("snapshot/a/b/deep")).unwrap();
    fs::write(path("snapshot/file"), "changed").unwrap();
    fs::rename(path("subvolume"), path("moved")).unwrap();
    run("sync -f", &[root]);
}

#[test]
fn the_default_subvolume_is_what_is_shown() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let image = scratch.sample("a.img", 200 * MIB);
    run("mkfs.btrfs -q", &[&image]);
    let mounted = Mounted::new(&image, "rw");
    tree::make(mounted.path());
    subvolumes(mounted.path());
    run(
        "btrfs subvolume set-default",
        &[&mounted.path().join("moved")],
    );
    drop(mounted);
    assert_same_as_mounted("default", &image);
    let disk = open(&image);
    let found = filesystem(&disk);
    let root = found.root().unwrap();
    assert!(root.subvolume.is_some_and(|number| number > 5), "{root:?}");
    assert!(found.find(b"/moved").unwrap().is_none());
    let inner = found.find(b"/inner/file").unwrap().unwrap();
    assert_ne!(inner.subvolume, root.subvolume);
}

#[test]
fn what_mkfs_packs_is_read_without_root() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    tree::make(&root);
    tree::make_sparse(&root, 4096);
    let mut expected = tree::host(&root);
    for options in [
        "",
        "-n 4096 -m single",
        "--csum sha256 -O ^no-holes",
        "-m dup -d dup",
    ] {
        let image = scratch.sample("a.img", 512 * MIB);
        let line = format!("mkfs.btrfs -q {options} -r {}", root.display());
        run(&line, &[&image]);
        let found = tree::read(&open(&image));
        // The root directory is made anew.
        expected.get_mut(&b"/"[..]).unwrap().seconds = found[&b"/"[..]].seconds;
        tree::assert_same(&found, &expected);
        fs::remove_file(image).unwrap();
    }
}

#[test]
fn a_log_that_was_not_replayed_is_told() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let image = scratch.sample("a.img", 200 * MIB);
    let copy = scratch.path("sample-b.img");
    run("mkfs.btrfs -q", &[&image]);
    assert_eq!(listed(&open(&image)).0.state, Some(State::Clean));
    let mounted = Mounted::new(&image, "rw,commit=300");
    fs::write(mounted.path().join("committed"), "content").unwrap();
    run("sync -f", &[mounted.path()]);
    let late = mounted.path().join("late");
    fs::write(&late, "content").unwrap();
    File::open(&late).unwrap().sync_all().unwrap();
    run("cp --sparse=always", &[&image, &copy]);
    drop(mounted);
    let (facts, count) = listed(&open(&image));
    assert_eq!((facts.state, count), (Some(State::Clean), 3));
    let (facts, count) = listed(&open(&copy));
    assert_eq!((facts.state, count), (Some(State::NeedsRecovery), 2));
    assert!(facts.warnings[0].contains("log"), "{:?}", facts.warnings);
}

#[test]
fn a_copy_of_the_superblock_is_read() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("f"), "content").unwrap();
    let image = scratch.sample("a.img", 200 * MIB);
    run(&format!("mkfs.btrfs -q -r {}", root.display()), &[&image]);
    let file = File::options().write(true).open(&image).unwrap();
    for (damage, at, said) in [
        (&[0xFF_u8][..], 65_536 + 300, "checksum"),
        (&[0; 4096][..], 65_536, "is lost: the copy in byte 67108864"),
    ] {
        file.write_all_at(damage, at).unwrap();
        let (facts, count) = listed(&open(&image));
        assert_eq!(count, 2);
        let warnings = &facts.warnings;
        assert!(
            warnings.iter().any(|warning| warning.contains(said)),
            "{warnings:?}"
        );
    }
}

#[test]
fn what_is_not_known_is_refused_by_its_name() {
    let scratch = Scratch::new();
    let first = scratch.sample("a.img", 300 * MIB);
    let second = scratch.sample("b.img", 300 * MIB);
    run("mkfs.btrfs -q -f -d raid1", &[&first, &second]);
    for image in [&first, &second] {
        let said = problem(image);
        assert!(said.contains("2 devices"), "{said}");
    }
    run("mkfs.btrfs -q -f -d raid0", &[&first]);
    let said = problem(&first);
    assert!(said.contains("RAID0"), "{said}");
    run("mkfs.btrfs -q -f", &[&first]);
    let mut bytes = fs::read(&first).unwrap();
    let superblock = &mut bytes[65_536..][..4096];
    // The high bits of what is incompatible.
    superblock[188 + 7] = 0x80;
    superblock[188 + 1] |= 1 << 5;
    let sum = crc32c::crc32c(&superblock[32..]);
    superblock[..4].copy_from_slice(&sum.to_le_bytes());
    fs::write(&first, bytes).unwrap();
    let said = problem(&first);
    assert!(
        said.contains("unknown features: extent_tree_v2, incompat_63"),
        "{said}"
    );
}

/// A bit that is wrong in a node is found, and does no harm where there is a second copy.
#[test]
fn wrong_checksums_are_found() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    tree::make(&root);
    for kind in ["crc32c", "xxhash", "sha256"] {
        for profile in ["single", "dup"] {
            let image = scratch.sample("a.img", 300 * MIB);
            let shown = root.display();
            run(
                &format!("mkfs.btrfs -q --csum {kind} -m {profile} -r {shown}"),
                &[&image],
            );
            let sound = fs::read(&image).unwrap();
            let uuid = &sound[65_536 + 32..][..16];
            let bytes = File::options().write(true).open(&image).unwrap();
            let nodes = (0..sound.len()).step_by(4096).filter(|at| {
                // Leaves of files.
                *at != 65_536
                    && *at != 67_108_864
                    && sound[at + 32..].starts_with(uuid)
                    && sound[at + 88..].starts_with(&5_u64.to_le_bytes())
            });
            let problems = nodes.take(40).filter_map(|at| {
                bytes
                    .write_all_at(&[sound[at + 500] ^ 1], at as u64 + 500)
                    .unwrap();
                let said = awkward::first_error(&image);
                bytes
                    .write_all_at(&sound[at + 500..=at + 500], at as u64 + 500)
                    .unwrap();
                said
            });
            let problems: Vec<_> = problems.collect();
            if profile == "dup" {
                assert_eq!(problems, [""; 0], "{kind}");
                continue;
            }
            assert!(problems.len() > 3, "{kind}: {problems:?}");
            for said in problems {
                assert!(
                    said.starts_with("node at") && said.contains("checksum"),
                    "{said}"
                );
            }
        }
    }
}

/// Nothing but what the kernel makes anyway.
#[test]
fn an_empty_one() {
    let scratch = Scratch::new();
    let image = scratch.sample("a.img", 200 * MIB);
    run("mkfs.btrfs -q -L label", &[&image]);
    let (facts, count) = listed(&open(&image));
    assert_as_blkid(&facts, &image);
    assert_eq!(
        (facts.label.as_deref(), facts.block_size, count),
        (Some("label"), Some(4096), 1)
    );
    assert_eq!(facts.size, Some(200 * MIB));
    if is_root() {
        assert_as_mounted_empty(&image);
    }
}

fn assert_as_mounted_empty(image: &Path) {
    let mounted = Mounted::new(image, "rw");
    for number in 0..5 {
        fs::write(mounted.path().join(number.to_string()), "x").unwrap();
    }
    drop(mounted);
    assert_as_mounted("few", image, "");
}
