//! The same bytes from the same request.

use disklayout::disk::{Disk, MemDisk};
use disklayout::volume::lvm::{Request, plan};
use disklayout::{Identity, Timestamp};
use testkit::MIB;

use crate::support::{Asked, request};

const SIZES: [u64; 2] = [64 * MIB, 100 * MIB];

fn asked() -> Request {
    request(&SIZES, &[Asked::new("a", "20", 1), Asked::new("b", "4", 2)])
}

fn bytes(request: Request) -> Vec<Vec<u8>> {
    let plan = plan(request).unwrap();
    let bytes = (0..plan.members().len()).map(|number| {
        let disk = MemDisk::new(SIZES[number]);
        plan.write_member(number, &disk).unwrap();
        // No extent is touched.
        assert!(disk.next_data(plan.metadata_extent().end) >= SIZES[number]);
        let mut bytes = vec![0; MIB as usize];
        disk.read_at(&mut bytes, 0).unwrap();
        bytes
    });
    bytes.collect()
}

#[test]
fn the_same_identity_gives_the_same_bytes_and_another_one_others() {
    let first = bytes(asked());
    assert!(first == bytes(asked()));
    let mut other = asked();
    other.identity = Identity::new("another", Timestamp::from_seconds(1_700_000_000));
    assert!(first != bytes(other));
    let mut later = asked();
    later.identity = Identity::new("group", Timestamp::from_seconds(1_700_000_001));
    assert!(first != bytes(later));
}

/// Somebody who adds a volume or a disk keeps the UUIDs of the others.
#[test]
fn uuids_depend_on_what_they_are_for_alone() {
    let few = plan(asked()).unwrap();
    let mut more = asked();
    more.volumes.insert(
        0,
        request(&[], &[Asked::new("c", "1", 1)]).volumes.remove(0),
    );
    more.members.extend(request(&SIZES, &[]).members);
    let more = plan(more).unwrap();
    assert_eq!(few.uuid(), more.uuid());
    for (one, other) in few.members().iter().zip(more.members()) {
        assert_eq!(one.uuid, other.uuid);
    }
    for (one, other) in few.volumes().iter().zip(&more.volumes()[1..]) {
        assert_eq!((&one.name, one.uuid), (&other.name, other.uuid));
    }
}
