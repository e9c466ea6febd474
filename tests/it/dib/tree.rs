//! What is in images: the tree as scripts have left it, whoever has run them.

use std::path::Path;

use serde_json::Value;
use testkit::program::{arguments, run};

use super::ground::{Ground, member};
use crate::checkers;
use crate::systems::user::{self, User};

/// What a tree can hold.
const ODD: &str = include_str!("../../data/dib/odd-tree");

/// Nodes by their names, which is all that root.d has for them; others that cleanup.d changes.
const NODES: &str = "\
sudo mknod -m 666 $TARGET_ROOT/dev/null c 1 3
sudo mknod $TARGET_ROOT/dev/disk b 8 0
echo written | sudo tee $TARGET_ROOT/dev/null";

/// An image of one filesystem, and archives, of the tree above.
fn built(user: User, types: &str) -> Ground {
    let ground = Ground::new(user);
    ground.script("finalise", ODD);
    ground.script("root", NODES);
    // Owners and times that programs outside of the tree give.
    let outside = "sudo mkdir $TARGET_ROOT/outside\nsudo chown 77:88 $TARGET_ROOT/outside\n\
                   sudo sh -c \"echo text > $TARGET_ROOT/outside/file\"";
    ground.script("cleanup", outside);
    let options = format!("-t {types}");
    ground.build(&options, &[]).expect(0);
    ground
}

/// The members of an archive by the bytes of their names, as GNU tar lists them: kind and mode, owner,
/// and what follows.
fn listed(archive: &Path) -> Vec<String> {
    let options = [
        "--numeric-owner",
        "--quoting-style=escape",
        "--full-time",
        "--utc",
        "-tvf",
    ];
    let text = run("tar", &arguments(&options, &[archive])).unwrap();
    checkers::accepted("tar", archive);
    let lines = text.lines().map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.join(" ").replace(" ./", " ")
    });
    lines.collect()
}

/// What tar tells of the tree: how a line begins, and what is behind the directory that it is in.
const LISTED: [(&str, &str); 18] = [
    ("-rwsr-xr-x 0/0 5 ", "odd/hard"),
    ("lrwxrwxrwx 0/0 0 ", "odd/link -> ../odd/plain"),
    ("lrwxrwxrwx 0/0 0 ", "odd/dangling -> /absolute/nowhere"),
    ("drwxrwxrwt 0/0 0 ", "odd/sticky/"),
    ("drwxr-sr-x 0/0 0 ", "odd/setgid/"),
    ("prw-r----- 0/0 0 ", "odd/fifo"),
    ("-rw-r--r-- 1234/4321 6 ", "odd/owned"),
    ("-rw-r--r-- 65534/65534 6 ", "odd/large"),
    ("-rw-r--r-- 0/0 5242885 ", "odd/hole"),
    ("-rw-r--r-- 0/0 6 ", "odd/name with space"),
    ("-rw-r--r-- 0/0 7 ", "odd/\\303\\251"),
    ("-rw-r--r-- 0/0 4 ", "odd/raw\\377"),
    ("crw--w---- 0/0 10,200 ", "odd/character"),
    ("brw-r--r-- 5/6 8,17 ", "odd/block device"),
    ("-rw-r--r-- 0/0 0 2001-09-09 01:46:40 ", "odd/dated"),
    ("drwxr-xr-x 77/88 0 ", "outside/"),
    ("drwxrwxrwt 0/0 0 ", "tmp/"),
    ("drwxr-xr-x 0/0 0 ", "dev/"),
];

/// Makes sure that an archive has all of [`LISTED`], and nothing of the machine's.
fn assert_listed(archive: &Path, prefix: &str) {
    let lines = listed(archive);
    for (beginning, name) in LISTED {
        let end = format!(" {prefix}{name}");
        let mut lines = lines.iter();
        let found = lines.any(|line| line.starts_with(beginning) && line.ends_with(&end));
        assert!(found, "{beginning}{end}: {:#?}", listed(archive));
    }
    let is_below = |line: &str, directory: &str| {
        let own = format!(" {prefix}{directory}/");
        line.split_once(&own)
            .is_some_and(|(_, rest)| !rest.is_empty())
    };
    for directory in ["dev", "proc", "sys", "tmp", "run"] {
        let found = lines.iter().find(|line| is_below(line, directory));
        assert_eq!(found, None);
    }
    let hard = |line: &&String| line.contains(" link to ");
    assert_eq!(
        lines
            .iter()
            .filter(hard)
            .filter(|it| it.contains("odd/"))
            .count(),
        1,
        "{lines:#?}"
    );
}

/// What `inspect` tells of a file.
fn file<'a>(tree: &'a [Value], path: &str) -> &'a Value {
    let found = tree.iter().find(|it| it["path"] == path);
    found.unwrap_or_else(|| panic!("there is no {path}"))
}

#[test]
fn an_image_has_the_tree_as_it_was_left() {
    for user in user::all() {
        let ground = built(user, "raw");
        let image = ground.path("image.raw");
        checkers::e2fsck(&image).unwrap();
        let document = ground.inspected("image.raw");
        let filesystem = &document["images"][0]["partitions"][0]["filesystem"];
        assert_eq!(filesystem["kind"], "ext4");
        assert_eq!(filesystem["label"], "cloudimg-rootfs");
        let tree = filesystem["tree"].as_array().unwrap();
        for (path, expected) in [
            ("/", "directory 0755 0 0"),
            ("/odd/sticky", "directory 1777 0 0"),
            ("/odd/setgid", "directory 2755 0 0"),
            ("/odd/fifo", "fifo 0640 0 0"),
            ("/odd/owned", "file 0644 1234 4321"),
            ("/odd/large", "file 0644 65534 65534"),
            ("/odd/name with space", "file 0644 0 0"),
            ("/odd/é", "file 0644 0 0"),
            ("/odd/raw\u{fffd}", "file 0644 0 0"),
            ("/odd/character", "char device 0620 0 0"),
            ("/odd/block device", "block device 0644 5 6"),
            ("/dev/null", "char device 0666 0 0"),
            ("/dev/disk", "block device 0644 0 0"),
            ("/outside", "directory 0755 77 88"),
            ("/tmp", "directory 1777 0 0"),
        ] {
            let found = file(tree, path);
            let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
            let number = |key: &str| found[key].as_u64().unwrap_or(u64::MAX);
            let facts = format!(
                "{} {} {} {}",
                text("type"),
                text("mode"),
                number("uid"),
                number("gid")
            );
            assert_eq!(facts, expected, "{user:?} {path}");
        }
        // Which of them comes first is the filesystem's matter.
        let names = [file(tree, "/odd/plain"), file(tree, "/odd/hard")];
        assert!(
            names
                .iter()
                .all(|it| it["mode"] == "4755" && it["links"] == 2),
            "{names:?}"
        );
        assert_eq!(names[0]["link_to"], "/odd/hard");
        assert_eq!(file(tree, "/odd/link")["target"], "../odd/plain");
        assert_eq!(file(tree, "/odd/dangling")["target"], "/absolute/nowhere");
        assert_eq!(file(tree, "/odd/hole")["size"], 5 * 1024 * 1024 + 5);
        assert_eq!(
            file(tree, "/odd/character")["device"],
            serde_json::json!([10, 200])
        );
        assert_eq!(
            file(tree, "/odd/block device")["device"],
            serde_json::json!([8, 17])
        );
        assert_eq!(file(tree, "/odd/dated")["mtime"], "2001-09-09 01:46:40");
        // Without the number of a user of the sandbox, which would be 24 bytes.
        let capability = serde_json::json!([{"name": "security.capability", "size": 20}]);
        assert_eq!(file(tree, "/odd/capable")["xattrs"], capability);
        let note = serde_json::json!([{"name": "user.note", "size": 5}]);
        assert_eq!(file(tree, "/odd/attribute")["xattrs"], note);
        let long = format!("/odd/{}", "n".repeat(250));
        assert_eq!(file(tree, &long)["size"], 5);
        // Another reader.
        for (request, parts) in [
            (
                "stat /odd/owned",
                &["User:  1234   Group:  4321", "Size: 6"][..],
            ),
            ("stat /odd/plain", &["Mode:  04755", "Links: 2"]),
            (
                "stat /odd/character",
                &["Type: character special", " 10:200 "],
            ),
            (
                "stat \"/odd/block device\"",
                &["Type: block special", " 08:17 ", "User:     5"],
            ),
            ("ea_get /odd/attribute user.note", &["hello"]),
            ("cat /odd/large", &["large"]),
            ("cat /etc/resolv.conf", &["nameserver 192.0.2.53"]),
            (
                "cat /etc/fstab",
                &["LABEL=cloudimg-rootfs / ext4 defaults 0 1"],
            ),
            ("cat /outside/file", &["text"]),
        ] {
            let said = checkers::debugfs(request, &image).unwrap();
            let said = String::from_utf8_lossy(&said);
            for part in parts {
                assert!(said.contains(part), "{user:?} {request}: {said}");
            }
        }
        let blocks = checkers::debugfs("stat /odd/hole", &image).unwrap();
        let blocks = String::from_utf8_lossy(&blocks).into_owned();
        let (_, extents) = blocks.split_once("EXTENTS:\n").unwrap();
        // One block, at its end.
        assert!(
            extents.starts_with("(5120):") && !extents.contains(','),
            "{blocks}"
        );
        for empty in ["/proc", "/sys", "/run", "/tmp", "/root"] {
            let inside = format!("{empty}/");
            let found = tree
                .iter()
                .find(|it| it["path"].as_str().unwrap().starts_with(&inside));
            assert_eq!(found, None, "{user:?}");
        }
        let in_dev = tree
            .iter()
            .filter(|it| it["path"].as_str().unwrap().starts_with("/dev/"));
        assert_eq!(in_dev.count(), 2);
    }
}

#[test]
fn archives_have_the_tree_and_nothing_of_the_machine() {
    for user in user::all() {
        let ground = built(user, "tar,tgz,squashfs,docker,aci");
        assert_listed(&ground.path("image.tar"), "");
        assert_listed(&ground.path("image.tgz"), "");
        assert_listed(&ground.path("image.aci"), "rootfs/");
        let [directory, layer] = ["image.layout", "image.layer"].map(|it| ground.path(it));
        // A copy is one that others took for what it is.
        let script = "skopeo --insecure-policy copy -q oci-archive:\"$0\" dir:\"$1\" && \
                      cp \"$1/$(grep -o 'sha256:[0-9a-f]*' \"$1/manifest.json\" | tail -n 1 | cut -d: -f2)\" \"$2\"";
        let image = ground.path("image.oci.tar");
        run(
            "sh",
            &arguments(&["-c", script], &[&image, &directory, &layer]),
        )
        .unwrap();
        checkers::accepted("skopeo", &image);
        assert_listed(&layer, "");
        let squash = ground.path("image.squash");
        let said = run("unsquashfs", &arguments(&["-lln"], &[&squash])).unwrap();
        checkers::accepted("unsquashfs", &squash);
        let lines: Vec<_> = said
            .lines()
            .map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        for (beginning, end) in [
            ("-rwsr-xr-x 0/0 5 ", " squashfs-root/odd/plain"),
            ("-rw-r--r-- 1234/4321 6 ", " squashfs-root/odd/owned"),
            ("-rw-r--r-- 65534/65534 6 ", " squashfs-root/odd/large"),
            ("prw-r----- 0/0 ", " squashfs-root/odd/fifo"),
            ("crw--w---- 0/0 10,200 ", " squashfs-root/odd/character"),
            ("brw-r--r-- 5/6 8, 17 ", " squashfs-root/odd/block device"),
            ("drwxr-xr-x 0/0 ", " squashfs-root/proc"),
            ("drwxr-xr-x 0/0 ", " squashfs-root/dev"),
        ] {
            let is_it = |line: &&String| {
                let line = line.replace("8,17", "8, 17");
                line.starts_with(beginning) && line.ends_with(end)
            };
            assert!(
                lines.iter().any(|line| is_it(&line)),
                "{beginning}{end}: {said}"
            );
        }
        for path in ["dev/", "proc/", "sys/", "tmp/"] {
            let inside = format!("squashfs-root/{path}");
            assert!(!said.contains(&inside), "{said}");
        }
    }
}

/// Elements unpack what others have built: devices too, as far as it is known what they are.
#[test]
fn an_archive_can_be_the_tree_of_another_build() {
    for user in user::all() {
        let ground = Ground::new(user);
        let nodes =
            "mkdir /odd; mknod -m 600 /odd/console c 5 1; mknod /odd/tty7 c 4 7; chown 12:34 /odd";
        ground.script("install", nodes);
        ground.build("-o first -t tar", &[]).expect(0);
        ground.put("again/element-provides", "operating-system\n");
        let unpack = "#!/bin/sh\nsudo tar -C $TARGET_ROOT --numeric-owner -xpf first.tar\n";
        ground.put("again/root.d/10-again", unpack);
        ground.run("dib -n -o second -t raw again", &[]).expect(0);
        checkers::e2fsck(&ground.path("second.raw")).unwrap();
        let document = ground.inspected("second.raw");
        let tree = &document["images"][0]["partitions"][0]["filesystem"]["tree"];
        let tree = tree.as_array().unwrap();
        for (path, numbers) in [("/odd/console", [5, 1]), ("/odd/tty7", [4, 7])] {
            let found = file(tree, path);
            assert_eq!(found["type"], "char device", "{user:?} {path}");
            assert_eq!(
                found["device"],
                serde_json::json!(numbers),
                "{user:?} {path}"
            );
        }
        assert_eq!(file(tree, "/odd")["gid"], 34);
        // Root makes whatever there is.
        ground.script("install", "mknod /mine c 10 200");
        ground
            .run(
                "dib -n -o first -t tar tiny probe",
                &[("OVERWRITE_OLD_IMAGE", "1")],
            )
            .expect(0);
        let run = ground.run("dib -n -o third -t raw again", &[]);
        match user {
            User::Root => drop(run.expect(0)),
            User::Ordinary => drop(
                run.expect(2)
                    .says(["'mine' is a device that isn't known by its name"]),
            ),
        }
    }
}

#[test]
fn a_container_of_app_container_has_its_manifest() {
    let ground = Ground::new(User::Ordinary);
    let manifest = "{\"acKind\": \"ImageManifest\"}\n";
    std::fs::write(ground.path("manifest.json"), manifest).unwrap();
    ground.script("install", "echo text > /etc/seen");
    let variables = [("ACI_MANIFEST", "manifest.json")];
    ground.build("-t aci", &variables).expect(0);
    let archive = ground.path("image.aci");
    assert_eq!(member(&archive, "manifest"), manifest);
    assert_eq!(member(&archive, "rootfs/etc/seen"), "text\n");
    ground
        .build("-t aci", &[("ACI_MANIFEST", "nowhere")])
        .expect(3)
        .says(["there is no manifest 'nowhere'"]);
    ground
        .build("-t aci", &[])
        .expect(0)
        .says(["no use without a manifest"]);
}
