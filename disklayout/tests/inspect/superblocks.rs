//! Filesystems and containers that are told by their superblock, as blkid tells them.

use std::fs;
use std::path::Path;

use disklayout::inspect;
use disklayout::inspect::fs::Facts;

use crate::support::{MIB, Scratch, assert_as_blkid, filesystem, open, run};

fn facts(image: &Path) -> Facts {
    let disk = open(image);
    let found = filesystem(&disk);
    assert!(!found.has_files());
    assert!(found.walk().is_err());
    found.facts().clone()
}

#[test]
fn swap_of_several_page_sizes() {
    let scratch = Scratch::new();
    for (options, pages, page) in [
        ("-L label", 2560, 4096),
        ("-p 8192", 1280, 8192),
        ("-p 65536", 160, 65536),
    ] {
        let image = scratch.sample("a.img", 10 * MIB);
        run(&format!("mkswap {options}"), &[&image]);
        let facts = facts(&image);
        assert_as_blkid(&facts, &image);
        assert_eq!((facts.blocks, facts.block_size), (Some(pages), Some(page)));
    }
}

#[test]
fn f2fs_and_squashfs() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("f"), "content").unwrap();
    let size = 100 * MIB;
    let image = scratch.sample("a.img", size);
    run("mkfs.f2fs -q -l label", &[&image]);
    let found = facts(&image);
    assert_as_blkid(&found, &image);
    assert_eq!(found.label.as_deref(), Some("label"));
    assert_eq!(found.block_size, Some(4096));
    let taken = found.size.unwrap();
    assert!(taken <= size && taken > size / 10 * 9, "{taken}");
    let image = scratch.path("sample-squash.img");
    run(
        "mksquashfs",
        &[
            &root,
            &image,
            Path::new("-quiet"),
            Path::new("-no-progress"),
        ],
    );
    let facts = facts(&image);
    assert_as_blkid(&facts, &image);
    assert_eq!(
        (facts.inodes, &*facts.features),
        (Some(2), &["gzip".to_owned()][..])
    );
    let told = fs::metadata(&image).unwrap().len();
    assert!(facts.size.is_some_and(|size| size <= told && size > 96));
}

#[test]
fn containers_have_a_kind() {
    let scratch = Scratch::new();
    let image = scratch.sample("luks.img", 32 * MIB);
    let key = scratch.path("key");
    fs::write(&key, "key").unwrap();
    let line = "cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000";
    run(line, &[&image, &key]);
    let found = facts(&image);
    assert_eq!(found.kind, "crypto_LUKS");
    assert_as_blkid(&found, &image);
    // Nothing but what they are told by.
    for (kind, at, magic) in [
        ("LVM2_member", 512, &b"LABELONE"[..]),
        (
            "linux_raid_member",
            4096,
            &[0xFC, 0x4E, 0x2B, 0xA9, 1, 0, 0, 0],
        ),
        ("iso9660", 0x8001, b"CD001"),
    ] {
        let mut bytes = vec![0; 1 << 20];
        bytes[at..at + magic.len()].copy_from_slice(magic);
        let image = scratch.path("sample-b.img");
        fs::write(&image, bytes).unwrap();
        assert_eq!(facts(&image).kind, kind);
    }
}

#[test]
fn nothing_is_nothing() {
    let scratch = Scratch::new();
    for size in [0, 1, 511, 512, 4096, 25 << 30] {
        let image = scratch.sample("a.img", size);
        let disk = open(&image);
        let found = inspect::image(&disk).unwrap();
        assert!(found.table.is_none());
        assert!(
            found.volumes[0].filesystem.as_ref().unwrap().is_none(),
            "{size}"
        );
    }
}
