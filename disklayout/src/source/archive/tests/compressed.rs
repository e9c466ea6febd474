//! Compressed archives.

use std::io::Read;

use super::*;
use crate::error::ErrorKind;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let mut encoder = liblzma::read::XzEncoder::new(bytes, 1);
    encoder.read_to_end(&mut compressed).unwrap();
    compressed
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Compress = fn(&[u8]) -> Vec<u8>;

pub(super) const ALL: [(&str, Compress); 4] =
    [("gzip", gzip), ("xz", xz), ("zstd", zstd), ("bzip2", bzip2)];

fn archive() -> Vec<u8> {
    let archive = Archive::default().file("f", "one").directory("d");
    archive
        .file("d/g", &"two".repeat(1000))
        .link("h", "f")
        .end()
}

#[test]
fn every_format_is_read_in_one_member_and_in_many() {
    let archive = archive();
    let (start, end) = archive.split_at(700);
    for (name, compress) in ALL {
        let [one, start, end, none] = [&archive, start, end, &[]].map(compress);
        for bytes in [
            one.clone(),
            [&*start, &end].concat(),
            [&*none, &start, &none, &end, &none].concat(),
            [&*one, b"garbage"].concat(),
            [&*one, &[0; 1000]].concat(),
        ] {
            let tree = tree_of(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(paths(&tree), ["/d", "/d/g", "/f", "/h"], "{name}");
            assert_eq!(text(&tree, "/d/g"), "two".repeat(1000), "{name}");
            assert_eq!(text(&tree, "/h"), "one", "{name}");
        }
    }
    let skipped = b"\x53\x2A\x4D\x18\x03\0\0\0abc";
    let [start, end] = [start, end].map(zstd);
    let padded = [xz(&archive[..700]), vec![0; 8], xz(&archive[700..])].concat();
    for bytes in [[skipped, &*start, skipped, &end, skipped].concat(), padded] {
        assert_eq!(text(&tree_of(&bytes).unwrap(), "/f"), "one");
    }
}

#[test]
fn what_is_damaged_or_cut_off_is_corrupt() {
    for (name, compress) in ALL {
        let whole = compress(&archive());
        for cut in [8, whole.len() / 2, whole.len() - 1] {
            let error = error_of(&whole[..cut]);
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{name} {cut}: {error}");
        }
        // The checksum at the end covers the data of the files, which no header tells of.
        let mut damaged = whole.clone();
        let middle = whole.len() / 2;
        damaged[middle] ^= 0x10;
        let error = error_of(&damaged);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}");
        let error = error_of(&compress(b"no archive"));
        assert!(error.message().contains("cut off"), "{name}: {error}");
        let error = error_of(&compress(&[b'x'; 600]));
        assert!(
            error.message().contains("no tar archive"),
            "{name}: {error}"
        );
        let error = error_of(&compress(b""));
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}");
    }
}

#[test]
fn a_plain_archive_may_begin_like_a_compressed_file() {
    let tree = tree_of(&Archive::default().file("BZh9", "x").end()).unwrap();
    assert_eq!(text(&tree, "/BZh9"), "x");
}
