//! Tells two listings apart, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use crate::listing::{Device, Entry, Kind, Listing};

/// How many differences are shown.
const SHOWN: usize = 20;

/// Stops the test where `found` isn't what was `expected`, with the first differences.
#[track_caller]
pub fn assert_same(what: &str, expected: &Listing, found: &Listing) {
    let all = differences(expected, found);
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    assert!(
        all.is_empty(),
        "{what}: {} differences among {} entries, the first ones:\n{}",
        all.len(),
        expected.len(),
        shown.join("\n")
    );
}

/// One line for every property of every path that differs.
pub fn differences(expected: &Listing, found: &Listing) -> Vec<String> {
    let paths: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let mut lines = Vec::new();
    for path in paths {
        let said = match (expected.get(path), found.get(path)) {
            (Some(one), Some(other)) => of_entries(one, other),
            (Some(_), None) => vec!["is missing".to_owned()],
            (None, _) => vec!["isn't expected".to_owned()],
        };
        let shown = path.escape_ascii();
        lines.extend(said.into_iter().map(|said| format!("/{shown}: {said}")));
    }
    lines
}

fn of_entries(expected: &Entry, found: &Entry) -> Vec<String> {
    if expected == found {
        return Vec::new();
    }
    let (one, other) = (properties(expected), properties(found));
    let mut lines = Vec::new();
    let names: BTreeSet<_> = one.iter().chain(&other).map(|(name, _)| name).collect();
    for name in names {
        let value = |all: &[(String, String)]| {
            let found = all.iter().find(|(other, _)| other == name);
            found.map_or_else(|| "nothing".to_owned(), |(_, value)| value.clone())
        };
        let (one, other) = (value(&one), value(&other));
        if one != other {
            lines.push(format!("{name} is {other} instead of {one}"));
        }
    }
    lines.extend(filled_holes(expected, found));
    lines
}

/// What an entry is, property by property.
fn properties(entry: &Entry) -> Vec<(String, String)> {
    let mut all = kind(&entry.kind);
    let mut add = |name: &str, value| all.push((name.to_owned(), value));
    if let Some(permissions) = entry.permissions {
        add("permissions", format!("{permissions:04o}"));
    }
    if let Some((uid, gid)) = entry.owner {
        add("owner", format!("{uid}:{gid}"));
    }
    if let Some((seconds, nanoseconds)) = entry.mtime {
        add("mtime", format!("{seconds} s {nanoseconds} ns"));
    }
    if let Some(names) = &entry.names {
        add("link count", names.count.to_string());
        add("first name", names.first.escape_ascii().to_string());
    }
    for (name, value) in entry.xattrs.iter().flatten() {
        let name = name.escape_ascii().to_string();
        add(&name, format!("\"{}\"", value.escape_ascii()));
    }
    all
}

fn kind(kind: &Kind) -> Vec<(String, String)> {
    let numbers = |device: &Device| format!("{device:?}");
    let (name, values) = match kind {
        Kind::Directory => ("directory", vec![]),
        Kind::File { len, sum } => (
            "file",
            vec![("size", len.to_string()), ("data", sum.clone())],
        ),
        Kind::Symlink(target) => (
            "symlink",
            vec![("target", target.escape_ascii().to_string())],
        ),
        Kind::CharacterDevice(device) => ("character device", vec![("device", numbers(device))]),
        Kind::BlockDevice(device) => ("block device", vec![("device", numbers(device))]),
        Kind::Fifo => ("FIFO", vec![]),
        Kind::Socket => ("socket", vec![]),
    };
    let values = [("type", name.to_owned())].into_iter().chain(values);
    values
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Holes may become larger, and a block map may be what is larger than the source's: 1 in 256 and
/// some blocks.
fn filled_holes(expected: &Entry, found: &Entry) -> Option<String> {
    let (Some(source), Some(here), Kind::File { len, .. }) =
        (expected.allocated, found.allocated, &expected.kind)
    else {
        return None;
    };
    // A source may have no blocks at all for data that is inline there.
    let is_sparse = source + ROUNDING < *len;
    let allowed = source + source / 256 + ROUNDING;
    (is_sparse && here > allowed)
        .then(|| format!("{here} bytes are allocated where the source has {source} of {len}"))
}

/// Every name whose value isn't the same on both sides, of numbers that programs show for example.
pub fn unequal<K: Ord + Debug, V: PartialEq + Debug>(
    ours: &BTreeMap<K, V>,
    theirs: &BTreeMap<K, V>,
) -> Vec<String> {
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let pairs = names
        .into_iter()
        .map(|name| (name, ours.get(name), theirs.get(name)));
    pairs
        .filter(|(_, ours, theirs)| ours != theirs)
        .map(|(name, ours, theirs)| format!("{name:?}: ours {ours:?}, theirs {theirs:?}"))
        .collect()
}

/// What several blocks of 4 KiB and their maps take.
const ROUNDING: u64 = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::{Knows, Names, seen_by};

    fn entry(kind: Kind) -> Entry {
        Entry {
            kind,
            permissions: Some(0o644),
            owner: Some((0, 0)),
            mtime: Some((1, 2)),
            names: Some(Names {
                count: 1,
                first: b"a".to_vec(),
            }),
            xattrs: Some([(b"user.a".to_vec(), b"1".to_vec())].into()),
            allocated: Some(4096),
        }
    }

    fn listing(entry: Entry) -> Listing {
        [(b"a".to_vec(), entry)].into()
    }

    fn changed(change: impl FnOnce(&mut Entry)) -> Listing {
        let mut entry = entry(Kind::file(b"data"));
        change(&mut entry);
        listing(entry)
    }

    type Change = fn(&mut Entry);

    #[test]
    fn every_property_makes_a_difference() {
        let one = changed(|_| {});
        assert!(differences(&one, &one.clone()).is_empty());
        let changes: [(&str, Change); 11] = [
            ("/a: type is directory", |entry| {
                entry.kind = Kind::Directory
            }),
            ("/a: size is 5", |entry| entry.kind = Kind::file(b"data\0")),
            ("/a: data is", |entry| entry.kind = Kind::file(b"date")),
            ("/a: permissions is 4644", |entry| {
                entry.permissions = Some(0o4644)
            }),
            ("/a: owner is 1:0", |entry| entry.owner = Some((1, 0))),
            ("/a: owner is 0:1", |entry| entry.owner = Some((0, 1))),
            ("/a: mtime is 1 s 3 ns", |entry| entry.mtime = Some((1, 3))),
            ("/a: mtime is -1 s 2 ns", |entry| {
                entry.mtime = Some((-1, 2))
            }),
            ("/a: link count is 2", |entry| {
                entry.names.as_mut().unwrap().count = 2
            }),
            ("/a: first name is b", |entry| {
                entry.names.as_mut().unwrap().first = b"b".to_vec()
            }),
            ("/a: user.a is \"\"", |entry| {
                entry.xattrs = Some([(b"user.a".to_vec(), vec![])].into())
            }),
        ];
        for (said, change) in changes {
            let found = differences(&one, &changed(change));
            assert!(
                found.iter().any(|line| line.starts_with(said)),
                "{said}: {found:?}"
            );
        }
        let found = differences(&one, &changed(|entry| entry.xattrs = None));
        assert_eq!(found, ["/a: user.a is nothing instead of \"1\""]);
    }

    #[test]
    fn kinds_with_the_same_properties_are_told_apart() {
        let kinds = [
            Kind::Directory,
            Kind::Fifo,
            Kind::Socket,
            Kind::Symlink(b"a".to_vec()),
            Kind::Symlink(b"b".to_vec()),
            Kind::CharacterDevice(Some((1, 2))),
            Kind::CharacterDevice(Some((2, 1))),
            Kind::BlockDevice(Some((1, 2))),
            Kind::file(b""),
        ];
        for (index, one) in kinds.iter().enumerate() {
            for (other_index, other) in kinds.iter().enumerate() {
                let (one, other) = (listing(entry(one.clone())), listing(entry(other.clone())));
                let is_same = differences(&one, &other).is_empty();
                assert_eq!(is_same, index == other_index, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_path_is_missing_or_not_expected() {
        let one = changed(|_| {});
        assert_eq!(differences(&one, &Listing::new()), ["/a: is missing"]);
        assert_eq!(differences(&Listing::new(), &one), ["/a: isn't expected"]);
    }

    #[test]
    fn holes_may_grow_but_not_be_filled() {
        let sparse = |allocated| {
            changed(|entry| {
                let sum = String::new();
                entry.kind = Kind::File { len: 1 << 30, sum };
                entry.allocated = Some(allocated);
            })
        };
        let source = sparse(1 << 20);
        for (allocated, is_kept) in [(0, true), ((1 << 20) + 8192, true), (2 << 20, false)] {
            let found = differences(&source, &sparse(allocated));
            assert_eq!(found.is_empty(), is_kept, "{found:?}");
        }
        assert!(differences(&sparse(1 << 30), &sparse(2 << 30)).is_empty());
    }

    #[test]
    fn what_a_reader_does_not_know_makes_no_difference() {
        let one = seen_by(&changed(|_| {}), Knows::NOTHING);
        let other = changed(|entry| {
            entry.mtime = None;
            entry.names = None;
            entry.xattrs = None;
            entry.allocated = None;
        });
        assert!(differences(&one, &other).is_empty());
        let other = changed(|entry| entry.kind = Kind::file(b"date"));
        let other = seen_by(&other, Knows::NOTHING);
        assert_eq!(differences(&one, &other).len(), 1);
    }

    #[test]
    fn values_are_changed_missing_or_additional() {
        let values = |all: &[(&'static str, u8)]| all.iter().copied().collect();
        let ours: BTreeMap<_, _> = values(&[("a", 1), ("b", 2)]);
        assert!(unequal(&ours, &ours).is_empty());
        for other in [
            &[("a", 1), ("b", 3)][..],
            &[("a", 1)],
            &[("a", 1), ("b", 2), ("c", 3)],
        ] {
            assert_eq!(unequal(&ours, &values(other)).len(), 1, "{other:?}");
        }
    }
}
