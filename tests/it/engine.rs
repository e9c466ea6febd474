//! Whole runs of the engine on images with real filesystems.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use createhdds::engine::{Directory, Outcome, Settings, Silent, Temporaries, run};
use createhdds::image::{Image, LayoutRecipe, Recipe, Source, Upload};
use disklayout::fs::{Misfits, Options, Registry};
use disklayout::layout::DiskSize;
use disklayout::layout::guestfs::{End, FileSpec, PartitionSpec, Start};
use disklayout::tree::Content;
use disklayout::{Bytes, Timestamp};

fn image(index: usize, filesystem: &str) -> Image {
    let place = format!("guestfs[{index}]");
    let part = PartitionSpec {
        place: format!("{place}.parts[0]").into(),
        prlogex: "p".into(),
        start: Start::Sector(2048),
        align: None,
        name: None,
        uuid: None,
        mbr_type: None,
        flags: Vec::new(),
        end: End::Sector(-2048),
        gpt_type: None,
        filesystem: filesystem.into(),
        label: Some("DATA".into()),
        options: Options::default(),
        misfits: Misfits::Refuse,
    };
    let write = FileSpec {
        place: format!("{place}.writes[0]").into(),
        part: 1,
        path: "/dir/written".into(),
        content: Content::inline(b"written"),
    };
    let upload = Upload {
        place: format!("{place}.uploads[0]").into(),
        part: 1,
        target: "/uploaded".into(),
        source: Source::File("upload".into()),
        sha256: None,
    };
    Image {
        file_name: format!("disk_{index}_{filesystem}.img"),
        group: "test".into(),
        recipe: Recipe::Layout(LayoutRecipe {
            sector_size: disklayout::SectorSize::B512,
            disk_id: None,
            disk_guid: None,
            hybrid_mbr: Vec::new(),
            place: place.into(),
            size: DiskSize::Fixed(Bytes::new(16 * Bytes::MIB)),
            label: if index.is_multiple_of(2) {
                "gpt"
            } else {
                "mbr"
            }
            .into(),
            partitions: vec![part],
            contents: Vec::new(),
            writes: vec![write],
            uploads: vec![upload],
        }),
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
        explicit_zeros: false,
        time: Timestamp::from_seconds(1_000_000_000),
        latest: None,
        downloads: createhdds::engine::download::Downloads::default(),
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
