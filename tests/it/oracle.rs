//! Compares an image with what was recorded of the one that the original tool made of the same
//! description (`tests/data/oracle`).
//!
//! Everything recorded is compared but the fields in `known-differences.tsv`. Inode numbers aren't:
//! which file gets which is nobody's promise.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::checkers::{self, Entry, Table, Verdict, Volume};

/// A file that the description asks for.
#[derive(Debug, Clone)]
pub(crate) struct SeededFile {
    pub(crate) partition: u32,
    pub(crate) path: String,
    pub(crate) content: Vec<u8>,
    /// The recorded image has a file of another length there.
    pub(crate) uploaded: bool,
}

/// What was recorded of one image.
pub(crate) struct Recorded {
    table: Table,
    filesystems: BTreeMap<u32, Filesystem>,
}

impl Recorded {
    /// What was recorded of a partition's filesystem.
    pub(crate) fn filesystem(mut self, number: u32) -> Filesystem {
        self.filesystems.remove(&number).unwrap()
    }
}

/// What was recorded of one filesystem.
pub(crate) struct Filesystem {
    /// From blkid.
    properties: BTreeMap<String, String>,
    /// From dumpe2fs or ntfsinfo.
    numbers: BTreeMap<String, String>,
    /// The root directory of an ext filesystem.
    files: BTreeMap<String, Listed>,
}

/// A line of a directory listing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    /// File type and permissions, in octal.
    mode: String,
    owner: String,
    size: u64,
}

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/oracle")
}

fn read(name: &str) -> String {
    let path = directory().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The recording of an image, `disk_full_gpt` for example.
pub(crate) fn recorded(name: &str) -> Recorded {
    let text = read(&format!("{name}.fs.txt"));
    let sections = text.split("# partition ").skip(1).map(|section| {
        let (number, text) = section.split_once('\n').unwrap();
        (number.parse().unwrap(), filesystem(text))
    });
    Recorded {
        table: checkers::parse_table(&read(&format!("{name}.sfdisk.json"))).unwrap(),
        filesystems: sections.collect(),
    }
}

/// A section of a recording: `NAME=value` lines, `name: value` lines and a listing.
fn filesystem(text: &str) -> Filesystem {
    let properties = text.lines().filter_map(|line| line.split_once('='));
    let is_listing = |line: &str| line.starts_with("  ");
    let numbers: Vec<_> = text.lines().filter(|line| !is_listing(line)).collect();
    Filesystem {
        properties: properties
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        numbers: checkers::fields(&numbers.join("\n")),
        files: listing(text),
    }
}

/// The lines `inode mode (type) user group size date time name` of `debugfs -R 'ls -l'`.
fn listing(text: &str) -> BTreeMap<String, Listed> {
    let lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let lines = lines.filter_map(|words| match words[..] {
        [_, mode, kind, user, group, size, _, _, name] if kind.starts_with('(') => {
            let owner = format!("{user}:{group}");
            let listed = Listed {
                mode: mode.to_owned(),
                owner,
                size: size.parse().ok()?,
            };
            Some((name.to_owned(), listed))
        }
        _ => None,
    });
    lines.collect()
}

fn known_differences() -> BTreeSet<String> {
    let text = read("known-differences.tsv");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            line.split_once('\t')
                .expect("a field, a tab and a reason")
                .0
                .into()
        })
        .collect()
}

/// Lets every checker judge an image, then lists its differences from the recording.
pub(crate) fn differences(
    recorded: &Recorded,
    image: &Path,
    files: &[SeededFile],
) -> Verdict<Vec<String>> {
    let mut found = table_differences(&recorded.table, &checkers::table(image)?);
    let volumes = checkers::verify(image)?;
    if volumes.len() != recorded.filesystems.len() {
        found.push(format!("{} filesystems", volumes.len()));
    }
    for (Entry { number, .. }, volume) in &volumes {
        let Some(filesystem) = recorded.filesystems.get(number) else {
            continue;
        };
        let files: Vec<_> = files
            .iter()
            .filter(|file| file.partition == *number)
            .collect();
        let differences = volume_differences(filesystem, volume, &files)?;
        found.extend(
            differences
                .iter()
                .map(|text| format!("partition {number}: {text}")),
        );
    }
    Ok(found)
}

fn table_differences(recorded: &Table, ours: &Table) -> Vec<String> {
    let mut found = Vec::new();
    let head = |table: &Table| (table.label.clone(), table.first_usable, table.last_usable);
    if head(recorded) != head(ours) {
        found.push(format!(
            "table: {:?}, recorded {:?}",
            head(ours),
            head(recorded)
        ));
    }
    if recorded.entries != ours.entries {
        found.push(format!(
            "entries: {:?}, recorded {:?}",
            ours.entries, recorded.entries
        ));
    }
    found
}

pub(crate) fn volume_differences(
    recorded: &Filesystem,
    volume: &Volume,
    files: &[&SeededFile],
) -> Verdict<Vec<String>> {
    let properties = checkers::blkid(volume)?;
    let mut found = field_differences(&recorded.properties, &properties);
    // The only property that is left out where it is empty.
    if properties.get("LABEL") != recorded.properties.get("LABEL") {
        found.push(format!("label {:?}", properties.get("LABEL")));
    }
    found.extend(match properties.get("TYPE").map(String::as_str) {
        Some("ntfs") => ntfs_differences(recorded, volume, files)?,
        _ => ext_differences(recorded, volume, files)?,
    });
    Ok(found)
}

fn field_differences(
    recorded: &BTreeMap<String, String>,
    ours: &BTreeMap<String, String>,
) -> Vec<String> {
    let known = known_differences();
    let differing = recorded
        .iter()
        .filter(|(name, value)| !known.contains(*name) && ours.get(*name) != Some(value));
    let describe = |(name, value): (&String, &String)| {
        format!("{name}: {:?}, recorded {value:?}", ours.get(name))
    };
    differing.map(describe).collect()
}

fn ntfs_differences(
    recorded: &Filesystem,
    volume: &Volume,
    files: &[&SeededFile],
) -> Verdict<Vec<String>> {
    let mut found = field_differences(&recorded.numbers, &checkers::ntfsinfo(volume)?);
    for file in files {
        if checkers::ntfscat(volume, &file.path)? != file.content {
            found.push(format!("{}: another content", file.path));
        }
    }
    Ok(found)
}

fn ext_differences(
    recorded: &Filesystem,
    volume: &Volume,
    files: &[&SeededFile],
) -> Verdict<Vec<String>> {
    let numbers = checkers::dumpe2fs(&[], volume)?;
    let mut found = field_differences(&recorded.numbers, &numbers);
    let text = checkers::debugfs("ls -l /", volume)?;
    let ours = listing(&String::from_utf8_lossy(&text));
    found.extend(listing_differences(&recorded.files, &ours, files));
    let (recorded, ours) = (
        room(&recorded.numbers, &recorded.files),
        room(&numbers, &ours),
    );
    if recorded.is_none() || recorded != ours {
        found.push(format!(
            "blocks free or in files: {ours:?}, recorded {recorded:?}"
        ));
    }
    for file in files {
        if checkers::debugfs(&format!("cat {}", file.path), volume)? != file.content {
            found.push(format!("{}: another content", file.path));
        }
    }
    Ok(found)
}

/// The blocks that are free once the files are gone: the same for files of any length.
fn room(numbers: &BTreeMap<String, String>, files: &BTreeMap<String, Listed>) -> Option<u64> {
    let free: u64 = numbers.get("Free blocks")?.parse().ok()?;
    let block_size: u64 = numbers.get("Block size")?.parse().ok()?;
    let regular = files.values().filter(|file| file.mode.starts_with("100"));
    Some(
        free + regular
            .map(|file| file.size.div_ceil(block_size))
            .sum::<u64>(),
    )
}

fn listing_differences(
    recorded: &BTreeMap<String, Listed>,
    ours: &BTreeMap<String, Listed>,
    files: &[&SeededFile],
) -> Vec<String> {
    let mut expected = recorded.clone();
    for file in files.iter().filter(|file| file.uploaded) {
        if let Some(listed) = expected.get_mut(file.path.trim_start_matches('/')) {
            listed.size = file.content.len() as u64;
        }
    }
    let names: BTreeSet<_> = expected.keys().chain(ours.keys()).collect();
    let differing = names
        .into_iter()
        .filter(|name| expected.get(*name) != ours.get(*name));
    let describe = |name| {
        let (ours, expected) = (ours.get(name), expected.get(name));
        format!("/{name}: {ours:?}, expected {expected:?}")
    };
    differing.map(describe).collect()
}
