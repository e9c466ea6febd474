//! Archives instead of disks: the same files, by themselves.

use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::program::{arguments, run};

use crate::checkers;
use crate::world::World;

/// Every format of archives, and the extension of its files.
const FORMATS: [(&str, &str); 7] = [
    ("tar", "tar"),
    ("tar.gz", "tar.gz"),
    ("tar.zst", "tar.zst"),
    ("tar.xz", "tar.xz"),
    ("oci", "oci.tar"),
    ("squashfs", "squashfs"),
    ("erofs", "erofs"),
];

/// What is in the tree, apart from its directories.
const FILES: [(&str, &[u8]); 3] = [
    ("a", b"one"),
    ("d/data", &[7; 300_000]),
    ("d/e/zeroes", &[0; 200_000]),
];

fn world() -> World {
    let world = World::new("", "", "");
    let tree = world.root().join("tree");
    fs::create_dir_all(tree.join("d/e")).unwrap();
    for (path, bytes) in FILES {
        fs::write(tree.join(path), bytes).unwrap();
    }
    std::os::unix::fs::symlink("d/data", tree.join("link")).unwrap();
    world
}

fn names() -> String {
    FORMATS.map(|(name, _)| name).join(",")
}

/// Has a program that others wrote unpack an archive to an empty directory beside it.
fn unpack(format: &str, archive: &Path) -> std::path::PathBuf {
    let target = archive.with_extension("unpacked");
    fs::create_dir(&target).unwrap();
    match format {
        "squashfs" => run(
            "unsquashfs",
            &arguments(&["-q", "-f", "-d"], &[&target, archive]),
        ),
        "erofs" => {
            let extract = format!("--extract={}", target.display());
            run(
                "fsck.erofs",
                &arguments(&[&extract, "--overwrite"], &[archive]),
            )
        }
        "oci" => {
            let script = "skopeo --insecure-policy copy -q oci-archive:\"$0\" oci:\"$1.oci\":x && \
                          umoci unpack --rootless --image \"$1.oci\":x \"$1.bundle\" && \
                          rmdir \"$1\" && mv \"$1.bundle/rootfs\" \"$1\"";
            run("sh", &arguments(&["-c", script], &[archive, &target]))
        }
        _ => run(
            "tar",
            &[
                &arguments(&["--extract", "--directory"], &[&target])[..],
                &arguments(&["--file"], &[archive]),
            ]
            .concat(),
        ),
    }
    .unwrap();
    let program = match format {
        "squashfs" => "unsquashfs",
        "erofs" => "fsck.erofs",
        "oci" => "umoci",
        _ => "tar",
    };
    checkers::accepted(program, archive);
    target
}

fn assert_unpacks(format: &str, archive: &Path) {
    let found = unpack(format, archive);
    for (path, bytes) in FILES {
        assert!(
            fs::read(found.join(path)).unwrap() == bytes,
            "{format}: {path}"
        );
    }
    let link = fs::read_link(found.join("link")).unwrap();
    assert_eq!(link, Path::new("d/data"), "{format}");
    fs::remove_dir_all(found).unwrap();
}

/// All at once, and a disk beside them.
#[test]
fn every_archive_holds_the_files() {
    let world = world();
    let line = format!("make-fs --format qcow2,{} ../tree all", names());
    let run = world.run(&line).expect(0);
    run.says(["all.oci.tar: manifest_digest sha256:"]);
    for (format, extension) in FORMATS {
        assert_unpacks(format, &world.path(&format!("all.{extension}")));
    }
    let line = ["check", "-f", "qcow2"];
    testkit::program::run("qemu-img", &arguments(&line, &[&world.path("all.qcow2")])).unwrap();
}

/// Alone, beside others, and to standard output, on any number of threads.
#[test]
fn an_archive_is_the_same_however_it_is_made() {
    let world = world();
    let all = format!("make-fs --format {} ../tree all", names());
    world.run(&format!("-j 3 {all}")).expect(0);
    for (format, extension) in FORMATS {
        let name = format!("alone.{extension}");
        world.run(&format!("-j 1 make-fs ../tree {name}")).expect(0);
        let expected = fs::read(world.path(&format!("all.{extension}"))).unwrap();
        assert!(fs::read(world.path(&name)).unwrap() == expected, "{format}");
        let mut command = world.command(&format!("make-fs --format {format} ../tree -"));
        let output = command.output().unwrap();
        assert!(
            output.status.success() && output.stdout == expected,
            "{format}"
        );
    }
}

#[test]
fn an_image_of_a_container_is_as_it_was_described() {
    let world = world();
    let options = [
        "name=example.org/a:1",
        "cmd=[\"sh\",\"-c\",\"true\"]",
        "env=A=1,B=2",
        "labels=l=x",
        "platform=linux/arm64",
    ];
    let mut command = world.command("--json make-fs --format oci");
    for option in options {
        command.args(["--format-option", option]);
    }
    command.args(["../tree", "a.oci.tar"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let events = String::from_utf8(output.stdout).unwrap();
    let built = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let built = built
        .into_iter()
        .find(|it| it["event"] == "image_built")
        .unwrap();
    let image = format!("oci-archive:{}", world.path("a.oci.tar").display());
    let inspect = ["--override-arch", "arm64", "inspect"];
    let said = run("skopeo", &[&inspect[..], &[&image]].concat()).unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["Digest"], built["manifest_digest"]);
    assert_eq!(said["Architecture"], "arm64");
    assert_eq!(said["Env"], serde_json::json!(["A=1", "B=2"]));
    assert_eq!(said["Labels"]["l"], "x");
}

/// A group has archives beside its disks, with sums.
#[test]
fn groups_have_archives() {
    let world = World::new(
        r#"{"name": "t", "size": "20M", "labels": ["gpt"], "filesystems": ["ext4"],
            "formats": ["raw", "tar.zst", "oci"], "checksum": true, "format_options": {"cmd": ["/a", "b c"]},
            "parts": [{"type": "p", "start": 2048, "end": -2048}],
            "writes": [{"part": 1, "path": "/a", "content": "one"}]}"#,
        "",
        "",
    );
    world.run("plan").expect(0);
    world.run("all").expect(0);
    let mut expected: Vec<_> = ["img", "oci.tar", "tar.zst"]
        .iter()
        .flat_map(|end| ["", ".sha256"].map(|more| format!("disk_t.{end}{more}")))
        .collect();
    expected.sort();
    assert_eq!(world.names(), expected);
    let said = run(
        "tar",
        &arguments(&["--list", "--file"], &[&world.path("disk_t.tar.zst")]),
    );
    assert!(said.unwrap().lines().any(|line| line == "a"));
    let image = format!("oci-archive:{}", world.path("disk_t.oci.tar").display());
    let said = run(
        "skopeo",
        &["--override-arch", "amd64", "inspect", "--config", &image],
    )
    .unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["config"]["Cmd"], serde_json::json!(["/a", "b c"]));
    let plan = world.command("--json plan").output().unwrap();
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    let archive = &plan["images"][1];
    assert_eq!(archive["format"], "tar.zst");
    assert_eq!(
        (&archive["file_count"], &archive["files"][0]["path"]),
        (&1.into(), &"/a".into())
    );
}

#[test]
fn what_makes_no_sense_is_refused_before_there_is_a_file() {
    let world = world();
    for (options, said) in [
        ("-s 10M", "--size is for disks, and tar has none"),
        ("-t ext4", "--type is for disks"),
        ("--format-option cmd=x", "no option 'cmd'"),
        ("--format-option sparse=maybe", "sparse"),
    ] {
        world
            .run(&format!("make-fs {options} --format tar ../tree a.tar"))
            .expect(if options.contains("maybe") { 3 } else { 64 })
            .says([said]);
    }
    world.configure(
        r#"{"name": "t", "size": "40M", "labels": ["gpt"], "filesystems": ["ext4"], "format": "tar",
            "parts": [{"type": "p", "start": 2048, "end": 20000}, {"type": "p", "start": 22528, "end": -2048}]}"#,
        "",
        "",
    );
    world
        .run("all")
        .expect(3)
        .says(["tar is of the files of one filesystem, and the image has"]);
    assert_eq!(world.names(), [""; 0]);
}

/// Who says what a disk is like gets one, whatever it is called.
#[test]
fn options_of_disks_make_one_of_any_name() {
    let world = world();
    for (option, name, magic, at) in [
        ("-t erofs", "a.erofs", &[0xE2, 0xE1, 0xF5, 0xE0][..], 1024),
        ("-t squashfs", "a.squashfs", b"hsqs", 0),
        ("-s 20M", "a.tar", &[0x53, 0xEF], 1024 + 56),
    ] {
        world
            .run(&format!("make-fs {option} ../tree {name}"))
            .expect(0);
        let bytes = fs::read(world.path(name)).unwrap();
        assert!(bytes[at..].starts_with(magic), "{name}");
    }
}

/// What is to be told of the inputs is told of an archive too.
#[test]
fn remarks_on_inputs_are_told() {
    let world = world();
    world
        .run("make-fs --exclude nothing-like-it ../tree a.tar")
        .expect(0)
        .says(["nothing-like-it"]);
}

/// An archive that is there may be an input that was given last by mistake.
#[test]
fn an_archive_is_replaced_where_one_was_asked_for() {
    let world = world();
    world.run("make-fs ../tree a.tar").expect(0);
    let before = fs::read(world.path("a.tar")).unwrap();
    fs::write(world.root().join("tree/more"), "more").unwrap();
    world
        .run("make-fs ../tree a.tar")
        .expect(3)
        .says(["is a tar archive", "--force"]);
    assert!(fs::read(world.path("a.tar")).unwrap() == before);
    world.run("make-fs --format tar ../tree a.tar").expect(0);
    assert!(fs::read(world.path("a.tar")).unwrap() != before);
    world.run("make-fs --format raw ../tree a.tar").expect(3);
}
