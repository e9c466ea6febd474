//! Images of which something lies between the partitions and the filesystems, as hdds.json describes
//! them: the machine opens all of it, reads what was put in, writes on, and checks it clean.

use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::MIB;
use testkit::log::accepted;
use testkit::program::{arguments, run};

use crate::checkers::{self, Volume};
use crate::world::World;

use super::machine::{self, Writes, activate_lvm, open_luks, open_verity};

const KEY: &str = "correct horse";

/// The second key is all bytes of a file.
const FILE_KEY: &[u8] = b"\xff\0battery\nstaple\n";

/// Costs that take little time.
const CHEAP: &str = r#""pbkdf": "argon2id", "memory": "1M", "lanes": 2"#;

/// What goes into every filesystem.
const CONTENTS: &str = r#""contents": [{"directory": "tree"}]"#;

fn keys() -> String {
    format!(
        r#""keys": [{{"password": "{KEY}", {CHEAP}}},
                   {{"source": "key", "pbkdf": "pbkdf2", "iterations": 1000}}]"#
    )
}

/// A container on a disk of its own, with a filesystem.
fn encrypted(name: &str, options: &str, filesystem: &str) -> String {
    let keys = keys();
    format!(
        r#"{{"name": "{name}", "size": "96M", "labels": ["gpt"], "parts": [
            {{"type": "p", {filesystem}, {CONTENTS}, "luks": {{{options} {keys}}}}}]}}"#
    )
}

/// All groups. Names of volumes have hyphens, and extents aren't those that everybody has.
fn groups() -> String {
    let keys = keys();
    let ext4 = r#""filesystem": "ext4""#;
    let groups = [
        format!(
            r#"{{"name": "lvm", "size": "160M", "labels": ["mbr"], "parts": [
                {{"type": "p", "size": "61M", "holds": "vg-0", "mbr_type": "lvm"}},
                {{"type": "e"}},
                {{"type": "l", "holds": "vg-0", "mbr_type": "lvm"}}],
              "volume_groups": [{{"name": "vg-0", "extent_size": "1M"}}],
              "volumes": [
                {{"group": "vg-0", "name": "linear", "size": "50%VG", {ext4}, {CONTENTS}}},
                {{"group": "vg-0", "name": "stri-ped", "size": "24M", "stripes": 2, {ext4}, {CONTENTS}}},
                {{"group": "vg-0", "name": "swap", "filesystem": "swap"}}]}}"#
        ),
        encrypted("luks2", r#""label": "two", "allow_discards": true,"#, ext4),
        // Blocks of 1024 bytes need sectors of 512.
        encrypted(
            "small",
            r#""sector_size": 512, "key_bits": 256,"#,
            r#""filesystem": "ext4", "mkfs": {"block-size": "1024"}"#,
        ),
        format!(
            r#"{{"name": "luks1", "size": "96M", "labels": ["gpt"], "parts": [
                {{"type": "p", {ext4}, {CONTENTS}, "luks": {{"version": 1, "keys": [
                  {{"password": "{KEY}", "iterations": 1000}}, {{"source": "key", "iterations": 1000}}]}}}}]}}"#
        ),
        format!(
            r#"{{"name": "inside", "size": "auto+8M", "labels": ["gpt"], "parts": [
                {{"type": "p", "holds": "inner", "luks": {{{keys}}}}}],
              "volumes": [
                {{"group": "inner", "name": "a", {ext4}, {CONTENTS}}},
                {{"group": "inner", "name": "b", "size": "24M", {ext4}, {CONTENTS}}}]}}"#
        ),
        format!(
            r#"{{"name": "around", "size": "96M", "labels": ["gpt"], "parts": [
                {{"type": "p", "holds": "outer"}}],
              "volumes": [
                {{"group": "outer", "name": "c", {ext4}, {CONTENTS}, "luks": {{{keys}}}}}]}}"#
        ),
        format!(
            r#"{{"name": "verity", "size": "auto", "labels": ["gpt"], "parts": [
                {{"type": "p", "size": "12M", "filesystem": "erofs", "gpt_type": "root-x86-64", {CONTENTS}}},
                {{"type": "p", "verity": {{"part": 1}}, "gpt_type": "root-x86-64-verity"}}]}}"#
        ),
        several_disks(),
    ];
    groups.join(",\n")
}

/// A group on two disks, one of which is encrypted.
fn several_disks() -> String {
    let keys = keys();
    format!(
        r#"{{"name": "first", "size": "48M", "labels": ["gpt"], "parts": [
            {{"type": "p", "holds": "wide"}}],
          "volumes": [
            {{"group": "wide", "name": "striped", "size": "32M", "stripes": 2, "filesystem": "ext4", {CONTENTS}}},
            {{"group": "wide", "name": "sealed", "size": "32M", "stripes": 2, "filesystem": "ext4", {CONTENTS},
              "luks": {{"seed": "s", {keys}}}}},
            {{"group": "wide", "name": "rest", "filesystem": "ext4", {CONTENTS}}}]}},
          {{"name": "second", "size": "64M", "labels": ["none"], "volumes_of": "first", "parts": [
            {{"holds": "wide", "luks": {{{keys}}}}}]}}"#
    )
}

fn world(groups: &str) -> World {
    let world = World::new(groups, "", "");
    let uploads = world.root().join("uploads");
    fs::create_dir_all(uploads.join("tree/d")).unwrap();
    // Neither ends with a block.
    fs::write(uploads.join("tree/file"), vec![b'x'; 5_000_001]).unwrap();
    fs::write(uploads.join("tree/d/zeroes"), vec![0; 300_001]).unwrap();
    fs::write(uploads.join("key"), FILE_KEY).unwrap();
    world
}

/// Reads the files, and where that is possible writes to the filesystem and checks it, before and after.
fn used(device: &str, sums: &str) -> String {
    format!(
        "e2fsck -fn {device} > /dev/null\nmount {device} /mnt\n\
         (cd /mnt; echo '{sums}' | md5sum -c)\n\
         dd if=/dev/zero bs=1M count=4 2> /dev/null | tr '\\0' y > /mnt/more\numount /mnt\n\
         e2fsck -fn {device} > /dev/null\nmount -o ro {device} /mnt\n\
         (cd /mnt; echo '{sums}' | md5sum -c)\nmd5sum < /mnt/more\numount /mnt\n"
    )
}

/// The lines that `md5sum -c` takes.
fn sums(world: &World) -> String {
    let tree = world.root().join("uploads/tree");
    let files = ["file", "d/zeroes"].map(|name| tree.join(name));
    let paths = [files[0].as_path(), &files[1]];
    let said = run("md5sum", &arguments(&[], &paths)).unwrap();
    said.replace(&format!("{}/", tree.display()), "")
        .trim()
        .to_owned()
}

/// The root hash that the run has told.
fn root_hash(world: &World) -> String {
    let run = world.run("--json verity").expect(0);
    let lines = run.stdout.lines();
    let mut events = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let hash = events.find_map(|event| Some(event["root_hash"].as_str()?.to_owned()));
    hash.unwrap_or_else(|| panic!("{}", run.stdout))
}

#[test]
fn a_kernel_opens_every_layer() {
    let world = world(&groups());
    world.run("all").expect(0);
    let root = root_hash(&world);
    let (sums, key) = (sums(&world), KEY.as_bytes());
    let swap = "swapon /dev/vg-0/swap\nswapoff /dev/vg-0/swap\n";
    let volumes = used("/dev/vg-0/linear", &sums) + &used("/dev/vg-0/stri-ped", &sums) + swap;
    let inner = used("/dev/inner/a", &sums) + &used("/dev/inner/b", &sums);
    let sealed = used("/dev/mapper/sealed", &sums);
    let wide = [
        used("/dev/wide/striped", &sums),
        used("/dev/wide/rest", &sums),
        open_luks("/dev/wide/sealed", "sealed", key, &sealed),
    ];
    let opened = used("/dev/mapper/opened", &sums);
    let erofs = format!(
        "mount -o ro /dev/mapper/root /mnt\n(cd /mnt; echo '{sums}' | md5sum -c)\numount /mnt"
    );
    let script = [
        activate_lvm("vg-0", &volumes),
        open_luks("/dev/vdb1", "opened", key, &opened),
        open_luks("/dev/vdc1", "opened", FILE_KEY, &opened),
        open_luks("/dev/vdd1", "opened", key, &opened),
        open_luks("/dev/vde1", "pv", FILE_KEY, &activate_lvm("inner", &inner)),
        activate_lvm("outer", &open_luks("/dev/outer/c", "opened", key, &opened)),
        open_verity(["/dev/vdg1", "/dev/vdg2"], "root", &root, "", &erofs),
        open_luks(
            "/dev/vdi",
            "second",
            key,
            &activate_lvm("wide", &wide.concat()),
        ),
    ];
    let names = [
        "lvm", "luks2", "small", "luks1", "inside", "around", "verity", "first", "second",
    ];
    let disks = names.map(|name| world.path(&format!("disk_{name}.img")));
    let disks: Vec<&Path> = disks.iter().map(|path| path.as_path()).collect();
    let said = machine::run(&disks, Writes::Dropped, &script.concat());
    assert_eq!(said.matches("file: OK").count(), 11 * 2 + 1, "{said}");
    assert_eq!(said.matches("zeroes: OK").count(), 11 * 2 + 1, "{said}");
    for (program, some) in [
        ("cryptsetup", &names[1..6]),
        ("lvm", &names[..1]),
        ("lvm", &names[7..]),
    ] {
        for name in some {
            accepted(program, &world.path(&format!("disk_{name}.img")));
        }
    }
    accepted("veritysetup", &world.path("disk_verity.img"));
}

/// The only partition of an image, or the first one, as a file.
fn first_partition(image: &Path) -> Volume {
    let table = checkers::table(image).unwrap();
    Volume::of_partition(image, &table.entries[0])
}

#[test]
fn a_seed_gives_the_same_bytes_and_nothing_else_does() {
    let of = |name: &str, seed: &str| {
        let keys = keys();
        format!(
            r#"{{"name": "{name}", "size": "40M", "labels": ["gpt"], "parts": [
                {{"type": "p", "filesystem": "ext4", {CONTENTS}, "luks": {{{seed} {keys}}}}}]}}"#
        )
    };
    let groups = [of("seeded", r#""seed": "s","#), of("random", "")];
    let world = world(&groups.join(","));
    let bytes = |jobs: u32, name: &str| {
        world.run(&format!("-j {jobs} {name}")).expect(0);
        fs::read(world.path(&format!("disk_{name}.img"))).unwrap()
    };
    let seeded = bytes(1, "seeded");
    assert!(
        seeded == bytes(4, "seeded"),
        "the same seed gives other bytes"
    );
    let random = bytes(1, "random");
    assert!(random != bytes(1, "random"), "keys aren't random");
    let told = world.run("plan seeded").expect(0);
    told.says(["whoever knows this seed"]);
}

#[test]
fn what_is_written_in_clear_is_nowhere_and_holes_stay_holes() {
    let encrypts_all = encrypted("full", r#""zeroes": true,"#, r#""filesystem": "ext4""#);
    let sparse = encrypted("sparse", "", r#""filesystem": "ext4""#);
    let world = world(&[encrypts_all, sparse].join(","));
    world.run("all").expect(0);
    for name in ["full", "sparse"] {
        let volume = first_partition(&world.path(&format!("disk_{name}.img")));
        let bytes = fs::read(&*volume).unwrap();
        assert!(
            !bytes.windows(32).any(|it| it == [b'x'; 32]),
            "{name}: the file is in it"
        );
        // What is no whole sector at the end belongs to nobody.
        let data = &bytes[16 << 20..];
        let holes = data
            .chunks_exact(4096)
            .filter(|it| it.iter().all(|byte| *byte == 0))
            .count();
        match name {
            "full" => assert_eq!(holes, 0),
            _ => assert!(
                holes as u64 * 4096 > 50 * MIB,
                "only {holes} blocks are holes"
            ),
        }
    }
}

#[test]
fn every_format_has_the_same_disk() {
    let keys = keys();
    let group = format!(
        r#"{{"name": "many", "size": "64M", "labels": ["gpt"], "formats": ["raw", "qcow2", "vmdk", "vhdx"],
            "format_options": {{"compression_type": "zstd"}},
            "parts": [
              {{"type": "p", "size": "40M", "holds": "vg", "luks": {{{keys}}}}},
              {{"type": "p", "size": "8M", "filesystem": "erofs", "gpt_type": "root-x86-64", {CONTENTS}}},
              {{"type": "p", "verity": {{"part": 2}}, "gpt_type": "root-x86-64-verity"}}],
            "volumes": [{{"group": "vg", "name": "a", "filesystem": "ext4", {CONTENTS}}}]}}"#
    );
    let world = world(&group);
    world.run("many").expect(0);
    let raw = world.path("disk_many.img");
    for extension in ["qcow2", "vmdk", "vhdx"] {
        let other = world.path(&format!("disk_many.{extension}"));
        run("qemu-img", &arguments(&["compare"], &[&raw, &other])).unwrap();
        accepted("qemu-img", &other);
    }
}

#[test]
fn disks_of_one_group_are_made_together_or_alone() {
    let encrypted = several_disks();
    // Random keys would be others each time.
    let open = encrypted.replace(&format!(r#", "luks": {{{}}}"#, keys()), "");
    assert_ne!(open, encrypted);
    let world = world(&open);
    let read = || {
        ["first", "second"].map(|name| fs::read(world.path(&format!("disk_{name}.img"))).unwrap())
    };
    world.run("all").expect(0);
    let together = read();
    for name in ["second", "first"] {
        world.run(name).expect(0);
    }
    assert!(together == read(), "an image is another one alone");
    let plan = world.run("plan second").expect(0);
    for part in [
        "wide/striped",
        "of 2 parts 1 on other images",
        "part 2 of the group 'wide'",
    ] {
        assert!(plan.stdout.contains(part), "{plan:?}");
    }
}
