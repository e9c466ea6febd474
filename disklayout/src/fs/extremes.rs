//! Every number that can be chosen, at its extremes: an answer or a refusal, and soon.

use super::{Options, Registry, Request};
use crate::identity::{Identity, Timestamp};
use crate::units::Bytes;

/// Below, at and above what numbers of 8 to 64 bits hold, and what is none.
const VALUES: [&str; 14] = [
    "0",
    "1",
    "127",
    "256",
    "1024",
    "4096",
    "65535",
    "65536",
    "2147483647",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
];

/// One name of each format.
const KINDS: [&str; 9] = [
    "ext2", "ext3", "ext4", "vfat", "fat12", "fat32", "exfat", "swap", "erofs",
];

fn asked<'a>(kind: &'a str, name: &str, value: &str) -> Request<'a> {
    let identity = Identity::new("t", Timestamp::from_seconds(1));
    Request {
        options: Options::default().with(name, value),
        ..Request::new("p", kind, identity)
    }
}

/// What is answered is checked by the tests of each format; here it is that there is an answer,
/// and that the smallest size does.
#[test]
fn every_number_has_an_answer() {
    let registry = Registry::native();
    for (choice, kinds) in registry.choices() {
        for kind in kinds.into_iter().filter(|kind| KINDS.contains(kind)) {
            // Tables of so many inodes lie in some ten thousand groups; one format is enough.
            let has_groups = choice.name == "inodes" && kind != "ext4";
            let values = VALUES.into_iter();
            for value in values.filter(|value| !(has_groups && value.len() > 5)) {
                let draft = || registry.draft(asked(kind, choice.name, value));
                let plan = |size| draft().and_then(|draft| draft.at(size));
                let smallest = draft().and_then(|draft| draft.smallest(Bytes::new(0)));
                let smallest = smallest.ok();
                if let Some(size) = smallest {
                    assert!(plan(size).is_ok(), "{kind} {} {value}", choice.name);
                }
                // Errors look for the smallest size once more.
                let size = smallest.unwrap_or(Bytes::new(64 << 20)).get();
                for size in [size - 4096.min(size), 1 << 40] {
                    let _ = plan(Bytes::new(size));
                }
            }
        }
    }
}

#[test]
fn every_size_and_every_room_has_an_answer() {
    let registry = Registry::native();
    let numbers = VALUES.iter().filter_map(|value| value.parse().ok());
    for number in numbers.map(Bytes::new) {
        for kind in KINDS {
            let identity = Identity::new("t", Timestamp::from_seconds(1));
            let draft = registry.draft(Request::new("p", kind, identity)).unwrap();
            let _ = draft.smallest(number);
            let _ = draft.at(number);
        }
    }
}
