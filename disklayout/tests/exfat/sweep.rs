//! The numbers are those of mkfs.exfat.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use disklayout::SectorSize;
use disklayout::fs::Request;

use crate::support::{
    GIB, KIB, LoopDevice, MIB, Scratch, TIB, empty_tree, is_root, options, plan, plan_at,
    plan_with, request, run, write_image,
};

/// Sizes at which something changes, and some between.
fn sizes() -> Vec<u64> {
    let first = 2 * MIB + 16 * KIB;
    let mut sizes = vec![first, first + 512, first + 4095, first + 4096];
    let bounds = [
        3 * MIB,
        8 * MIB,
        100 * MIB,
        // One bitmap of 4 KiB holds no more.
        2 * MIB + 128 * MIB,
        256 * MIB,
        257 * MIB,
        GIB,
        // The FAT reaches the next boundary.
        8 * GIB,
        32 * GIB,
        32 * GIB + 33 * MIB,
        TIB,
        4 * TIB,
    ];
    for bound in bounds {
        sizes.extend([bound - 512, bound, bound + 512, bound + 4096]);
    }
    sizes
}

/// PartitionOffset up to FirstClusterOfRootDirectory, and FileSystemRevision up to DriveSelect:
/// all but the serial number and how much is in use, which mkfs.exfat leaves at zero.
fn numbers(image: &Path) -> Vec<u8> {
    let mut sector = [0; 512];
    File::open(image)
        .unwrap()
        .read_exact_at(&mut sector, 0)
        .unwrap();
    [&sector[..100], &sector[104..112], &sector[510..]].concat()
}

fn mkfs(size: u64, chosen: &[&str], image: &Path) {
    File::create(image).unwrap().set_len(size).unwrap();
    let arguments = chosen.iter().map(OsStr::new).chain([image.as_os_str()]);
    let arguments: Vec<_> = arguments.collect();
    run("mkfs.exfat", &arguments).unwrap();
}

fn assert_same(size: u64, chosen: &[(&str, &str)]) {
    let scratch = Scratch::new();
    let (theirs, ours) = (scratch.path("sample-theirs.img"), scratch.path("ours.img"));
    let letter = |name: &str| match name {
        "cluster-size" => "-c",
        _ => "-b",
    };
    let arguments = chosen
        .iter()
        .flat_map(|(name, value)| [letter(name), value]);
    let arguments: Vec<_> = arguments.collect();
    mkfs(size, &arguments, &theirs);
    write_image(
        &*plan_with(size, chosen, empty_tree()).unwrap(),
        size,
        &ours,
    );
    assert_eq!(numbers(&ours), numbers(&theirs), "{size} {chosen:?}");
}

#[test]
fn numbers_of_all_sizes_are_those_of_mkfs() {
    for size in sizes() {
        assert_same(size, &[]);
    }
}

#[test]
fn numbers_with_options_are_those_of_mkfs() {
    for (size, cluster_size, boundary) in [
        (MIB, "512", "512"),
        (MIB, "4096", "4K"),
        (3 * MIB, "32K", "32K"),
        (100 * MIB, "512", "1M"),
        (100 * MIB, "1K", "4K"),
        (100 * MIB, "4096", "64K"),
        (100 * MIB, "64K", "4K"),
        (100 * MIB + 512, "4096", "16M"),
        (300 * MIB, "32M", "1M"),
        (GIB, "1M", "512"),
        (40 * GIB, "4096", "2M"),
    ] {
        assert_same(
            size,
            &[("cluster-size", cluster_size), ("boundary-align", boundary)],
        );
    }
}

#[test]
fn numbers_of_sectors_of_4096_bytes_are_those_of_mkfs() {
    if !is_root() {
        return;
    }
    for (size, cluster_size) in [
        (2 * MIB + 16 * KIB, None),
        (100 * MIB, None),
        (300 * MIB, None),
        (100 * MIB, Some("64K")),
    ] {
        let scratch = Scratch::new();
        let (theirs, ours) = (scratch.path("sample-theirs.img"), scratch.path("ours.img"));
        File::create(&theirs).unwrap().set_len(size).unwrap();
        {
            let device = LoopDevice::new(&theirs, "4096");
            let chosen = cluster_size.map(|size| ["-c", size]);
            let chosen = chosen.iter().flatten().map(OsStr::new);
            let arguments: Vec<_> = chosen.chain([device.path.as_os_str()]).collect();
            run("mkfs.exfat", &arguments).unwrap();
        }
        let chosen = cluster_size.map(|size| ("cluster-size", size));
        let plan = plan_at(
            size,
            Request {
                sector_size: SectorSize::B4096,
                options: options(chosen.as_slice()),
                ..request()
            },
        );
        write_image(&*plan.unwrap(), size, &ours);
        assert_eq!(numbers(&ours), numbers(&theirs), "{size} {cluster_size:?}");
    }
}

/// Behind the boot regions, every byte of an empty volume is that of mkfs.exfat.
#[test]
fn an_empty_volume_is_that_of_mkfs() {
    let scratch = Scratch::new();
    for size in [20 * MIB, 300 * MIB] {
        let (theirs, ours) = (scratch.path("sample-theirs.img"), scratch.path("ours.img"));
        mkfs(size, &["-L", "LABEL"], &theirs);
        let plan = plan_at(
            size,
            Request {
                label: Some("LABEL"),
                ..request()
            },
        );
        let _ = fs::remove_file(&ours);
        write_image(&*plan.unwrap(), size, &ours);
        let (theirs, ours) = (behind_boot_regions(&theirs), behind_boot_regions(&ours));
        let mut bytes = ours.iter().zip(&theirs);
        let differ = bytes.position(|(one, other)| one != other);
        assert_eq!(differ.map(|place| place + 24 * 512), None, "{size}");
    }
}

/// All that is written behind the boot regions; the rest is one hole.
fn behind_boot_regions(image: &Path) -> Vec<u8> {
    let mut bytes = vec![0; 6 << 20];
    let file = File::open(image).unwrap();
    file.read_exact_at(&mut bytes, 0).unwrap();
    let data = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(6 << 20));
    assert_eq!(data, Err(rustix::io::Errno::NXIO), "{}", image.display());
    bytes.split_off(24 * 512)
}

#[test]
fn another_number_is_seen() {
    let scratch = Scratch::new();
    let (one, other) = (scratch.path("one.img"), scratch.path("other.img"));
    write_image(&*plan(100 * MIB, empty_tree()).unwrap(), 100 * MIB, &one);
    let chosen = [("cluster-size", "8K")];
    let plan = plan_with(100 * MIB, &chosen, empty_tree()).unwrap();
    write_image(&*plan, 100 * MIB, &other);
    assert_ne!(numbers(&one), numbers(&other));
}
