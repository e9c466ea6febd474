//! Whole runs of the engine on images with real filesystems.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use createhdds::engine::download::Downloads;
use createhdds::engine::{Conditions, Directory, Outcome, Settings, Silent, Temporaries, run};
use createhdds::image::{
    Data, FileContent, FileFormat, Filling, Image, Layout, Object, ObjectKind, Recipe, Seed, Source,
};
use disklayout::fs::Registry;
use disklayout::layout::DiskSize;
use disklayout::layout::spec::{Disk, DiskTable, End, Filesystem, Partition, Start};
use disklayout::tree::{Content, FileTree};
use disklayout::{Bytes, SectorSize, Timestamp};

fn image(index: usize, filesystem: &str) -> Image {
    let place = format!("guestfs[{index}]");
    let held = Filesystem {
        label: Some("DATA".into()),
        ..Filesystem::new(filesystem, FileTree::new(Timestamp::default()))
    };
    let part = Partition {
        start: Start::Sector(2048),
        end: End::Sector(-2048),
        ..Partition::new(format!("{place}.parts[0]"), held)
    };
    let file = |path: &str, content| Object {
        place: place.as_str().into(),
        kind: ObjectKind::File {
            path: path.into(),
            content,
        },
    };
    let upload = Data {
        place: format!("{place}.uploads[0]").into(),
        source: Source::File("upload".into()),
        sha256: None,
    };
    let files = vec![
        file("/dir/written", FileContent::Inline(b"written".to_vec())),
        file("/uploaded", FileContent::Data(upload)),
    ];
    let gpt = DiskTable::Gpt {
        guid: None,
        hybrid: Vec::new(),
    };
    let mbr = DiskTable::Mbr { signature: None };
    Image {
        file_name: format!("disk_{index}_{filesystem}.img"),
        group: "test".into(),
        recipe: Recipe::Layout(
            Arc::new(Layout {
                disk: Disk {
                    place: place.as_str().into(),
                    size: DiskSize::Fixed(Bytes::new(16 * Bytes::MIB)),
                    multiple: Bytes::new(1),
                    sector_size: SectorSize::B512,
                    table: if index.is_multiple_of(2) { gpt } else { mbr },
                    partitions: vec![part],
                    blobs: Vec::new(),
                    groups: Vec::new(),
                    others: Vec::new(),
                    kept_table: Vec::new(),
                },
                contents: vec![Filling::Files(files)],
                blobs: Vec::new(),
                other_formats: Vec::new(),
                keys: Vec::new(),
                seed: Seed::Text(format!("disk_{index}_{filesystem}.img")),
            }),
            FileFormat::raw(place.as_str()),
        ),
    }
}

/// Some images of every kind; the fourth asks for a filesystem that nobody can make.
fn images() -> Vec<Image> {
    let kinds = ["ext2", "ext3", "ext4", "nonsense", "ext2", "ext3", "ext4"];
    kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| image(index, kind))
        .collect()
}

fn build(path: &Path, jobs: usize) -> Outcome {
    let settings = Settings {
        directory: Arc::new(Directory::lock(path).unwrap()),
        temporaries: Temporaries::default(),
        jobs: NonZeroUsize::new(jobs).unwrap(),
        sync: false,
        zeroes: disklayout::Zeroes::default(),
        conditions: Conditions {
            time: Timestamp::from_seconds(1_000_000_000),
            latest: None,
            downloads: Downloads::default(),
        },
        install: createhdds::virtinstall::Settings::default(),
    };
    let find = |_: &str| Ok(Content::inline(&[0x5A; 100_000]));
    run(&images(), &settings, &Registry::native(), &find, &Silent).unwrap()
}

#[test]
fn the_number_of_jobs_changes_no_byte_and_no_order() {
    let roots = [1, 1, 4].map(|jobs| {
        let root = tempfile::tempdir().unwrap();
        let outcome = build(root.path(), jobs);
        let built: Vec<_> = outcome.built.into_iter().map(|b| b.image).collect();
        let mut expected: Vec<_> = images().into_iter().map(|image| image.file_name).collect();
        let refused = expected.remove(3);
        assert_eq!(built, expected);
        let [failure] = outcome.failed.as_slice() else {
            panic!("{:?}", outcome.failed);
        };
        assert_eq!(failure.images, [refused]);
        let text = format!("{:#}", failure.error);
        assert!(
            text.contains("guestfs[3].parts[0]") && text.contains("nonsense"),
            "{text}"
        );
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), expected.len());
        (root, built)
    });
    let (first, names) = &roots[0];
    for (other, _) in &roots[1..] {
        for name in names {
            let read = |root: &tempfile::TempDir| fs::read(root.path().join(name)).unwrap();
            assert!(read(first) == read(other), "{name} differs");
        }
    }
    // The comparison would notice: another name means other UUIDs.
    let read = |name: &str| fs::read(first.path().join(name)).unwrap();
    assert!(read("disk_2_ext4.img") != read("disk_6_ext4.img"));
}
