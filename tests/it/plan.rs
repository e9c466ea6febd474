//! `plan`: text and JSON.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use crate::server::{Server, ok};
use crate::world::{Run, World, broken, install, layout, single, with_upload};

const HOST: &str = std::env::consts::ARCH;

fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[test]
fn text_tells_the_table_the_sectors_and_the_content() {
    let world = World::new(&layout("a", r#"["gpt"]"#, r#"["ext2"]"#), "", "");
    let run = world.run("plan").expect(0);
    for part in [
        "disk_a.img: 2 MiB, GPT ",
        "  1 primary: sectors 64 to 4032, ",
        "'primary'",
        "    ext2: ",
        " blocks of 1024 bytes",
        "      /file 9 bytes\n",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn json_has_the_numbers_of_the_image_that_is_built() {
    let group = layout("a", r#"["mbr", "gpt"]"#, r#"["ext2"]"#);
    let world = World::new(&group, &install("m", &format!(r#""9": ["{HOST}"]"#)), "");
    let plan = document(&world.run("--json plan").expect(0));
    assert_eq!(plan["version"], 1);
    let [mbr, gpt, installed] = plan["images"].as_array().unwrap().as_slice() else {
        panic!("{plan}");
    };
    assert_eq!(
        (&mbr["file"], &mbr["table"]),
        (&"disk_a_mbr.img".into(), &"mbr".into())
    );
    assert_eq!(
        (&gpt["file"], &gpt["table"]),
        (&"disk_a_gpt.img".into(), &"gpt".into())
    );
    assert_eq!(installed["file"], format!("disk_rocky9_m_{HOST}.qcow2"));
    assert_eq!(
        (&installed["size"], &installed["group"]),
        (&(1 << 30).into(), &"m".into())
    );
    for image in [mbr, gpt] {
        assert_eq!(image["size"], 2 << 20);
        let part = &image["partitions"][0];
        let numbers = ["first", "last", "sectors"].map(|key| part[key].as_u64().unwrap());
        assert_eq!(numbers, [64, 4032, 3969]);
        let filesystem = &part["filesystem"];
        assert_eq!(filesystem["files"][0]["path"], "/file");
        assert_eq!(filesystem["files"][0]["size"], 9);
    }
    world.run("a").expect(0);
    for image in [mbr, gpt] {
        let bytes = fs::read(world.path(image["file"].as_str().unwrap())).unwrap();
        let filesystem = &image["partitions"][0]["filesystem"];
        // The counts and the UUID of the superblock, 1024 bytes into the filesystem.
        let superblock = &bytes[64 * 512 + 1024..];
        let number = |at: usize| u32::from_le_bytes(superblock[at..at + 4].try_into().unwrap());
        for (at, key) in [(0, "inodes"), (4, "blocks"), (12, "free_blocks")] {
            assert_eq!(filesystem[key], number(at), "{key}");
        }
        let uuid: String = superblock[0x68..0x78]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(filesystem["uuid"].as_str().unwrap().replace('-', ""), uuid);
    }
    let id = &fs::read(world.path("disk_a_mbr.img")).unwrap()[440..444];
    let id = u32::from_le_bytes(id.try_into().unwrap());
    assert_eq!(mbr["id"], format!("{id:#010x}"));
}

#[test]
fn what_tables_record_is_told() {
    let group = r#"{"name": "t", "size": "64M", "sector_size": 4096, "labels": ["mbr", "gpt", "none"],
        "disk_id": "0x1234abcd", "disk_guid": "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de",
        "parts": [{"type": "p", "size": "50%", "gpt_type": "esp", "name": "EFI",
                   "flags": ["boot", "legacy-boot"], "filesystem": "ext2"}]}"#;
    let world = World::new(group, "", "");
    let run = world.run("plan").expect(0);
    for part in [
        "disk_t_mbr.img: 64 MiB, MBR 0x1234abcd, sectors of 4096 bytes\n",
        "  1 primary: sectors 256 to 8447, 32 MiB, type 0xef (EFI System), boot\n",
        "disk_t_gpt.img: 64 MiB, GPT 8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de, sectors of 4096 bytes\n",
        " (EFI System), ",
        ", 'EFI', legacy-boot\n",
        "disk_t_none.img: 64 MiB, no table, sectors of 4096 bytes\n",
        "  0 primary: sectors 0 to 16383, 64 MiB, no entry\n",
        " blocks of 4096 bytes",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let plan = document(&world.run("--json plan").expect(0));
    let [mbr, gpt, none] = [0, 1, 2].map(|index| &plan["images"][index]);
    assert_eq!(
        (&mbr["sector_size"], &none["table"]),
        (&4096.into(), &"none".into())
    );
    let part = &gpt["partitions"][0];
    assert_eq!(part["type_name"], "EFI System");
    assert_eq!(part["flags"], serde_json::json!(["legacy-boot"]));
    assert_eq!(mbr["partitions"][0]["flags"], serde_json::json!(["boot"]));
    world.run("t").expect(0);
}

#[test]
fn nothing_is_touched() {
    let server = Server::start(|_, stream| ok(stream, b"data"));
    let upload = with_upload("u", "2M", &format!(r#""source": "{}""#, server.url()));
    let world = World::new(
        &(single("a") + "," + &upload),
        "",
        r#"["disk_o.img", "disk_a.img"]"#,
    );
    for name in ["disk_o.img", "disk_a.img.tmp", "disk_x.img"] {
        world.put(name, 5);
    }
    let state = || {
        let metadata = fs::metadata(world.directory()).unwrap();
        (metadata.mtime(), metadata.mtime_nsec(), world.names())
    };
    let before = state();
    let around = crate::world::names(world.root());
    for line in ["plan", "plan a", "--json plan"] {
        world.run(line);
        assert_eq!(state(), before);
        assert_eq!(crate::world::names(world.root()), around);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn groups_can_be_picked_and_must_exist() {
    let relative = install("m", &format!(r#""-1": ["{HOST}"]"#));
    let world = World::new(&(single("a") + "," + &single("b")), &relative, "");
    // The order is that of the configuration; the release that nobody knows isn't wanted.
    let plan = document(&world.run("--json plan b a").expect(0));
    let files: Vec<_> = plan["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["file"])
        .collect();
    assert_eq!(files, ["disk_a.img", "disk_b.img"]);
    world.run("plan m").expect(3).says(["--nextrel"]);
    let text = format!(
        "disk_rocky9_m_{HOST}.qcow2: an installation of release 9 for {HOST} on 1 GiB of qcow2\n"
    );
    world.run("plan m -n 10").expect(0).prints(&text);
    world
        .run("plan a c")
        .expect(3)
        .prints("")
        .says(["there is no group 'c'; there are a, b, m"]);
}

#[test]
fn installations_tell_their_machine_and_what_is_done_in_the_end() {
    let group = install("m", &format!(r#""9": ["{HOST}"]"#));
    let name = format!("disk_rocky9_m_{HOST}");
    for (keys, options, rest, json) in [
        (
            r#""extension": "img", "memory": "3G", "cpus": 1, "compress": true"#,
            "",
            "img: HEAD of qcow2, 3 GiB of memory, 1 processor, then compressed\n".to_owned(),
            serde_json::json!(["qcow2", 3_u64 << 30, 1, false, true, false]),
        ),
        (
            r#""format": "raw", "memory": 3072, "sparsify": true, "checksum": true"#,
            "--memory 1000 --cpus 2",
            format!(
                "img: HEAD of raw, 1000 MiB of memory, 2 processors, then sparsified, \
                 {name}.img.sha256\n"
            ),
            serde_json::json!(["raw", 1000_u64 << 20, 2, true, false, true]),
        ),
        (
            r#""cpus": null"#,
            "",
            "qcow2: HEAD of qcow2\n".to_owned(),
            serde_json::json!(["qcow2", null, null, false, false, false]),
        ),
    ] {
        let world = World::new("", &group.replacen('{', &format!("{{{keys}, "), 1), "");
        let head = format!("an installation of release 9 for {HOST} on 1 GiB");
        let text = format!("{name}.{}", rest.replace("HEAD", &head));
        let run = world.run(&format!("plan {options}"));
        run.expect(0).prints(&text);
        let plan = document(&world.run(&format!("--json plan {options}")).expect(0));
        let keys = [
            "format", "memory", "cpus", "sparsify", "compress", "checksum",
        ];
        let found = keys.map(|key| plan["images"][0][key].clone());
        assert_eq!(serde_json::json!(found), json);
    }
}

#[test]
fn what_cannot_be_built_is_told_in_its_place() {
    let server = Server::start(|_, stream| ok(stream, b"data"));
    let source = format!(r#""source": "{}""#, server.url());
    let world = World::new(
        &[broken("b"), single("a"), with_upload("u", "2M", &source)].join(","),
        "",
        "",
    );
    let run = world.run("plan").expect(3);
    let file = world.config().display().to_string();
    for part in [
        &*format!("disk_b.img: can't be built: {file}:2:"),
        " guestfs[0].parts[0].end: ",
        "disk_a.img: 2 MiB, MBR ",
        "disk_u.img: can't be built: ",
        "isn't downloaded yet",
    ] {
        assert!(run.stdout.contains(part), "{part}: {run:?}");
    }
    let plan = document(&world.run("--json plan").expect(3));
    let error = plan["images"][2]["error"].as_str().unwrap();
    assert!(error.contains(&server.url()), "{error}");
    world.run("u").expect(0);
    let plan = document(&world.run("--json plan u").expect(0));
    assert_eq!(
        plan["images"][0]["partitions"][0]["filesystem"]["files"][0]["size"],
        4
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_shipped_set_can_be_planned() {
    let world = World::new("", "", "");
    let mut command = world.command("--json plan full freespace ks-8 ks-9 updates_img minimal");
    let plan = document(&Run::of(command.env_remove("CREATEHDDS_CONFIG")).expect(0));
    assert_eq!(plan["images"].as_array().unwrap().len(), 7 + 6);
}
