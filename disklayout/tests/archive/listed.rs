//! What GNU tar and bsdtar list, which needs no root.

use std::path::Path;

use disklayout::Timestamp;
use disklayout::tree::{Attributes, NodeKind};
use tempfile::TempDir;
use testkit::log::accepted;
use testkit::metadata::acl;
use testkit::trees::{TIME, empty_tree, put_kind, put_with, xattrs};

use crate::made::write;
use crate::programs::run;
use crate::sample::Sample;

/// Lines with one space between words.
fn lines(program: &str, options: &[&str], archive: &Path) -> Vec<String> {
    let said = run(program, options, &[archive]);
    accepted(program, archive);
    let words = said.lines().map(str::split_whitespace);
    words
        .map(|words| words.collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn gnu_tar_lists_what_is_in_the_tree() {
    let mut tree = empty_tree();
    let attributes = Attributes {
        permissions: 0o4750,
        uid: 3_000_000,
        gid: u32::MAX - 1,
        mtime: Timestamp {
            nanoseconds: 250_000_000,
            ..TIME
        },
    };
    let long = format!("/d/{}", "n".repeat(200));
    let file = put_with(&mut tree, long.as_bytes(), &[b'x'; 1000], attributes);
    let mask = acl(&[
        (1, 7, u32::MAX),
        (2, 4, 9),
        (4, 5, u32::MAX),
        (0x10, 5, u32::MAX),
        (0x20, 0, u32::MAX),
    ]);
    let all = [
        ("user.x", &b"a\n\0b"[..]),
        ("system.posix_acl_access", &mask),
    ];
    tree.set_xattrs(file, xattrs(&all));
    tree.link("t", b"/d/other", file).unwrap();
    let target = NodeKind::Symlink("t".repeat(300).into_bytes().into());
    put_kind(&mut tree, "/l", target);
    let directory = TempDir::new().unwrap();
    let archive = directory.path().join("listed.tar");
    write("tar", &[], tree, &archive);
    let options = [
        "--xattrs",
        "--acls",
        "--numeric-owner",
        "--full-time",
        "-tvvf",
    ];
    let (long, target) = (&long[1..], "t".repeat(300));
    let (time, precise) = ("2000-01-01 00:00:00", "2000-01-01 00:00:00.25");
    let expected = [
        format!("drwxr-xr-x 0/0 0 {time} ./"),
        format!("drwxr-xr-x 0/0 0 {precise} d/"),
        format!("-rwsr-x---+ 3000000/4294967294 1000 {precise} {long}"),
        "a: user::rwx,user:9:r--,group::r-x,mask::r-x,other::---".to_owned(),
        "x: 4 user.x".to_owned(),
        format!("hrwsr-x--- 3000000/4294967294 0 {precise} d/other link to {long}"),
        format!("lrw-r--r-- 0/0 0 {time} l -> {target}"),
    ];
    assert_eq!(lines("tar", &options, &archive), expected);
}

/// Both go to the end of an archive with one of everything.
#[test]
fn all_members_are_listed() {
    let directory = TempDir::new().unwrap();
    for format in ["tar", "tar.gz", "tar.zst", "tar.xz"] {
        let archive = directory.path().join(format!("everything.{format}"));
        let tree = Sample::rich().tree();
        let names: usize = tree.nodes().map(|(id, _)| tree.links(id) as usize).sum();
        write(format, &[], tree, &archive);
        let count = |program, options: &[&str]| {
            let listed = lines(program, options, &archive).into_iter();
            let is_known = |line: &String| line.contains("keyword 'hdrcharset'");
            listed.filter(|line| !is_known(line)).count()
        };
        assert_eq!(count("tar", &["--quoting-style=escape", "-tf"]), names);
        assert_eq!(count("bsdtar", &["-tf"]), names);
    }
}
