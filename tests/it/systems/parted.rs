//! Partitions are where GNU parted puts them, on images of all sizes.

use std::fs::File;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use testkit::program::{arguments, output, run};

use super::place::Place;
use super::user::User;

/// Starts and ends of partitions, one behind the other.
const PLACES: [&[(&str, &str)]; 31] = [
    &[("0%", "100%")],
    &[("1M", "10M"), ("10M", "100%")],
    &[("4MiB", "64MiB"), ("64MiB", "100%")],
    &[("1MiB", "-1s")],
    &[("1MiB", "-1MiB")],
    &[("1MiB", "-1M")],
    &[("0", "50%"), ("50%", "100%")],
    &[("2048s", "40959s"), ("40960s", "100%")],
    &[("63s", "100%")],
    &[("1", "10"), ("10", "20"), ("20", "-0")],
    &[("1.5M", "20.25M"), ("20.25M", "33.3%")],
    &[("33%", "66%")],
    &[("100kB", "50MB"), ("50MB", "60MB")],
    &[("100KiB", "50MiB")],
    &[("10M", "5M")],
    &[("1M", "99999G")],
    &[("0%", "30M"), ("29.8M", "100%")],
    &[("1MiB", "10MiB"), ("9.9MiB", "100%")],
    &[("5m", "50m"), ("1mib", "4mb")],
    &[("1000000B", "20000000B")],
    &[("20k", "30M")],
    &[("34s", "30M")],
    &[("0.5M", "30M")],
    &[("0%", "1%"), ("1%", "2%"), ("2%", "100%")],
    &[("0%", "2G")],
    &[("128M", "2.0GB")],
    &[("0%", "1G"), ("1G", "2G")],
    &[("0%", "2147M")],
    &[("1MiB", "111M"), ("111M", "100%")],
    &[("100MiB", "1G")],
    &[("1M", "50M"), ("49.9M", "2000M")],
];

/// The first and the last sector of each partition of an image.
fn partitions(image: &Path) -> Vec<(u64, u64)> {
    let json = run("sfdisk", &arguments(&["--json"], &[image])).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let all = json["partitiontable"]["partitions"].as_array().cloned();
    let all = all.unwrap_or_default().into_iter();
    all.map(|one| {
        let start = one["start"].as_u64().unwrap();
        (start, start + one["size"].as_u64().unwrap() - 1)
    })
    .collect()
}

/// Partitions in an extended one.
const LOGICAL: [&[Wanted<'_>]; 5] = [
    &[
        ("primary", "0%", "10%"),
        ("extended", "10%", "60%"),
        ("logical", "10%", "30%"),
        ("logical", "30%", "60%"),
        ("primary", "60%", "100%"),
    ],
    &[
        ("extended", "1MiB", "100%"),
        ("logical", "2MiB", "9MiB"),
        ("logical", "10MiB", "19MiB"),
        ("logical", "20MiB", "100%"),
    ],
    &[
        ("extended", "1MB", "90MB"),
        ("logical", "1MB", "20MB"),
        ("logical", "20MB", "40MB"),
        ("logical", "50MB", "90MB"),
    ],
    &[("extended", "0%", "50%"), ("logical", "0%", "60%")],
    &[("logical", "0%", "60%")],
];

/// The kind of a partition, its start and its end.
type Wanted<'a> = (&'a str, &'a str, &'a str);

/// What parted makes of these places; `None` where it refuses.
fn by_parted(
    scratch: &TempDir,
    table: &str,
    size: u64,
    places: &[Wanted<'_>],
) -> Option<Vec<(u64, u64)>> {
    let image = scratch.path().join("parted.img");
    File::create(&image).unwrap().set_len(size).unwrap();
    let parted = |words: &[&str]| {
        let mut all = vec!["-s".as_ref(), image.as_os_str()];
        all.extend(words.iter().map(AsRef::<std::ffi::OsStr>::as_ref));
        output("parted", &all).status.success()
    };
    assert!(parted(&["mklabel", table]));
    let made = places.iter().all(|(kind, start, end)| match *kind {
        // It has no type, and parted takes the word for its start.
        "extended" => parted(&["--", "mkpart", kind, start, end]),
        _ => parted(&["--", "mkpart", kind, "ext2", start, end]),
    });
    made.then(|| partitions(&image))
}

/// What a specification with these places makes.
fn by_specification(
    place: &Place,
    table: &str,
    size: u64,
    places: &[Wanted<'_>],
) -> Option<Vec<(u64, u64)>> {
    let parts = places.iter().enumerate().map(|(number, (kind, start, end))| {
        format!("- mkpart: {kind}\n  device: '{{{{ output }}}}'\n  start: '{start}'\n  end: '{end}'\n  tag: t{number}\n")
    });
    let parts: String = parts.collect();
    place.put(
        "a.vmdb",
        format!("steps:\n- mkimg: '{{{{ output }}}}'\n  size: '{size}'\n- mklabel: {table}\n  device: '{{{{ output }}}}'\n{parts}"),
    );
    let run = place.run("--json vmdb2 --dry-run a.vmdb");
    if run.status != Some(0) {
        assert!(run.stderr.contains("a.vmdb:"), "{run:?}");
        return None;
    }
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let all = document["disk"]["partitions"].as_array().unwrap().iter();
    Some(
        all.map(|one| {
            (
                one["first"].as_u64().unwrap(),
                one["last"].as_u64().unwrap(),
            )
        })
        .collect(),
    )
}

#[test]
fn partitions_are_where_parted_puts_them() {
    let scratch = tempfile::tempdir().unwrap();
    let place = Place::new(User::Ordinary);
    for table in ["msdos", "gpt"] {
        for size in [2 << 30, 2_000_000_000, (100 << 20) + 12_345 * 512_u64] {
            let size = size / 512 * 512;
            for places in PLACES {
                let primary = |(start, end): &(_, _)| ("primary", *start, *end);
                let places: Vec<_> = places.iter().map(primary).collect();
                let expected = by_parted(&scratch, table, size, &places);
                let found = by_specification(&place, table, size, &places);
                assert_eq!(found, expected, "{table} {size} {places:?}");
            }
        }
    }
}

#[test]
fn logical_partitions_are_where_parted_puts_them() {
    let scratch = tempfile::tempdir().unwrap();
    let place = Place::new(User::Ordinary);
    for places in LOGICAL {
        for size in [2 << 30, (100 << 20) + 12_345 * 512_u64] {
            let expected = by_parted(&scratch, "msdos", size, places);
            let found = by_specification(&place, "msdos", size, places);
            // Its order is that of numbers.
            let found = found.map(|mut all| {
                all.sort_unstable();
                all
            });
            let expected = expected.map(|mut all| {
                all.sort_unstable();
                all
            });
            assert_eq!(found, expected, "{size} {places:?}");
        }
    }
}
