//! Archives unpacked by root with the programs that everybody has: what is there then is the tree.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use testkit::compare::assert_same;
use testkit::host;
use testkit::listing::Listing;
use testkit::log::accepted_as;
use testkit::planned::planned;
use testkit::root::is_root;

use crate::made::{Chosen, write};
use crate::programs::run;
use crate::sample::Sample;

/// How each unpacks everything.
const GNU: (&str, &[&str]) = (
    "tar",
    &[
        "--extract",
        "--preserve-permissions",
        "--same-owner",
        "--numeric-owner",
        "--acls",
        "--xattrs",
        "--xattrs-include=*",
        "--warning=no-timestamp",
        "--file",
    ],
);
const BSD: (&str, &[&str]) = (
    "bsdtar",
    &["-x", "-p", "--numeric-owner", "--acls", "--xattrs", "-f"],
);

/// Archives with what tests their compression.
const ARCHIVES: [(&str, Chosen<'_>, Option<&str>); 6] = [
    ("tar", &[], None),
    ("tar", &[("sparse", "no")], None),
    ("tar.gz", &[], Some("gzip")),
    ("tar.zst", &[("compression_level", "19")], Some("zstd")),
    ("tar.zst", &[("sparse", "no")], Some("zstd")),
    ("tar.xz", &[("compression_level", "1")], Some("xz")),
];

/// A directory on a filesystem that has extended attributes of all kinds.
pub(crate) fn directory() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// What is there once `program` has unpacked an archive.
pub(crate) fn extracted((program, options): (&str, &[&str]), archive: &Path) -> Listing {
    let directory = directory();
    let paths = [archive, Path::new("-C"), directory.path()];
    let said = run(program, options, &paths);
    // GNU tar needs no record that tells of bytes instead of text.
    let is_known = |line: &str| line.contains("unknown extended header keyword 'hdrcharset'");
    let said: Vec<_> = said.lines().filter(|line| !is_known(line)).collect();
    assert_eq!(said, [""; 0], "{program}: {}", archive.display());
    host::list(directory.path())
}

fn check(program: (&str, &[&str]), sample: &Sample) {
    let directory = directory();
    let expected = planned(&sample.tree());
    for (format, chosen, packer) in ARCHIVES {
        let archive = directory.path().join(format!("a.{format}"));
        write(format, chosen, sample.tree(), &archive);
        if let Some(packer) = packer {
            run(packer, &["-t"], &[&archive]);
            accepted_as(packer, &format!("{format} {chosen:?}"));
        }
        let what = format!("{} {format} {chosen:?}", program.0);
        let mut found = extracted(program, &archive);
        if program == BSD {
            // It leaves the time of the directory that it unpacks into alone.
            found.get_mut(&b""[..]).unwrap().mtime = expected[&b""[..]].mtime;
        }
        assert_same(&what, &expected, &found);
        accepted_as(program.0, &format!("{format} {chosen:?}"));
    }
}

#[test]
fn gnu_tar_unpacks_everything_as_it_is_in_the_tree() {
    if is_root() {
        check(
            GNU,
            &Sample::rich()
                .with_an_empty_xattr()
                .with_a_fraction_before_1970(),
        );
    }
}

#[test]
fn bsdtar_unpacks_everything_as_it_is_in_the_tree() {
    if is_root() {
        check(BSD, &Sample::rich().with_an_empty_xattr());
    }
}

/// Holes are holes again.
#[test]
fn holes_take_no_room() {
    let directory = directory();
    let archive = directory.path().join("a.tar");
    let sample = Sample::rich();
    write("tar", &[], sample.tree(), &archive);
    let small = fs::metadata(&archive).unwrap().len();
    write("tar", &[("sparse", "no")], sample.tree(), &archive);
    assert!(fs::metadata(&archive).unwrap().len() > small + (18 << 20));
    write("tar", &[], sample.tree(), &archive);
    for program in [GNU, BSD] {
        let unpacked = unpack_one(program, &archive, directory.path());
        let metadata = fs::metadata(unpacked).unwrap();
        let allocated = metadata.blocks() * 512;
        assert!(allocated < 2 << 20, "{program:?}: {allocated}");
    }
}

fn unpack_one((program, extract): (&str, &[&str]), archive: &Path, directory: &Path) -> PathBuf {
    let own = directory.join(program);
    fs::create_dir(&own).unwrap();
    let paths = [archive, Path::new("-C"), &own, Path::new("holes")];
    run(program, extract, &paths);
    own.join("holes")
}
