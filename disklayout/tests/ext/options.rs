//! What is chosen is what mke2fs makes of the same choice.

use disklayout::fs::ext::{Inodes, Journal, Options};
use disklayout::{Bytes, ErrorKind};

use crate::checkers::{self, dumpe2fs, e2fsck, unequal};
use crate::support::{GIB, MIB, Scratch, empty_tree, plan_with, write_image};
use crate::trees;

/// A filesystem, what is chosen for it, and how mke2fs is told.
type Case = (&'static str, u64, Options, &'static [&'static str]);

fn features(list: &str) -> Vec<String> {
    list.split(',').map(str::to_owned).collect()
}

fn cases() -> Vec<Case> {
    let none = Options::default;
    let block_size = |size| Options {
        block_size: Some(size),
        ..none()
    };
    let inode_size = |size| Options {
        inode_size: Some(size),
        ..none()
    };
    let inodes = |inodes| Options { inodes, ..none() };
    let reserved = |reserved| Options {
        reserved: Some(reserved),
        ..none()
    };
    let journal = |journal| Options { journal, ..none() };
    let with = |list| Options {
        features: features(list),
        ..none()
    };
    let mib = |count| Journal::Size(Bytes::new(count * MIB));
    vec![
        ("ext4", 64 * MIB, block_size(4096), &["-b", "4096"]),
        ("ext4", 2 * MIB, block_size(4096), &["-b", "4096"]),
        ("ext2", 64 * MIB, block_size(2048), &["-b", "2048"]),
        ("ext3", GIB, block_size(1024), &["-b", "1024"]),
        ("ext4", 5 * GIB + MIB, block_size(1024), &["-b", "1024"]),
        ("ext4", 64 * MIB, inode_size(128), &["-I", "128"]),
        ("ext2", GIB, inode_size(128), &["-I", "128"]),
        ("ext4", 64 * MIB, inode_size(512), &["-I", "512"]),
        ("ext4", GIB, inode_size(1024), &["-I", "1024"]),
        ("ext4", 64 * MIB, inodes(Inodes::Count(16)), &["-N", "16"]),
        ("ext4", 64 * MIB, inodes(Inodes::Count(100)), &["-N", "100"]),
        (
            "ext3",
            GIB,
            inodes(Inodes::Count(400_000)),
            &["-N", "400000"],
        ),
        (
            "ext4",
            40 * MIB,
            inodes(Inodes::Count(60_000)),
            &["-N", "60000"],
        ),
        (
            "ext4",
            40 * MIB,
            inodes(Inodes::Count(100_001)),
            &["-N", "100001"],
        ),
        (
            "ext4",
            64 * MIB,
            inodes(Inodes::BytesPerInode(1024)),
            &["-i", "1024"],
        ),
        (
            "ext4",
            3 * GIB,
            inodes(Inodes::BytesPerInode(65_536)),
            &["-i", "65536"],
        ),
        ("ext2", 64 * MIB, reserved(0), &["-m", "0"]),
        ("ext4", GIB + 137 * MIB, reserved(50), &["-m", "0.5"]),
        ("ext4", 64 * MIB, reserved(5000), &["-m", "50"]),
        (
            "ext4",
            64 * MIB,
            journal(Journal::None),
            &["-O", "^has_journal"],
        ),
        ("ext3", 64 * MIB, journal(mib(1)), &["-J", "size=1"]),
        ("ext4", GIB, journal(mib(128)), &["-J", "size=128"]),
        (
            "ext2",
            64 * MIB,
            with("has_journal"),
            &["-O", "has_journal"],
        ),
        ("ext4", 64 * MIB, with("^64bit"), &["-O", "^64bit"]),
        (
            "ext4",
            GIB,
            with("^metadata_csum"),
            &["-O", "^metadata_csum"],
        ),
        ("ext4", 64 * MIB, with("^flex_bg"), &["-O", "^flex_bg"]),
        (
            "ext4",
            64 * MIB,
            with("^resize_inode"),
            &["-O", "^resize_inode"],
        ),
        ("ext4", 64 * MIB, with("^dir_index"), &["-O", "^dir_index"]),
        ("ext4", 64 * MIB, with("large_dir"), &["-O", "large_dir"]),
        (
            "ext4",
            GIB,
            with("metadata_csum_seed"),
            &["-O", "metadata_csum_seed"],
        ),
        ("ext2", 64 * MIB, with("^filetype"), &["-O", "^filetype"]),
        ("ext2", 64 * MIB, with("extent"), &["-O", "extent"]),
        ("ext3", GIB, with("metadata_csum"), &["-O", "metadata_csum"]),
        (
            "ext2",
            64 * MIB,
            with("^resize_inode,^sparse_super"),
            &["-O", "^resize_inode,^sparse_super"],
        ),
        (
            "ext4",
            GIB,
            with("^64bit,^extent,^huge_file,^dir_nlink,^ext_attr"),
            &["-O", "^64bit,^extent,^huge_file,^dir_nlink,^ext_attr"],
        ),
    ]
}

/// Formats with both and says what differs.
fn check((kind, size, options, arguments): &Case) -> Vec<String> {
    let scratch = Scratch::new();
    let name = arguments.join("");
    let ours = &scratch.path(&format!("option-{kind}-{size}{name}.img"));
    let theirs = &scratch.path(&format!(
        "{}option-{kind}-{size}{name}.img",
        checkers::SAMPLE
    ));
    let plan = plan_with(kind, *size, options.clone(), empty_tree()).unwrap();
    write_image(&*plan, *size, ours);
    checkers::mke2fs_with(kind, *size, arguments, theirs).unwrap();
    let mut found: Vec<_> = e2fsck(ours).err().into_iter().collect();
    let [ours, theirs] = [ours, theirs].map(|image| dumpe2fs(&[], image).unwrap());
    found.extend(unequal(&ours, &theirs));
    found
}

#[test]
fn every_number_is_that_of_mke2fs_with_the_same_choice() {
    let found: Vec<_> = cases()
        .iter()
        .flat_map(|case| {
            let lines = check(case).into_iter();
            lines.map(|line| format!("{} {} {:?}: {line}", case.0, case.1, case.3))
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn with_every_choice_what_was_put_in_is_sound() {
    for (kind, size, options, arguments) in cases() {
        let scratch = Scratch::new();
        let path = scratch.path(&format!("filled-{kind}-{size}{}.img", arguments.join("")));
        let plan = match plan_with(kind, size, options, trees::every_kind()) {
            Ok(plan) => plan,
            // A hundred inodes are too few, and ext_attr was left out.
            Err(error) => {
                let expected = [ErrorKind::DoesNotFit, ErrorKind::Unsupported];
                assert!(expected.contains(&error.kind()), "{arguments:?}: {error}");
                assert!(
                    arguments[0] == "-N" || arguments[1].contains("^ext_attr"),
                    "{error}"
                );
                continue;
            }
        };
        write_image(&*plan, size, &path);
        e2fsck(&path).unwrap_or_else(|said| panic!("{kind} {arguments:?}: {said}"));
    }
}

#[test]
fn owner_seed_and_path_are_in_the_image() {
    let scratch = Scratch::new();
    let seed = uuid::Uuid::from_u128(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF);
    let options = Options {
        root_owner: Some((1000, 70_000)),
        hash_seed: Some(seed),
        last_mounted: Some("/mnt/somewhere".to_owned()),
        ..Options::default()
    };
    let plan = plan_with("ext4", 8 * MIB, options, empty_tree()).unwrap();
    let image = scratch.image("chosen.img", 8 * MIB, &*plan);
    let said = checkers::run("dumpe2fs", &[std::ffi::OsStr::new("-h"), image.as_os_str()]).unwrap();
    for line in [
        "Last mounted on:          /mnt/somewhere",
        "Directory Hash Seed:      01234567-89ab-cdef-0123-456789abcdef",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let said = checkers::debugfs("stat <2>", &image);
    assert!(said.contains("User:  1000   Group: 70000"), "{said}");
}

#[test]
fn a_journal_that_does_not_fit_is_refused() {
    for (size, journal) in [(64 * MIB, 64), (64 * MIB, 33), (2 * MIB, 1), (GIB, 1)] {
        let options = Options {
            journal: Journal::Size(Bytes::new(journal * MIB)),
            ..Options::default()
        };
        let error = plan_with("ext4", size, options, empty_tree()).unwrap_err();
        assert_eq!(error.place(), "parts[0].journal", "{size} {journal}");
    }
}
