//! qcow2 images that aren't read, and why.

use std::io::ErrorKind;
use std::path::Path;

use disklayout::disk::{Disk, MemDisk};
use testkit::program::{arguments, run};
use testkit::scratch::Scratch;

use crate::damage::{change, load, refusal};
use crate::sample::{How, Sample};

const CLUSTER: u64 = 65_536;

/// An image with something in its first cluster.
fn image(scratch: &Scratch, options: &[(&str, &str)]) -> MemDisk {
    let path = scratch.path("a.qcow2");
    let sample = Sample {
        size: 1 << 20,
        metadata: vec![(0, 1, CLUSTER as usize)],
        data: Vec::new(),
    };
    sample.image(&How::new("qcow2", options), &path).unwrap();
    load(&path)
}

fn number(file: &MemDisk, at: u64) -> u64 {
    let mut bytes = [0; 8];
    file.read_at(&mut bytes, at).unwrap();
    u64::from_be_bytes(bytes)
}

/// Where the first L2 table is.
fn l2(file: &MemDisk) -> u64 {
    number(file, number(file, 40)) & 0x00FF_FFFF_FFFF_FE00
}

fn assert_refused(file: &MemDisk, kind: ErrorKind, reason: &str) {
    let error = refusal(file);
    let said = error.to_string();
    assert_eq!(error.kind(), kind, "{said}");
    assert!(said.starts_with("qcow2: "), "{said}");
    assert!(said.contains(reason), "{reason}: {said}");
}

/// Shows what is said of an image after each change of bytes at a place.
fn changed(file: &MemDisk, kind: ErrorKind, changes: &[(u64, &[u8], &str)]) {
    for (at, bytes, reason) in changes {
        let mut before = vec![0; bytes.len()];
        file.read_at(&mut before, *at).unwrap();
        file.write_at(bytes, *at).unwrap();
        assert_refused(file, kind, reason);
        file.write_at(&before, *at).unwrap();
    }
}

/// What QEMU makes that isn't in one file, or isn't for everybody.
#[test]
fn what_is_not_in_the_file_is_refused_by_name() {
    let scratch = Scratch::new();
    let path = scratch.path("b.qcow2");
    let create = |options: &[&str], path: &Path| {
        let mut command = arguments(&["create", "-q", "-f", "qcow2"], &[]);
        command.extend(options.iter().map(|it| std::ffi::OsStr::new(*it)));
        command.extend([path.as_os_str(), "1M".as_ref()]);
        run("qemu-img", &command).unwrap();
    };
    let base = scratch.path("base.qcow2");
    create(&[], &base);
    let base = base.to_str().unwrap();
    let data = scratch.path("data");
    let data = format!("data_file={}", data.to_str().unwrap());
    let secret = ["--object", "secret,id=s,data=x", "-o"];
    // For LUKS, QEMU measures the processor, which fails on a busy one.
    let aes = "encrypt.format=aes,encrypt.key-secret=s";
    let backing = format!("has a backing file, '{base}'");
    for (options, reason) in [
        (vec!["-b", base, "-F", "qcow2"], backing.as_str()),
        (vec!["-o", &data], "its data in another file"),
        ([&secret[..], &[aes]].concat(), "is encrypted"),
    ] {
        create(&options, &path);
        assert_refused(&load(&path), ErrorKind::Unsupported, reason);
    }
}

#[test]
fn what_nobody_knows_is_refused() {
    let scratch = Scratch::new();
    let file = image(&scratch, &[]);
    let kind = ErrorKind::Unsupported;
    changed(
        &file,
        kind,
        &[
            (7, &[4], "version 4"),
            (79, &[2], "marked as corrupt"),
            (79, &[0x20], "aren't known, 0x20"),
            (72, &[0x80], "aren't known, 0x8000000000000000"),
            (35, &[1], "encrypted"),
        ],
    );
    change(&file, 79, |[byte]| [byte | 8]);
    changed(&file, kind, &[(104, &[2], "compression type 2")]);
}

#[test]
fn headers_that_cannot_be_are_damaged() {
    let scratch = Scratch::new();
    let file = image(&scratch, &[]);
    let kind = ErrorKind::InvalidData;
    changed(
        &file,
        kind,
        &[
            (23, &[8], "clusters have 2^8 bytes"),
            (20, &[1], "clusters have 2^16777232 bytes"),
            (24, &[0xFF; 8], "too few for a disk of 18446744073709551615"),
            (39, &[0], "0 entries, too few"),
            (
                36,
                &[0, 0x40, 0, 1],
                "more than the 4194304 that QEMU reads",
            ),
            (46, &[2], "no multiple of a cluster"),
            (40, &[0xFF; 6], "outside of the file"),
            (103, &[72], "fewer than 104"),
            (104, &[1], "compression type 1"),
            (79, &[8], "compression type 0"),
        ],
    );
    let file = image(&scratch, &[("extended_l2", "on")]);
    changed(&file, kind, &[(23, &[13], "subclusters")]);
}

#[test]
fn tables_that_cannot_be_are_damaged() {
    let scratch = Scratch::new();
    let kind = ErrorKind::InvalidData;
    let file = image(&scratch, &[]);
    let (l1, l2) = (number(&file, 40), l2(&file));
    changed(
        &file,
        kind,
        &[
            (l1 + 6, &[2], "an L2 table"),
            (l1 + 1, &[1], "an L2 table"),
            (l2 + 6, &[2], "no multiple of its size"),
            (l2 + 1, &[1], "behind the file's end"),
            (l2, &[0x40, 0xFF], "behind the file's end"),
            (l2, &[0x40, 0, 0, 0, 0, 0], "can't be unpacked"),
        ],
    );
    let file = image(&scratch, &[("extended_l2", "on")]);
    let l2 = self::l2(&file);
    changed(
        &file,
        kind,
        &[
            (l2 + 11, &[1], "contradict each other"),
            (l2, &[0; 8], "contradict each other"),
        ],
    );
    let file = image(&scratch, &[("compat", "0.10")]);
    let l2 = self::l2(&file);
    changed(&file, kind, &[(l2 + 7, &[1], "which version 2 has not")]);
}
