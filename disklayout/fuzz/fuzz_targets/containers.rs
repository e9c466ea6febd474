//! Arbitrary bytes as an image file: reading the disk in it ends, with an answer or an error.
#![no_main]

use std::fs::{self, File};
use std::path::Path;

use disklayout::container::{Registry, Request, Target};
use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::Options;
use disklayout::{Bytes, Identity, Timestamp};
use libfuzzer_sys::fuzz_target;

/// How many stretches are read, and how much of each.
const STRETCHES: usize = 64;
const READ: u64 = 64 << 10;

/// The size of the disks that inputs are made of.
const DISK: u64 = 4 << 20;

fuzz_target!(
    init: seeds(),
    |bytes: &[u8]| {
        let file = MemDisk::new(bytes.len() as u64);
        file.write_at(bytes, 0).unwrap();
        let formats = Registry::default();
        let Ok(Some((format, disk))) = formats.read(&file) else {
            return;
        };
        let _ = format.describe(&file);
        let mut at = 0;
        for _ in 0..STRETCHES {
            let data = disk.next_data(at);
            let hole = disk.next_hole(data);
            let mut bytes = vec![0; hole.saturating_sub(data).min(READ) as usize];
            let _ = disk.read_at(&mut bytes, data);
            if hole <= at {
                break;
            }
            at = hole;
        }
    }
);

/// With DISKLAYOUT_SEEDS, a directory, an image of each format is put there as an input.
fn seeds() {
    let Some(directory) = std::env::var_os("DISKLAYOUT_SEEDS") else {
        return;
    };
    let registry = Registry::default();
    for format in registry.formats() {
        let place = "fuzz".into();
        let plan = format.plan(&Request {
            place: &place,
            size: Bytes::new(DISK),
            options: &Options::default(),
            identity: &Identity::new("fuzz", Timestamp::from_seconds(1_000_000_000)),
        });
        let path = Path::new(&directory).join(format.about().name());
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        let make = || tempfile::tempfile();
        let plan = plan.unwrap();
        let disk = plan.open(Target::of(file), &make).unwrap();
        disk.write_at(&[7; 5000], 70_000).unwrap();
        disk.finish().unwrap();
        assert!(fs::metadata(path).unwrap().len() > 0);
    }
}
