//! What is refused, and what is said of it.

use disklayout::volume::lvm::{Plan, Request, Stripes, plan};
use disklayout::{Bytes, Error, ErrorKind, SectorSize};
use testkit::MIB;
use testkit::root::is_root;
use testkit::scratch::Scratch;

use crate::support::{Asked, Lvm, planned, request};

/// What is made wrong.
type Change = fn(&mut Request);

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
    let changes: [(&str, Change); 18] = [
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
        ("vg.creation_host: 'a\"'", |it| {
            it.creation_host = "a\"".to_owned()
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
            "4 MiB is too small for a physical volume of 5 MiB at least",
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
    // With more for 'a' on the first one the stripes of 'b' have less, so that there is more for 'c'.
    let volumes = [("a", "7%VG", 1), ("b", "100%VG", 2), ("c", "16", 1)];
    let volumes = volumes.map(|(name, size, stripes)| Asked::new(name, size, stripes));
    let (found, said) = needed(planned(&[50 * MIB, 6 * MIB], &volumes));
    assert!(said.contains("are none for"), "{said}");
    assert_eq!(found, Some(105 * MIB), "{said}");
}

/// Names beside what vgcreate and lvcreate say of them.
#[test]
fn names_are_those_that_lvm_takes() {
    if !is_root() {
        return;
    }
    let long = |count| "x".repeat(count);
    let names = [
        "a",
        "a-",
        ".",
        "..",
        "...",
        ".a",
        "a b",
        "ä",
        "a+b_c.d",
        "snapshot",
        "snapshotx",
        "xsnapshot",
        "pvmove0",
        "x_tmeta",
        "x_tmetax",
        "_mlog",
        "a_cdata",
        "a_rimage_0",
        "a_pmspare",
        "a_imeta",
        "a_corig",
        "a_vdata",
        "lvol0",
        "a_mimagetmp",
        "a_vorigin",
        "a_iorig",
        "a_cmeta",
        "a_rmeta",
        "a_tdata",
        "a_vpool",
        "a_cvol",
        "a_wcorig",
        "a@b",
        "a=b",
        "",
        "0",
        "_",
        "+",
    ];
    let names = names.map(str::to_owned).into_iter();
    let names: Vec<_> = names.chain([123, 124, 127, 128].map(long)).collect();
    let sizes = [300 * MIB];
    let group = |name: &str| {
        let mut request = request(&sizes, &[]);
        request.name = name.to_owned();
        plan(request)
    };
    let lvm = Lvm::with_group(&sizes, SectorSize::B512, &[]);
    let mut empty = Lvm::new(Scratch::new());
    empty.add_empty("pv", sizes[0], SectorSize::B512);
    let path = empty.paths().remove(0);
    for name in &names {
        let asked = Asked::new(name, "1", 1);
        let said = lvm.create(&asked);
        assert_eq!(
            said.is_ok(),
            planned(&sizes, &[asked]).is_ok(),
            "{name}: {said:?}"
        );
        let said = empty.run("vgcreate", &[name.as_str(), &path]);
        assert_eq!(said.is_ok(), group(name).is_ok(), "{name}: {said:?}");
        said.map_or_else(
            |_| String::new(),
            |_| empty.run("vgremove", &[name]).unwrap(),
        );
    }
}
