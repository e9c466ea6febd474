//! Groups that LVM made are read, whatever it did to them.

use disklayout::SectorSize;
use disklayout::disk::{Disk, SparseFile};
use disklayout::inspect::lvm::{Group, Mapping, groups, member};
use testkit::MIB;
use testkit::root::is_root;

use crate::support::{Asked, Lvm, disks, dynamic};

/// The groups on some disks.
fn read(disks: &[SparseFile]) -> Vec<Group<'_>> {
    let members = dynamic(disks)
        .into_iter()
        .map(|disk| member(disk).unwrap().unwrap());
    let (groups, alone) = groups(members.collect());
    assert!(alone.is_empty(), "{alone:?}");
    groups
}

/// The extents of a group, in the words of [`Lvm::extents`].
fn extents(group: &Group<'_>) -> Vec<String> {
    let extent = group.extent_size.get();
    let mut lines = Vec::new();
    for volume in &group.volumes {
        for segment in &volume.segments {
            let Mapping::Striped { stripe_size, areas } = &segment.mapping else {
                panic!("{segment:?}")
            };
            let stripe_size = if areas.len() > 1 {
                stripe_size.get()
            } else {
                0
            };
            let areas = areas.iter().map(|area| {
                let start = group.members[area.member].volume.pe_start.get();
                let first = (area.offset.get() - start) / extent;
                let last = first + area.size.get() / extent - 1;
                format!("pv{}:{first}-{last}", area.member)
            });
            lines.push(format!(
                "{};{};{};{stripe_size};{}",
                volume.name,
                segment.start.get() / extent,
                segment.size.get() / extent,
                areas.collect::<Vec<_>>().join(" ")
            ));
        }
    }
    lines
}

/// Every 512 bytes say on which disk they are, and where.
fn mark(disks: &[SparseFile], start: u64) {
    for (number, disk) in disks.iter().enumerate() {
        let len = (disk.len() - start) / 512;
        let sector = |at: u64| {
            [number as u64 + 1, start + at * 512]
                .map(u64::to_le_bytes)
                .concat()
        };
        let marks = (0..len).flat_map(|at| [sector(at), vec![0; 496]].concat());
        disk.write_at(&marks.collect::<Vec<u8>>(), start).unwrap();
    }
}

/// Checks the marks in all volumes, by the extents that LVM shows.
fn check_marks(group: &Group<'_>, extents: &[String]) {
    for line in extents {
        let fields: Vec<_> = line.split(';').collect();
        let [name, start, count, stripe_size, areas] = fields[..] else {
            panic!("{line}")
        };
        let extent = group.extent_size.get();
        let number = |text: &str| text.parse::<u64>().unwrap();
        let areas = areas.split(' ').map(|area| {
            let (member, range) = area.strip_prefix("pv").unwrap().split_once(':').unwrap();
            (number(member), number(range.split_once('-').unwrap().0))
        });
        let areas: Vec<_> = areas.collect();
        let disk = group.open(group.volume(name).unwrap()).unwrap();
        let mut sector = [0; 16];
        // An odd step meets every place in stripes.
        for at in (0..number(count) * extent).step_by(37 * 512) {
            let (area, within) = match number(stripe_size) {
                0 => (0, at),
                size => {
                    let (stripe, count) = (at / size, areas.len() as u64);
                    (stripe % count, stripe / count * size + at % size)
                }
            };
            let (member, first) = areas[area as usize];
            let offset =
                group.members[member as usize].volume.pe_start.get() + first * extent + within;
            disk.read_at(&mut sector, number(start) * extent + at)
                .unwrap();
            let expected = [member + 1, offset].map(u64::to_le_bytes).concat();
            assert_eq!(sector[..], expected, "{line} {at}");
        }
        let mut all = vec![0; disk.len() as usize];
        disk.read_at(&mut all, 0).unwrap();
        let mut some = vec![0; 200_000];
        for at in [0, 65_535, 4 * MIB - 7, disk.len() - 200_000] {
            disk.read_at(&mut some, at).unwrap();
            assert!(some[..] == all[at as usize..][..200_000], "{line} {at}");
        }
        assert!(disk.read_at(&mut some, disk.len() - 199_999).is_err());
        assert!(disk.write_at(&some, 0).is_err());
    }
}

#[test]
fn what_lvm_makes_and_changes_is_read() {
    if !is_root() {
        return;
    }
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        let mut lvm = Lvm::with_group(&[40 * MIB, 64 * MIB], sector_size, &[]);
        for volume in [("a", "5", 1), ("b", "6", 2), ("c", "2", 1)] {
            lvm.create(&Asked::new(volume.0, volume.1, volume.2))
                .unwrap();
        }
        lvm.run("lvextend", &["-l+1", "v/a"]).unwrap();
        lvm.run("lvremove", &["-f", "v/c"]).unwrap();
        lvm.add_empty("more", 30 * MIB, sector_size);
        let path = lvm.paths().pop().unwrap();
        lvm.run("vgextend", &["v", &path]).unwrap();
        lvm.run("lvchange", &["--addtag", "x", "v/b"]).unwrap();
        lvm.create(&Asked::new("d", "100%FREE", 1)).unwrap();
        let disks = disks(lvm.images());
        let groups = read(&disks);
        let [group] = &groups[..] else {
            panic!("{groups:?}")
        };
        assert!(group.warnings.is_empty(), "{:?}", group.warnings);
        assert_eq!(group.seqno, 9);
        assert_eq!(group.volume("b").unwrap().tags, ["x"]);
        assert!(group.volume("a").unwrap().is_visible);
        let shown = lvm.extents();
        let mut found = extents(group);
        found.sort();
        let mut expected = shown.clone();
        expected.sort();
        assert_eq!(found, expected);
        mark(&disks, MIB);
        check_marks(group, &shown);
    }
}

/// The ring of texts has been gone round, and the last text lies over its end.
#[test]
fn texts_are_read_around_the_end_of_the_ring() {
    if !is_root() {
        return;
    }
    let lvm = Lvm::with_group(&[40 * MIB], SectorSize::B512, &[]);
    lvm.create(&Asked::new("a", "3", 1)).unwrap();
    let tags: Vec<_> = (0..150).map(|number| format!("{number:01000}")).collect();
    let options: Vec<_> = tags.iter().flat_map(|tag| ["--addtag", tag]).collect();
    lvm.run("lvchange", &[&options[..], &["v/a"]].concat())
        .unwrap();
    let mut around = 0;
    for change in 0..9_u64 {
        let (old, new) = if change % 2 == 0 {
            ("a", "b")
        } else {
            ("b", "a")
        };
        lvm.run("lvrename", &["v", old, new]).unwrap();
        let headers = lvm.dump("headers", 0);
        let value = |name: &str| {
            let name = format!("mda_header_1.{name} ");
            let line = headers
                .lines()
                .find_map(|line| line.trim().strip_prefix(&name));
            line.unwrap().parse::<u64>().unwrap()
        };
        let end = value("raw_locn[0].offset") + value("raw_locn[0].size");
        around += u32::from(end > value("size"));
        let disks = disks(lvm.images());
        let groups = read(&disks);
        assert_eq!(groups[0].seqno, 4 + change);
        assert_eq!(groups[0].volumes[0].name, new);
        assert_eq!(groups[0].volumes[0].tags, tags);
        assert!(groups[0].warnings.is_empty(), "{:?}", groups[0].warnings);
    }
    assert!(around > 0);
}

/// Two copies of the metadata on one disk, one of which nobody uses, and disks without any.
#[test]
fn copies_and_disks_without_any_are_read() {
    if !is_root() {
        return;
    }
    let mut lvm = Lvm::new(testkit::scratch::Scratch::new());
    for (number, copies) in ["2", "0", "1"].into_iter().enumerate() {
        lvm.add_empty(&format!("pv{number}"), 40 * MIB, SectorSize::B512);
        let path = lvm.paths().pop().unwrap();
        lvm.run("pvcreate", &["--pvmetadatacopies", copies, &path])
            .unwrap();
    }
    let paths = lvm.paths();
    lvm.run("vgcreate", &["v", &paths[0], &paths[1], &paths[2]])
        .unwrap();
    lvm.create(&Asked::new("a", "20", 1)).unwrap();
    lvm.run("pvchange", &["--metadataignore", "y", &paths[2]])
        .unwrap();
    lvm.create(&Asked::new("b", "2", 1)).unwrap();
    let disks = disks(lvm.images());
    let found: Vec<_> = dynamic(&disks)
        .into_iter()
        .map(|disk| member(disk).unwrap().unwrap())
        .collect();
    assert!(
        found[0].metadata.is_some() && found[1].metadata.is_none() && found[2].metadata.is_none()
    );
    let groups = read(&disks);
    assert!(groups[0].warnings.is_empty(), "{:?}", groups[0].warnings);
    assert_eq!(extents(&groups[0]), lvm.extents());
}

/// A mirrored volume of two parts, as it stands in metadata.
const RAID1: &str = "
r {
	id = \"000000-0000-0000-0000-0000-0000-000001\"
	status = [\"READ\", \"WRITE\", \"VISIBLE\"]
	segment_count = 1
	segment1 {
		start_extent = 0
		extent_count = 2
		type = \"raid1\"
		device_count = 2
		region_size = 4096
		raids = [ \"r_rmeta_0\", \"r_rimage_0\", \"r_rmeta_1\", \"r_rimage_1\" ]
	}
}
";

/// One of its parts.
fn part(name: &str, number: u32, extents: u32, place: &str) -> String {
    format!(
        "{name} {{\nid = \"000000-0000-0000-0000-0000-0000-00001{number}\"\n\
         status = [\"READ\", \"WRITE\"]\nsegment_count = 1\n\
         segment1 {{\nstart_extent = 0\nextent_count = {extents}\ntype = \"striped\"\n\
         stripe_count = 1\nstripes = [ {place} ]\n}}\n}}\n"
    )
}

/// What isn't followed has its name, and is no reason to miss the rest.
#[test]
fn other_types_are_told_by_name() {
    if !is_root() {
        return;
    }
    let lvm = Lvm::with_group(&[64 * MIB, 64 * MIB], SectorSize::B512, &[]);
    lvm.create(&Asked::new("a", "2", 1)).unwrap();
    let zero = ["--type=zero", "-an", "-Zn", "-l2", "-nz", "v"];
    lvm.run("lvcreate", &zero).unwrap();
    // No mirror is made without a device mapper, but metadata with one is taken.
    let path = lvm.scratch.path("backup");
    let file = path.to_str().unwrap();
    lvm.run("vgcfgbackup", &["--file", file, "v"]).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let parts = [
        part("r_rmeta_0", 0, 1, "\"pv0\", 5"),
        part("r_rimage_0", 1, 2, "\"pv0\", 6"),
        part("r_rmeta_1", 2, 1, "\"pv1\", 0"),
        part("r_rimage_1", 3, 2, "\"pv1\", 1"),
    ];
    let volumes = format!("logical_volumes {{\n{RAID1}{}", parts.concat());
    std::fs::write(&path, text.replace("logical_volumes {", &volumes)).unwrap();
    lvm.run("vgcfgrestore", &["--file", file, "v"]).unwrap();
    lvm.accepts();

    let disks = disks(lvm.images());
    let groups = read(&disks);
    let group = &groups[0];
    assert!(group.warnings.is_empty(), "{:?}", group.warnings);
    assert_eq!(group.volumes.len(), 7);
    for volume in &group.volumes {
        let opened = group.open(volume);
        match volume.name.as_str() {
            "z" => assert!(opened.unwrap_err().to_string().contains("of type zero")),
            "r" => assert!(opened.unwrap_err().to_string().contains("of type raid1")),
            _ => assert_eq!(opened.unwrap().len(), volume.size.get()),
        }
        assert_eq!(
            volume.is_visible,
            !volume.name.contains('_'),
            "{}",
            volume.name
        );
    }
}
