//! VHD held against qemu-img.

use std::fs;
use std::io::ErrorKind::{InvalidData, Unsupported};

use disklayout::ErrorKind;
use disklayout::disk::{Disk, write_data};
use testkit::program::{arguments, run};
use testkit::scratch::Scratch;

use crate::damage;
use crate::others::{check, check_what_qemu_makes, size_in_qemu};
use crate::sample::{How, Sample};

const MIB: u64 = 1 << 20;
const MOST: u64 = 2040 << 30;

/// Where things are in the footer.
const CREATOR: usize = 28;
const TYPE: usize = 60;
const CHECKSUM: usize = 64;

const DYNAMIC: &How<'_> = &How {
    format: "vhd",
    options: &[],
    threads: 3,
    to_stream: false,
};

const FIXED: &How<'_> = &How {
    options: &[("subformat", "fixed")],
    ..*DYNAMIC
};

/// Azure wants whole MiB, and 512 bytes behind them.
#[test]
fn a_fixed_image_is_the_disk_and_a_footer() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhd");
    let sample = Sample::random(1, 3 * MIB);
    let raw = fs::read(sample.raw(&image)).unwrap();
    sample.image(FIXED, &image).unwrap();
    let found = fs::read(&image).unwrap();
    assert_eq!(found.len() as u64, 3 * MIB + 512);
    assert!(found[..raw.len()] == raw);
}

/// QEMU rounds sizes unless it is told not to.
#[test]
fn what_qemu_img_makes_is_read_as_qemu_reads_it() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhd");
    for (seed, size) in (0..).zip([512, MIB, 13 * MIB + 512, 40 * MIB]) {
        let raw = Sample::with_last_byte(seed, size).raw(&image);
        for subformat in ["dynamic", "fixed"] {
            for force_size in ["on", "off"] {
                let options = format!("subformat={subformat},force_size={force_size}");
                check_what_qemu_makes("vpc", &options, &raw);
            }
        }
    }
}

/// The size is what QEMU takes for it, which depends on who made the image.
#[test]
fn a_size_is_that_which_qemu_takes() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhd");
    let size = 7 * MIB;
    let sample = Sample::with_last_byte(1, size);
    let raw = fs::read(sample.raw(&image)).unwrap();
    sample.image(FIXED, &image).unwrap();
    let made = fs::read(&image).unwrap();
    let rounded = 7_311_360;
    for (creator, expected, is_old) in [
        (b"qem2", size, true),
        (b"win ", size, true),
        (b"d2v ", size, true),
        (b"tap\0", size, true),
        (b"CTXS", size, true),
        (b"vpc ", rounded, true),
        (b"qemu", rounded, true),
        // Of these, QEMU before 10.0 takes the geometry's.
        (b"wa\0\0", size, false),
        (b"vs  ", size, false),
        (b"vbox", size, false),
    ] {
        let mut bytes = made.clone();
        let footer = &mut bytes[size as usize..];
        footer[CREATOR..CREATOR + 4].copy_from_slice(creator);
        set_checksum(footer);
        fs::write(&image, &bytes).unwrap();
        let in_qemu = size_in_qemu("vpc", &image);
        let is_taken = in_qemu == expected || !is_old && in_qemu == rounded;
        assert!(is_taken, "{} of {in_qemu} bytes", creator.escape_ascii());
        check(&image, &raw[..expected as usize]);
    }
}

fn set_checksum(footer: &mut [u8]) {
    footer[CHECKSUM..CHECKSUM + 4].fill(0);
    let sum: u32 = footer.iter().map(|byte| u32::from(*byte)).sum();
    footer[CHECKSUM..CHECKSUM + 4].copy_from_slice(&(!sum).to_be_bytes());
}

/// The largest disk, with something in every corner.
#[test]
fn the_largest_disk_is_read_by_qemu_and_a_larger_one_is_refused() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhd");
    let sample = Sample {
        size: MOST,
        metadata: vec![(0, 3, 5000), (1 << 40, 2, 100)],
        data: vec![(1 << 36, 1, 200_000), (MOST - 70_000, 2, 70_000)],
    };
    let raw = sample.raw(&image);
    sample.image(DYNAMIC, &image).unwrap();
    assert_eq!(size_in_qemu("vpc", &image), MOST);
    let compare = ["compare", "-f", "vpc", "-F", "raw"];
    run("qemu-img", &arguments(&compare, &[&image, &raw])).unwrap();
    for how in [DYNAMIC, FIXED] {
        let sample = Sample {
            size: MOST + MIB,
            ..Sample::default()
        };
        let error = sample.image(how, &image).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DoesNotFit);
        assert!(error.message().contains("2040 GiB"), "{error}");
    }
}

#[test]
fn a_damaged_image_is_refused_or_read_as_it_was() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhd");
    let sample = Sample::with_last_byte(5, MIB);
    let raw = fs::read(sample.raw(&image)).unwrap();
    let judge = damage::same_or_refused(&raw);
    for how in [DYNAMIC, FIXED] {
        sample.image(how, &image).unwrap();
        let file = damage::load(&image);
        let len = file.len();
        damage::flip(&file, len - 512..len, &judge);
        let lengths = [0, 1, 511, 512, 513, 1024, 1535, 1536, 2048, 2559];
        damage::cut(&file, &lengths, &judge);
        damage::cut(&file, &[len - 1025, len - 513, len - 512, len - 1], &judge);
        if how.options.is_empty() {
            damage::flip(&file, 0..1536, &judge);
            // With one of the two footers the other one isn't missed.
            file.write_at(&[0; 512], len - 512).unwrap();
            assert!(damage::read(&file).unwrap().unwrap() == raw);
            damage::flip(&file, 0..1536, &judge);
            // Places of blocks have no checksum.
            damage::flip(&file, 1536..2048, |_, _| {});
        }
    }
}

#[test]
fn what_needs_another_image_is_refused() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhd");
    Sample::random(1, MIB).image(DYNAMIC, &image).unwrap();
    for (kind, expected) in [(4, Unsupported), (5, InvalidData)] {
        let file = damage::load(&image);
        for offset in [0, file.len() - 512] {
            damage::change(&file, offset, |mut footer: [u8; 512]| {
                footer[TYPE + 3] = kind;
                set_checksum(&mut footer);
                footer
            });
        }
        assert_eq!(damage::refusal(&file).kind(), expected);
    }
}

/// A disk whose bytes look like an image isn't taken for one at its start alone.
#[test]
fn a_fixed_image_may_hold_another_one() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhd");
    Sample::random(1, MIB).image(FIXED, &image).unwrap();
    let footer = fs::read(&image).unwrap().split_off(MIB as usize);
    let disk = disklayout::disk::MemDisk::new(MIB);
    write_data(&disk, &footer, 0).unwrap();
    assert!(damage::read(&disk).unwrap().is_none());
}
