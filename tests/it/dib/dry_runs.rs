//! Builds that are shown and not done.

use serde_json::{Value, json};

use super::ground::Ground;
use crate::systems::user::User;

const LAYOUT: &str = "\
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: ESP, type: EF00, size: 64MiB, mkfs: {type: vfat, mount: {mount_point: /boot/efi, fstab: {}}}}
      - {name: root, size: 100%, mkfs: {mount: {mount_point: /, fstab: {fsck-passno: 1}}}}
";

/// A build with scripts that would leave something.
fn ground() -> Ground {
    let ground = Ground::new(User::Ordinary);
    for phase in ["root", "install", "cleanup"] {
        ground.script(phase, "touch begun");
    }
    ground.put("probe/element-deps", "needed\n");
    ground.put("needed/install.d/9-first", "#!/bin/sh\n");
    ground.put("needed/install.d/100-last", "#!/bin/sh\n");
    ground.put("needed/install.d/not-run", "text\n");
    ground
}

const LINE: &str =
    "dib -n --dry-run -a arm64 -o out -t qcow2,tar,docker --checksum --size 160M -p vim tiny probe";

const VARIABLES: [(&str, &str); 2] = [("DIB_BLOCK_DEVICE_CONFIG", LAYOUT), ("DIB_RELEASE", "one")];

fn assert_untouched(ground: &Ground) {
    for directory in ["", "../home", "../temporary"] {
        let names = crate::world::names(&ground.path(directory));
        assert!(names.is_empty(), "{directory}: {names:?}");
    }
}

#[test]
fn a_dry_run_shows_what_would_be_done() {
    let ground = ground();
    let run = ground.run(LINE, &VARIABLES).expect(0);
    let elements = ground.beside("elements").display().to_string();
    let scripts = "scripts:\n  root.d (outside)\n    10-tiny\n    50-root\n  install.d (in the tree)\n    9-first\n    \
                   50-install\n    100-last\n  packages: vim\n  cleanup.d (outside)\n    50-cleanup\n";
    let fstab = "fstab:\n  LABEL=cloudimg-rootfs / ext4 defaults 0 1\n  LABEL=MKFS_ESP /boot/efi vfat defaults 0 2\n";
    for part in [
        &format!(
            "elements:\n  needed ({elements}/needed)\n  probe ({elements}/probe)\n  tiny ({elements}/tiny)\n"
        ),
        scripts,
        "  ARCH=arm64\n",
        "  DIB_RELEASE=one\n",
        "  DIB_ROOT_LABEL=cloudimg-rootfs\n",
        "  DIB_MOUNTPOINTS=/boot/efi|/\n",
        "partition 1, 'ESP', UUID ",
        "at /boot/efi\n",
        "partition 2, 'root', UUID ",
        fstab,
    ] {
        let shown = run.stdout.replace("    packages", "  packages");
        assert!(shown.contains(part), "{part}: {}", run.stdout);
    }
    let (_, files) = run.stdout.split_once("\nfiles:\n").unwrap();
    let names: Vec<_> = ["qcow2", "tar", "oci.tar"]
        .iter()
        .flat_map(|name| ["", ".sha256", ".md5"].map(|sum| format!("out.{name}{sum}")))
        .collect();
    let shown: Vec<_> = files.lines().map(str::trim).collect();
    assert_eq!(shown, names);
    assert_untouched(&ground);
}

#[test]
fn a_dry_run_is_a_document_too() {
    let ground = ground();
    let run = ground.run(&format!("--json {LINE}"), &VARIABLES).expect(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let phase =
        |name, side, scripts: &[&str]| json!({"name": name, "side": side, "scripts": scripts});
    let phases = json!([
        phase("root", "outside", &["10-tiny", "50-root"]),
        phase(
            "install",
            "in the tree",
            &["9-first", "50-install", "100-last"]
        ),
        phase("cleanup", "outside", &["50-cleanup"]),
    ]);
    assert_eq!(document["phases"], phases);
    assert_eq!(document["packages"], json!(["vim"]));
    assert_eq!(document["variables"]["ARCH"], "arm64");
    assert_eq!(document["variables"]["DIB_CHECKSUM"], "1");
    assert_eq!(document["automatic_size"], false);
    assert_eq!(document["elements"][1]["name"], "probe");
    let disk = &document["disks"][0];
    assert_eq!(disk["name"], "image0");
    assert_eq!(disk["volumes"][0]["mounted_at"], "/boot/efi");
    assert_eq!(disk["volumes"][1]["number"], 2);
    assert_eq!(disk["disk"]["partitions"][1]["first"], 2048 + 131_072);
    assert_eq!(document["fstab"].as_array().unwrap().len(), 2);
    assert_eq!(document["files"][0], "out.qcow2");
    assert_untouched(&ground);
    // What it says of the filesystem is what is in the image.
    let line = LINE
        .replace(" --dry-run", "")
        .replace("-a arm64", "")
        .replace("-p vim", "");
    let line = line
        .replace("qcow2,tar,docker", "raw")
        .replace("touch", "true");
    for phase in ["root", "install", "cleanup"] {
        ground.script(phase, "true");
    }
    ground.run(&line, &VARIABLES).expect(0);
    let found = ground.inspected("out.raw");
    let uuid = &found["images"][0]["partitions"][1]["filesystem"]["uuid"];
    assert_eq!(uuid, &disk["volumes"][1]["uuid"]);
}

/// The size of which nothing is known before there is a tree.
#[test]
fn a_dry_run_leaves_the_size_open() {
    let ground = ground();
    let run = ground
        .run("--json dib -n --dry-run tiny probe", &[])
        .expect(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["automatic_size"], true);
    assert_eq!(document["files"], json!(["image.qcow2"]));
    let run = ground.run("dib -n --dry-run tiny probe", &[]).expect(0);
    assert!(
        run.stdout.contains("their size follows from the files"),
        "{}",
        run.stdout
    );
    let run = ground
        .run(
            "ramdisk-image-create -n --dry-run --ramdisk-element needed tiny",
            &[],
        )
        .expect(0);
    assert!(run.stdout.ends_with("files:\n"), "{}", run.stdout);
    assert_untouched(&ground);
}
