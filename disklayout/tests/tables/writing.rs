//! What reaches the disk, in which order, and what happens when the disk fails.

use std::io;
use std::sync::Mutex;

use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::Unwatched;
use disklayout::table::Entry;
use disklayout::{ErrorKind, SECTOR_SIZE, Zeroes, build};

use crate::support::{MARK, Part, disk, plan_of};

/// A disk that remembers what was written and can fail one of the writes.
#[derive(Debug)]
struct Recorder {
    disk: MemDisk,
    writes: Mutex<Vec<(u64, Vec<u8>)>>,
    failing: Option<usize>,
}

impl Recorder {
    fn new(len: u64, failing: Option<usize>) -> Self {
        Self {
            disk: MemDisk::new(len),
            writes: Mutex::default(),
            failing,
        }
    }
}

impl Disk for Recorder {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut writes = self.writes.lock().unwrap();
        if self.failing == Some(writes.len()) {
            return Err(io::Error::other("the disk is on fire"));
        }
        writes.push((offset, buf.to_vec()));
        self.disk.write_at(buf, offset)
    }
}

const SECTORS: u64 = 40_000;
const LEN: u64 = SECTORS * SECTOR_SIZE;

const CASES: [(&str, &[Part<'_>]); 2] = [
    (
        "mbr",
        &[
            ("p", 2048, 4095),
            ("e", 6000, 9999),
            ("l", 6001, 7000),
            ("l", 8000, 8999),
        ],
    ),
    ("gpt", &[("p", 2048, 4095), ("p", 6000, 9999)]),
];

fn writes(label: &str, parts: &[Part<'_>]) -> Vec<(u64, Vec<u8>)> {
    let recorder = Recorder::new(LEN, None);
    build(
        &plan_of(&disk(SECTORS, label, parts)).unwrap(),
        Zeroes::default(),
        &recorder,
        &Unwatched,
    )
    .unwrap();
    recorder.writes.into_inner().unwrap()
}

/// The data of files comes behind both: `expected` has that.
#[test]
fn the_table_comes_after_the_metadata_of_filesystems() {
    for (label, parts) in CASES {
        let writes = writes(label, parts);
        let is_table = |bytes: &[u8]| bytes != [MARK; SECTOR_SIZE as usize];
        let table = writes
            .iter()
            .position(|(_, bytes)| is_table(bytes))
            .unwrap();
        assert!(
            writes[table..].iter().all(|(_, bytes)| is_table(bytes)),
            "{label}"
        );
        // Behind the boot code, which isn't the table's.
        assert_eq!(writes.last().unwrap().0, 440, "{label}");
    }
}

#[test]
fn nothing_is_written_twice_and_no_zeroes_are_written() {
    for (label, parts) in CASES {
        let mut writes = writes(label, parts);
        assert!(
            writes
                .iter()
                .all(|(_, bytes)| bytes.iter().any(|byte| *byte != 0))
        );
        writes.sort();
        let mut pairs = writes.windows(2);
        assert!(
            pairs.all(|pair| pair[0].0 + pair[0].1.len() as u64 <= pair[1].0),
            "{label}"
        );
    }
}

#[test]
fn a_failing_write_is_an_error_that_names_its_object() {
    for (label, parts) in CASES {
        let plan = plan_of(&disk(SECTORS, label, parts)).unwrap();
        for failing in 0..writes(label, parts).len() {
            let error = build(
                &plan,
                Zeroes::default(),
                &Recorder::new(LEN, Some(failing)),
                &Unwatched,
            )
            .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{label}, write {failing}");
            let known = ["marker", "partition table", "boot record at byte "];
            assert!(
                known
                    .iter()
                    .any(|place| error.place().object().starts_with(place)),
                "{error}"
            );
        }
    }
}

#[test]
fn a_disk_of_another_size_is_left_alone() {
    for len in [LEN - SECTOR_SIZE, LEN + SECTOR_SIZE, 0] {
        let recorder = Recorder::new(len, None);
        let error = build(
            &plan_of(&disk(SECTORS, "gpt", &[])).unwrap(),
            Zeroes::default(),
            &recorder,
            &Unwatched,
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "disk: the plan is for 20480000 bytes");
        assert!(recorder.writes.into_inner().unwrap().is_empty());
    }
}

#[test]
fn one_more_partition_changes_no_identity_of_the_others() {
    let parts = CASES[1].1;
    let [fewer, more] = [&parts[..1], parts].map(|parts| {
        let plan = plan_of(&disk(SECTORS, "gpt", parts)).unwrap();
        let filesystem = plan.partitions[0].filesystem().as_ref().unwrap().summary();
        (
            plan.table,
            plan.partitions[0].record.entry.clone(),
            filesystem.uuid,
        )
    });
    assert_eq!(fewer, more);
    let Entry::Gpt { guid, .. } = more.1 else {
        panic!("a GPT has GPT entries");
    };
    assert_ne!(Some(guid), more.2);
}
