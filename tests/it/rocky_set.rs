//! The command builds the layout images of the Rocky set, and programs of others find in them what
//! was recorded of the original's.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::checkers::{self, Volume};
use crate::oracle::{self, SeededFile};

/// Each image and the group of hdds.json that describes it.
const IMAGES: [(&str, &str); 9] = [
    ("disk_freespace_gpt", "freespace"),
    ("disk_freespace_mbr", "freespace"),
    ("disk_full_gpt", "full"),
    ("disk_full_mbr", "full"),
    ("disk_ks-8", "ks-8"),
    ("disk_ks-9", "ks-9"),
    ("disk_shrink_ext4", "shrink"),
    ("disk_shrink_ntfs", "shrink"),
    ("disk_updates_img", "updates_img"),
];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `createhdds all --kind guestfs` into a new directory.
fn build(config: &Path) -> TempDir {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_createhdds"))
        .arg("--config")
        .arg(config)
        .arg("--data-dir")
        .arg(project())
        .arg("-C")
        .arg(directory.path())
        .args(["all", "--kind", "guestfs"])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", config.display());
    directory
}

/// The files of a group: its writes, and its uploads with the content of their sources.
fn seeded(config: &Value, group: &str) -> Vec<SeededFile> {
    let groups = config["guestfs"].as_array().unwrap();
    let group = groups.iter().find(|one| one["name"] == group).unwrap();
    let entries = |key: &str| group[key].as_array().cloned().unwrap_or_default();
    let writes = entries("writes").into_iter().map(|write| SeededFile {
        partition: number(&write["part"]),
        path: text(&write["path"]),
        content: text(&write["content"]).into_bytes(),
        uploaded: false,
    });
    let uploads = entries("uploads").into_iter().map(|upload| {
        let source = project()
            .join("kickstarts/uploads")
            .join(text(&upload["source"]));
        SeededFile {
            partition: number(&upload["part"]),
            path: text(&upload["target"]),
            content: std::fs::read(source).unwrap(),
            uploaded: true,
        }
    });
    writes.chain(uploads).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// hdds.json has numbers as numbers or as strings.
fn number(value: &Value) -> u32 {
    value.to_string().trim_matches('"').parse().unwrap()
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Builds a set and compares each image with its recording.
fn assert_like_the_recordings(config: &Path) {
    let directory = build(config);
    let document = serde_json::from_str(&std::fs::read_to_string(config).unwrap()).unwrap();
    let expected = IMAGES.map(|(name, _)| directory.path().join(format!("{name}.img")));
    assert_eq!(files_in(directory.path()), expected);
    let mut found = Vec::new();
    for ((name, group), image) in IMAGES.iter().zip(&expected) {
        let files = seeded(&document, group);
        assert!(!files.is_empty(), "{group} has no file to compare");
        match oracle::differences(&oracle::recorded(name), image, &files) {
            Ok(differences) => {
                found.extend(differences.iter().map(|text| format!("{name}: {text}")));
            }
            Err(complaint) => found.push(format!("{name}: {complaint}")),
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_recorded_set_is_like_the_recordings() {
    assert_like_the_recordings(&oracle::directory().join("rocky-hdds.json"));
}

#[test]
fn the_shipped_set_is_like_the_recordings() {
    assert_like_the_recordings(&project().join("hdds.json"));
}

#[test]
fn holes_stay_holes_and_copies_say_the_same() {
    let directory = build(&project().join("hdds.json"));
    let mut allocated = 0;
    for image in files_in(directory.path()) {
        allocated += image.metadata().unwrap().blocks() * 512;
        for (entry, volume) in checkers::verify(&image).unwrap() {
            match checkers::blkid(&volume).unwrap()["TYPE"].as_str() {
                "ntfs" => assert_eq!(hidden_sectors(&volume), entry.start, "{}", volume.display()),
                _ => assert_backups(&volume),
            }
        }
    }
    // The recorded nine allocate 489 MiB.
    assert!(
        (10 << 20..80 << 20).contains(&allocated),
        "{allocated} bytes"
    );
}

/// The field of the NTFS boot sector that a boot loader adds to find the partition.
fn hidden_sectors(volume: &Volume) -> u64 {
    let mut bytes = [0; 4];
    File::open(&**volume)
        .unwrap()
        .read_exact_at(&mut bytes, 0x1c)
        .unwrap();
    u32::from_le_bytes(bytes).into()
}

/// Every backup superblock says what the first one says: e2fsck doesn't look at them.
fn assert_backups(volume: &Volume) {
    let first = checkers::dumpe2fs(&[], volume).unwrap();
    let value = |name: &str| first[name].parse::<u64>().unwrap();
    let (blocks, block_size) = (value("Block count"), value("Block size"));
    let (first_block, per_group) = (value("First block"), value("Blocks per group"));
    let mut checked = 0;
    for group in sparse_groups() {
        let place = first_block + group * per_group;
        if place >= blocks {
            break;
        }
        let place_option = format!("superblock={place}");
        let size_option = format!("blocksize={block_size}");
        let options = ["-o", &place_option, "-o", &size_option];
        let backup = checkers::dumpe2fs(&options, volume).unwrap();
        assert_eq!(
            identity(&backup),
            identity(&first),
            "{} block {place}",
            volume.display()
        );
        checked += 1;
    }
    assert!(checked > 0, "{} has no backup", volume.display());
}

/// The groups after the first that have a backup superblock: 1 and the powers of 3, 5 and 7.
fn sparse_groups() -> Vec<u64> {
    let powers = [3_u64, 5, 7]
        .into_iter()
        .flat_map(|base| (0..12).map(move |n| base.pow(n)));
    let mut groups: Vec<_> = powers.collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn identity(fields: &BTreeMap<String, String>) -> Vec<Option<&String>> {
    let names = [
        "Filesystem UUID",
        "Filesystem volume name",
        "Filesystem features",
        "Inode count",
        "Block count",
        "Reserved GDT blocks",
        "Inodes per group",
        "Directory Hash Seed",
    ];
    names.map(|name| fields.get(name)).into()
}
