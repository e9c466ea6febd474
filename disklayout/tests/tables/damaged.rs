//! The reader refuses damaged tables, names the place and never follows a chain for ever.

use disklayout::disk::{Disk, MemDisk};
use disklayout::{ErrorKind, SECTOR_SIZE, inspect};

use crate::support::{Part, built, disk, plan_of};

const SECTORS: u64 = 40_000;

fn image(label: &str, parts: &[Part<'_>]) -> MemDisk {
    built(&plan_of(&disk(SECTORS, label, parts)).unwrap())
}

fn assert_corrupt(disk: &MemDisk, place: &str, message: &str) {
    let error = inspect::table(disk).unwrap_err();
    assert_eq!(error.to_string(), format!("{place}: {message}"));
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn boot_records() {
    let parts = [
        ("p", 2048, 4095),
        ("e", 6000, 9999),
        ("l", 6001, 7000),
        ("l", 8000, 8999),
    ];
    let second = 7999 * SECTOR_SIZE;
    let chain = 6000 * SECTOR_SIZE;
    for (at, bytes, place, message) in [
        (
            510,
            &[0, 0][..],
            "MBR",
            "no boot record: it ends in 00 00, not in 55 AA",
        ),
        (446, &[1], "partition 1", "its boot indicator is 01"),
        (
            446 + 8,
            &4000_u32.to_le_bytes(),
            "partition 2",
            "it overlaps partition 1",
        ),
        (
            446 + 12,
            &0_u32.to_le_bytes(),
            "partition 1",
            "start 2048 with no sectors are no range within sectors 0 to 39999",
        ),
        (
            446 + 12,
            &u32::MAX.to_le_bytes(),
            "partition 1",
            "sectors 2048 to 4294969342 reach behind the end: there are only 40000 sectors",
        ),
        (
            446 + 4,
            &[0x05],
            "partition 2",
            "it is a second extended partition",
        ),
        (
            second + 510,
            &[0, 0],
            "boot record at sector 7999",
            "no boot record: it ends in 00 00, not in 55 AA",
        ),
        // A link from the second record back to the first, and to itself.
        (
            second + 446 + 16,
            &[0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0],
            "boot record at sector 6000",
            "the chain leads to it a second time",
        ),
        (
            second + 446 + 16,
            &[0, 0, 0, 0, 5, 0, 0, 0, 0xCF, 7, 0, 0, 9, 0, 0, 0],
            "boot record at sector 7999",
            "the chain leads to it a second time",
        ),
        (
            chain + 446 + 16 + 4,
            &[0x83],
            "boot record at sector 6000",
            "its link is of type 83",
        ),
        (
            chain + 446 + 32 + 4,
            &[0x83],
            "boot record at sector 6000",
            "it has more than two entries",
        ),
        (
            chain + 446 + 12,
            &1999_u32.to_le_bytes(),
            "partition 5",
            "a boot record of the chain lies in it",
        ),
        (
            second + 446 + 12,
            &9999_u32.to_le_bytes(),
            "partition 6",
            "sectors 8000 to 17998 are no range within sectors 6000 to 9999",
        ),
    ] {
        let disk = image("mbr", &parts);
        inspect::table(&disk).unwrap();
        disk.write_at(bytes, at).unwrap();
        assert_corrupt(&disk, place, message);
    }
}

#[test]
fn a_chain_has_an_end() {
    let disk = image("mbr", &[("e", 1, -1)]);
    let mut record = [0; SECTOR_SIZE as usize];
    record[446 + 16 + 4] = 5;
    record[446 + 16 + 12] = 1;
    record[510..].copy_from_slice(&[0x55, 0xAA]);
    for sector in 1..SECTORS - 1 {
        record[446 + 16 + 8..][..4].copy_from_slice(&(sector as u32).to_le_bytes());
        disk.write_at(&record, sector * SECTOR_SIZE).unwrap();
    }
    let place = "boot record at sector 257";
    assert_corrupt(&disk, place, "the chain has more than 256 records");
}

/// Recomputes what a change to a header or to its entries invalidates.
fn seal(disk: &MemDisk, header_at: u64, entries_at: u64) {
    let mut entries = vec![0; 128 * 128];
    disk.read_at(&mut entries, entries_at).unwrap();
    let sum = crc32fast::hash(&entries).to_le_bytes();
    disk.write_at(&sum, header_at + 88).unwrap();
    disk.write_at(&[0; 4], header_at + 16).unwrap();
    let mut header = [0; 92];
    disk.read_at(&mut header, header_at).unwrap();
    let sum = crc32fast::hash(&header).to_le_bytes();
    disk.write_at(&sum, header_at + 16).unwrap();
}

fn seal_both(disk: &MemDisk) {
    seal(disk, 512, 1024);
    seal(
        disk,
        (SECTORS - 1) * SECTOR_SIZE,
        (SECTORS - 33) * SECTOR_SIZE,
    );
}

const GPT_PARTS: [Part<'_>; 2] = [("p", 2048, 4095), ("p", 4096, 5000)];

#[test]
fn gpt_bytes_are_covered_by_checksums() {
    let last = (SECTORS - 1) * SECTOR_SIZE;
    let backup_entries = (SECTORS - 33) * SECTOR_SIZE;
    for (at, place, message) in [
        (
            446 + 12,
            "protective MBR",
            "its one entry must cover the 39999 sectors from sector 1",
        ),
        (
            446 + 16 + 4,
            "entry 2 of the hybrid MBR",
            "its 0 sectors from sector 0 are no partition of the GPT",
        ),
        (512, "primary GPT", "no header of revision 1.0 at sector 1"),
        (
            512 + 12,
            "primary GPT",
            "its header has 93 bytes instead of 92",
        ),
        (512 + 40, "primary GPT", "its header has the checksum"),
        (1024 + 56, "primary GPT", "its entries have the checksum"),
        (
            1024 + 127 * 128,
            "primary GPT",
            "its entries have the checksum",
        ),
        (
            last + 7,
            "backup GPT",
            "no header of revision 1.0 at sector 39999",
        ),
        (last + 72, "backup GPT", "its header has the checksum"),
        (
            backup_entries + 1,
            "backup GPT",
            "its entries have the checksum",
        ),
    ] {
        let disk = image("gpt", &GPT_PARTS);
        inspect::table(&disk).unwrap();
        let mut byte = [0];
        disk.read_at(&mut byte, at).unwrap();
        disk.write_at(&[byte[0] ^ 1], at).unwrap();
        let error = inspect::table(&disk).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let start = format!("{place}: {message}");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

/// Checksums that fit don't make nonsense right.
#[test]
fn gpt_fields_are_checked_for_sense() {
    let header = [512, (SECTORS - 1) * SECTOR_SIZE];
    let entries = [1024, (SECTORS - 33) * SECTOR_SIZE];
    for (at, offset, bytes, place, message) in [
        (
            header,
            32,
            &5_u64.to_le_bytes()[..],
            "primary GPT",
            "its header names sectors 1 and 5 instead of 1 and 39999",
        ),
        (
            header,
            80,
            &u32::MAX.to_le_bytes(),
            "primary GPT",
            "4294967295 entries of 128 bytes are not supported",
        ),
        (
            header,
            84,
            &7_u32.to_le_bytes(),
            "primary GPT",
            "128 entries of 7 bytes are not supported",
        ),
        (
            header,
            72,
            &u64::MAX.to_le_bytes(),
            "primary GPT",
            "sector 18446744073709551615 lies outside the disk, which has 20480000 bytes",
        ),
        (
            entries,
            32,
            &4500_u64.to_le_bytes(),
            "partition 1",
            "sectors 4500 to 4095 are no range within sectors 34 to 39966",
        ),
        (
            entries,
            40,
            &4500_u64.to_le_bytes(),
            "partition 2",
            "it overlaps partition 1",
        ),
        (
            entries,
            40,
            &39_967_u64.to_le_bytes(),
            "partition 1",
            "sectors 2048 to 39967 are no range within sectors 34 to 39966",
        ),
        (
            entries,
            56,
            &0xDC00_u16.to_le_bytes(),
            "partition 1",
            "its name is no valid UTF-16",
        ),
    ] {
        let disk = image("gpt", &GPT_PARTS);
        for at in at {
            disk.write_at(bytes, at + offset).unwrap();
        }
        seal_both(&disk);
        assert_corrupt(&disk, place, message);
    }
    let disk = image("gpt", &GPT_PARTS);
    let mut guid = [0; 16];
    disk.read_at(&mut guid, 1024 + 16).unwrap();
    for at in entries {
        disk.write_at(&guid, at + 128 + 16).unwrap();
    }
    seal_both(&disk);
    let error = inspect::table(&disk).unwrap_err();
    assert_eq!(error.place(), "partition 2");
    assert!(error.message().starts_with("another one has its GUID "));
}

#[test]
fn a_backup_that_differs_is_noticed() {
    let disk = image("gpt", &GPT_PARTS);
    disk.write_at(b"q", 1024 + 56).unwrap();
    seal(&disk, 512, 1024);
    assert_corrupt(&disk, "backup GPT", "it differs from the primary one");
}

#[test]
fn disks_without_a_table() {
    for (len, message) in [
        (0, "sector 0 lies outside the disk, which has 0 bytes"),
        (511, "sector 0 lies outside the disk, which has 511 bytes"),
        (512, "no boot record: it ends in 00 00, not in 55 AA"),
    ] {
        assert_corrupt(&MemDisk::new(len), "MBR", message);
    }
}
