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

pub(super) const ALL: [(&str, Compress); 6] = [
    ("gzip", gzip),
    ("xz", xz),
    ("zstd", zstd),
    ("bzip2", bzip2),
    ("lz4", lz4::frame),
    ("lz4 of old", lz4::legacy_frame),
];

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
        let gzip_of = |bytes| match name {
            // It would take anything for one more block.
            "lz4 of old" => compress(bytes),
            _ => gzip(bytes),
        };
        for bytes in [
            one.clone(),
            [&*start, &end].concat(),
            [&*none, &start, &none, &end, &none].concat(),
            [&*one, &[0; 1000]].concat(),
            [&*start, &[0; 1000], &end].concat(),
            // A mixture.
            [&*start, &gzip_of(&archive[700..])].concat(),
            [&*gzip(&archive[..700]), &end].concat(),
        ] {
            let tree = tree_of(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(paths(&tree), ["/d", "/d/g", "/f", "/h"], "{name}");
            assert_eq!(text(&tree, "/d/g"), "two".repeat(1000), "{name}");
            assert_eq!(text(&tree, "/h"), "one", "{name}");
        }
    }
    let skipped = b"\x53\x2A\x4D\x18\x03\0\0\0abc";
    for compress in [zstd, lz4::frame, lz4::legacy_frame] {
        let [start, end] = [start, end].map(compress);
        let bytes = [skipped, &*start, skipped, &end, skipped].concat();
        let (tree, notices) = told(&bytes, &Rules::default()).unwrap();
        assert_eq!(text(&tree, "/f"), "one");
        assert_eq!(notices, [""; 0]);
        let error = error_of(&bytes[..bytes.len() - 1]);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
}

#[test]
fn what_follows_compressed_data_is_told_or_refused() {
    let rules = Rules::default();
    for (name, compress) in ALL {
        // The old form of lz4 would take anything for one more block.
        if name == "lz4 of old" {
            continue;
        }
        let one = compress(&archive());
        for rest in [vec![0; 7], vec![0; 100_000]] {
            let (_, notices) = told(&[&*one, &rest].concat(), &rules).unwrap();
            assert_eq!(notices, [""; 0], "{name}");
        }
        for (rest, expected) in [
            (
                &b"garbage"[..],
                "7 bytes follow that aren't compressed: they",
            ),
            (
                b"PK\x03\x04",
                "4 bytes follow that aren't compressed (it seems to be a zip",
            ),
        ] {
            let (tree, notices) = told(&[&*one, rest].concat(), &rules).unwrap();
            assert_eq!(text(&tree, "/f"), "one");
            let [notice] = &notices[..] else {
                panic!("{name}: {notices:?}");
            };
            let offset = format!("from offset {} of the file", one.len());
            for part in [&offset, expected, "left out"] {
                assert!(notice.contains(part), "{name}: {part}: {notice}");
            }
        }
        let error = error_of(&[one, archive()].concat());
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}: {error}");
        assert!(
            error
                .message()
                .contains("(it seems to be a tar archive): split")
        );
    }
}

/// A frame of zstd with this window, of an archive that is stored as it is.
fn windowed(descriptor: u8) -> Vec<u8> {
    let archive = archive();
    let block = (archive.len() as u32) << 3 | 1;
    let start = [0x28, 0xB5, 0x2F, 0xFD, 0, descriptor];
    [&start, &block.to_le_bytes()[..3], &archive].concat()
}

/// The same archive in xz with a dictionary of this size.
fn with_dictionary(size: u32) -> Vec<u8> {
    let mut options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
    options.dict_size(1 << 16);
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    let check = liblzma::stream::Check::None;
    let stream = liblzma::stream::Stream::new_stream_encoder(&filters, check).unwrap();
    let mut compressed = Vec::new();
    let archive = archive();
    let mut encoder = liblzma::read::XzEncoder::new_stream(&*archive, stream);
    encoder.read_to_end(&mut compressed).unwrap();
    // An encoder of that size would take its memory; the header alone asks for it too.
    let header = &mut compressed[12..24];
    assert_eq!(header[2..5], [0x21, 1, 8], "{header:?}");
    header[4] = 2 * (size.ilog2() - 11) as u8 - 2 + u8::from(!size.is_power_of_two());
    let crc = crc32fast::hash(&header[..8]);
    header[8..].copy_from_slice(&crc.to_le_bytes());
    compressed
}

#[test]
fn large_windows_are_refused_unless_they_are_asked_for() {
    let long = Rules {
        long_windows: true,
        ..Rules::default()
    };
    for (bytes, size) in [
        (windowed(0x88), None),
        (windowed(0x89), Some("144 MiB")),
        (windowed(0xA8), Some("2048 MiB")),
        (with_dictionary(128 << 20), None),
        (with_dictionary(192 << 20), Some("192 MiB")),
        // Only the second member.
        ([gzip(&archive()), windowed(0x89)].concat(), Some("144 MiB")),
    ] {
        match size {
            None => assert_eq!(text(&tree_of(&bytes).unwrap(), "/f"), "one"),
            Some(size) => {
                let error = error_of(&bytes);
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                let cause = std::error::Error::source(&error).unwrap().to_string();
                for part in [size, "limit is 128 MiB", "--long"] {
                    assert!(cause.contains(part), "{part}: {cause}");
                }
            }
        }
        let (tree, _) = told(&bytes, &long).unwrap();
        assert_eq!(text(&tree, "/f"), "one");
    }
    let error = told(&windowed(0xA9), &long).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("2304 MiB of memory, and the limit is 2048 MiB"),
        "{cause}"
    );
}

#[test]
fn what_is_damaged_or_cut_off_is_corrupt() {
    for (name, compress) in ALL {
        // The old form of lz4 has neither checksums nor an end.
        if name == "lz4 of old" {
            continue;
        }
        let whole = compress(&archive());
        for cut in [8, whole.len() / 2, whole.len() - 1] {
            let error = error_of(&whole[..cut]);
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{name} {cut}: {error}");
        }
        // The checksum at the end covers the data of the files, which no header tells of.
        let mut damaged = whole.clone();
        let middle = whole.len() / 2;
        damaged[middle] ^= 0x10;
        // The first header may be what is damaged.
        let kind = error_of(&damaged).kind();
        let is_told = matches!(kind, ErrorKind::Corrupt | ErrorKind::NotAnArchive);
        assert!(is_told, "{name}: {kind:?}");
        let error = error_of(&compress(b"no archive"));
        assert!(error.message().contains("cut off"), "{name}: {error}");
        let error = error_of(&compress(&[b'x'; 600]));
        assert!(
            error.message().contains("no tar archive"),
            "{name}: {error}"
        );
        let error = error_of(&compress(b""));
        assert_eq!(error.kind(), ErrorKind::NotAnArchive, "{name}: {error}");
    }
}

#[test]
fn a_plain_archive_may_begin_like_a_compressed_file() {
    let tree = tree_of(&Archive::default().file("BZh9", "x").end()).unwrap();
    assert_eq!(text(&tree, "/BZh9"), "x");
}
