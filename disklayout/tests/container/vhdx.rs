//! VHDX held against qemu-img.

use std::fs;
use std::io::ErrorKind::{InvalidData, Unsupported};
use std::path::Path;

use disklayout::ErrorKind;
use disklayout::container::Registry;
use disklayout::disk::{Disk, MemDisk};
use testkit::program::{arguments, run};
use testkit::scratch::{Scratch, open};

use crate::damage;
use crate::others::{check, check_what_qemu_makes, size_in_qemu};
use crate::sample::{How, Sample};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const MOST: u64 = 64 << 40;

/// Where things are in our images.
const HEADERS: [u64; 2] = [64 * KIB, 128 * KIB];
const REGIONS: [u64; 2] = [192 * KIB, 256 * KIB];
const METADATA: u64 = 2 * MIB;
const ITEMS: u64 = METADATA + 64 * KIB;
const BAT: u64 = 3 * MIB;

fn how<'a>(options: &'a [(&'a str, &'a str)]) -> How<'a> {
    How::new("vhdx", options)
}

#[test]
fn what_qemu_img_makes_is_read() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhdx");
    for (seed, size) in (0..).zip([512, 8 * MIB, 25 * MIB + 512]) {
        let raw = Sample::with_last_byte(seed, size).raw(&image);
        for options in [
            "subformat=dynamic",
            "subformat=fixed",
            "block_size=1M",
            "block_size=32M,log_size=2M",
            "block_size=4M,block_state_zero=off",
        ] {
            check_what_qemu_makes("vhdx", options, &raw);
        }
    }
}

/// A disk of which the sectors at some places hold something. QEMU tells no holes of a VHDX, so that
/// a comparison would read all of it.
fn check_sectors(size: u64, places: &[u64], options: &[(&str, &str)], image: &Path) {
    let inside = places.iter().copied().filter(|at| at + 512 <= size);
    let sample = Sample {
        size,
        metadata: vec![],
        data: inside.clone().map(|at| (at, 2, 512)).collect(),
    };
    sample.image(&how(options), image).unwrap();
    run("qemu-img", &arguments(&["check", "-f", "vhdx"], &[image])).unwrap();
    assert_eq!(size_in_qemu("vhdx", image), size);
    let file = open(image);
    let formats = Registry::default();
    let (_, disk) = formats.read(&file).unwrap().unwrap();
    for at in inside {
        let byte = 2 ^ (at >> 12) as u8;
        let read = format!("read -P {byte} {at} 512");
        let commands = ["-r", "-f", "vhdx", "-c", &read];
        run("qemu-io", &arguments(&commands, &[image])).unwrap();
        let mut found = [0; 512];
        disk.read_at(&mut found, at).unwrap();
        assert_eq!(found, [byte; 512]);
        assert_eq!(disk.next_data(at), at);
    }
}

/// Behind each 4 GiB of blocks is the entry of a bitmap that nobody needs.
#[test]
fn blocks_around_the_end_of_a_chunk_are_where_qemu_looks_for_them() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhdx");
    const CHUNK: u64 = 4 << 30;
    let bounds = [1, 2, 3].map(|chunk| [chunk * CHUNK - 512, chunk * CHUNK]);
    let places = [&[0, MIB], bounds.as_flattened()].concat();
    for size in [CHUNK - 512, CHUNK, CHUNK + 512, 3 * CHUNK + MIB] {
        for options in [&[][..], &[("block_size", "256M")]] {
            check_sectors(size, &places, options, &image);
        }
    }
}

/// The largest disk, with something in every corner.
#[test]
fn the_largest_disk_is_read_by_qemu_and_a_larger_one_is_refused() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhdx");
    let places = [0, 1 << 40, (4 << 40) + 512, MOST - 512];
    check_sectors(MOST, &places, &[], &image);
    let sample = Sample {
        size: MOST + MIB,
        ..Sample::default()
    };
    let error = sample.image(&how(&[]), &image).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    assert!(error.message().contains("64 TiB"), "{error}");
}

/// QEMU reads no such disks.
#[test]
fn a_disk_of_large_sectors_is_read_back() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhdx");
    let sample = Sample::with_last_byte(3, 9 * MIB);
    let raw = fs::read(sample.raw(&image)).unwrap();
    let options = [("logical_sector_size", "4096"), ("block_size", "1M")];
    sample.image(&how(&options), &image).unwrap();
    check(&image, &raw);
}

/// What isn't present may read as anything: what somebody relies on is zero instead.
#[test]
fn blocks_of_which_any_byte_is_relied_on_read_as_zero() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhdx");
    let how = how(&[("block_size", "1M")]);
    let sample = Sample {
        size: 8 * MIB,
        metadata: vec![(MIB + 5, 2, 1)],
        data: vec![(3 * MIB - 1, 3, 2)],
    };
    sample.image(&how, &image).unwrap();
    assert_eq!(states(&image), [0, 6, 6, 6, 0, 0, 0, 0]);
    let zeroes = [0..1, 5 * MIB - 1..6 * MIB];
    sample.image_relying_on(&how, &image, &zeroes).unwrap();
    assert_eq!(states(&image), [2, 6, 6, 6, 2, 2, 0, 0]);
}

/// The states of eight blocks.
fn states(image: &Path) -> [u8; 8] {
    let mut table = [0; 64];
    open(image).read_at(&mut table, BAT).unwrap();
    std::array::from_fn(|block| table[block * 8] & 7)
}

/// What a writer that died had in its log is lost to who doesn't look there.
#[test]
fn an_image_with_a_log_has_to_be_repaired_first() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhdx");
    // The first block isn't there yet.
    let sample = Sample {
        size: 9 * MIB,
        data: vec![(9 * MIB - 1, 5, 1)],
        ..Sample::default()
    };
    let mut raw = fs::read(sample.raw(&image)).unwrap();
    sample.image(&how(&[]), &image).unwrap();
    let commands = ["-f", "vhdx", "-c", "write -P 9 0 64k"];
    run("qemu-io", &arguments(&commands, &[&image])).unwrap();
    raw[..64 << 10].fill(9);
    check(&image, &raw);

    // As if it had died between the log and the table.
    let file = open(&image);
    file.write_at(&[0; 8], BAT).unwrap();
    let mut log = [0; 16];
    file.read_at(&mut log, MIB + 32).unwrap();
    for offset in HEADERS {
        set_log(&file, offset, log);
    }
    let error = damage::refusal(&file);
    assert_eq!(error.kind(), Unsupported);
    let said = error.to_string();
    assert!(said.contains("qemu-img check -r all"), "{said}");
    let repair = ["check", "-r", "all", "-f", "vhdx"];
    run("qemu-img", &arguments(&repair, &[&image])).unwrap();
    check(&image, &raw);

    // A log of which nothing is there has nothing to say.
    for offset in HEADERS {
        set_log(&file, offset, [7; 16]);
    }
    check(&image, &raw);
}

fn set_log(file: &dyn Disk, offset: u64, log: [u8; 16]) {
    damage::change(file, offset, |mut header: [u8; 4096]| {
        header[48..64].copy_from_slice(&log);
        header[66] = 1;
        header[4..8].fill(0);
        let sum = crc32c::crc32c(&header);
        header[4..8].copy_from_slice(&sum.to_le_bytes());
        header
    });
}

#[test]
fn a_damaged_image_is_refused_or_read_as_it_was() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhdx");
    let sample = Sample::with_last_byte(5, MIB + 512);
    let raw = fs::read(sample.raw(&image)).unwrap();
    sample.image(&how(&[("block_size", "1M")]), &image).unwrap();
    let file = damage::load(&image);
    let judge = damage::same_or_refused(&raw);
    damage::flip(&file, 0..8 + 64, &judge);
    for offset in HEADERS {
        damage::flip(&file, offset..offset + 4096, &judge);
    }
    for offset in REGIONS {
        damage::flip(&file, offset..offset + 256, &judge);
    }
    // Metadata and places of blocks have no checksum.
    damage::flip(&file, METADATA..METADATA + 256, |_, _| {});
    damage::flip(&file, ITEMS..ITEMS + 64, |_, _| {});
    damage::flip(&file, BAT..BAT + 64, |_, _| {});
    let len = file.len();
    let starts = [
        0, HEADERS[0], HEADERS[1], REGIONS[0], REGIONS[1], METADATA, ITEMS, BAT,
    ];
    for start in starts {
        damage::cut(&file, &[start, start + 8, start + 9, start + 64], &judge);
    }
    damage::cut(&file, &[len - MIB, len - MIB + 1, len - 1], &judge);
    // One header and one table are enough.
    file.write_at(&[0; 4096], HEADERS[1]).unwrap();
    file.write_at(&[0; 4096], REGIONS[0]).unwrap();
    assert!(damage::read(&file).unwrap().unwrap() == raw);
    damage::flip(&file, HEADERS[0]..HEADERS[0] + 80, &judge);
    damage::flip(&file, REGIONS[1]..REGIONS[1] + 80, &judge);
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let scratch = Scratch::new();
    let image = scratch.path("a.vhdx");
    Sample::random(1, MIB).image(&how(&[]), &image).unwrap();
    let set = |offset: u64, value: u8| move |file: &MemDisk| file.write_at(&[value], offset);
    for (change, kind, said) in [
        // The flags of the file, the parameters' flags, and the first item's GUID.
        (set(ITEMS + 4, 2), Unsupported, "differencing"),
        (
            set(METADATA + 32, 1),
            Unsupported,
            "metadata that isn't known",
        ),
        (
            set(ITEMS + 2, 0x30),
            InvalidData,
            "blocks have 3145728",
        ),
        (set(ITEMS + 15, 1), InvalidData, "no number of sectors"),
        (set(ITEMS + 8, 1), InvalidData, "no number of sectors"),
        (
            set(ITEMS + 33, 4),
            InvalidData,
            "sectors have 1024",
        ),
        (set(BAT, 4), InvalidData, "says nothing of block 0"),
        (set(BAT, 7), InvalidData, "says nothing of block 0"),
    ] {
        let file = damage::load(&image);
        change(&file).unwrap();
        let error = damage::refusal(&file);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}
