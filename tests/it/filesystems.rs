//! The table of filesystems in README.md: every cell of every row is tried.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use disklayout::fs::{Registry, Request};
use disklayout::{Bytes, ErrorKind, Identity, Timestamp};

use crate::checkers::{self, Volume};
use crate::world::{Run, World};

/// A row of the table.
#[derive(Debug)]
struct Row {
    names: Vec<String>,
    content: Content,
    smallest: u64,
    /// None where more is left unused.
    largest: Option<u64>,
    /// The most ASCII characters of a label; 0 where there are no labels.
    label: usize,
    is_reproducible: bool,
    checker: String,
}

/// What of a tree a filesystem holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Whatever there is on Linux.
    Everything,
    /// Neither links nor devices nor attributes.
    Files,
    /// Nothing.
    None,
}

impl Row {
    /// `size`, or the nearest that is possible.
    fn usual_size(&self, size: u64) -> u64 {
        size.clamp(self.smallest, self.largest.unwrap_or(u64::MAX))
    }
}

fn rows() -> Vec<Row> {
    let readme = include_str!("../../README.md");
    let table = readme.split("| filesystem |").nth(1).unwrap();
    let lines = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [
        names,
        _,
        content,
        smallest,
        largest,
        label,
        reproducible,
        checker,
    ] = cells[..]
    else {
        panic!("{line}: 8 columns");
    };
    let size = |text: &str| {
        let text = text.replace(" bytes", "");
        Bytes::parse(&text)
            .unwrap_or_else(|error| panic!("{line}: {error}"))
            .get()
    };
    Row {
        names: names
            .split(", ")
            .map(|name| name.trim_matches('`').to_owned())
            .collect(),
        content: match content {
            "everything" => Content::Everything,
            "files, directories" => Content::Files,
            "none" => Content::None,
            other => panic!("{line}: {other}"),
        },
        smallest: size(smallest),
        largest: (largest != "any").then(|| size(largest)),
        label: match label.split_once(' ') {
            Some((count, _)) => count.parse().unwrap(),
            None => 0,
        },
        is_reproducible: match reproducible {
            "yes" => true,
            "no" => false,
            other => panic!("{line}: {other}"),
        },
        checker: checker.trim_matches('`').to_owned(),
    }
}

/// Whether a filesystem of this size and label can be planned.
fn planned(registry: &Registry, kind: &str, size: u64, label: Option<&str>) -> Result<(), String> {
    let identity = Identity::new("table", Timestamp::from_seconds(1_000_000_000));
    let mut request = Request::new("table", kind, identity);
    request.label = label;
    let draft = registry.draft(request);
    match draft.and_then(|draft| draft.at(Bytes::new(size))) {
        Ok(_) => Ok(()),
        Err(error) => {
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::DoesNotFit | ErrorKind::InvalidSpec | ErrorKind::Unsupported
                ),
                "{kind}: {error}"
            );
            Err(error.to_string())
        }
    }
}

#[test]
fn the_table_has_every_filesystem_once() {
    let mut named: Vec<_> = rows().into_iter().flat_map(|row| row.names).collect();
    named.sort();
    assert_eq!(named, foreign::registry().names());
}

#[test]
fn sizes_are_possible_from_the_smallest_to_the_largest() {
    let registry = foreign::registry();
    for row in rows() {
        for kind in &row.names {
            let plan = |size: u64| planned(&registry, kind, size, None);
            for size in [Some(row.smallest), row.largest].into_iter().flatten() {
                plan(size).unwrap_or_else(|error| panic!("{kind} of {size}: {error}"));
            }
            let above = row.largest.map(|size| size + 4096);
            for size in [Some(row.smallest - 1), above].into_iter().flatten() {
                let error = plan(size).expect_err(&format!("{kind} of {size}"));
                let digits = error.chars().any(|c| c.is_ascii_digit());
                assert!(digits, "{kind} of {size}: no limit in \"{error}\"");
            }
        }
    }
}

#[test]
fn labels_have_as_many_characters_as_it_says() {
    let registry = foreign::registry();
    for row in rows() {
        for kind in &row.names {
            let plan = |count: usize| {
                let label = "L".repeat(count);
                planned(&registry, kind, row.usual_size(1 << 30), Some(&label))
            };
            if row.label > 0 {
                plan(row.label).unwrap_or_else(|error| panic!("{kind}: {error}"));
            }
            let error = plan(row.label + 1).expect_err(kind);
            let limit = match row.label {
                0 => "label".to_owned(),
                label => label.to_string(),
            };
            assert!(error.contains(&limit), "{kind}: {error}");
        }
    }
}

/// A directory with a file, and with what only filesystems of Unix hold.
fn tree(world: &World, name: &str, with_links: bool) -> String {
    let directory = world.root().join(name);
    fs::create_dir_all(directory.join("sub")).unwrap();
    fs::write(directory.join("sub/file"), "content").unwrap();
    if with_links {
        symlink("sub/file", directory.join("symlink")).unwrap();
        fs::hard_link(directory.join("sub/file"), directory.join("hardlink")).unwrap();
        let fifo = directory.join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
    }
    directory.to_str().unwrap().to_owned()
}

/// What is accepted of the image by its checker, and what blkid says of it.
fn verified(image: &Path, kind: &str, checker: &str) -> Option<String> {
    let volume = Volume::of_file(image, kind);
    checkers::verify_volume(&volume).unwrap_or_else(|error| panic!("{kind}: {error}"));
    let found = checkers::blkid(&volume).unwrap();
    assert_eq!(checkers::program(&found["TYPE"]), Some(checker), "{kind}");
    found.get("LABEL").cloned()
}

#[test]
fn every_filesystem_is_accepted_by_its_checker_and_the_same_twice() {
    for row in rows() {
        for kind in &row.names {
            let world = World::new("", "", "");
            let source = match row.content {
                Content::Everything | Content::Files => tree(&world, "source", false),
                Content::None => {
                    let empty = world.root().join("empty");
                    fs::create_dir(&empty).unwrap();
                    empty.to_str().unwrap().to_owned()
                }
            };
            let size = row.usual_size(64 << 20);
            let label = match row.label {
                0 => String::new(),
                _ => "-L LABEL".to_owned(),
            };
            let make = |image: &str| {
                world.run(&format!(
                    "make-fs -t {kind} -s {size} {label} {source} {image}"
                ))
            };
            make("one.img").expect(0);
            make("two.img").expect(0);
            let found = verified(&world.path("one.img"), kind, &row.checker);
            assert_eq!(found.is_some(), row.label > 0, "{kind}: {found:?}");
            let same = fs::read(world.path("one.img")).unwrap()
                == fs::read(world.path("two.img")).unwrap();
            assert_eq!(same, row.is_reproducible, "{kind}");
        }
    }
}

#[test]
fn every_filesystem_can_be_on_a_disk_with_sectors_of_4096_bytes() {
    for row in rows() {
        let kind = &row.names[0];
        let world = World::new("", "", "");
        let empty = world.root().join("empty");
        fs::create_dir(&empty).unwrap();
        // Enough for a FAT32, whose clusters are larger there.
        let size = row.usual_size(512 << 20);
        let line = format!(
            "make-fs -t {kind} -s {size} --sector-size 4096 {} one.img",
            empty.display()
        );
        world.run(&line).expect(0);
        verified(&world.path("one.img"), kind, &row.checker);
    }
}

#[test]
fn content_is_held_refused_or_left_out() {
    for row in rows() {
        for kind in &row.names {
            let world = World::new("", "", "");
            let source = tree(&world, "source", true);
            let size = row.usual_size(64 << 20);
            let make = |options: &str| -> Run {
                world.run(&format!(
                    "make-fs {options} -t {kind} -s {size} {source} out.img"
                ))
            };
            match row.content {
                Content::Everything => {
                    make("").expect(0);
                }
                Content::Files => {
                    make("").expect(3).says(["--lossy"]);
                    make("--lossy").expect(0).says(["WARNING"]);
                    verified(&world.path("out.img"), kind, &row.checker);
                }
                Content::None => {
                    make("").expect(3);
                    assert!(world.names().is_empty());
                }
            }
        }
    }
}
