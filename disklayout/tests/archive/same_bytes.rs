//! The same tree becomes the same bytes.

use std::fs::{self, File};
use std::io::{self, Write};

use disklayout::ErrorKind;
use disklayout::archive::Registry;
use disklayout::fs::Unwatched;
use disklayout::tree::{Content, NodeKind};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::trees::{data, empty_tree, put, put_kind};

use crate::made::{Chosen, by_threads, bytes, plan, scratch};
use crate::sample::Sample;

/// Every format, with what changes its bytes.
const ALL: [(&str, Chosen<'_>); 8] = [
    ("tar", &[]),
    ("tar.gz", &[]),
    ("tar.zst", &[]),
    ("tar.xz", &[("compression_level", "0")]),
    ("oci", &[("name", "a")]),
    ("oci", &[("compression_type", "zstd")]),
    ("oci", &[("compression_type", "none")]),
    ("erofs", &[]),
];

#[test]
fn every_format_is_tried() {
    let mut tried: Vec<_> = ALL.iter().map(|(format, _)| *format).collect();
    tried.dedup();
    assert_eq!(tried, Registry::default().names());
}

#[test]
fn the_same_bytes_come_from_any_number_of_threads_and_any_order() {
    let sample = Sample::rich();
    for (format, chosen) in ALL {
        let made = |threads, backwards| {
            let tree = match backwards {
                true => sample.tree_made_backwards(),
                false => sample.tree(),
            };
            let plan = plan(format, chosen, tree).unwrap();
            by_threads(threads, || bytes(&*plan))
        };
        let first = made(1, false);
        // A filesystem lays its files out as they came, as all of them do.
        let backwards = format != "erofs";
        for (threads, backwards) in [(1, false), (2, false), (5, false), (3, backwards)] {
            let is_same = made(threads, backwards) == first;
            assert!(is_same, "{format} {chosen:?}: {threads} {backwards}");
        }
    }
}

/// Another byte anywhere is noticed, see under "Image bytes" in CHANGELOG.md.
#[test]
fn bytes_are_pinned() {
    let tar = bytes(&*plan("tar", &[], Sample::rich().tree()).unwrap());
    let options = [("name", "app:1"), ("compression_type", "none")];
    let image = bytes(&*plan("oci", &options, Sample::rich().tree()).unwrap());
    let sum = |bytes: Vec<u8>| {
        let sum = Sha256::digest(bytes);
        sum.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let sums = [tar, image].map(sum);
    assert_eq!(sums, [PINNED_TAR, PINNED_IMAGE]);
}

const PINNED_TAR: &str = "6385161a95c8e69a5094365fd2ba7fc80cab7dec5d3ed641c04376bd80884d9c";
const PINNED_IMAGE: &str = "8b9a21a65fed95770e6a32850e37c77ea12acd412f298c7c4225c2f31579ee9d";

/// Takes so many bytes, and then fails as a pipe does that nobody reads.
struct Broken(usize);

impl Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_nobody_takes_is_an_error() {
    let mut tree = empty_tree();
    put(&mut tree, "/f", &data(3 << 20));
    for (format, chosen) in ALL {
        let plan = plan(format, chosen, tree.clone()).unwrap();
        let len = bytes(&*plan).len();
        for taken in [0, 1, len / 2, len - 1] {
            let broken = plan.write(&mut Broken(taken), &scratch, &Unwatched);
            let error = broken.expect_err(format);
            assert_eq!(error.kind(), ErrorKind::Io, "{format} {taken}: {error}");
            assert!(
                error.message().starts_with("can't write the archive"),
                "{error}"
            );
        }
        plan.write(&mut Broken(len), &scratch, &Unwatched).unwrap();
    }
}

#[test]
fn a_source_that_is_gone_is_an_error() {
    let directory = TempDir::new().unwrap();
    let source = directory.path().join("source");
    fs::write(&source, [7; 5000]).unwrap();
    let mut tree = empty_tree();
    let content = Content::host(&source, 5000);
    put_kind(&mut tree, "/f", NodeKind::File(content));
    fs::write(&source, [7; 4000]).unwrap();
    for (format, chosen) in ALL {
        let plan = plan(format, chosen, tree.clone()).unwrap();
        let error = plan
            .write(&mut io::sink(), &scratch, &Unwatched)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{format}");
        assert!(error.to_string().contains("source"), "{error}");
    }
}

#[test]
fn an_image_needs_a_file_for_its_layer() {
    let make = || Err::<File, _>(io::Error::other("no room"));
    let plan = plan("oci", &[], empty_tree()).unwrap();
    let error = plan.write(&mut io::sink(), &make, &Unwatched).unwrap_err();
    assert!(
        error.message().contains("a temporary file for the layer"),
        "{error}"
    );
}
