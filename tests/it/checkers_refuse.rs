//! The checkers accept what is right and refuse what is damaged: a checker that accepts everything
//! checks nothing.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::checkers::*;
use crate::sample::Sample;

const MIB: u64 = 1 << 20;
const MBR: &str = "label: dos\nstart=2048, size=32768, type=83\n";
const GPT: &str = "label: gpt\nstart=2048, size=32768, type=L, name=primary\n";

/// An image of 32 MiB with an ext4 partition of 16 MiB that has one file.
fn sample(script: &str) -> Sample {
    let sample = Sample::new("one-file.img", 32 * MIB, script);
    let entry = table(&sample.image).unwrap().entries.remove(0);
    sample.ext4(&entry, &[], &[("file", b"content")]);
    sample
}

fn first_volume(sample: &Sample) -> Volume {
    let entry = &table(&sample.image).unwrap().entries[0];
    Volume::of_partition(&sample.image, entry)
}

fn ntfs() -> Volume {
    let volume = Volume::new("sample-ntfs partition 1", 16 * MIB);
    let options = [
        "-Q", "-F", "-q", "-s", "512", "-p", "2048", "-H", "255", "-S", "63",
    ];
    approved("mkntfs", &options, &volume).unwrap();
    volume
}

fn overwrite(volume: &Path, offset: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(volume).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn good_images_are_accepted() {
    for script in [MBR, GPT] {
        let sample = sample(script);
        let volumes = verify(&sample.image).unwrap();
        assert_eq!(volumes.len(), 1);
        let (entry, volume) = &volumes[0];
        assert_eq!((entry.number, entry.start, entry.sectors), (1, 2048, 32768));
        assert_eq!(entry.name.as_deref(), (script == GPT).then_some("primary"));
        assert_eq!(debugfs("cat /file", volume).unwrap(), b"content");
        assert_eq!(dumpe2fs(&[], volume).unwrap()["Block size"], "1024");
        assert_eq!(blkid(volume).unwrap()["TYPE"], "ext4");
    }
}

#[test]
fn copies_keep_holes() {
    use std::os::unix::fs::MetadataExt;
    let sample = sample(MBR);
    let allocated = first_volume(&sample).metadata().unwrap().blocks() * 512;
    assert!((4096..4 * MIB).contains(&allocated), "{allocated} bytes");
}

#[test]
fn overlapping_partitions_are_refused() {
    let sample = Sample::new(
        "overlap.img",
        32 * MIB,
        "label: dos\nsize=2048\nsize=2048\n",
    );
    sfdisk_verify(&sample.image).unwrap();
    // The start of the second entry becomes the start of the first.
    sample.damage(446 + 16 + 8, &2048_u32.to_le_bytes());
    sfdisk_verify(&sample.image).unwrap_err();
    verify(&sample.image).unwrap_err();
}

#[test]
fn a_damaged_gpt_is_refused() {
    let sample = sample(GPT);
    // One letter of the name of the first partition: the sum is wrong then.
    sample.damage(2 * 512 + 56, b"q");
    sgdisk_verify(&sample.image).unwrap_err();
}

#[test]
fn an_image_without_a_table_is_refused() {
    let file = NamedTempFile::new().unwrap();
    file.as_file().set_len(MIB).unwrap();
    table(file.path()).unwrap_err();
    verify(file.path()).unwrap_err();
}

#[test]
fn damaged_ext4_is_refused() {
    // A bit of the first block bitmap, and a letter of a group descriptor.
    for (block, offset) in [("Block bitmap", 20), ("descriptor", 3)] {
        let volume = first_volume(&sample(MBR));
        let text = approved_text("dumpe2fs", &[], &volume).unwrap();
        let at = match block {
            "descriptor" => 2 * 1024 + offset,
            _ => bitmap_block(&text) * 1024 + offset,
        };
        e2fsck(&volume).unwrap();
        overwrite(&volume, at, &[0x5a]);
        e2fsck(&volume).unwrap_err();
    }
}

fn bitmap_block(text: &str) -> u64 {
    let (_, rest) = text.split_once("Block bitmap at ").unwrap();
    rest.split(|letter: char| !letter.is_ascii_digit())
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn backup_superblocks_are_read_where_they_are() {
    let volume = first_volume(&sample(MBR));
    let backup_in = |block: &str| {
        let place = format!("superblock={block}");
        dumpe2fs(&["-o", &place, "-o", "blocksize=1024"], &volume)
    };
    let backup = backup_in("8193").unwrap();
    assert_eq!(backup["Block count"], "16384");
    backup_in("8194").unwrap_err();
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let volume = first_volume(&sample(MBR));
    debugfs("cat /other", &volume).unwrap_err();
    debugfs("stat /other", &volume).unwrap_err();
    ntfscat(&ntfs(), "/other").unwrap_err();
}

#[test]
fn ntfs_is_accepted_until_its_mft_is_damaged() {
    let volume = ntfs();
    ntfsfix(&volume).unwrap();
    verify_volume(&volume).unwrap();
    assert_eq!(ntfsinfo(&volume).unwrap()["Cluster Size"], "4096");
    overwrite(&volume, 4 * 4096, b"NONE");
    ntfsfix(&volume).unwrap_err();
}

#[test]
fn an_empty_partition_is_refused() {
    let sample = Sample::new("empty.img", 32 * MIB, MBR);
    verify(&sample.image).unwrap_err();
}

#[test]
#[should_panic(expected = "createhdds-no-such-checker can't be run")]
fn a_missing_checker_stops_the_test() {
    let _ = approved("createhdds-no-such-checker", &[], Path::new("image"));
}

/// What makes a filesystem of each kind, its size, and where damage is found.
const MADE: [(&str, &str, &[&str], u64, u64); 8] = [
    ("vfat", "mkfs.fat", &[], 64 * MIB, 2048),
    ("exfat", "mkfs.exfat", &[], 64 * MIB, 1024),
    ("xfs", "mkfs.xfs", &["-q"], 320 * MIB, 40),
    ("btrfs", "mkfs.btrfs", &["-q"], 128 * MIB, 0x1_0064),
    ("f2fs", "mkfs.f2fs", &["-q"], 64 * MIB, 512 * 4096 + 30),
    ("swap", "mkswap", &[], MIB, 1026),
    ("erofs", "mkfs.erofs", &[], 0, 1064),
    ("squashfs", "mksquashfs", &["-noappend", "-quiet"], 0, 100),
];

/// A filesystem made by its own program: into a file of `size`, or from a directory into a new one.
fn made(program: &str, options: &[&str], size: u64) -> Volume {
    let volume = Volume::new(&format!("sample-{program} partition 1"), size);
    let path = volume.to_str().unwrap();
    let source = tempfile::tempdir().unwrap();
    std::fs::write(source.path().join("file"), [7; 100]).unwrap();
    let source = source.path().to_str().unwrap();
    let arguments = match program {
        "mkfs.erofs" => [options, &[path, source]].concat(),
        "mksquashfs" => [&[source, path], options].concat(),
        _ => [options, &[path]].concat(),
    };
    let output = command(program).args(&arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("{program} can't be run, see scripts/setup: {error}"));
    assert!(output.status.success(), "{program}: {output:?}");
    volume
}

#[test]
fn every_kind_of_filesystem_has_a_checker_that_finds_damage() {
    for (kind, program, options, size, place) in MADE {
        let volume = made(program, options, size);
        assert_eq!(
            blkid(&volume)
                .unwrap_or_default()
                .get("TYPE")
                .map(String::as_str),
            Some(kind)
        );
        verify_volume(&volume).unwrap();
        overwrite(&volume, place, &[0x5a; 16]);
        verify_volume(&volume).expect_err(kind);
    }
}
