//! What libguestfs 1.48.6 really did on a disk of 1 GiB, case by case.
//!
//! `data/libguestfs-tables.json` holds for each case the label, the calls (`part_add`,
//! `part_set_gpt_type`, `mkfs`) and either the table that sfdisk showed afterwards or the error.

use disklayout::layout::DiskPlan;
use disklayout::layout::spec::{Disk as Spec, Partition};
use disklayout::table::types::PartitionType;
use disklayout::table::{Entry, TableId};
use disklayout::{Error, Field, Result};
use serde_json::Value;

use crate::support::{assert_reads_back, built, disk, filesystem, partition, plan_of};

const SECTORS: u64 = 2_097_152;

/// Where we go beyond what was recorded: a GUID that an MBR has a type for gets that type.
const MAPPED: [(&str, u8); 3] = [
    ("mbr-gpttype-swap", 0x82),
    ("mbr-gpttype-esp", 0xEF),
    ("mbr-gpttype-lvm", 0x8E),
];

/// What libguestfs refused that can't be described: kinds of tables have no other names here.
const UNKNOWN_TABLE: &str = "label-unknown";

/// Each other case that libguestfs refused: the place and the message of ours.
const REFUSED: [(&str, &str, &str); 9] = [
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
        "guestfs[2].parts[0].role",
        "a logical partition needs an extended one before it in the list; without one make it \
         primary",
    ),
    (
        "mbr-gpttype-bios",
        "guestfs[2].parts[0].type_guid",
        "an MBR has no type for 21686148-6449-6E6F-744E-656564454649; say which byte it takes \
         there, or use a GPT, which takes every type",
    ),
    (
        "gpt-type-invalid",
        "guestfs[2].parts[0].type_guid",
        "'hello' is no GUID and names no type; one looks like \
         0FC63DAF-8483-4772-8E79-3D69D8477DE4, names are linux, swap, lvm, raid, esp, bios-boot, xbootldr, basic-data, fat32, \
         fat16, fat12, msr, windows-recovery, prep-boot, luks, dm-crypt, home, srv, var, tmp, \
         user-home, and root and usr with a processor: root-x86-64",
    ),
];

fn cases() -> serde_json::Map<String, Value> {
    let text = include_str!("../data/libguestfs-tables.json");
    serde_json::from_str(text).unwrap()
}

/// The calls of a case as a description. What a type is spelt like is looked at while it is read.
fn spec_of(case: &Value) -> Result<Spec> {
    let table = match case["label"].as_str().unwrap() {
        "msdos" => "mbr",
        "efi" => "gpt",
        label => label,
    };
    let mut spec = disk(SECTORS, table, &[]);
    for op in case["ops"].as_array().unwrap() {
        let text = |index: usize| op[index].as_str().unwrap();
        match text(0) {
            "add" => {
                let (start, end) = (op[2].as_i64().unwrap(), op[3].as_i64().unwrap());
                let place = format!("guestfs[2].parts[{}]", spec.partitions.len());
                let role = &text(1)[..1];
                spec.partitions.push(partition(place, (role, start, end)));
            }
            "gpttype" => {
                let part = part(&mut spec, &op[1]);
                let place = part.place.field(Field::TypeGuid);
                let kind = PartitionType::parse_guid(text(2));
                part.kind = kind.map_err(|error| Error::invalid(place, error))?.into();
            }
            "mkfs" => {
                let filesystem = filesystem(part(&mut spec, &op[2]));
                filesystem.format = text(1).to_owned();
                filesystem.label = op[3].as_str().map(str::to_owned);
            }
            other => panic!("unknown call {other}"),
        }
    }
    Ok(spec)
}

fn planned(case: &Value) -> Result<DiskPlan> {
    plan_of(&spec_of(case)?)
}

fn part<'a>(spec: &'a mut Spec, number: &Value) -> &'a mut Partition {
    let index = number.as_u64().unwrap() - 1;
    &mut spec.partitions[index as usize]
}

/// The plan in the words of sfdisk.
fn shown(plan: &DiskPlan) -> Value {
    let partitions: Vec<_> = plan
        .partitions
        .iter()
        .map(|one| &one.record)
        .map(|one| {
            let mut value = serde_json::json!({
                "start": one.range.first().get(),
                "size": one.range.sectors(),
            });
            match &one.entry {
                Entry::None => panic!("a partition without an entry"),
                Entry::Mbr { kind, .. } => value["type"] = format!("{kind:x}").into(),
                Entry::Gpt { kind, name, .. } => {
                    value["type"] = format!("{:X}", kind.hyphenated()).into();
                    value["name"] = name.as_str().into();
                }
            }
            value
        })
        .collect();
    let label = match plan.table {
        TableId::None => panic!("no table"),
        TableId::Mbr { .. } => "dos",
        TableId::Gpt { .. } => "gpt",
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
        let plan = planned(&case).unwrap_or_else(|error| panic!("{name}: {error}"));
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
        let is_ours = MAPPED.iter().any(|(mapped, _)| *mapped == name) || name == UNKNOWN_TABLE;
        if case.get("error").is_none() || is_ours {
            continue;
        }
        let known = REFUSED.iter().find(|(known, ..)| *known == name);
        let (_, place, message) = known.unwrap_or_else(|| panic!("{name} has no message here"));
        let error = planned(&case).unwrap_err();
        assert_eq!(error.to_string(), format!("{place}: {message}"), "{name}");
        refused += 1;
    }
    assert_eq!(refused, REFUSED.len());
}

#[test]
fn guids_that_an_mbr_has_a_type_for_are_mapped() {
    let cases = cases();
    for (name, kind) in MAPPED {
        let plan = planned(&cases[name]).unwrap();
        let active = false;
        let expected = Entry::Mbr { kind, active };
        assert_eq!(plan.partitions[0].record.entry, expected, "{name}");
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
        let ranges = plan.partitions.iter().map(|one| one.record.range);
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
