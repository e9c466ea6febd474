//! Compressed bytes of a disk, unpacked by the programs that everybody has.

use std::fs;
use std::path::Path;

use disklayout::ErrorKind;
use testkit::log::accepted_as;
use testkit::program::{arguments, output, run};
use testkit::scratch::Scratch;

use crate::sample::{How, Sample};

const MIB: u64 = 1 << 20;

const FORMATS: [(&str, &str); 3] = [("raw.zst", "zstd"), ("raw.gz", "gzip"), ("raw.xz", "xz")];

/// Makes sure that `program` finds the file sound and unpacks the disk in `raw`.
fn check(program: &str, image: &Path, raw: &Path) {
    let path = image.to_str().unwrap();
    run(program, &arguments(&["-t"], &[image])).unwrap();
    let unpacked = output(program, &["-dc", path]);
    assert!(unpacked.status.success(), "{program}: {unpacked:?}");
    assert!(
        unpacked.stdout == fs::read(raw).unwrap(),
        "{program}: {path}"
    );
    accepted_as(program, &format!("{} bytes", unpacked.stdout.len()));
}

/// Nothing, one sector, a unit less and more, units that hold nothing.
#[test]
fn sizes_at_bounds_unpack_to_the_raw_disk() {
    let scratch = Scratch::new();
    for (format, program) in FORMATS {
        let image = scratch.path(&format!("a.{format}"));
        for size in [
            0,
            512,
            4 * MIB - 512,
            4 * MIB,
            4 * MIB + 512,
            21 * MIB + 1,
            64 * MIB,
        ] {
            let sample = Sample::with_last_byte(size, size);
            let raw = sample.raw(&image);
            sample.image(&How::new(format, &[]), &image).unwrap();
            check(program, &image, &raw);
        }
    }
}

#[test]
fn bytes_are_the_same_in_a_stream_and_on_any_number_of_threads() {
    let scratch = Scratch::new();
    for (format, _) in FORMATS {
        let image = scratch.path("a");
        let sample = Sample::random(3, 40 * MIB);
        let made = [(1, false), (2, true), (5, false)].map(|(threads, to_stream)| {
            let how = How {
                threads,
                to_stream,
                ..How::new(format, &[])
            };
            sample.image(&how, &image).unwrap();
            fs::read(&image).unwrap()
        });
        assert!(made[0] == made[1] && made[0] == made[2], "{format}");
    }
}

#[test]
fn levels_are_those_of_the_program() {
    let scratch = Scratch::new();
    let image = scratch.path("a");
    let sample = Sample::random(3, 8 * MIB);
    for (format, level, fits) in [
        ("raw.zst", "19", true),
        ("raw.zst", "23", false),
        ("raw.gz", "1", true),
        ("raw.gz", "0", false),
        ("raw.xz", "0", true),
        ("raw.xz", "10", false),
    ] {
        let options = [("compression_level", level)];
        let how = How::new(format, &options);
        match sample.image(&how, &image) {
            Ok(()) => assert!(fits, "{format} {level}"),
            Err(error) => {
                assert!(!fits && error.kind() == ErrorKind::InvalidSpec, "{error}");
                assert!(error.to_string().contains("compression_level"), "{error}");
            }
        }
    }
}

/// What holds nothing costs nothing worth telling.
#[test]
fn a_disk_of_a_tebibyte_takes_little() {
    let scratch = Scratch::new();
    let image = scratch.path("a.img.zst");
    let sample = Sample {
        size: 1 << 40,
        metadata: vec![(0, 3, 5000)],
        data: vec![(1 << 39, 1, 200_000)],
    };
    sample.image(&How::new("raw.zst", &[]), &image).unwrap();
    // A frame of zeroes for each 4 MiB, and its entry in the table.
    assert!(fs::metadata(&image).unwrap().len() < 64 * MIB);
}
