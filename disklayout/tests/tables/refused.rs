//! What must be refused beyond the recorded cases: where, and with which way out.

use disklayout::ErrorKind;
use disklayout::layout::DiskSize;
use disklayout::layout::spec::{Disk as Spec, Kinds};
use disklayout::table::Entry;
use disklayout::table::types::PartitionType;

use crate::support::{Part, assert_reads_back, built, disk, filesystem, plan_of};

const GIB: u64 = 2_097_152;
const TIB: u64 = 1 << 31;

fn assert_refused(spec: &Spec, kind: ErrorKind, place: &str, message: &str) {
    let error = plan_of(spec).unwrap_err();
    assert_eq!(error.to_string(), format!("{place}: {message}"));
    assert_eq!(error.kind(), kind, "{message}");
}

#[test]
fn sector_bounds() {
    use ErrorKind::{DoesNotFit, InvalidSpec};
    type Row<'a> = (u64, &'a str, Part<'a>, ErrorKind, &'a str, &'a str);
    let rows: [Row<'_>; 13] = [
        (
            GIB,
            "mbr",
            ("p", 0, 99),
            DoesNotFit,
            ".start",
            "start 0 belongs to the partition table; the smallest legal start is 1",
        ),
        (
            GIB,
            "gpt",
            ("p", 33, 99),
            DoesNotFit,
            ".start",
            "start 33 belongs to the partition table; the smallest legal start is 34",
        ),
        (
            GIB,
            "mbr",
            ("p", 2_097_152, -1),
            DoesNotFit,
            ".start",
            "start 2097152 lies outside the disk, which has 2097152 sectors; the largest legal \
          start is 2097151",
        ),
        (
            GIB,
            "gpt",
            ("p", 2_097_119, -1),
            DoesNotFit,
            ".start",
            "start 2097119 belongs to the backup of the partition table; the largest legal start \
          is 2097118",
        ),
        (
            GIB,
            "mbr",
            ("p", i64::MIN, -1),
            InvalidSpec,
            ".start",
            "start -9223372036854775808 is negative, which only an end may be; the smallest legal \
          start is 1",
        ),
        (
            GIB,
            "gpt",
            ("p", 34, -33),
            DoesNotFit,
            ".end",
            "end -33 (sector 2097119) belongs to the backup of the partition table; the largest \
          legal end is -34 (sector 2097118)",
        ),
        (
            GIB,
            "gpt",
            ("p", 34, 2_097_151),
            DoesNotFit,
            ".end",
            "end 2097151 belongs to the backup of the partition table; the largest legal end is \
          -34 (sector 2097118)",
        ),
        (
            GIB,
            "mbr",
            ("p", 1, i64::MAX),
            DoesNotFit,
            ".end",
            "end 9223372036854775807 lies outside the disk, which has 2097152 sectors; the largest \
          legal end is -1 (sector 2097151)",
        ),
        (
            GIB,
            "mbr",
            ("p", 40, -2_097_200),
            InvalidSpec,
            ".end",
            "end -2097200 comes before the start of the disk, which has 2097152 sectors; the \
          smallest legal end is 40",
        ),
        (
            GIB,
            "mbr",
            ("p", 40, -2_097_152),
            InvalidSpec,
            ".end",
            "end -2097152 (sector 0) comes before start 40; the smallest legal end is 40",
        ),
        (
            GIB,
            "gpt",
            ("p", 40, 39),
            InvalidSpec,
            ".end",
            "end 39 comes before start 40; the smallest legal end is 40",
        ),
        (
            3 * TIB,
            "mbr",
            ("p", 1, -1),
            DoesNotFit,
            ".end",
            "6442450943 sectors are more than the 4294967295 (2 TiB) that an MBR can record; the \
          largest legal end is 4294967295; a GPT goes further",
        ),
        (
            3 * TIB,
            "mbr",
            ("p", 4_294_967_296, -1),
            DoesNotFit,
            ".start",
            "start 4294967296 is more than an MBR can record; the largest legal start is \
          4294967295; a GPT goes further",
        ),
    ];
    for (sectors, label, part, kind, place, message) in rows {
        let place = format!("guestfs[2].parts[0]{place}");
        assert_refused(&disk(sectors, label, &[part]), kind, &place, message);
    }
}

#[test]
fn what_other_partitions_take() {
    use ErrorKind::{DoesNotFit, InvalidSpec};
    type Row<'a> = (&'a str, &'a [Part<'a>], ErrorKind, &'a str, &'a str);
    let rows: [Row<'_>; 13] = [
        (
            "gpt",
            &[("p", 5000, 5999), ("p", 4000, 5000)],
            InvalidSpec,
            "[1].end",
            "sectors 4000 to 5000 overlap partition 1 (sectors 5000 to 5999); the largest legal \
          end is 4999",
        ),
        (
            "gpt",
            &[("p", 5000, 5999), ("p", 5999, 5999)],
            InvalidSpec,
            "[1].start",
            "sector 5999 overlaps partition 1 (sectors 5000 to 5999); the nearest legal start is 6000",
        ),
        (
            "mbr",
            &[
                ("p", 10, 10),
                ("p", 20, 20),
                ("p", 30, 30),
                ("p", 40, 40),
                ("p", 50, 50),
            ],
            DoesNotFit,
            "[4].role",
            "an MBR holds 4 primary partitions and this is one more; make one of them extended \
          and this one logical in it, or use a GPT",
        ),
        (
            "mbr",
            &[
                ("p", 10, 10),
                ("e", 20, 20),
                ("p", 30, 30),
                ("p", 40, 40),
                ("e", 50, 50),
            ],
            InvalidSpec,
            "[4].role",
            "there is an extended partition already, number 2, and an MBR holds only one; put its \
          logical partitions into that one",
        ),
        (
            "mbr",
            &[("e", 2048, 4000), ("p", 2500, 3000)],
            InvalidSpec,
            "[1].start",
            "sectors 2500 to 3000 overlap extended partition 1 (sectors 2048 to 4000); the nearest \
          legal start is 4001",
        ),
        (
            "mbr",
            &[("e", 2048, 4000), ("l", 5000, 6000)],
            InvalidSpec,
            "[1].start",
            "start 5000 lies outside extended partition 1 (sectors 2048 to 4000); the nearest \
          legal start is 4000",
        ),
        (
            "mbr",
            &[("e", 2048, 4000), ("l", 2049, 4001)],
            InvalidSpec,
            "[1].end",
            "end 4001 lies outside extended partition 1 (sectors 2048 to 4000); the largest legal \
          end is 4000",
        ),
        (
            "mbr",
            &[("e", 2048, 4000), ("l", 2048, 3000)],
            InvalidSpec,
            "[1].start",
            "sectors 2048 to 3000 overlap the boot record of partition 5 (sector 2048); the \
          nearest legal start is 2049",
        ),
        (
            "mbr",
            &[("e", 2048, 2048), ("l", 2048, 2048)],
            InvalidSpec,
            "[1].start",
            "sector 2048 overlaps the boot record of partition 5 (sector 2048); extended partition 1 has no room left",
        ),
        (
            "mbr",
            &[("e", 2048, 9999), ("l", 2049, 4000), ("l", 4001, 5000)],
            InvalidSpec,
            "[2].start",
            "this partition needs sector 4000 for its boot record, which belongs to partition 5 \
          (sectors 2049 to 4000); the nearest legal start is 4002",
        ),
        (
            "mbr",
            &[("e", 2048, 9999), ("l", 5000, 5999), ("l", 2049, 4000)],
            InvalidSpec,
            "[2].start",
            "this partition needs sector 2048 for its boot record, which belongs to the boot \
          record of partition 5 (sector 2048); the nearest legal start is 2050",
        ),
        (
            "mbr",
            &[
                ("e", 2048, 9999),
                ("l", 2049, 3000),
                ("l", 7000, 7999),
                ("l", 4000, 6999),
            ],
            InvalidSpec,
            "[3].end",
            "sectors 4000 to 6999 overlap the boot record of partition 6 (sector 6999); the \
          largest legal end is 6998",
        ),
        (
            "mbr",
            &[("e", 2048, 9999), ("l", 2049, 9999), ("l", 9000, 9001)],
            InvalidSpec,
            "[2].start",
            "sectors 9000 to 9001 overlap partition 5 (sectors 2049 to 9999); extended partition 1 has no room left",
        ),
    ];
    for (label, parts, kind, place, message) in rows {
        let place = format!("guestfs[2].parts{place}");
        assert_refused(&disk(GIB, label, parts), kind, &place, message);
    }
}

/// Beyond 2 TiB there are free sectors that no MBR partition can start in.
#[test]
fn the_nearest_legal_start_is_one_that_an_mbr_can_record() {
    let last = i64::from(u32::MAX);
    let parts = [("p", last, -1), ("p", last, -1)];
    let spec = disk(TIB * 2 + 600, "mbr", &parts);
    let message = "sectors 4294967295 to 4294967895 overlap partition 1 (sectors 4294967295 to \
                   4294967895); the nearest legal start is 4294967294";
    let place = "guestfs[2].parts[1].start";
    assert_refused(&spec, ErrorKind::InvalidSpec, place, message);
    let spec = disk(TIB * 3, "mbr", &[("p", last, last), ("p", last, -1)]);
    let message = "sectors 4294967295 to 6442450943 overlap partition 1 (sector 4294967295); the \
                   nearest legal start is 4294967294";
    assert_refused(&spec, ErrorKind::InvalidSpec, place, message);
}

#[test]
fn tables_hold_as_many_partitions_as_their_format_and_no_more() {
    let gpt: Vec<_> = (0..129).map(|n| ("p", 2048 + n, 2048 + n)).collect();
    let mut logical = vec![("e", 2048, -1)];
    logical.extend((0..61).map(|n| ("l", 4000 + 2 * n, 4000 + 2 * n)));
    for (label, parts, place, message) in [
        (
            "gpt",
            &gpt,
            "[128]",
            "a GPT holds 128 partitions; this is one more",
        ),
        (
            "mbr",
            &logical,
            "[61].role",
            "an MBR holds 60 logical partitions and this is one more; a GPT holds 128 partitions",
        ),
    ] {
        let place = format!("guestfs[2].parts{place}");
        assert_refused(
            &disk(GIB, label, parts),
            ErrorKind::DoesNotFit,
            &place,
            message,
        );
        let full = plan_of(&disk(GIB, label, &parts[..parts.len() - 1])).unwrap();
        assert_reads_back(&full, &built(&full));
    }
}

#[test]
fn sizes() {
    for (bytes, label, kind, message) in [
        (
            1_000_000,
            "mbr",
            ErrorKind::InvalidSpec,
            "1000000 bytes are not a multiple of 512; the next smaller is 999936",
        ),
        (
            512,
            "mbr",
            ErrorKind::DoesNotFit,
            "512 bytes are too few for an MBR and a partition; the least is 1024",
        ),
        (
            67 * 512,
            "gpt",
            ErrorKind::DoesNotFit,
            "34304 bytes are too few for a GPT and a partition; the least is 34816",
        ),
        (
            0,
            "gpt",
            ErrorKind::DoesNotFit,
            "0 bytes are too few for a GPT and a partition; the least is 34816",
        ),
    ] {
        let mut spec = disk(0, label, &[]);
        spec.size = DiskSize::Fixed(disklayout::Bytes::new(bytes));
        assert_refused(&spec, kind, "guestfs[2].size", message);
    }
}

#[test]
fn types_that_are_none() {
    for text in [
        "",
        "0FC63DAF848347728E793D69D8477DE4",
        "urn:uuid:0FC63DAF-8483-4772-8E79-3D69D8477DE4",
        "0FC63DAF-8483-4772-8E79-3D69D8477DEG",
    ] {
        let message = format!(
            "'{text}' is no GUID and names no type; one looks like \
             0FC63DAF-8483-4772-8E79-3D69D8477DE4, names are linux, swap, lvm, raid, esp, \
             bios-boot, xbootldr, basic-data, fat32, fat16, fat12, msr, windows-recovery, \
             prep-boot, luks, dm-crypt, home, srv, var, tmp, user-home, and root and usr with a \
             processor: root-x86-64"
        );
        assert_eq!(PartitionType::parse_guid(text), Err(message.clone()));
        assert_eq!(PartitionType::parse(text), Err(message));
    }
    let nil = "00000000-0000-0000-0000-000000000000";
    let message = format!("'{nil}' marks an unused entry, so it can't be the type of a partition");
    assert_eq!(PartitionType::parse_guid(nil), Err(message));
    for (text, message) in [
        (
            "0",
            "0x00 marks an unused entry, so it can't be the type of a partition",
        ),
        (
            "0x05",
            "0x05 marks an extended partition; make it extended instead",
        ),
        (
            "f",
            "0x0f marks an extended partition; make it extended instead",
        ),
        (
            "0xEE",
            "0xee says that the disk has a GPT; give the disk one instead",
        ),
    ] {
        assert_eq!(PartitionType::parse(text), Err(message.to_owned()));
        assert_eq!(PartitionType::parse_byte(text), Err(message.to_owned()));
    }
    let error = PartitionType::parse_byte("0x100").unwrap_err();
    let start = "'0x100' is no byte and names no type; one looks like 0x83, names are linux, ";
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn types_of_either_table_in_the_other() {
    let mut extended = disk(GIB, "mbr", &[("e", 2048, 4096)]);
    let linux = PartitionType::parse("0FC63DAF-8483-4772-8E79-3D69D8477DE4").unwrap();
    let message = "the type of an extended partition is fixed; leave it out";
    for (kind, field) in [
        (Kinds::from(linux), "type_guid"),
        (Kinds::from(PartitionType::Byte(7)), "type_byte"),
    ] {
        extended.partitions[0].kind = kind;
        let place = format!("guestfs[2].parts[0].{field}");
        assert_refused(&extended, ErrorKind::InvalidSpec, &place, message);
    }
    let mut braces = disk(GIB, "mbr", &[("p", 2048, 4096)]);
    let esp = PartitionType::parse_guid("{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}").unwrap();
    braces.partitions[0].kind = esp.into();
    let plan = plan_of(&braces).unwrap();
    let (kind, active) = (0xEF, false);
    assert_eq!(plan.partitions[0].record.entry, Entry::Mbr { kind, active });
}

#[test]
fn filesystems() {
    let mut spec = disk(GIB, "mbr", &[("e", 2048, 9999), ("l", 2049, 4096)]);
    filesystem(&mut spec.partitions[0]).format = "nonsense, but not looked at".to_owned();
    plan_of(&spec).unwrap();
    filesystem(&mut spec.partitions[1]).format = "zfs".to_owned();
    let message = "can't make a 'zfs' filesystem; known are ext2, ext3, ext4, ntfs";
    assert_refused(
        &spec,
        ErrorKind::Unsupported,
        "guestfs[2].parts[1]",
        message,
    );
}
