//! Filesystems whose start or end is lost: what is left is told, with warnings.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use disklayout::inspect;

use crate::support::{MIB, Scratch, listed, open, run};

/// How a filesystem is made, how large, and what of its start can get lost.
type Sample<'a> = (&'a str, u64, (u64, usize));

const SAMPLES: &[Sample<'_>] = &[
    ("mke2fs -q -F -t ext2 -b 1024 -L label", 20 * MIB, (0, 4096)),
    (
        "mke2fs -q -F -t ext3 -b 1024 -L label",
        20 * MIB,
        (1024, 1024),
    ),
    (
        "mke2fs -q -F -t ext4 -b 1024 -L label",
        20 * MIB,
        (1024, 1024),
    ),
    (
        "mke2fs -q -F -t ext4 -b 4096 -L label",
        200 * MIB,
        (0, 8192),
    ),
    (
        "mke2fs -q -F -t ext4 -b 2048 -O ^metadata_csum -L label",
        100 * MIB,
        (0, 8192),
    ),
    ("mkfs.fat -F 32 -n LABEL", 100 * MIB, (0, 512)),
    ("mkfs.exfat -L label", 20 * MIB, (0, 12 * 512)),
    (
        "mkntfs -q -F -Q -s 512 -p 0 -H 255 -S 63 -L label",
        20 * MIB,
        (0, 512),
    ),
    ("mkfs.btrfs -q -L label", 200 * MIB, (64 << 10, 4096)),
    ("mkfs.f2fs -q -l label", 100 * MIB, (1024, 2048)),
];

fn made(scratch: &Scratch, line: &str, size: u64) -> std::path::PathBuf {
    let image = scratch.sample("a.img", size);
    run(line, &[&image]);
    image
}

fn overwrite(image: &Path, at: u64, len: usize) {
    let file = File::options().write(true).open(image).unwrap();
    file.write_all_at(&vec![0; len], at).unwrap();
}

#[test]
fn a_start_that_is_lost_is_read_from_its_copy() {
    for (line, size, (at, len)) in SAMPLES {
        let scratch = Scratch::new();
        let image = made(&scratch, line, *size);
        let (sound, count) = listed(&open(&image));
        assert_eq!(sound.warnings, [""; 0], "{line}");
        overwrite(&image, *at, *len);
        let (found, left) = listed(&open(&image));
        assert_eq!(
            (found.kind, &found.label),
            (sound.kind, &sound.label),
            "{line}"
        );
        assert_eq!((found.uuid, found.size), (sound.uuid, sound.size), "{line}");
        assert_eq!(left, count, "{line}");
        assert!(
            found.warnings[0].contains("is lost: the copy"),
            "{line}: {:?}",
            found.warnings
        );
        // A copy alone doesn't go before anything else that is recognised.
        let file = File::options().write(true).open(&image).unwrap();
        file.write_all_at(b"hsqs", 0).unwrap();
        assert_eq!(listed(&open(&image)).0.kind, "squashfs", "{line}");
    }
}

/// A superblock whose checksum is wrong is read from its copy, or as it is where there is none.
#[test]
fn a_superblock_with_a_wrong_checksum() {
    for (size, from_copy) in [(20 * MIB, true), (6 * MIB, false)] {
        let scratch = Scratch::new();
        let image = made(&scratch, "mke2fs -q -F -t ext4 -b 1024 -L label", size);
        let file = File::options().write(true).open(&image).unwrap();
        file.write_all_at(b"other", 1024 + 0x78).unwrap();
        let (found, count) = listed(&open(&image));
        assert_eq!(count, 2, "{:?}", found.warnings);
        let expected = if from_copy { "label" } else { "other" };
        assert_eq!(found.label.as_deref(), Some(expected));
        let told = found.warnings.iter().any(|told| told.contains("checksum"));
        assert!(told, "{:?}", found.warnings);
    }
}

#[test]
fn the_second_header_of_luks() {
    let scratch = Scratch::new();
    let image = scratch.sample("luks.img", 32 * MIB);
    let key = scratch.path("key");
    fs::write(&key, "key").unwrap();
    let line = "cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000";
    run(line, &[&image, &key]);
    let sound = listed(&open(&image)).0;
    overwrite(&image, 0, 4096);
    let found = listed(&open(&image)).0;
    assert_eq!((found.kind, found.uuid), ("crypto_LUKS", sound.uuid));
    assert!(
        found.warnings[0].contains("is lost"),
        "{:?}",
        found.warnings
    );
}

/// Whatever is left of an image tells what it is, and how much is missing; reading on ends.
#[test]
fn an_end_that_is_lost_is_told() {
    let others = [
        ("mkfs.xfs -q -L label", 300 * MIB, (0, 0)),
        ("mkswap -L label", 20 * MIB, (0, 0)),
    ];
    for (line, size, _) in SAMPLES.iter().chain(&others) {
        let scratch = Scratch::new();
        let image = made(&scratch, line, *size);
        let sound = listed(&open(&image)).0;
        for left in [size / 4 * 3, size / 2, MIB] {
            File::options()
                .write(true)
                .open(&image)
                .unwrap()
                .set_len(left)
                .unwrap();
            let disk = open(&image);
            let image = inspect::image(&disk).unwrap();
            let found = image.volumes[0]
                .filesystem
                .as_ref()
                .unwrap()
                .as_ref()
                .unwrap();
            let facts = found.facts();
            assert_eq!((facts.kind, facts.size), (sound.kind, sound.size), "{line}");
            let told = facts
                .warnings
                .iter()
                .any(|told| told.contains("is missing"));
            assert!(told, "{line}: {:?}", facts.warnings);
            if found.has_files()
                && let Ok(mut walk) = found.walk()
            {
                while let Ok(Some(_)) = walk.next() {}
            }
        }
    }
}

/// What isn't read is called by its name.
#[test]
fn others_are_named() {
    for (kind, at, magic) in [
        ("BitLocker", 3, &b"-FVE-FS-"[..]),
        ("apfs", 32, b"NXSB"),
        ("hfsplus", 1024, b"H+\0\x04"),
        ("zfs_member", 0x4014, b"\0\0\0\x07version"),
        ("reiserfs", 0x1_0034, b"ReIsEr2Fs"),
        ("jfs", 0x8000, b"JFS1"),
        ("udf", 0x8001, b"BEA01"),
        ("romfs", 0, b"-rom1fs-"),
        ("cramfs", 0, &[0x45, 0x3D, 0xCD, 0x28]),
        ("ubi", 0, b"UBI#\x01"),
        ("ocfs2", 0x1000, b"OCFSV2"),
    ] {
        let mut bytes = vec![0; 1 << 20];
        bytes[at..at + magic.len()].copy_from_slice(magic);
        let scratch = Scratch::new();
        let image = scratch.path("sample-b.img");
        fs::write(&image, bytes).unwrap();
        assert_eq!(listed(&open(&image)).0.kind, kind);
    }
}
