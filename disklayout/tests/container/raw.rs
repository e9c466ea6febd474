//! The bytes of a disk, in a file and in a stream.

use std::fs;

use testkit::scratch::Scratch;

use crate::sample::{How, Sample};

#[test]
fn a_stream_has_the_bytes_of_the_file_whatever_the_threads() {
    let scratch = Scratch::new();
    for (seed, size) in [
        (1, 1 << 20),
        (2, 30_000_001),
        (3, 512),
        (4, 0),
        (5, 8 << 20),
    ] {
        let sample = Sample::random(seed, size);
        let image = scratch.path("a.img");
        let raw = fs::read(sample.raw(&image)).unwrap();
        for threads in [1, 4] {
            let how = How {
                threads,
                to_stream: true,
                ..How::new("raw", &[])
            };
            sample.image(&how, &image).unwrap();
            assert!(fs::read(&image).unwrap() == raw, "{size} on {threads}");
        }
    }
}
