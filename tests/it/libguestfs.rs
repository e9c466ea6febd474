//! Every filesystem that libguestfs was asked for, with or without success, asked for here.
//!
//! `data/libguestfs-mkfs.json` has what libguestfs 1.48.6 with Debian 12's appliance made of a disk
//! of 1 GiB with one partition: its table and what blkid found, or its error.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::checkers::{self, Entry};
use crate::world::World;

/// What fails there and works here.
const IMPROVEMENTS: [&str; 9] = [
    "mkfs-exfat-labelled",
    "mkfs-squashfs-gpt",
    "mkfs-squashfs-mbr",
    "mkfs-swap-gpt",
    "mkfs-swap-labelled",
    "mkfs-swap-mbr",
    "mkfs-xfs-gpt",
    "mkfs-xfs-labelled",
    "mkfs-xfs-mbr",
];

/// What blkid says that isn't decided by what was asked for: f2fs has the version of its program
/// there, exfat the type of the table around its appliance's disk.
const INCIDENTAL: [&str; 2] = ["VERSION=1.15", "PTTYPE=dos"];

fn group(case: &Value) -> String {
    let label = match &case["volume"] {
        Value::Null => String::new(),
        volume => format!(r#", "label": {volume}"#),
    };
    format!(
        r#"{{"name": "x", "size": "1G", "labels": [{}], "filesystems": [{}],
            "parts": [{{"type": "p", "start": 4096, "end": -4097{label}}}]}}"#,
        case["label"], case["filesystem"]
    )
}

/// A table in the words of sfdisk and of the recording.
fn entries(table: &Value) -> Vec<(u64, u64, String, Option<String>)> {
    let partitions = table["partitions"].as_array().unwrap();
    let entry = |one: &Value| {
        let text = |key: &str| one[key].as_str().map(str::to_owned);
        let number = |key: &str| one[key].as_u64().unwrap();
        (
            number("start"),
            number("size"),
            text("type").unwrap(),
            text("name"),
        )
    };
    partitions.iter().map(entry).collect()
}

fn found(entry: &Entry) -> (u64, u64, String, Option<String>) {
    let Entry {
        start,
        sectors,
        kind,
        name,
        ..
    } = entry;
    (*start, *sectors, kind.clone(), name.clone())
}

/// Whether `case` comes out as recorded, or as an improvement over it.
fn check(name: &str, case: &Value) {
    let world = World::new(&group(case), "", "");
    let run = world.run("x");
    let expects_success = case["error"].is_null() || IMPROVEMENTS.contains(&name);
    if !expects_success {
        let run = run.expect(3);
        let limit = match name {
            "mkfs-squashfs-labelled" => "label",
            "mkfs-vfat-longlabel" => "11",
            "mkfs-xfs-longlabel" => "12",
            "mkfs-ntfs-longlabel" => "128",
            _ => panic!("{name} fails for no known reason"),
        };
        run.says(["guestfs[0].parts[0]", limit]);
        assert!(world.names().is_empty(), "{name}");
        return;
    }
    run.expect(0);
    let image = world.path("disk_x.img");
    let volumes = checkers::verify(&image).unwrap_or_else(|error| panic!("{name}: {error}"));
    let [(entry, volume)] = &volumes[..] else {
        panic!("{name}: {} partitions", volumes.len());
    };
    if case["error"].is_null() {
        let table = checkers::table(&image).unwrap();
        assert_eq!(Value::from(table.label), case["table"]["label"], "{name}");
        assert_eq!([found(entry)], *entries(&case["table"]), "{name}");
    }
    let blkid = checkers::blkid(volume).unwrap();
    for expected in case["blkid"].as_array().into_iter().flatten() {
        let expected = expected.as_str().unwrap();
        if !INCIDENTAL.contains(&expected) {
            let (key, value) = expected.split_once('=').unwrap();
            assert_eq!(
                blkid.get(key).map(String::as_str),
                Some(value),
                "{name}: {key}"
            );
        }
    }
    let label = case["volume"].as_str();
    assert_eq!(blkid.get("LABEL").map(String::as_str), label, "{name}");
}

#[test]
fn what_worked_there_works_here_and_what_failed_is_refused_or_works() {
    let text = include_str!("../data/libguestfs-mkfs.json");
    let cases: BTreeMap<String, Value> = serde_json::from_str(text).unwrap();
    assert_eq!(cases.len(), 37);
    for (name, case) in &cases {
        check(name, case);
    }
}
