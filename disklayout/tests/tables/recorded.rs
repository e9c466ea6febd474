//! What libguestfs 1.48.6 really did on a disk of 1 GiB, case by case.
//!
//! `data/libguestfs-tables.json` holds for each case the label, the calls (`part_add`,
//! `part_set_gpt_type`, `mkfs`) and either the table that sfdisk showed afterwards or the error.

use disklayout::layout::guestfs::DiskSpec;
use disklayout::layout::{DiskPlan, EntryPlan, TablePlan};
use serde_json::Value;

use crate::support::{assert_reads_back, built, disk, plan_of};

const SECTORS: u64 = 2_097_152;

/// Where we go beyond what was recorded: a GUID that an MBR has a type for gets that type.
const MAPPED: [(&str, u8); 3] = [
    ("mbr-gpttype-swap", 0x82),
    ("mbr-gpttype-esp", 0xEF),
    ("mbr-gpttype-lvm", 0x8E),
];

/// Each case that libguestfs refused: the place and the message of ours.
const REFUSED: [(&str, &str, &str); 10] = [
    (
        "gpt-end-minus1",
        "guestfs[2].parts[0].end",
        "end -1 (sector 2097151) belongs to the backup of the partition table; the largest legal \
         end is -34 (sector 2097118)",
    ),
    (
        "mbr-neg-start",
        "guestfs[2].parts[0].start",
        "start -204800 is negative, which only an end may be; counted from the start of the disk \
         the same sector is 1892352",
    ),
    (
        "gpt-neg-start",
        "guestfs[2].parts[0].start",
        "start -204800 is negative, which only an end may be; counted from the start of the disk \
         the same sector is 1892352",
    ),
    (
        "mbr-overlap",
        "guestfs[2].parts[1].start",
        "sectors 90000 to 200000 overlap partition 1 (sectors 2048 to 100000); the nearest legal \
         start is 100001",
    ),
    (
        "mbr-beyond-end",
        "guestfs[2].parts[0].end",
        "end 99999999 lies outside the disk, which has 2097152 sectors; the largest legal end is \
         -1 (sector 2097151)",
    ),
    (
        "mbr-end-before-start",
        "guestfs[2].parts[0].end",
        "end 2048 comes before start 4096; the smallest legal end is 4096",
    ),
    (
        "mbr-logical-no-ext",
        "guestfs[2].parts[0].type",
        "a logical partition needs an extended one ('e') before it in the list; without one make \
         it primary ('p')",
    ),
    (
        "mbr-gpttype-bios",
        "guestfs[2].parts[0].gpt_type",
        "an MBR has no type for 21686148-6449-6E6F-744E-656564454649; say with 'mbr_type' which \
         byte it takes there, or use a GPT ('gpt' in labels), which takes every type",
    ),
    (
        "gpt-type-invalid",
        "guestfs[2].parts[0].gpt_type",
        "'hello' is no GUID and names no type; one looks like \
         0FC63DAF-8483-4772-8E79-3D69D8477DE4, names are linux, swap, lvm, raid, esp, bios-boot, xbootldr, basic-data, fat32, \
         fat16, fat12, msr, windows-recovery, prep-boot, luks, dm-crypt, home, srv, var, tmp, \
         user-home, and root and usr with a processor: root-x86-64",
    ),
    (
        "label-unknown",
        "guestfs[2].labels",
        "unknown type of partition table 'foo'; known are 'mbr' (or 'msdos'), 'gpt' (or 'efi') and \
         'none'",
    ),
];

fn cases() -> serde_json::Map<String, Value> {
    let text = include_str!("../data/libguestfs-tables.json");
    serde_json::from_str(text).unwrap()
}

/// The calls of a case as a description.
fn spec_of(case: &Value) -> DiskSpec {
    let mut spec = disk(SECTORS, case["label"].as_str().unwrap(), &[]);
    for op in case["ops"].as_array().unwrap() {
        let text = |index: usize| op[index].as_str().unwrap();
        match text(0) {
            "add" => {
                let (start, end) = (op[2].as_i64().unwrap(), op[3].as_i64().unwrap());
                let mut part = disk(0, "", &[(text(1), start, end)]).partitions.remove(0);
                part.place = format!("guestfs[2].parts[{}]", spec.partitions.len());
                spec.partitions.push(part);
            }
            "gpttype" => part(&mut spec, &op[1]).gpt_type = Some(text(2).to_owned()),
            "mkfs" => {
                let part = part(&mut spec, &op[2]);
                part.filesystem = text(1).to_owned();
                part.label = op[3].as_str().map(str::to_owned);
            }
            other => panic!("unknown call {other}"),
        }
    }
    spec
}

fn part<'a>(
    spec: &'a mut DiskSpec,
    number: &Value,
) -> &'a mut disklayout::layout::guestfs::PartitionSpec {
    let index = number.as_u64().unwrap() - 1;
    &mut spec.partitions[index as usize]
}

/// The plan in the words of sfdisk.
fn shown(plan: &DiskPlan) -> Value {
    let partitions: Vec<_> = plan
        .partitions
        .iter()
        .map(|one| {
            let mut value = serde_json::json!({
                "start": one.range.first().get(),
                "size": one.range.sectors(),
            });
            match &one.entry {
                EntryPlan::None => panic!("a partition without an entry"),
                EntryPlan::Mbr { kind, .. } => value["type"] = format!("{kind:x}").into(),
                EntryPlan::Gpt { kind, name, .. } => {
                    value["type"] = format!("{:X}", kind.hyphenated()).into();
                    value["name"] = name.as_str().into();
                }
            }
            value
        })
        .collect();
    let label = match plan.table {
        TablePlan::None => panic!("no table"),
        TablePlan::Mbr { .. } => "dos",
        TablePlan::Gpt { .. } => "gpt",
    };
    serde_json::json!({ "label": label, "partitions": partitions })
}

#[test]
fn what_libguestfs_accepted_gives_exactly_its_table() {
    let mut accepted = 0;
    for (name, case) in cases() {
        if case.get("error").is_some() {
            continue;
        }
        let plan = plan_of(&spec_of(&case)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(shown(&plan), case["table"], "{name}");
        assert_reads_back(&plan, &built(&plan));
        accepted += 1;
    }
    assert_eq!(accepted, 24);
}

#[test]
fn what_libguestfs_refused_is_refused_with_the_way_out() {
    let mut refused = 0;
    for (name, case) in cases() {
        if case.get("error").is_none() || MAPPED.iter().any(|(mapped, _)| *mapped == name) {
            continue;
        }
        let known = REFUSED.iter().find(|(known, ..)| *known == name);
        let (_, place, message) = known.unwrap_or_else(|| panic!("{name} has no message here"));
        let error = plan_of(&spec_of(&case)).unwrap_err();
        assert_eq!(
            (error.place(), error.message()),
            (*place, *message),
            "{name}"
        );
        refused += 1;
    }
    assert_eq!(refused, REFUSED.len());
}

#[test]
fn guids_that_an_mbr_has_a_type_for_are_mapped() {
    let cases = cases();
    for (name, kind) in MAPPED {
        let plan = plan_of(&spec_of(&cases[name])).unwrap();
        let active = false;
        let expected = EntryPlan::Mbr { kind, active };
        assert_eq!(plan.partitions[0].entry, expected, "{name}");
        assert_reads_back(&plan, &built(&plan));
    }
}

/// The layout images of Rocky Linux's set as sfdisk shows those that createhdds built.
#[test]
fn the_disks_of_the_rocky_set_have_their_recorded_tables() {
    const GIB: u64 = 2_097_152;
    let full = [("p", 4096, 26_214_400), ("p", 26_214_401, -4097)];
    let freespace = [("p", 4096, 2_101_247)];
    for (sectors, label, parts, expected) in [
        (
            25 * GIB,
            "mbr",
            &full[..],
            &[(4096, 26_210_305), (26_214_401, 26_210_303)][..],
        ),
        (
            25 * GIB,
            "gpt",
            &full,
            &[(4096, 26_210_305), (26_214_401, 26_210_303)],
        ),
        (10 * GIB, "mbr", &freespace, &[(4096, 2_097_152)]),
        (10 * GIB, "gpt", &freespace, &[(4096, 2_097_152)]),
        (204_800, "mbr", &[("p", 4096, -1)], &[(4096, 200_704)]),
        (
            10 * GIB,
            "mbr",
            &[("p", 4096, -4097)],
            &[(4096, 20_963_328)],
        ),
    ] {
        let plan = plan_of(&disk(sectors, label, parts)).unwrap();
        let ranges = plan.partitions.iter().map(|one| one.range);
        let ranges: Vec<_> = ranges
            .map(|range| (range.first().get(), range.sectors()))
            .collect();
        assert_eq!(ranges, expected, "{label} {parts:?}");
        for partition in shown(&plan)["partitions"].as_array().unwrap() {
            let (kind, name) = match label {
                "mbr" => ("83", Value::Null),
                _ => ("0FC63DAF-8483-4772-8E79-3D69D8477DE4", "primary".into()),
            };
            assert_eq!(
                (&partition["type"], &partition["name"]),
                (&kind.into(), &name)
            );
        }
        assert_reads_back(&plan, &built(&plan));
    }
}
