//! Neither threads nor their order change a byte.

use std::io;
use std::ops::Range;
use std::sync::Mutex;

use disklayout::disk::{Disk, MemDisk};
use disklayout::volume::verity::Leaves;
use rayon::prelude::*;

use crate::support::{Case, fill};

fn all(disk: &dyn Disk) -> Vec<u8> {
    let mut bytes = vec![0; disk.len() as usize];
    disk.read_at(&mut bytes, 0).unwrap();
    bytes
}

/// A tree, made by so many threads, of blocks in an order of their own. Blocks of zeroes are given or
/// not.
fn made(case: Case, data: &[u8], threads: usize, stride: u64) -> (String, Vec<u8>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(|| {
        let plan = case.plan(0);
        let leaves = Leaves::new(&plan);
        let len = case.data_block as usize;
        (0..case.blocks).into_par_iter().for_each(|step| {
            let block = step * stride % case.blocks;
            let bytes = &data[block as usize * len..][..len];
            if stride == 1 || bytes.iter().any(|byte| *byte != 0) {
                leaves.leaf(block, bytes).unwrap();
            }
        });
        let disk = MemDisk::new(plan.hash_len().get());
        let root = plan.write(&leaves, &disk).unwrap();
        (root.to_string(), all(&disk))
    })
}

#[test]
fn trees_are_the_same_on_any_number_of_threads() {
    for case in [Case::of(1), Case::of(4099), Case::sized(20_011, 512, 512)] {
        let disk = MemDisk::new(case.data_len());
        fill(&disk, case);
        let data = all(&disk);
        let one = made(case, &data, 1, 1);
        let plan = case.plan(0);
        let hash = MemDisk::new(plan.hash_len().get());
        let read = plan.write(&Leaves::read(&plan, &disk).unwrap(), &hash);
        assert!(one == (read.unwrap().to_string(), all(&hash)), "{case:?}");
        for (threads, stride) in [(1, 7), (2, 1), (4, 5), (9, 101)] {
            assert!(
                one == made(case, &data, threads, stride),
                "{case:?} {threads}"
            );
        }
    }
}

/// Another bit of data, or one of the salt, is another tree.
#[test]
fn another_bit_is_another_root() {
    let case = Case::of(300);
    let disk = MemDisk::new(case.data_len());
    fill(&disk, case);
    let mut data = all(&disk);
    let one = made(case, &data, 2, 1);
    let salted = Case { salt: 31, ..case };
    assert_ne!(one.0, made(salted, &data, 2, 1).0);
    data[299 * 4096 + 17] ^= 4;
    assert_ne!(one.0, made(case, &data, 2, 1).0);
}

/// A disk that has to know what comes, and what came.
#[derive(Debug)]
struct Told {
    disk: MemDisk,
    written: Mutex<Vec<Range<u64>>>,
}

impl Disk for Told {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let end = offset + buf.len() as u64;
        self.written.lock().unwrap().push(offset..end);
        self.disk.write_at(buf, offset)
    }

    fn wants_expectations(&self) -> bool {
        true
    }
}

#[test]
fn a_disk_that_was_told_gets_every_byte_once() {
    for (case, offset) in [
        (Case::of(1), 0),
        (Case::of(40_000), 0),
        (Case::sized(2049, 512, 524_288), 8192),
    ] {
        let plan = case.plan(offset);
        let disk = Told {
            disk: MemDisk::new(plan.hash_range().end),
            written: Mutex::default(),
        };
        plan.write(&Leaves::new(&plan), &disk).unwrap();
        let mut written = disk.written.into_inner().unwrap();
        written.sort_unstable_by_key(|range| range.start);
        let mut at = offset;
        for range in written {
            assert_eq!(range.start, at, "{case:?}");
            at = range.end;
        }
        assert_eq!(at, plan.hash_range().end, "{case:?}");
    }
}
