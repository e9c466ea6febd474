//! Label, serial number, GUID and boot regions, as others see them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use disklayout::fs::Request;
use disklayout::{Lba, SectorSize};

use crate::support::{MIB, Scratch, blkid, empty_tree, fsck, options, plan, plan_at, request, run};
use crate::trees;

#[test]
fn empty_volumes_of_any_size_are_clean() {
    for size in [
        2 * MIB + 16 * 1024,
        3 * MIB + 512,
        256 * MIB,
        256 * MIB + 512,
        (32 << 30) + 512,
        2 << 40,
    ] {
        let scratch = Scratch::new();
        scratch.image("empty.img", size, &*plan(size, empty_tree()).unwrap());
    }
}

#[test]
fn others_read_label_and_serial_number() {
    let scratch = Scratch::new();
    for (number, label) in ["", "x", "elevenunits", "Größe ЖУК", "日本😀"]
        .iter()
        .enumerate()
    {
        let plan = plan_at(
            20 * MIB,
            Request {
                label: Some(label),
                options: options(&[("volume-id", "00FF-EE01")]),
                ..request()
            },
        );
        let image = scratch.image(&format!("label{number}.img"), 20 * MIB, &*plan.unwrap());
        assert_eq!(blkid(&image, "TYPE"), "exfat");
        assert_eq!(blkid(&image, "LABEL"), *label);
        assert_eq!(blkid(&image, "UUID"), "00FF-EE01");
        // Boot code of zeroes would look like an empty partition table.
        assert_eq!(blkid(&image, "PTTYPE"), "");
        let said = run("tune.exfat", &["-i".as_ref(), image.as_os_str()]).unwrap();
        assert!(said.contains("0xffee01"), "{said}");
    }
    let image = scratch.image("own.img", 20 * MIB, &*plan(20 * MIB, empty_tree()).unwrap());
    let serial_number = blkid(&image, "UUID");
    assert!(serial_number != "00FF-EE01" && serial_number.len() == 9);
}

#[test]
fn the_partition_s_start_is_recorded() {
    let scratch = Scratch::new();
    for (start, sector_size) in [(2048, SectorSize::B512), (63, SectorSize::B4096)] {
        let plan = plan_at(
            20 * MIB,
            Request {
                start: Lba::new(start),
                sector_size,
                ..request()
            },
        );
        let image = scratch.image(&format!("{start}.img"), 20 * MIB, &*plan.unwrap());
        let mut bytes = [0; 8];
        let file = File::open(&image).unwrap();
        file.read_exact_at(&mut bytes, 64).unwrap();
        assert_eq!(u64::from_le_bytes(bytes), start);
    }
}

#[test]
fn the_backup_boot_region_is_as_good_as_the_main_one() {
    let scratch = Scratch::new();
    for (name, sector_size) in [("512", SectorSize::B512), ("4096", SectorSize::B4096)] {
        let plan = plan_at(
            80 * MIB,
            Request {
                sector_size,
                tree: trees::awkward(4096),
                ..request()
            },
        );
        let image = scratch.image(name, 80 * MIB, &*plan.unwrap());
        let file = File::options().read(true).write(true).open(&image).unwrap();
        let region = 12 * sector_size.get();
        let mut backup = vec![0; region as usize];
        file.read_exact_at(&mut backup, region).unwrap();
        let mut main = vec![0; region as usize];
        file.read_exact_at(&mut main, 0).unwrap();
        assert_eq!(main, backup);
    }
}

/// fsck.exfat, which the other tests rely on, finds what is wrong.
#[test]
fn a_damaged_volume_is_not_accepted() {
    let scratch = Scratch::new();
    let tree = trees::awkward(4096);
    let good = plan(80 * MIB, tree).unwrap();
    let path = scratch.image("sample-good.img", 80 * MIB, &*good);
    let bytes = fs::read(&path).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    // A boot checksum, the bitmap, the up-case table, a set of entries.
    let set = bytes.chunks(32).position(|entry| entry[0] == 0x85).unwrap() * 32;
    for place in [11 * 512, 2 << 20, (2 << 20) + 4096, set + 40] {
        let place = place as u64;
        file.write_all_at(&[bytes[place as usize] ^ 0x10], place)
            .unwrap();
        assert!(fsck(&path).is_err(), "{place}");
        file.write_all_at(&bytes[place as usize..][..1], place)
            .unwrap();
        fsck(&path).unwrap();
    }
}
