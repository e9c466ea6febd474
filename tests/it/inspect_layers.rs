//! `inspect` of what lies between partitions and filesystems: containers of LUKS, groups of LVM2 and hash
//! trees of dm-verity, those of createhdds and those of the programs that they are from.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde_json::{Value, json};
use testkit::mount::LoopDevice;
use testkit::program::{arguments, command, run};
use testkit::root::is_root;

use crate::inspect::{json_of, through_pipe};
use crate::world::World;

/// What a key costs in tests: next to nothing.
const FEW: &str = r#""pbkdf": "pbkdf2", "iterations": 1000"#;

/// Containers and groups in each other: a container with a group, and a container in one of its volumes.
fn layered() -> World {
    let group = format!(
        r#"{{"name": "box", "size": "auto", "labels": ["gpt"],
            "parts": [{{"type": "p", "holds": "outer",
                "luks": {{"label": "box", "keys": [{{"password": "first", {FEW}}}]}}}}],
            "volumes": [
                {{"group": "outer", "name": "a", "filesystem": "ext4", "mkfs": {{"journal": "none"}},
                  "contents": [{{"path": "/dir/file", "content": "text"}}]}},
                {{"group": "outer", "name": "b", "filesystem": "ext2",
                  "luks": {{"version": 1, "keys": [{{"password": "second", "iterations": 1000}}]}},
                  "contents": [{{"path": "/deep", "content": "deeper"}}]}}]}}"#
    );
    made(&group, "box")
}

/// A world with the image of this group, and the keys `first` and `second`.
fn made(group: &str, name: &str) -> World {
    let world = World::new(group, "", "");
    world.run(name).expect(0);
    for key in ["first", "second"] {
        fs::write(world.path(&format!("{key}.key")), key).unwrap();
    }
    world
}

fn image_of(world: &World) -> String {
    let mut names = world.names().into_iter();
    names.find(|name| !name.ends_with(".key")).unwrap()
}

fn only(document: &Value) -> &Value {
    &document["images"][0]
}

#[test]
fn locked_containers_tell_what_their_headers_say() {
    let world = layered();
    let image = image_of(&world);
    let document = json_of(&world, &image, 0);
    let partition = &only(&document)["partitions"][0];
    assert_eq!(partition["filesystem"]["kind"], "crypto_LUKS");
    let luks = &partition["luks"];
    let dump = run(
        "cryptsetup",
        &arguments(
            &["luksDump", "--dump-json-metadata"],
            &[&of_partition(&world, 0)],
        ),
    );
    let dump: Value = serde_json::from_str(&dump.unwrap()).unwrap();
    let segment = &dump["segments"]["0"];
    assert_eq!(luks["cipher"], segment["encryption"]);
    assert_eq!(luks["sector_size"], segment["sector_size"]);
    assert_eq!(
        luks["data_offset"].to_string(),
        segment["offset"].as_str().unwrap()
    );
    assert_eq!(
        (&luks["version"], &luks["label"]),
        (&json!(2), &json!("box"))
    );
    assert_eq!(
        luks["slots"],
        json!([{"number": 0, "kdf": "pbkdf2-sha256 (1000 iterations)"}])
    );
    assert_eq!(
        (&luks["opened"], &luks["filesystem"], &luks["lvm"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(only(&document)["groups"], json!([]));
    let text = world.run(&format!("inspect {image}")).expect(0).stdout;
    for part in [
        "  partition 1: crypto_LUKS, ",
        "    LUKS 2, label 'box', aes-xts-plain64 with a key of 512 bits",
        "    key slot 0: pbkdf2-sha256 (1000 iterations)",
        "\n    locked\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    world
        .run(&format!("inspect --cat /dir/file {image}"))
        .expect(3)
        .says(["a container is locked, and --key-file would open it"]);
}

/// The bytes of a partition of the only image, in a file beside it.
fn of_partition(world: &World, index: usize) -> std::path::PathBuf {
    let image = image_of(world);
    let document = json_of(world, &image, 0);
    let partition = &only(&document)["partitions"][index];
    let number = |key: &str| partition[key].as_u64().unwrap() * 512;
    let bytes = fs::read(world.path(&image)).unwrap();
    let start = number("first") as usize;
    let path = world.root().join(format!("partition-{index}"));
    fs::write(&path, &bytes[start..start + number("sectors") as usize]).unwrap();
    path
}

#[test]
fn keys_open_what_is_in_each_other() {
    let world = layered();
    let image = image_of(&world);
    let keys = "--key-file second.key --key-file first.key";
    let document = json_of(&world, &format!("--tree {keys} {image}"), 0);
    let shown = only(&document);
    let luks = &shown["partitions"][0]["luks"];
    assert_eq!(
        (&luks["opened"]["key_file"], &luks["opened"]["slot"]),
        (&json!("first.key"), &json!(0))
    );
    assert_eq!(
        (&luks["lvm"]["group"], &luks["lvm"]["part"]),
        (&json!("outer"), &json!(0))
    );
    let group = &shown["groups"][0];
    assert_eq!(
        (&group["name"], &group["extent_size"]),
        (&json!("outer"), &json!(4 << 20))
    );
    let member = &group["physical_volumes"][0];
    assert_eq!(
        (&member["missing"], &member["partition"]),
        (&json!(false), &json!(1))
    );
    let [a, b] = group["volumes"].as_array().unwrap().as_slice() else {
        panic!("{group}")
    };
    assert_eq!((&a["name"], &b["name"]), (&json!("a"), &json!("b")));
    let segment = &a["segments"][0];
    assert_eq!(
        (&segment["type"], &segment["start"], &segment["size"]),
        (&json!("linear"), &json!(0), &a["size"])
    );
    assert_eq!(segment["areas"][0]["part"], 0);
    let has = |filesystem: &Value, path: &str| {
        let tree = filesystem["tree"].as_array().unwrap();
        tree.iter().any(|entry| entry["path"] == path)
    };
    assert!(has(&a["filesystem"], "/dir/file"), "{a}");
    assert_eq!(b["luks"]["opened"]["key_file"], "second.key");
    assert!(has(&b["luks"]["filesystem"], "/deep"), "{b}");
    all_keys_are_documented(&document);
    let text = world
        .run(&format!("inspect --tree {keys} {image}"))
        .expect(0)
        .stdout;
    for part in [
        "    opened by 'first.key', which is in key slot 0",
        "  partition 1, opened: LVM2_member",
        "  group outer: ",
        "  volume outer/a: ext4",
        "  volume outer/b, opened: ext2",
        "/dir/file",
        "/deep",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for (line, what) in [
        ("--volume a --cat /dir/file", "text"),
        ("--volume outer/b --cat /deep", "deeper"),
        ("--volume b --part 1 --cat deep", "deeper"),
    ] {
        let line = format!("inspect {keys} {line} {image}");
        world.run(&line).expect(0).prints(what);
    }
    // Without the second key, there is one filesystem.
    let line = format!("inspect --key-file first.key --cat /dir/file {image}");
    world.run(&line).expect(0).prints("text");
}

#[test]
fn volumes_are_chosen() {
    let world = layered();
    let image = image_of(&world);
    let keys = "--key-file first.key --key-file second.key";
    let document = json_of(&world, &format!("--volume b {keys} {image}"), 0);
    let shown = only(&document);
    assert_eq!(shown["partitions"], json!([]));
    let volumes = shown["groups"][0]["volumes"].as_array().unwrap();
    assert_eq!((volumes.len(), &volumes[0]["name"]), (1, &json!("b")));
    for (line, message) in [
        (
            "--volume c",
            "there is no logical volume 'c'; there are volume outer/a, volume outer/b",
        ),
        ("--volume inner/a", "there is no logical volume 'inner/a'"),
        ("--cat /dir/file", "there are several filesystems"),
        ("--volume a --cat /deep", "there is no '/deep'"),
        ("--part 1 --volume a --cat /dir", "'/dir' is a directory"),
    ] {
        let line = format!("inspect {line} {keys} {image}");
        world.run(&line).expect(3).says([message]);
    }
    let line = format!("inspect --volume a {image}");
    world
        .run(&line)
        .expect(3)
        .says(["there is no logical volume 'a'"]);
}

#[test]
fn keys_that_open_nothing_are_told() {
    let world = layered();
    let image = image_of(&world);
    fs::write(world.path("line.key"), "first\n").unwrap();
    let said = "the passphrase opens none of the key slots 0";
    let line = format!("--key-file line.key {image}");
    let document = json_of(&world, &line, 3);
    let luks = &only(&document)["partitions"][0]["luks"];
    assert!(luks["error"].as_str().unwrap().contains(said), "{luks}");
    assert_eq!(luks["opened"], Value::Null);
    let text = world.run(&format!("inspect {line}")).expect(3).stdout;
    assert!(text.contains(&format!("error: {said}")), "{text}");
    // One container is open, the other one stays locked.
    let text = world
        .run(&format!("inspect --key-file first.key {image}"))
        .expect(3)
        .stdout;
    assert!(
        text.contains("volume outer/a: ext4") && text.contains(said),
        "{text}"
    );
    let line = format!("inspect --key-file first.key --key-file line.key --volume b {image}");
    let text = world.run(&line).expect(3).stdout;
    assert!(text.contains("none of the 2 keys opens it"), "{text}");
    fs::write(world.path("empty.key"), "").unwrap();
    for (key, message) in [
        ("none.key", "can't read the key file 'none.key'"),
        ("empty.key", "it is empty"),
    ] {
        world
            .run(&format!("inspect --key-file {key} {image}"))
            .expect(3)
            .says([message]);
    }
    world
        .run("inspect --key-file - -")
        .expect(3)
        .says(["standard input is read once"]);
    let line = format!("inspect --key-file - --volume a --cat /dir/file {image}");
    through_pipe(&world, &line, b"first".to_vec())
        .expect(0)
        .prints("text");
    fs::create_dir(world.root().join("empty")).unwrap();
    world.run("make-fs ../empty plain.img").expect(0);
    world
        .run("inspect --key-file first.key plain.img")
        .expect(3)
        .says(["there is no container of LUKS that a key could open"]);
}

/// What would go on without an end is left at a depth.
#[test]
fn depth_has_an_end() {
    let luks = format!(r#""luks": {{"keys": [{{"password": "first", {FEW}}}]}}"#);
    let inner = |group: u32| {
        let next = group + 1;
        format!(r#"{{"group": "g{group}", "name": "v", "holds": "g{next}", {luks}}},"#)
    };
    let group = format!(
        r#"{{"name": "deep", "size": "auto", "labels": ["mbr"],
            "parts": [{{"type": "p", "holds": "g1", {luks}}}],
            "volumes": [{}
                {{"group": "g4", "name": "plain", "filesystem": "ext2",
                  "contents": [{{"path": "/f", "content": "here"}}]}},
                {{"group": "g4", "name": "v", "filesystem": "ext2", {luks}}}]}}"#,
        (1..4).map(inner).collect::<String>()
    );
    let world = made(&group, "deep");
    let image = image_of(&world);
    world
        .run(&format!(
            "inspect --key-file first.key --volume plain --cat f {image}"
        ))
        .expect(0)
        .prints("here");
    let text = world
        .run(&format!("inspect --key-file first.key {image}"))
        .expect(3)
        .stdout;
    assert!(
        text.contains("it is in 8 others, which is as deep"),
        "{text}"
    );
    assert!(text.contains("volume g4/plain: ext2"), "{text}");
    world
        .run(&format!("inspect --key-file first.key --volume v {image}"))
        .expect(3)
        .says(["there are several logical volumes 'v'", "g1/v"]);
}

/// A filesystem that cryptsetup itself has encrypted.
#[test]
fn what_cryptsetup_encrypts_is_looked_into() {
    let world = World::new("", "", "");
    let tree = world.root().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("f"), "content").unwrap();
    world.run("make-fs ../tree a.img").expect(0);
    let image = world.path("a.img");
    let len = fs::metadata(&image).unwrap().len();
    let file = File::options().write(true).open(&image).unwrap();
    file.set_len(len + (32 << 20)).unwrap();
    fs::write(world.path("key"), "a\0b\n").unwrap();
    let key = world.path("key");
    let options = [
        "reencrypt",
        "--encrypt",
        "--batch-mode",
        "--type",
        "luks2",
        "--reduce-device-size",
        "32M",
        "--pbkdf",
        "argon2id",
        "--pbkdf-memory",
        "1024",
        "--pbkdf-force-iterations",
        "4",
        "--pbkdf-parallel",
        "2",
        "--key-file",
        key.to_str().unwrap(),
    ];
    run("cryptsetup", &arguments(&options, &[&image])).unwrap();
    world
        .run("inspect --key-file key --cat f a.img")
        .expect(0)
        .prints("content");
    let document = json_of(&world, "--key-file key a.img", 0);
    let luks = &only(&document)["partitions"][0]["luks"];
    assert_eq!(luks["filesystem"]["kind"], "ext4");
    assert_eq!(
        luks["slots"][0]["kdf"],
        "argon2id (1024 KiB, 4 iterations, 2 lanes)"
    );
    // The first header is lost, and what is read of the second one opens the container.
    let file = File::options().write(true).open(&image).unwrap();
    file.write_all_at(&[0; 4096], 0).unwrap();
    let document = json_of(&world, "--key-file key a.img", 0);
    let luks = &only(&document)["partitions"][0]["luks"];
    assert_eq!(
        (&luks["header_offset"], &luks["filesystem"]["kind"]),
        (&json!(16384), &json!("ext4"))
    );
    // And the second one too.
    file.write_all_at(&[0; 512], 16384 + 4096).unwrap();
    let text = world.run("inspect --key-file key a.img");
    assert_eq!(text.status, Some(3), "{text:?}");
}

/// LVM2 without devices but these.
struct Lvm<'a> {
    directory: &'a Path,
    devices: Vec<LoopDevice>,
}

impl<'a> Lvm<'a> {
    fn new(directory: &'a Path, images: &[&Path]) -> Self {
        let devices: Vec<_> = images
            .iter()
            .map(|image| LoopDevice::new(image, "512"))
            .collect();
        let accepted = devices
            .iter()
            .map(|device| format!("\"a|^{}$|\", ", device.path.display()));
        let text = format!(
            "devices {{ filter = [ {}\"r|.*|\" ] use_devicesfile = 0 \
             obtain_device_list_from_udev = 0 md_component_detection = 0 }}\n\
             global {{ locking_dir = \"{}\" use_lvmpolld = 0 }}\n\
             activation {{ udev_sync = 0 udev_rules = 0 monitoring = 0 }}\n\
             backup {{ backup = 0 archive = 0 }}\n",
            accepted.collect::<String>(),
            directory.join("lock").display()
        );
        fs::write(directory.join("lvm.conf"), text).unwrap();
        Self { directory, devices }
    }

    fn run(&self, program: &str, line: &str) -> String {
        let output = command(program)
            .env("LVM_SYSTEM_DIR", self.directory)
            .env("LVM_SUPPRESS_FD_WARNINGS", "1")
            .args(["--driverloaded", "n"])
            .args(line.split_whitespace())
            .output()
            .unwrap_or_else(|error| panic!("{program} can't be run, see scripts/setup: {error}"));
        assert!(output.status.success(), "{program} {line}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// A group on two disks that LVM2 has made: each alone tells what is missing.
#[test]
fn what_lvm_makes_is_looked_into() {
    if !is_root() {
        return;
    }
    let world = World::new("", "", "");
    let tree = world.root().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("f"), "content").unwrap();
    world.run("make-fs ../tree fs.img").expect(0);
    let content = fs::read(world.path("fs.img")).unwrap();
    let images = ["one.img", "two.img"].map(|name| world.path(name));
    for image in &images {
        File::create(image).unwrap().set_len(64 << 20).unwrap();
    }
    let [one, two] = &images;
    let lvm = Lvm::new(world.root(), &[one, two]);
    let paths: Vec<_> = lvm
        .devices
        .iter()
        .map(|it| it.path.display().to_string())
        .collect();
    let [first, second] = &paths[..] else {
        panic!("{paths:?}")
    };
    lvm.run("vgcreate", &format!("v {first} {second}"));
    let options = "--activate n --zero n --wipesignatures n --yes";
    lvm.run(
        "lvcreate",
        &format!("{options} --name here --extents 4 v {first}"),
    );
    lvm.run(
        "lvcreate",
        &format!("{options} --name there --extents 3 v {second}"),
    );
    lvm.run(
        "lvcreate",
        &format!("{options} --name both --extents 4 --stripes 2 v"),
    );
    lvm.run(
        "lvcreate",
        &format!("{options} --name files --extents 2 --addtag t v {first}"),
    );
    let fields = "--noheadings --nosuffix --units b -o";
    let start = lvm.run("pvs", &format!("{fields} pe_start {first}"));
    let range = lvm.run("lvs", &format!("{fields} seg_pe_ranges v/files"));
    let extent = range.split_once(':').unwrap().1.split_once('-').unwrap().0;
    let number = |text: &str| text.parse::<u64>().unwrap();
    let uuid = lvm.run("lvs", &format!("{fields} lv_uuid v/files"));
    drop(lvm);
    let offset = number(&start) + number(extent) * (4 << 20);
    let file = File::options().write(true).open(one).unwrap();
    file.write_all_at(&content[..content.len().min(8 << 20)], offset)
        .unwrap();
    world
        .run("inspect --volume files --cat f one.img")
        .expect(0)
        .prints("content");
    let document = json_of(&world, "one.img", 0);
    let group = &only(&document)["groups"][0];
    assert_eq!(only(&document)["partitions"][0]["lvm"]["part"], 0);
    let missing = group["physical_volumes"].as_array().unwrap().iter();
    let missing: Vec<_> = missing.map(|member| member["missing"].clone()).collect();
    assert_eq!(missing, [json!(false), json!(true)]);
    let volume = |name: &str| {
        let volumes = group["volumes"].as_array().unwrap().iter();
        volumes
            .clone()
            .find(|volume| volume["name"] == name)
            .unwrap()
    };
    let files = volume("files");
    assert_eq!(
        (&files["uuid"], &files["tags"]),
        (&json!(uuid), &json!(["t"]))
    );
    assert_eq!(files["segments"][0]["areas"][0]["offset"], offset);
    assert_eq!(files["filesystem"]["kind"], "ext4");
    assert_eq!(volume("here")["filesystem"], Value::Null);
    let both = &volume("both")["segments"][0];
    assert_eq!(
        (&both["type"], both["areas"].as_array().unwrap().len()),
        (&json!("striped"), 2)
    );
    for name in ["there", "both"] {
        let error = volume(name)["filesystem"]["error"].as_str().unwrap();
        assert!(error.contains("is missing"), "{error}");
        let line = format!("inspect --volume {name} one.img");
        world.run(&line).expect(3);
    }
    let text = world.run("inspect one.img").expect(0).stdout;
    for part in [
        "    physical volume 1 of 2 in the group 'v'",
        "  group v: warning: physical volume 'pv1' is missing",
        "    pv1: 64 MiB, missing",
        "stripes of 64 KiB on pv0 from ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// The same metadata says that a volume is all of the disk it is on, and so on without an end.
#[test]
fn a_volume_that_holds_itself_ends() {
    let group = r#"{"name": "loop", "size": "16M", "labels": ["mbr"], "parts": [{"type": "p", "holds": "g"}],
        "volumes": [{"group": "g", "name": "v", "filesystem": "none", "extents": 1}]}"#;
    let world = made(group, "loop");
    let image = image_of(&world);
    let path = world.path(&image);
    let mut bytes = fs::read(&path).unwrap();
    let document = json_of(&world, &image, 0);
    let start = only(&document)["partitions"][0]["first"].as_u64().unwrap() as usize * 512;
    let label = start + 512;
    assert_eq!(&bytes[label..label + 8], b"LABELONE");
    // Its first extent is where the label is.
    let area = start + 4096;
    let at = |bytes: &[u8], at: usize| {
        u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
    };
    let (offset, len) = (at(&bytes, area + 40), at(&bytes, area + 48));
    let text = &mut bytes[area + offset..area + offset + len];
    let wanted = b"pe_start = ";
    let place = text
        .windows(wanted.len())
        .position(|it| it == wanted)
        .unwrap()
        + wanted.len();
    let digits = text[place..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    text[place..place + digits].fill(b' ');
    text[place] = b'0';
    let sum = checksum(text);
    bytes[area + 56..area + 60].copy_from_slice(&sum.to_le_bytes());
    let sum = checksum(&bytes[area + 4..area + 512]);
    bytes[area..area + 4].copy_from_slice(&sum.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let document = json_of(&world, &image, 0);
    let volume = &only(&document)["groups"][0]["volumes"][0];
    assert_eq!(volume["filesystem"]["kind"], "LVM2_member", "{document:#}");
    assert_eq!(
        (&volume["lvm"]["group"], &volume["lvm"]["spare"]),
        (&json!("g"), &json!(true))
    );
    assert_eq!(only(&document)["groups"].as_array().unwrap().len(), 1);
}

/// The CRC-32 of LVM, which is inverted neither before nor behind.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0xF597_A6CF, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 0 { 0 } else { 0xEDB8_8320 }
        })
    })
}

/// A root and its hash tree.
fn protected() -> World {
    let group = r#"{"name": "root", "size": "auto", "labels": ["gpt"], "parts": [
        {"type": "p", "size": "1M", "filesystem": "none"},
        {"type": "p", "size": "4M", "filesystem": "ext2", "gpt_type": "root-x86-64",
         "contents": [{"path": "/f", "content": "data"}]},
        {"type": "p", "size": "1M", "filesystem": "none"},
        {"type": "p", "gpt_type": "root-x86-64-verity", "verity": {"part": 2}}]}"#;
    made(group, "root")
}

#[test]
fn hash_trees_are_held_against_their_data() {
    let world = protected();
    let image = image_of(&world);
    let document = json_of(&world, &image, 0);
    let tree = &only(&document)["partitions"][3]["verity"];
    assert_eq!(
        (&tree["data"], &tree["uuids_match"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(
        (&tree["verified"], &tree["algorithm"]),
        (&Value::Null, &json!("sha256"))
    );
    let root = tree["root_hash"].as_str().unwrap();
    let (data, hash) = (of_partition(&world, 1), of_partition(&world, 3));
    let options = arguments(&["verify"], &[&data, &hash]);
    let options = [&options[..], &[root.as_ref()]].concat();
    run("veritysetup", &options).unwrap();
    let dump = run("veritysetup", &arguments(&["dump"], &[&hash])).unwrap();
    for key in ["uuid", "salt"] {
        assert!(dump.contains(tree[key].as_str().unwrap()), "{key}: {dump}");
    }
    let line = format!("--verify {image}");
    let document = json_of(&world, &line, 0);
    let tree = &only(&document)["partitions"][3]["verity"];
    assert_eq!(
        (&tree["verified"], &tree["mismatch"]),
        (&json!(true), &Value::Null)
    );
    let text = world.run(&format!("inspect {line}")).expect(0).stdout;
    for part in [
        "partition 4: hash tree of dm-verity",
        "of partition 2, the UUIDs match",
        "verified: ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // A byte of the data.
    let first = only(&document)["partitions"][1]["first"].as_u64().unwrap();
    let file = File::options()
        .write(true)
        .open(world.path(&image))
        .unwrap();
    file.write_all_at(b"x", first * 512 + 3 * 4096 + 7).unwrap();
    let document = json_of(&world, &line, 3);
    let tree = &only(&document)["partitions"][3]["verity"];
    assert_eq!(tree["verified"], false);
    let said = tree["mismatch"].as_str().unwrap();
    assert!(said.starts_with("block 3 of the data"), "{said}");
    let text = world.run(&format!("inspect {line}")).expect(3).stdout;
    assert!(text.contains("error: block 3 of the data"), "{text}");
    all_keys_are_documented(&document);
    // Without being asked nothing is read.
    json_of(&world, &image, 0);
}

/// A tree by veritysetup, alone in its file.
#[test]
fn a_hash_tree_alone() {
    let world = World::new("", "", "");
    let [data, hash] = ["data.img", "hash.img"].map(|name| world.path(name));
    fs::write(&data, vec![7; 1 << 20]).unwrap();
    run("veritysetup", &arguments(&["format"], &[&data, &hash])).unwrap();
    let document = json_of(&world, "hash.img", 0);
    let tree = &only(&document)["partitions"][0]["verity"];
    assert_eq!(
        (&tree["data_blocks"], &tree["data"]),
        (&json!(256), &Value::Null)
    );
    assert_eq!(only(&document)["partitions"][0]["filesystem"], Value::Null);
    let text = world.run("inspect hash.img").expect(0).stdout;
    assert!(text.contains("256 blocks of 4096 bytes, 1 MiB"), "{text}");
    world.run("inspect --verify hash.img").expect(3);
}

/// Whatever is damaged, the answer is one.
#[test]
fn damage_is_told() {
    let world = layered();
    let image = image_of(&world);
    let path = world.path(&image);
    let sound = fs::read(&path).unwrap();
    let document = json_of(&world, &image, 0);
    let partition = &only(&document)["partitions"][0];
    let start = partition["first"].as_u64().unwrap() * 512;
    let data = start + partition["luks"]["data_offset"].as_u64().unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    let line = format!("inspect --tree --key-file first.key --key-file second.key {image}");
    let is_told = |said: &str| {
        let words = ["error", "warning", "no filesystem", "no container"];
        words.iter().any(|word| said.contains(word))
    };
    let said = world.run(&line).expect(0).stdout;
    assert!(!is_told(&said), "{said}");
    for (at, len) in [
        (start + 8, 8),
        (start + 4096, 600),
        (start + 16384, 4096),
        (start, 32768),
        (start + 32768, 200_000),
        (data + 512, 64),
        (data + 4096, 512),
        (data + 4096 + 700, 400),
        (data + (1 << 20), 8192),
    ] {
        file.write_all_at(&vec![0xA5; len], at).unwrap();
        let run = world.run(&line);
        assert!(matches!(run.status, Some(0 | 3)), "{at} {len}: {run:?}");
        let said = run.stdout + &run.stderr;
        assert!(is_told(&said), "{at} {len}: {said}");
        assert!(!said.contains("panicked"), "{said}");
        file.write_all_at(&sound, 0).unwrap();
    }
}

fn all_keys_are_documented(document: &Value) {
    let documented = include_str!("../../docs/inspect.md");
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(all) => open.extend(all),
            Value::Object(keys) => {
                for (key, value) in keys {
                    let is_there = [format!("{key}`"), format!("{key}[]`")];
                    assert!(is_there.iter().any(|it| documented.contains(it)), "{key}");
                    open.push(value);
                }
            }
            _ => {}
        }
    }
}
