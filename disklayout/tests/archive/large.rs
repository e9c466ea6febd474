//! Files of more than 8 GiB, which the field of a header doesn't hold.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use disklayout::fs::Unwatched;
use disklayout::tree::{FileTree, NodeKind};
use testkit::GIB;
use testkit::log::accepted_as;
use testkit::sparse;
use testkit::trees::{empty_tree, put_kind};

use crate::extracted::directory;
use crate::made::{Chosen, plan, scratch};
use crate::programs::run;
use crate::sample::with_holes;

const LEN: u64 = 9 * GIB;

/// Data at the start, in the middle and at the end.
const PIECES: [(u64, u64); 3] = [(0, 10), (5 * GIB + 1, 1000), (LEN - 7, 7)];

fn tree() -> FileTree {
    let mut tree = empty_tree();
    put_kind(
        &mut tree,
        "/large",
        NodeKind::File(with_holes(LEN, &PIECES)),
    );
    put_kind(&mut tree, "/last", NodeKind::Fifo);
    tree
}

/// A file that has holes where zeroes are written.
struct Holes {
    file: File,
    at: u64,
}

impl Write for Holes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_zero = bytes.first() == Some(&0) && bytes[1..] == bytes[..bytes.len() - 1];
        if !is_zero {
            self.file.write_all_at(bytes, self.at)?;
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.set_len(self.at)
    }
}

fn write(chosen: Chosen<'_>, path: &Path) {
    let plan = plan("tar", chosen, tree()).unwrap();
    let file = File::create(path).unwrap();
    let mut out = Holes { file, at: 0 };
    plan.write(&mut out, &scratch, &Unwatched).unwrap();
    assert_eq!(Some(out.at), plan.len().map(|len| len.get()));
}

/// The sum that a file of the host with the same bytes has.
fn expected(path: &Path) -> String {
    let file = File::create(path).unwrap();
    file.set_len(LEN).unwrap();
    for (at, len) in PIECES {
        file.write_all_at(&testkit::trees::data(len), at).unwrap();
    }
    sparse::digest(path)
}

#[test]
fn files_of_more_than_8_gib_are_unpacked() {
    let directory = directory();
    let archive = directory.path().join("a.tar");
    write(&[], &archive);
    assert!(archive.metadata().unwrap().len() < 20_000);
    let expected = expected(&directory.path().join("expected"));
    for program in ["tar", "bsdtar"] {
        let paths = [&archive, Path::new("-C"), directory.path()];
        run(program, &["-x", "-f"], &paths);
        let unpacked = directory.path().join("large");
        assert_eq!(sparse::digest(&unpacked), expected, "{program}");
        assert!(unpacked.metadata().unwrap().blocks() < 1000, "{program}");
        accepted_as(program, "more than 8 GiB");
    }
}

/// With all their zeroes, the size is in a record, and the next header behind them.
#[test]
fn members_of_more_than_8_gib_are_listed() {
    let directory = directory();
    let archive = directory.path().join("a.tar");
    write(&[("sparse", "no")], &archive);
    assert!(archive.metadata().unwrap().len() > LEN);
    for program in ["tar", "bsdtar"] {
        let said = run(program, &["-tvf"], &[&archive]);
        let large = said.lines().find(|line| line.ends_with(" large"));
        assert!(large.unwrap().contains(&format!(" {LEN} ")), "{said}");
        assert!(said.lines().last().unwrap().ends_with(" last"), "{said}");
        accepted_as(program, "a member of more than 8 GiB");
    }
}
