//! Archives as Python reads them: names and values as they stand there.

use std::path::Path;

use disklayout::tree::FileTree;
use serde_json::Value;
use tempfile::TempDir;
use testkit::compare::assert_same;
use testkit::listing::{Entry, Kind, Knows, Listing, seen_by};
use testkit::log::accepted;
use testkit::planned::planned;
use testkit::program::{arguments, run};

use crate::made::write;
use crate::sample::Sample;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/archive/members.py");

/// ACLs aside, which are text there.
const KNOWS: Knows = Knows {
    times: true,
    devices: true,
    xattrs: true,
    ..Knows::NOTHING
};

/// What Python reads of an archive.
pub(crate) fn listing(archive: &Path) -> Listing {
    let said = run("python3", &arguments(&[SCRIPT], &[archive])).unwrap();
    let mut listing = Listing::new();
    for line in said.lines() {
        let member: Value = serde_json::from_str(line).unwrap();
        let mut path = bytes(&member["path"]);
        if path == b"." {
            path.clear();
        }
        let entry = match text(&member["kind"]) {
            "link" => listing[&bytes(&member["target"])].clone(),
            kind => entry(kind, &member),
        };
        assert!(listing.insert(path, entry).is_none(), "{line}");
    }
    accepted("python3", archive);
    listing
}

fn entry(kind: &str, member: &Value) -> Entry {
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let device = || Some((number(&member["device"][0]), number(&member["device"][1])));
    let xattrs = member["xattrs"].as_object().unwrap().iter();
    Entry {
        permissions: Some(number(&member["mode"])),
        owner: Some((number(&member["owner"][0]), number(&member["owner"][1]))),
        mtime: Some(time(text(&member["mtime"]))),
        xattrs: Some(
            xattrs
                .map(|(name, value)| (unhex(name), bytes(value)))
                .collect(),
        ),
        ..Entry::of_kind(match kind {
            "directory" => Kind::Directory,
            "symlink" => Kind::Symlink(bytes(&member["target"])),
            "character device" => Kind::CharacterDevice(device()),
            "block device" => Kind::BlockDevice(device()),
            "fifo" => Kind::Fifo,
            _ => Kind::File {
                len: member["len"].as_u64().unwrap(),
                sum: text(&member["sum"]).to_owned(),
            },
        })
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    unhex(text(value))
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Seconds with decimal places.
fn time(text: &str) -> (i64, u32) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().unwrap();
    let nanoseconds: u32 = format!("{fraction:0<9}").parse().unwrap();
    match text.starts_with('-') && nanoseconds > 0 {
        true => (seconds - 1, 1_000_000_000 - nanoseconds),
        false => (seconds, nanoseconds),
    }
}

/// What Python knows of a tree.
pub(crate) fn known(tree: &FileTree) -> Listing {
    let mut listing = seen_by(&planned(tree), KNOWS);
    for entry in listing.values_mut() {
        let xattrs = entry.xattrs.iter_mut();
        xattrs.for_each(|all| all.retain(|name, _| !name.starts_with(b"system.")));
    }
    listing
}

#[test]
fn python_reads_everything_that_is_in_the_tree() {
    let directory = TempDir::new().unwrap();
    let sample = Sample::rich()
        .with_an_empty_xattr()
        .with_a_fraction_before_1970();
    let expected = known(&sample.tree());
    for format in ["tar", "tar.gz", "tar.xz"] {
        let archive = directory.path().join(format!("everything.{format}"));
        write(format, &[], sample.tree(), &archive);
        assert_same(format, &expected, &listing(&archive));
    }
}

/// The attributes of Linux have text instead.
#[test]
fn lists_are_records_of_their_own() {
    let directory = TempDir::new().unwrap();
    let archive = directory.path().join("lists.tar");
    write("tar", &[], Sample::rich().tree(), &archive);
    let said = run("python3", &arguments(&[SCRIPT], &[&archive])).unwrap();
    for key in ["SCHILY.acl.access", "SCHILY.acl.default"] {
        assert!(said.contains(&format!("\"acls\": [\"{key}\"]")), "{key}");
    }
    assert!(!said.contains("706f7369785f61636c"), "posix_acl");
}
