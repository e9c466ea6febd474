//! What can't be is refused by planning, before anything is written.

use disklayout::ErrorKind;
use disklayout::Identity;
use disklayout::fs::Request;

use crate::support::{MIB, TIME, options, plan_at, request};

#[test]
fn choices_that_there_are_not() {
    for (name, value, message) in [
        (
            "block-size",
            "512",
            "no option of this name; known are fat-size, cluster-size",
        ),
        ("fat-size", "8", "'8' has to be 12, 16 or 32"),
        ("fat-size", "32", "fat16 is no FAT32; ask for vfat"),
        (
            "cluster-size",
            "3000",
            "clusters of 3000 bytes aren't possible: give a power of two from 512 to 65536",
        ),
        ("cluster-size", "128K", "from 512 to 65536"),
        (
            "logical-sector-size",
            "256",
            "a power of two from the disk's 512 to 4096",
        ),
        ("reserved-sectors", "0", "'0' has to be from 1 to 65535"),
        ("fats", "3", "'3' has to be from 1 to 2"),
        ("volume-id", "12345", "eight hexadecimal digits"),
        ("media", "F1", "F0 or F8 to FF"),
        ("oem-name", "far too long", "eight ASCII characters"),
    ] {
        let error = plan_at(
            40 * MIB,
            Request {
                options: options(&[(name, value)]),
                ..request("fat16")
            },
        );
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert_eq!(error.place().to_string(), format!("parts[0].{name}"));
        assert!(error.message().contains(message), "{error}");
    }
}

#[test]
fn two_sizes_of_clusters() {
    let chosen = options(&[("cluster-size", "4096"), ("sectors-per-cluster", "8")]);
    let error = plan_at(
        MIB,
        Request {
            options: chosen,
            ..request("vfat")
        },
    );
    let message = "the size of a cluster is given already; leave one of both out";
    assert_eq!(error.unwrap_err().message(), message);
}

#[test]
fn a_uuid() {
    let uuid = Identity::new("x", TIME).uuid("y");
    let error = plan_at(
        MIB,
        Request {
            uuid: Some(uuid),
            ..request("vfat")
        },
    );
    let error = error.unwrap_err();
    assert_eq!(error.place(), "parts[0].uuid");
    assert!(
        error
            .message()
            .ends_with("has 32 bits, to be chosen as volume-id"),
        "{error}"
    );
}

#[test]
fn a_label_that_is_too_long() {
    let error = plan_at(
        MIB,
        Request {
            label: Some("twelve chars"),
            ..request("vfat")
        },
    );
    let message = "label 'twelve chars' has 12 characters, FAT holds 11";
    assert_eq!(error.unwrap_err().message(), message);
}
