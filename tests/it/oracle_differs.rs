//! The comparison with the recordings finds no difference in an image that other programs made of
//! the same description, and finds each thing that is changed in it.

use std::io::Write;

use tempfile::NamedTempFile;

use crate::checkers::{Volume, approved, debugfs, table};
use crate::oracle::{Recorded, SeededFile, differences, recorded, volume_differences};
use crate::sample::Sample;

const SIZE: u64 = 100 << 20;
const MBR: &str = "label: dos\nstart=4096, size=200704, type=83\n";

/// Names and contents of files.
type Files<'a> = &'a [(&'a str, &'a [u8])];

const CONTENT: &[u8] = b"an updates image of any length";

fn updates_img() -> Recorded {
    recorded("disk_updates_img")
}

fn updates_file() -> SeededFile {
    SeededFile {
        partition: 1,
        path: "/updates.img".to_owned(),
        content: CONTENT.to_vec(),
        uploaded: true,
    }
}

/// Makes the image `updates_img` with changes and lists its differences.
fn differences_of(script: &str, options: &[&str], files: Files<'_>) -> Vec<String> {
    let sample = Sample::new("disk_updates_img.img", SIZE, script);
    let entry = table(&sample.image).unwrap().entries.remove(0);
    sample.ext4(&entry, options, files);
    differences(&updates_img(), &sample.image, &[updates_file()]).unwrap()
}

#[test]
fn an_image_made_by_hand_has_no_difference() {
    let files = [("updates.img", CONTENT)];
    let found = differences_of(MBR, &["-L", "UPDATES_IMG"], &files);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn each_changed_number_is_found() {
    let gpt = "label: gpt\nfirst-lba: 34\nstart=4096, size=200670, type=L, name=primary\n";
    let cases: [(&str, &[&str], &str); 9] = [
        (gpt, &[], "table"),
        (
            "label: dos\nstart=4097, size=200703, type=83\n",
            &[],
            "start: 4097",
        ),
        (
            "label: dos\nstart=4096, size=200702, type=83\n",
            &[],
            "Block count",
        ),
        (
            "label: dos\nstart=4096, size=200704, type=7\n",
            &[],
            "kind: \"7\"",
        ),
        (MBR, &["-L", "OTHER"], "LABEL"),
        (MBR, &["-O", "^metadata_csum"], "Filesystem features"),
        (MBR, &["-m", "1"], "Reserved block count"),
        (MBR, &["-N", "5000"], "Inode count"),
        (MBR, &["-J", "size=8"], "blocks free or in files"),
    ];
    for (script, options, expected) in cases {
        let mut all = vec!["-L", "UPDATES_IMG"];
        all.extend_from_slice(options);
        let found = differences_of(script, &all, &[("updates.img", CONTENT)]);
        assert!(
            found.iter().any(|text| text.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
}

#[test]
fn each_changed_file_is_found() {
    let label = ["-L", "UPDATES_IMG"];
    let cases: [(Files<'_>, &str); 3] = [
        (
            &[("updates.img", b"an updates image of any lengtH")],
            "another content",
        ),
        (&[("updates.img", b"shorter")], "size: 7"),
        (&[("updates.img", CONTENT), ("more", b"")], "/more"),
    ];
    for (files, expected) in cases {
        let found = differences_of(MBR, &label, files);
        assert!(
            found.iter().any(|text| text.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
}

#[test]
fn a_missing_label_is_found() {
    let found = differences_of(MBR, &[], &[("updates.img", CONTENT)]);
    assert!(
        found.iter().any(|text| text.contains("label None")),
        "{found:#?}"
    );
}

#[test]
fn a_label_that_was_not_recorded_is_found() {
    let sample = Sample::new("disk_ks-8.img", SIZE, MBR);
    let entry = table(&sample.image).unwrap().entries.remove(0);
    sample.ext4(&entry, &["-L", "NEW"], &[]);
    let found = differences(&recorded("disk_ks-8"), &sample.image, &[]).unwrap();
    assert!(
        found
            .iter()
            .any(|text| text.contains("label Some(\"NEW\")")),
        "{found:#?}"
    );
}

#[test]
fn a_missing_file_is_an_error() {
    let sample = Sample::new("disk_updates_img.img", SIZE, MBR);
    let entry = table(&sample.image).unwrap().entries.remove(0);
    sample.ext4(&entry, &["-L", "UPDATES_IMG"], &[]);
    differences(&updates_img(), &sample.image, &[updates_file()]).unwrap_err();
}

#[test]
fn a_changed_mode_is_found() {
    let sample = Sample::new("disk_updates_img.img", SIZE, MBR);
    let entry = table(&sample.image).unwrap().entries.remove(0);
    sample.ext4(&entry, &["-L", "UPDATES_IMG"], &[("updates.img", CONTENT)]);
    let volume = Volume::of_partition(&sample.image, &entry);
    approved(
        "debugfs",
        &["-w", "-R", "set_inode_field /updates.img mode 0100600"],
        &volume,
    )
    .unwrap();
    debugfs("stat /updates.img", &volume).unwrap();
    let filesystem = updates_img().filesystem(1);
    let found = volume_differences(&filesystem, &volume, &[&updates_file()]).unwrap();
    assert!(
        found.iter().any(|text| text.contains("100600")),
        "{found:#?}"
    );
}

/// An NTFS volume as long as the recorded one, with a file.
fn ntfs(options: &[&str], content: &[u8]) -> Volume {
    let name = "sample-disk_shrink_ntfs.img partition 1";
    let volume = Volume::new(name, 20_963_328 * 512);
    let mut all = vec![
        "-Q", "-F", "-q", "-s", "512", "-p", "4096", "-H", "255", "-S", "63",
    ];
    all.extend_from_slice(options);
    approved("mkntfs", &all, &volume).unwrap();
    let mut source = NamedTempFile::new().unwrap();
    source.write_all(content).unwrap();
    let [to, from] = [&volume, source.path()].map(|path| path.to_str().unwrap());
    let options = ["-q", "-f", to, from];
    approved("ntfscp", &options, "/testfile".as_ref()).unwrap();
    volume
}

fn ntfs_differences(volume: &Volume) -> Vec<String> {
    let file = SeededFile {
        partition: 1,
        path: "/testfile".to_owned(),
        content: b"Hello, world!".to_vec(),
        uploaded: false,
    };
    let filesystem = recorded("disk_shrink_ntfs").filesystem(1);
    volume_differences(&filesystem, volume, &[&file]).unwrap()
}

#[test]
fn ntfs_is_compared_too() {
    let found = ntfs_differences(&ntfs(&[], b"Hello, world!"));
    assert!(found.is_empty(), "{found:#?}");
    let cases: [(&[&str], &[u8], &str); 3] = [
        (&[], b"Hello, world?", "another content"),
        (&["-c", "8192"], b"Hello, world!", "Cluster Size"),
        (&["-L", "NEW"], b"Hello, world!", "Volume Name"),
    ];
    for (options, content, expected) in cases {
        let found = ntfs_differences(&ntfs(options, content));
        assert!(
            found.iter().any(|text| text.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
}

#[test]
fn another_kind_of_filesystem_is_found() {
    let filesystem = updates_img().filesystem(1);
    let volume = ntfs(&[], b"");
    let found = volume_differences(&filesystem, &volume, &[]).unwrap();
    assert!(found.iter().any(|text| text.contains("TYPE")), "{found:#?}");
}
