//! qcow2 images as QEMU makes and changes them, held against what QEMU reads of them.

use std::fs;
use std::path::Path;

use disklayout::container::Registry;
use disklayout::disk::{Disk, MemDisk};
use testkit::program::{arguments, run};
use testkit::scratch::Scratch;

use crate::damage::{change, load, read};
use crate::others;
use crate::sample::Sample;

const MIB: u64 = 1 << 20;

/// A disk that ends within a cluster of any size.
const SIZE: &str = "21496320";

/// Clusters that are whole, begun, zero in each way, given back, and written over.
const WRITES: &[&str] = &[
    "write -P 1 0 300k",
    "write -P 2 1000k 3k",
    "write -P 3 1201664 512",
    "write -z 64k 64k",
    "write -z -u 2M 256k",
    "write -z 2600k 17k",
    "discard 128k 64k",
    "write -P 4 2100k 5k",
    "write -P 5 9M 2500k",
    "write -P 6 21495808 512",
];

/// Compressed clusters, some of them written over, for clusters of up to 2 MiB.
const PACKED: &[&str] = &[
    "write -c -P 7 4M 2M",
    "write -c -P 8 6M 2M",
    "write -P 9 6200k 70k",
    "write -z 4200k 64k",
];

const EVERY_KIND: &[&str] = &[
    "compat=1.1",
    "compat=0.10",
    "compat=0.10,cluster_size=512",
    "cluster_size=512",
    "cluster_size=4k",
    "cluster_size=2M",
    "compression_type=zstd",
    "compression_type=zstd,cluster_size=2M",
    "compression_type=zstd,cluster_size=512",
    "extended_l2=on",
    "extended_l2=on,cluster_size=16k",
    "extended_l2=on,cluster_size=2M",
    "extended_l2=on,compression_type=zstd",
    "lazy_refcounts=on",
    "refcount_bits=1",
    "refcount_bits=64",
    "preallocation=metadata",
    "preallocation=falloc",
    "preallocation=full",
    "preallocation=metadata,extended_l2=on",
    "preallocation=metadata,compat=0.10",
];

fn img(options: &[&str], paths: &[&Path]) {
    run("qemu-img", &arguments(options, paths)).unwrap();
}

fn create(image: &Path, options: &str, size: &str) {
    let command = ["create", "-q", "-f", "qcow2", "-o", options];
    let mut command = arguments(&command, &[image]);
    command.push(size.as_ref());
    run("qemu-img", &command).unwrap();
}

/// Lets qemu-io do this with an image.
fn change_by_qemu(image: &Path, commands: &[&str]) {
    for command in commands {
        let options = ["-f", "qcow2", "-c", command];
        let done = run("qemu-io", &arguments(&options, &[image]));
        done.unwrap_or_else(|said| panic!("{command}: {said}"));
    }
}

fn resize(image: &Path, options: &[&str], size: &str) {
    let mut command = arguments(&["resize", "-q", "-f", "qcow2"], &[]);
    command.extend(options.iter().map(|it| std::ffi::OsStr::new(*it)));
    command.extend([image.as_os_str(), size.as_ref()]);
    run("qemu-img", &command).unwrap();
}

/// What QEMU reads of an image.
fn by_qemu(image: &Path) -> Vec<u8> {
    let raw = image.with_extension("by-qemu");
    img(&["convert", "-f", "qcow2", "-O", "raw"], &[image, &raw]);
    fs::read(raw).unwrap()
}

/// Makes sure that we read of an image what QEMU reads.
fn check(image: &Path) {
    others::check(image, &by_qemu(image));
}

#[test]
fn what_qemu_writes_is_read_as_qemu_reads_it() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    for options in EVERY_KIND {
        create(&image, options, SIZE);
        check(&image);
        // QEMU compresses nothing into clusters that are there.
        let is_packed = !options.contains("preallocation");
        if is_packed {
            change_by_qemu(&image, PACKED);
        }
        change_by_qemu(&image, WRITES);
        let bytes = by_qemu(&image);
        let packed = if is_packed { 7 } else { 0 };
        assert_eq!((bytes[0], bytes[4 << 20], bytes[9 << 20]), (1, packed, 5));
        others::check(&image, &bytes);
    }
}

#[test]
fn what_qemu_converts_is_read_as_the_raw_disk() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    for (seed, options) in (0..).zip(EVERY_KIND) {
        let raw = Sample::with_last_byte(seed, 20 * MIB + 512).raw(&image);
        let expected = fs::read(&raw).unwrap();
        let convert = ["convert", "-f", "raw", "-O", "qcow2", "-o", options];
        img(&convert, &[&raw, &image]);
        others::check(&image, &expected);
        // What is compressed isn't allocated beforehand.
        if !options.contains("preallocation") {
            img(&[&convert[..], &["-c"]].concat(), &[&raw, &image]);
            others::check(&image, &expected);
        }
    }
}

/// The disk is what it is now, whatever it was when a snapshot was made.
#[test]
fn snapshots_are_not_the_disk() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    for options in ["compat=0.10", "cluster_size=512", "extended_l2=on"] {
        create(&image, options, SIZE);
        change_by_qemu(&image, WRITES);
        img(&["snapshot", "-c", "before"], &[&image]);
        let before = by_qemu(&image);
        change_by_qemu(&image, &["write -P 10 0 700k", "write -z 9M 1M"]);
        let after = by_qemu(&image);
        assert!(before != after);
        others::check(&image, &after);
        img(&["snapshot", "-a", "before"], &[&image]);
        others::check(&image, &before);
    }
}

/// The table of tables becomes longer, and moves; one that has become too long stays.
#[test]
fn disks_that_were_resized() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    for options in ["cluster_size=512", "extended_l2=on", "compat=0.10"] {
        create(&image, options, "1M");
        change_by_qemu(&image, &["write -P 1 100k 900k"]);
        resize(&image, &[], "40M");
        change_by_qemu(&image, &["write -P 2 39M 1M"]);
        check(&image);
        resize(&image, &["--shrink"], "700k");
        check(&image);
        resize(&image, &[], "2M");
        check(&image);
    }
}

/// More L2 tables than are kept, in no order.
#[test]
fn reads_come_in_any_order() {
    const PIECE: u64 = 4099;
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    let raw = Sample::with_last_byte(3, 20 * MIB).raw(&image);
    let expected = fs::read(&raw).unwrap();
    for options in [
        "cluster_size=512",
        "cluster_size=2M",
        "extended_l2=on,cluster_size=16k",
    ] {
        for packed in [&[][..], &["-c"]] {
            let convert = ["convert", "-f", "raw", "-O", "qcow2", "-o", options];
            img(&[&convert, packed].concat(), &[&raw, &image]);
            let file = load(&image);
            let formats = Registry::default();
            let (_, disk) = formats.read(&file).unwrap().expect("its own sign");
            let pieces = expected.len() as u64 / PIECE;
            for number in 0..pieces {
                let at = number * 1_000_003 % pieces * PIECE;
                let mut found = [1; PIECE as usize];
                disk.read_at(&mut found, at).unwrap();
                assert!(expected[at as usize..].starts_with(&found), "{at}");
            }
        }
    }
}

/// Reference counts are what is dirty, and nobody needs them here.
#[test]
fn what_a_guest_left_dirty_is_read() {
    let scratch = Scratch::new();
    let image = scratch.path("a.qcow2");
    create(&image, "lazy_refcounts=on", SIZE);
    change_by_qemu(&image, WRITES);
    let file = load(&image);
    let expected = read(&file).unwrap();
    change(&file, 79, |[byte]| [byte | 1]);
    assert!(expected.is_some() && read(&file).unwrap() == expected);
}

/// An image of version 2 with the largest L1 table that QEMU reads, of which all entries are this one.
fn of_many_tables(cluster_bits: u32, entry: u64) -> MemDisk {
    let cluster = 1_u64 << cluster_bits;
    let entries = 4_u64 << 20;
    let file = MemDisk::new(2 * cluster + entries * 8);
    let header = [
        b"QFI\xFB\0\0\0\x02".to_vec(),
        vec![0; 12],
        cluster_bits.to_be_bytes().to_vec(),
        (entries * (cluster / 8) * cluster).to_be_bytes().to_vec(),
        vec![0; 4],
        (entries as u32).to_be_bytes().to_vec(),
        (2 * cluster).to_be_bytes().to_vec(),
    ];
    file.write_at(&header.concat(), 0).unwrap();
    if entry != 0 {
        let table = entry.to_be_bytes().repeat(entries as usize);
        file.write_at(&table, 2 * cluster).unwrap();
    }
    file
}

/// Nothing is in the longest of tables.
#[test]
fn an_empty_disk_of_many_tables_is_one_hole() {
    let file = of_many_tables(9, 0);
    let formats = Registry::default();
    let (_, disk) = formats.read(&file).unwrap().expect("its own sign");
    let len = disk.len();
    assert_eq!((len, disk.next_data(0)), (128 << 30, len));
    assert_eq!(disk.next_hole(0), 0);
}

/// 2^40 clusters in 32 MiB: looking for their end ends before that.
#[test]
fn tables_that_lead_to_one_place_over_and_over() {
    let cluster = 2 * MIB;
    let file = of_many_tables(21, cluster);
    let formats = Registry::default();
    let (_, disk) = formats.read(&file).unwrap().expect("its own sign");
    assert_eq!(disk.len(), 1 << 61);
    let data = disk.next_data(0);
    assert!(data > 0 && data < disk.len(), "{data}");
    let packed = (1_u64 << 62).to_be_bytes();
    let table = packed.repeat(cluster as usize / 8);
    file.write_at(&table, cluster).unwrap();
    let (_, disk) = formats.read(&file).unwrap().expect("its own sign");
    assert_eq!((disk.next_data(0), disk.next_hole(0)), (0, disk.len()));
}
