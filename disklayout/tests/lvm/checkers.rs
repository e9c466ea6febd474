//! What LVM2's programs say of groups, and what they do with them.

use disklayout::SectorSize;
use disklayout::volume::lvm::plan;
use disklayout::{Bytes, Identity, Timestamp};
use testkit::checkers::blkid_value;
use testkit::log::accepted;
use testkit::root::is_root;
use testkit::scratch::Scratch;
use testkit::{GIB, MIB};

use crate::support::{Asked, Lvm, of_plan, planned, request, write};

#[test]
fn groups_are_what_was_planned() {
    if !is_root() {
        return;
    }
    for (sizes, volumes, sector_size) in [
        (vec![5 * MIB], vec![("a", "1", 1)], SectorSize::B512),
        (
            vec![300 * MIB + 511, 77 * MIB + 4096, 6 * MIB],
            vec![
                ("root", "80", 1),
                ("var-log", "2", 2),
                ("a.b+c_d", "100%FREE", 1),
            ],
            SectorSize::B512,
        ),
        (
            vec![64 * MIB, 64 * MIB, 64 * MIB],
            vec![("s", "9", 3), ("t", "50%FREE", 2)],
            SectorSize::B4096,
        ),
        (
            vec![40 * GIB, 3 * GIB + 512],
            vec![("a", "23%VG", 1), ("b", "57%VG", 1), ("c", "20%VG", 1)],
            SectorSize::B512,
        ),
    ] {
        let volumes = volumes.into_iter();
        let volumes: Vec<_> = volumes
            .map(|(name, size, stripes)| Asked::new(name, size, stripes))
            .collect();
        let plan = planned(&sizes, &volumes).unwrap();
        let lvm = Lvm::with_plan(&plan, &sizes, sector_size);
        lvm.accepts();
        let mut expected = of_plan(&plan);
        let mut found = lvm.extents();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        let fields = "-opv_uuid,pv_pe_count,pv_pe_alloc_count,pe_start,pv_size,vg_uuid,vg_seqno";
        let said = lvm
            .run(
                "pvs",
                &[
                    "--noheadings",
                    "--units=b",
                    "--nosuffix",
                    "--separator= ",
                    fields,
                ],
            )
            .unwrap();
        let members = plan.members().iter().map(|member| {
            let size = member.extents * plan.extent_size().get();
            format!(
                "{} {} {} {} {size} {} 1",
                member.uuid,
                member.extents,
                member.extents - member.free,
                member.pe_start.get(),
                plan.uuid()
            )
        });
        let mut members: Vec<_> = members.collect();
        let mut found: Vec<_> = said.lines().map(|line| line.trim().to_owned()).collect();
        members.sort();
        found.sort();
        assert_eq!(found, members);
        lvm.images().iter().for_each(|image| accepted("pvs", image));
    }
}

#[test]
fn files_are_read_without_devices() {
    let sizes = [64 * MIB, 64 * MIB];
    let plan = planned(&sizes, &[Asked::new("a", "10", 1), Asked::new("b", "4", 2)]).unwrap();
    let scratch = Scratch::new();
    let images = write(&plan, &sizes, &scratch);
    let lvm = Lvm::new(scratch);
    for (number, image) in images.iter().enumerate() {
        let path = image.to_str().unwrap();
        let dump = |what: &str| lvm.run("pvck", &["--dump", what, path]).unwrap();
        let metadata = dump("metadata");
        assert!(metadata.contains("# vgname v seqno 1\n"), "{metadata}");
        let member = &plan.members()[number];
        let letters = member.uuid.to_string().replace('-', "");
        let headers = dump("headers");
        for line in [
            "label_header at 512".to_owned(),
            format!("pv_header.pv_uuid {letters}"),
            format!("pv_header.device_size {}", 64 * MIB),
            "pv_header_extension.version 2".to_owned(),
            "mda_header_1.raw_locn[0].offset 512".to_owned(),
        ] {
            assert!(
                headers.lines().any(|found| found.trim() == line),
                "{headers}"
            );
        }
        assert!(
            !headers.contains("bad") && !headers.contains("WARNING"),
            "{headers}"
        );
        let all = dump("metadata_all");
        assert!(all.contains("seqno 1") && !all.contains("seqno 2"), "{all}");
        accepted("pvck", image);
        assert_eq!(blkid_value(image, "TYPE"), "LVM2_member");
        assert_eq!(blkid_value(image, "UUID"), member.uuid.to_string());
    }
}

/// What is changed afterwards is changed as in a group of LVM's own.
#[test]
fn lvm_goes_on_with_them() {
    if !is_root() {
        return;
    }
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        let sizes = [100 * MIB, 64 * MIB];
        let volumes = [Asked::new("a", "10", 1), Asked::new("b", "8", 2)];
        let mut ours = Lvm::with_plan(&planned(&sizes, &volumes).unwrap(), &sizes, sector_size);
        let mut theirs = Lvm::with_group(&sizes, sector_size, &[]);
        volumes
            .iter()
            .for_each(|volume| _ = theirs.create(volume).unwrap());
        for lvm in [&mut ours, &mut theirs] {
            lvm.create(&Asked::new("c", "4", 1)).unwrap();
            lvm.run("lvextend", &["--extents", "+3", "v/a"]).unwrap();
            lvm.add_empty("more", 50 * MIB, sector_size);
            let path = lvm.paths().pop().unwrap();
            lvm.run("vgextend", &["v", &path]).unwrap();
            lvm.create(&Asked::new("d", "100%FREE", 1)).unwrap();
            lvm.run("lvrename", &["v", "b", "e"]).unwrap();
            lvm.run("lvremove", &["--force", "v/c"]).unwrap();
            lvm.accepts();
        }
        let said = ours
            .run(
                "vgs",
                &["--noheadings", "-ovg_seqno,vg_mda_used_count", "v"],
            )
            .unwrap();
        let said: Vec<_> = said.split_whitespace().collect();
        assert!(
            said[0].parse::<u32>().unwrap() > 5 && said[1] == "3",
            "{said:?}"
        );
        assert_eq!(ours.extents(), theirs.extents());
        let backup = ours.scratch.path("backup");
        ours.run("vgcfgbackup", &["--file", backup.to_str().unwrap(), "v"])
            .unwrap();
        let backup = std::fs::read_to_string(backup).unwrap();
        assert!(
            backup.contains("extent_size = 8192\t\t# 4 Megabytes"),
            "{backup}"
        );
    }
}

#[test]
fn odd_names_and_times_are_read() {
    if !is_root() {
        return;
    }
    let sizes = [64 * MIB];
    for seconds in [-5, 0, 1, 4_200_000_000] {
        let mut asked = request(&sizes, &[Asked::new("a-b..c", "3", 1)]);
        asked.identity = Identity::new("x", Timestamp::from_seconds(seconds));
        asked.creation_host = "a host: #{}=".to_owned();
        asked.members[0].device_hint = "/dev/disk/by-id/\"odd\" \\".to_owned();
        asked.volumes[0].uuid = Some("abcdef-1234-ABCD-9876-zzzz-0000-QWERTY".parse().unwrap());
        let plan = plan(asked).unwrap();
        let lvm = Lvm::with_plan(&plan, &sizes, SectorSize::B512);
        lvm.accepts();
        let said = lvm
            .run("lvs", &["--noheadings", "-olv_uuid,lv_name,lv_host", "v"])
            .unwrap();
        let known = "abcdef-1234-ABCD-9876-zzzz-0000-QWERTY a-b..c";
        // What has no time has no host either.
        let host = if seconds > 0 { " a host: #{}=" } else { "" };
        assert_eq!(said.trim(), format!("{known}{host}"));
        lvm.create(&Asked::new("more", "1", 1)).unwrap();
        lvm.accepts();
    }
}

/// A group whose text just fits, and can still be changed.
#[test]
fn the_longest_metadata_can_be_changed() {
    if !is_root() {
        return;
    }
    let sizes = [64 * MIB];
    let tagged = |tags: usize| {
        let mut asked = request(&sizes, &[Asked::new("a", "3", 1)]);
        let tag = |number| format!("{number:01000}");
        asked.volumes[0].tags = (0..tags).map(tag).collect();
        plan(asked)
    };
    let tags = (1..).find(|tags| tagged(*tags).is_err()).unwrap() - 1;
    assert!(tags > 500, "{tags}");
    let error = tagged(tags + 1).unwrap_err();
    assert!(error.to_string().contains("metadata areas hold"), "{error}");
    let lvm = Lvm::with_plan(&tagged(tags).unwrap(), &sizes, SectorSize::B512);
    lvm.accepts();
    for name in ["b", "c"] {
        lvm.run(
            "lvrename",
            &["v", if name == "b" { "a" } else { "b" }, name],
        )
        .unwrap();
        lvm.accepts();
    }
    let size = Bytes::new(sizes[0]);
    assert_eq!(tagged(1).unwrap().members()[0].size, size);
}
