//! Sparse images of Android, unpacked by Android's own program.

use std::fs;

use disklayout::disk::Window;
use disklayout::{Bytes, ErrorKind};
use testkit::log::accepted_as;
use testkit::program::{arguments, run};
use testkit::scratch::Scratch;

use crate::damage;
use crate::sample::{How, Sample};

const MIB: u64 = 1 << 20;
const HOW: How<'static> = How::new("android-sparse", &[]);

/// Nothing, one block, a unit less and more, units that hold nothing.
#[test]
fn sizes_at_bounds_unpack_to_the_raw_disk() {
    let scratch = Scratch::new();
    let (image, unpacked) = (scratch.path("a.simg"), scratch.path("unpacked"));
    for size in [4096, MIB - 4096, MIB, MIB + 4096, 21 * MIB + 4096, 64 * MIB] {
        let sample = Sample::with_last_byte(size, size);
        let raw = fs::read(sample.raw(&image)).unwrap();
        sample.image(&HOW, &image).unwrap();
        run("simg2img", &arguments(&[], &[&image, &unpacked])).unwrap();
        assert!(fs::read(&unpacked).unwrap() == raw, "{size}");
        accepted_as("simg2img", &format!("{size} bytes"));
        let file = damage::load(&image);
        let found = damage::read(&file).unwrap().expect("its own sign");
        assert!(found == raw[..found.len()], "{size}");
    }
}

#[test]
fn the_same_bytes_come_from_any_number_of_threads() {
    let scratch = Scratch::new();
    let image = scratch.path("a.simg");
    Sample::random(3, 40 * MIB).assert_same_by_any_threads(&HOW, &image);
}

/// What is relied on is filled with zeroes, what isn't is told as such.
#[test]
fn zeroes_that_count_are_told() {
    let scratch = Scratch::new();
    let image = scratch.path("a.simg");
    let sample = Sample {
        size: 8 * MIB,
        data: vec![(0, 1, 4096), (2 * MIB, 0, 1 << 20)],
        ..Sample::default()
    };
    let zeroes = [100..200, 2 * MIB..3 * MIB];
    sample.image_relying_on(&HOW, &image, &zeroes).unwrap();
    let bytes = fs::read(&image).unwrap();
    let mut kinds = Vec::new();
    let mut at = 28;
    while at < bytes.len() {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        kinds.push((word(at) & 0xFFFF, word(at + 4)));
        at += word(at + 8) as usize;
    }
    let (raw, fill, nothing) = (0xCAC1, 0xCAC2, 0xCAC3);
    let expected = [
        (raw, 1),
        (fill, 255),
        (nothing, 256),
        (fill, 256),
        (nothing, 1280),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(bytes[20..24], 5_u32.to_le_bytes());
}

/// What Android's program makes is read, and what is damaged isn't.
#[test]
fn others_are_read_and_damage_is_told() {
    let scratch = Scratch::new();
    let image = scratch.path("a.simg");
    let sample = Sample::random(5, 3 * MIB);
    let raw = sample.raw(&image);
    let bytes = fs::read(&raw).unwrap();
    run("img2simg", &arguments(&[], &[&raw, &image])).unwrap();
    let file = damage::load(&image);
    assert!(damage::read(&file).unwrap().unwrap() == bytes);
    for kept in [4, 14, 27, 28, 40, 1000] {
        let cut = Window::new(&file, Bytes::new(0), Bytes::new(kept)).unwrap();
        damage::refusal(&cut);
    }
    // The number of chunks, and of blocks.
    for offset in [20, 16] {
        damage::change(&file, offset, |[byte]| [byte ^ 1]);
        damage::refusal(&file);
        damage::change(&file, offset, |[byte]| [byte ^ 1]);
    }
}

#[test]
fn a_disk_with_too_many_blocks_is_refused() {
    let scratch = Scratch::new();
    let sample = Sample {
        size: 16 << 40,
        ..Sample::default()
    };
    let error = sample.image(&HOW, &scratch.path("a.simg")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
}
