//! What dump.f2fs shows of a filesystem, which not every kernel can mount.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::checkers::{self, command};
use testkit::sparse;

/// What is known of an inode.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    mode: u32,
    owner: (u32, u32),
    mtime: (i64, i64),
    /// Not those of directories, whose size and links the format decides.
    links: Option<u64>,
    len: Option<u64>,
    /// The SHA-256 of a file's data.
    data: Option<String>,
    /// Names without namespaces, and values, of attributes.
    attributes: BTreeMap<String, String>,
}

type Entries = BTreeMap<Vec<u8>, Entry>;

/// The files below a directory of the host.
pub(super) fn of_host(root: &Path) -> Entries {
    let listing = testkit::host::list(root);
    let listing = listing
        .into_iter()
        .filter(|(path, _)| !is_one_of_many(path));
    let entries = listing.map(|(path, listed)| {
        let on_host = root.join(std::ffi::OsStr::from_bytes(&path));
        let metadata = fs::symlink_metadata(&on_host).unwrap();
        let has_len = metadata.is_file() || metadata.is_symlink();
        let plain = |name: &Vec<u8>| {
            let name = String::from_utf8_lossy(name).into_owned();
            name.split_once('.')
                .map(|(_, rest)| rest.to_owned())
                .unwrap()
        };
        let hex = |value: &Vec<u8>| value.iter().map(|byte| format!("{byte:02x}")).collect();
        let xattrs = listed.xattrs.unwrap();
        // The form of ACLs is another one.
        let xattrs = xattrs
            .iter()
            .filter(|(name, _)| !name.starts_with(b"system."));
        let entry = Entry {
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            mtime: (metadata.mtime(), metadata.mtime_nsec()),
            links: (!metadata.is_dir()).then(|| metadata.nlink()),
            len: has_len.then_some(metadata.len()),
            data: metadata.is_file().then(|| sparse::digest(&on_host)),
            attributes: xattrs
                .map(|(name, value)| (plain(name), hex(value)))
                .collect(),
        };
        (path, entry)
    });
    entries.collect()
}

/// The files of an image that has `count` of them at most.
pub(super) fn of_image(image: &Path, count: usize) -> Entries {
    let mut names = names(image);
    names.retain(|(path, _)| !is_one_of_many(path));
    let scratch = tempfile::tempdir().unwrap();
    let mut entries = Entries::new();
    let mut known: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    assert!(names.len() <= count, "{} files", names.len());
    for (path, number) in names {
        let dumped = known
            .entry(number.clone())
            .or_insert_with(|| dump(image, &number, scratch.path()));
        entries.insert(path, entry(dumped));
    }
    checkers::accepted("dump.f2fs", image);
    entries
}

/// A process for each of these takes too long.
fn is_one_of_many(path: &[u8]) -> bool {
    path.starts_with(b"many/") && !path.ends_with(b"77")
}

/// The paths in an image with the numbers of their inodes, as fsck.f2fs lists them.
fn names(image: &Path) -> Vec<(Vec<u8>, String)> {
    let mut fsck = command("fsck.f2fs");
    let output = fsck.args(["-t", "--dry-run"]).arg(image).output().unwrap();
    let mut found = vec![(Vec::new(), "3".to_owned())];
    let mut above: Vec<Vec<u8>> = Vec::new();
    // Names may have line ends in them.
    let text = output.stdout;
    let marks = positions(&text, b"|-- ").chain(positions(&text, b"`-- "));
    let mut marks: Vec<usize> = marks.collect();
    marks.sort_unstable();
    for mark in marks {
        let start = text[..mark]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let depth = (mark - start) / 4;
        let rest = &text[mark + 4..];
        let Some(end) = positions(rest, b" <ino = ").next() else {
            continue;
        };
        let number = &rest[end + 8..];
        let stop = number
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric())
            .unwrap();
        above.truncate(depth);
        above.push(rest[..end].to_vec());
        let number = String::from_utf8_lossy(&number[..stop]).into_owned();
        found.push((above.join(&b'/'), number));
    }
    found
}

fn positions<'a>(text: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = text.windows(part.len()).enumerate();
    windows.filter_map(move |(at, window)| (window == part).then_some(at))
}

fn dump(image: &Path, number: &str, directory: &Path) -> Vec<u8> {
    let _ = fs::remove_dir_all(directory.join("lost_found"));
    let mut shell = command("sh");
    shell.args([
        "-c",
        "echo y | dump.f2fs -d 1 -i \"$1\" \"$2\"",
        "sh",
        number,
    ]);
    shell.arg(image).current_dir(directory);
    let mut output = shell.output().unwrap().stdout;
    let data = fs::read_dir(directory.join("lost_found"))
        .into_iter()
        .flatten()
        .flatten()
        .next();
    let data = data
        .map(|data| sparse::digest(&data.path()))
        .unwrap_or_default();
    output.extend(format!("\nSUM [{data}]\n").bytes());
    output
}

/// What is in brackets in the last line that begins with `name`: behind a colon, if there is one.
fn line(text: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(text).into_owned();
    let mut lines = text
        .lines()
        .filter(|line| line.split([' ', '\t']).next() == Some(name));
    let last = lines.next_back()?;
    let inner = last.rsplit_once('[')?.1.trim_end_matches(']');
    let value = inner.rsplit_once(": ").map_or(inner, |(_, value)| value);
    Some(value.to_owned())
}

fn entry(dumped: &[u8]) -> Entry {
    let value = |name: &str| {
        line(dumped, name)
            .unwrap_or_else(|| panic!("no {name}: {}", String::from_utf8_lossy(dumped)))
    };
    let number = |name: &str| -> u64 { value(name).parse().unwrap() };
    let mode = number("i_mode") as u32;
    let kind = mode & 0o170_000;
    Entry {
        mode,
        owner: (number("i_uid") as u32, number("i_gid") as u32),
        mtime: (number("i_mtime") as i64, number("i_mtime_nsec") as i64),
        links: (kind != 0o040_000).then(|| number("i_links")),
        len: matches!(kind, 0o100_000 | 0o120_000).then(|| number("i_size")),
        data: (kind == 0o100_000).then(|| value("SUM")),
        attributes: attributes(dumped),
    }
}

/// `xattr: e_name_index:1 e_name:foo e_name_len:3 e_value_size:3 e_value:`, then the value in hex.
fn attributes(dumped: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(dumped).into_owned();
    let mut found = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(rest) = line.strip_prefix("xattr: e_name_index:") else {
            continue;
        };
        let (index, rest) = rest.split_once(" e_name:").unwrap();
        let (name, rest) = rest.split_once(" e_name_len:").unwrap();
        let len: usize = rest
            .split_once(" e_value_size:")
            .unwrap()
            .0
            .parse()
            .unwrap();
        let value: String = lines
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        if !matches!(index, "2" | "3") {
            found.insert(name[..len].to_owned(), value.to_lowercase());
        }
    }
    found
}
