//! What is refused, and what is said of it.

use disklayout::volume::lvm::{Plan, Request, Stripes, plan};
use disklayout::{Bytes, Error, ErrorKind, SectorSize};
use testkit::MIB;

use crate::support::{Asked, planned, request};

fn asked() -> Request {
    request(
        &[64 * MIB, 64 * MIB],
        &[Asked::new("a", "2", 1), Asked::new("b", "4", 2)],
    )
}

fn refused(change: impl FnOnce(&mut Request)) -> (ErrorKind, String) {
    let mut request = asked();
    change(&mut request);
    let error = plan(request).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn what_lvm_does_not_take_is_refused() {
    plan(asked()).unwrap();
    let changes: [(&str, fn(&mut Request)); 17] = [
        ("vg.name: the name '-v'", |it| it.name = "-v".to_owned()),
        ("lv.name: the name 'a_tmeta'", |it| {
            it.volumes[0].name = "a_tmeta".to_owned()
        }),
        ("lv.name: volume group 'v' has two", |it| {
            it.volumes[0].name = "b".to_owned()
        }),
        ("lv.tags: the tag 'a b'", |it| {
            it.volumes[0].tags = vec!["a b".to_owned()]
        }),
        ("has no physical volumes", |it| it.members.clear()),
        ("vg.extent_size: extents of 3 MiB", |it| {
            it.extent_size = Bytes::new(3 * MIB)
        }),
        ("vg.extent_size: extents of 512 bytes", |it| {
            it.extent_size = Bytes::new(512);
            for member in &mut it.members {
                member.sector_size = SectorSize::B4096;
            }
        }),
        ("vg.data_alignment", |it| {
            it.data_alignment = Bytes::new(100)
        }),
        ("pv[1]: its disk has sectors of 4096", |it| {
            it.members[1].sector_size = SectorSize::B4096
        }),
        ("vg.creation_host", |it| {
            it.creation_host = "a\nb".to_owned()
        }),
        ("pv[0]: '/dev/", |it| {
            it.members[0].device_hint = "/dev/\0".to_owned()
        }),
        ("lv.stripes: 3 stripes need", |it| {
            it.volumes[1].stripes = Some(Stripes::new(3))
        }),
        ("lv.stripes: 129 stripes", |it| {
            it.volumes[1].stripes = Some(Stripes::new(129))
        }),
        ("lv.stripes: stripes of 3 KiB", |it| {
            let size = Bytes::new(3072);
            it.volumes[1].stripes = Some(Stripes { count: 2, size });
        }),
        ("pv[1].uuid: UUID", |it| {
            let uuid = "000000-0000-0000-0000-0000-0000-000000".parse().unwrap();
            it.uuid = Some(uuid);
            it.members[1].uuid = Some(uuid);
        }),
        (
            "vg.extent_size: volume group 'v' has more than 4294967295",
            |it| {
                it.extent_size = Bytes::new(512);
                it.members[0].size = Bytes::new(4 << 40);
            },
        ),
        ("lv.size: logical volume 'a' has no extents", |it| {
            it.volumes[0] = request(&[], &[Asked::new("a", "0", 1)]).volumes.remove(0);
        }),
    ];
    for (expected, change) in changes {
        let (kind, said) = refused(change);
        assert!(said.contains(expected), "{said}");
        assert_eq!(kind, ErrorKind::InvalidSpec, "{said}");
    }
}

fn needed(found: Result<Plan, Error>) -> (Option<u64>, String) {
    let error = found.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    (error.needed().map(Bytes::get), error.to_string())
}

#[test]
fn what_does_not_fit_tells_the_size_that_would_do() {
    for (sizes, volumes, expected, what) in [
        (
            vec![300 * MIB],
            vec![("a", "75")],
            Some(301 * MIB),
            "takes 75 extents (300 MiB), but 74 (296 MiB) are free",
        ),
        (
            vec![300 * MIB],
            vec![("a", "1%VG")],
            Some(401 * MIB),
            "1 % of the 74 extents",
        ),
        (
            vec![300 * MIB],
            vec![("a", "50%VG"), ("b", "40")],
            Some(317 * MIB),
            "takes 40 extents",
        ),
        (
            vec![300 * MIB],
            vec![("a", "100%VG"), ("b", "1")],
            None,
            "but 0 (0 bytes) are free",
        ),
        (
            vec![300 * MIB, 5 * MIB],
            vec![("a", "76")],
            Some(9 * MIB),
            "takes 76 extents",
        ),
        (
            vec![4 * MIB],
            vec![("a", "3")],
            Some(13 * MIB),
            "4 MiB is too small",
        ),
        (
            vec![4 * MIB, 64 * MIB],
            vec![("a", "3")],
            Some(5 * MIB),
            "pv[0].size: 4 MiB is too small",
        ),
    ] {
        let volumes = volumes
            .into_iter()
            .map(|(name, size)| Asked::new(name, size, 1));
        let volumes: Vec<_> = volumes.collect();
        let (found, said) = needed(planned(&sizes, &volumes));
        assert!(said.contains(what), "{said}");
        assert_eq!(found, expected, "{said}");
    }
    let narrow = planned(&[100 * MIB, 5 * MIB], &[Asked::new("a", "6", 2)]);
    let (found, said) = needed(narrow);
    assert!(
        said.contains("takes 3 extents from each of 2 physical volumes"),
        "{said}"
    );
    assert_eq!(found, None);
}
