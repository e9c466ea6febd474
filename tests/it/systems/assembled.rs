//! What is in images of systems that are made of files alone.

use std::fs;
use std::path::Path;

use testkit::program::{arguments, output, run};

use super::place::{Place, specification};
use super::user::{self, User};
use crate::checkers;
use crate::world::Run;

/// Partitions with and without a filesystem, files of all kinds, a boot loader written by hand.
const FILES: &str = include_str!("../../data/vmdb2/files.vmdb");

/// Makes `files.img`, and what it is made of.
fn built(user: User, line: &str) -> (Place, Run) {
    let place = Place::new(user);
    place.put_root();
    place.put("files.vmdb", FILES);
    place.put("copy-me.txt", "copied\n");
    place.put("overlay/etc/deep/file", "from a directory\n");
    let run = place.run(line);
    (place, run)
}

const LINE: &str = "vmdb2 --output files.img --rootfs-tarball root.tar --log log files.vmdb";

/// Copies partition `number` of an image to a file.
pub(crate) fn partition(image: &Path, number: usize) -> std::path::PathBuf {
    let json = run("sfdisk", &arguments(&["--json"], &[image])).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let part = &json["partitiontable"]["partitions"][number - 1];
    let [start, size] = ["start", "size"].map(|key| part[key].as_u64().unwrap() as usize * 512);
    let path = image.with_extension(format!("p{number}"));
    let bytes = fs::read(image).unwrap();
    fs::write(&path, &bytes[start..start + size]).unwrap();
    path
}

/// The sum of a file.
pub(crate) fn digest(path: &Path) -> String {
    let said = run("sha256sum", &arguments(&[], &[path])).unwrap();
    said.split(' ').next().unwrap().to_owned()
}

/// What debugfs answers of a filesystem.
pub(crate) fn debugfs(filesystem: &Path, request: &str) -> String {
    let said = output("debugfs", &arguments(&["-R", request], &[filesystem]));
    String::from_utf8_lossy(&said.stdout).into_owned()
}

#[test]
fn every_step_is_seen_in_the_image() {
    for user in user::all() {
        let (place, run) = built(user, LINE);
        run.expect(0);
        let image = place.path("files.img");
        let table = self::run("sfdisk", &arguments(&["--dump"], &[&image])).unwrap();
        for part in [
            "label: dos",
            "start=        2048, size=       16384, type=c, bootable",
            "start=       18432, size=        2048, type=83",
            "start=       20480, size=      241664, type=83",
        ] {
            assert!(table.contains(part), "{table}");
        }
        checkers::accepted("sfdisk", &image);
        let firmware = partition(&image, 1);
        checkers::fsck("vfat", &firmware).unwrap();
        let listed = self::run("mdir", &arguments(&["-/", "-b", "-i"], &[&firmware])).unwrap();
        assert!(listed.contains("::/config.txt"), "{listed}");
        let bytes = fs::read(&image).unwrap();
        // What shell steps have written in front of the partitions, and into one without a filesystem.
        assert_eq!(&bytes[100 * 512..100 * 512 + 6], b"loader");
        assert_eq!(&bytes[18432 * 512..18432 * 512 + 3], b"raw");
        let root = partition(&image, 3);
        checkers::fsck("ext4", &root).unwrap();
        for (request, parts) in [
            (
                "stat /foo/bar",
                &["Mode:  0777", "User:   123   Group:   456"][..],
            ),
            (
                "stat /foo/bar/test.txt",
                &["Mode:  0604", "User:     1   Group:     2", "Size: 5"],
            ),
            ("cat /foo/bar/test.txt", &["hello"]),
            ("cat /foo/copied", &["copied"]),
            ("cat /etc/deep/file", &["from a directory"]),
            ("stat /etc/deep/file", &["User:     7   Group:    50"]),
            (
                "stat /bin/busybox",
                &["Mode:  04755", "User:     0   Group:     0"],
            ),
            ("stat /tmp", &["Mode:  01777"]),
            (
                "cat /etc/fstab",
                &[" / ext4 defaults 0 1", " /boot/firmware vfat defaults 0 1"],
            ),
            ("cat /etc/seen", &["uid=0(root)", "one two"]),
            ("cat /etc/root", &["outside"]),
            ("stat /etc/chown", &["User: 65534   Group: 65534"]),
        ] {
            let said = debugfs(&root, request);
            for part in parts {
                assert!(said.contains(part), "{user:?} {request}: {said}");
            }
        }
        // Nothing of what was there for programs alone.
        let left = [
            "/etc/resolv.conf",
            "/usr/sbin/policy-rc.d",
            "/dev/null",
            "/proc/self",
            "/run/lock",
        ];
        for path in left {
            let said = debugfs(&root, &format!("stat {path}"));
            assert!(!said.contains("Inode:"), "{path}: {said}");
        }
        let log = fs::read_to_string(place.path("log")).unwrap();
        assert!(log.contains("the script says this"), "{log}");
        fs::remove_file(place.path("log")).unwrap();
        let names = place.names();
        let expected = [
            "copy-me.txt",
            "files.img",
            "files.p1",
            "files.p3",
            "files.vmdb",
            "overlay",
            "root.tar",
        ];
        assert_eq!(names, expected);
    }
}

/// What a filesystem can't hold is no more lost in silence than it is by its driver.
#[test]
fn links_on_fat_are_refused_or_left_out() {
    let place = Place::new(User::Ordinary);
    place.put_root();
    let steps = "  - chroot: root\n    shell: ln -s a /link; echo a > /a\n";
    let spec = specification(steps).replace("ext4", "vfat");
    place.put("a.vmdb", spec);
    let line = "vmdb2 --output a.img --rootfs-tarball root.tar a.vmdb";
    place.run(line).expect(3).says([
        "a.vmdb:6:",
        "is a symbolic link, which FAT can't hold",
        "--lossy",
    ]);
    assert_eq!(place.names(), ["a.vmdb", "root.tar"]);
    let run = place.run(&line.replace("--output", "--lossy --output"));
    run.expect(0).says(["symbolic links"]);
    let listed = partition(&place.path("a.img"), 1);
    let listed = self::run("mdir", &arguments(&["-/", "-b", "-i"], &[&listed])).unwrap();
    assert!(
        listed.contains("::/a\r\n") || listed.contains("::/a\n"),
        "{listed}"
    );
    assert!(!listed.contains("link"), "{listed}");
}

#[test]
fn the_same_specification_gives_the_same_bytes() {
    let mut digests = Vec::new();
    let lines = [
        LINE,
        "-j 1 vmdb2 --output files.img --rootfs-tarball root.tar --tree . files.vmdb",
    ];
    for user in user::all() {
        for line in lines {
            let (place, run) = built(user, line);
            run.expect(0);
            digests.push(digest(&place.path("files.img")));
        }
    }
    let first = &digests[0];
    assert!(digests.iter().all(|it| it == first), "{digests:?}");
}

#[test]
fn every_format_holds_the_same_disk() {
    let (place, run) = built(
        User::Ordinary,
        "vmdb2 --output files.img --format raw,qcow2,raw.zst,bmap --image-checksum sha256 \
         --rootfs-tarball root.tar files.vmdb",
    );
    run.expect(0);
    let names = place.names();
    for name in [
        "files.img",
        "files.qcow2",
        "files.img.zst",
        "files.bmap",
        "files.qcow2.sha256",
    ] {
        assert!(names.iter().any(|it| it == name), "{names:?}");
    }
    let same = output(
        "qemu-img",
        &arguments(
            &["compare"],
            &[&place.path("files.img"), &place.path("files.qcow2")],
        ),
    );
    assert!(same.status.success(), "{same:?}");
    checkers::accepted("qemu-img", &place.path("files.qcow2"));
}

#[test]
fn by_its_other_name_it_is_a_drop_in() {
    let (place, run) = built(User::Ordinary, LINE);
    run.expect(0);
    let expected = digest(&place.path("files.img"));
    let line = "--output files.img --rootfs-tarball root.tar -v files.vmdb";
    Run::of(&mut place.by_link(line)).expect(0);
    assert_eq!(digest(&place.path("files.img")), expected);
    Run::of(&mut place.by_link("--version")).expect(0);
    Run::of(&mut place.by_link("files.vmdb")).expect(1);
    place.put(
        "fails.vmdb",
        specification("  - error: on purpose\n    teardown: x\n"),
    );
    Run::of(&mut place.by_link("--output x.img fails.vmdb")).expect(1);
}

#[test]
fn what_steps_make_of_the_partition_table_stays() {
    let place = Place::new(User::Ordinary);
    let script = "  - shell: |\n      sfdisk --quiet --no-reread --activate '{{ output }}' 1\n    root-fs: root\n";
    place.put(
        "table.vmdb",
        specification(script).replace("  - unpack-rootfs: root\n", ""),
    );
    place.run("vmdb2 --output a.img table.vmdb").expect(0);
    let table = run("sfdisk", &arguments(&["--dump"], &[&place.path("a.img")])).unwrap();
    assert!(table.contains("type=83, bootable"), "{table}");
    checkers::fsck("ext4", &partition(&place.path("a.img"), 1)).unwrap();
    let moved = script.replace("--activate '{{ output }}' 1", "--delete '{{ output }}' 1");
    place.put(
        "moved.vmdb",
        specification(&moved).replace("  - unpack-rootfs: root\n", ""),
    );
    let run = place.run("vmdb2 --output b.img moved.vmdb");
    run.expect(3).says(["changed the partition table"]);
    assert!(!place.path("b.img").exists());
}

/// What scripts outside of the tree find there, and what they leave.
const OUTSIDE: &str = r#"
  - shell: |
      chroot "$ROOT" sh -ec 'echo x > /dev/null; test -c /dev/urandom; ! test -e /proc/1'
    root-fs: root
  - virtual-filesystems: root
  - shell: |
      chroot "$ROOT" sh -ec 'echo x > /dev/null; test -c /dev/null; test -e /proc/1; test -d /run/lock'
      mount -t tmpfs mine "$ROOT/root"
      touch "$ROOT/root/secret"
      mkdir "$ROOT/root/host" "$ROOT/host"
      mount --bind /etc/apt "$ROOT/host"
    root-fs: root
  - cache-rootfs: root
"#;

#[test]
fn what_is_mounted_in_the_tree_is_none_of_it() {
    for user in user::all() {
        let place = Place::new(user);
        place.put_root();
        place.put("outside.vmdb", specification(OUTSIDE));
        let line = "vmdb2 --output a.img --rootfs-tarball root.tar outside.vmdb";
        place.run(line).expect(0);
        let root = partition(&place.path("a.img"), 1);
        for path in ["dev", "proc", "run", "sys", "root", "host"] {
            let said = debugfs(&root, &format!("ls -p /{path}"));
            let names: Vec<_> = said.lines().filter_map(|it| it.split('/').nth(5)).collect();
            assert_eq!(names, [".", ".."], "{user:?} {path}: {said}");
        }
    }
}

/// A logical partition between primary ones: the order of numbers is another than that of the steps.
const LOGICAL: &str = r#"steps:
  - mkimg: "{{ output }}"
    size: 100M
  - mklabel: msdos
    device: "{{ output }}"
  - {mkpart: primary, device: "{{ output }}", start: 1MiB, end: 9MiB, tag: raw}
  - {mkpart: extended, device: "{{ output }}", start: 9MiB, end: 60MiB, tag: box}
  - {mkpart: logical, device: "{{ output }}", start: 10MiB, end: 20MiB, tag: inner}
  - {mkpart: primary, device: "{{ output }}", start: 60MiB, end: 100%, tag: root}
  - {mkfs: ext4, partition: root}
  - mount: root
  - shell: |
      printf outside | dd of='{{ output }}' bs=1M seek=1 conv=notrunc
      printf inside | dd of='{{ output }}' bs=1M seek=10 conv=notrunc
      echo text > "$ROOT/file"
    root-fs: root
"#;

#[test]
fn partitions_without_a_filesystem_keep_what_steps_write_whatever_their_number() {
    let place = Place::new(User::Ordinary);
    place.put("logical.vmdb", LOGICAL);
    place.run("vmdb2 --output a.img logical.vmdb").expect(0);
    let image = place.path("a.img");
    let bytes = fs::read(&image).unwrap();
    assert_eq!(&bytes[1 << 20..][..7], b"outside");
    assert_eq!(&bytes[10 << 20..][..6], b"inside");
    let table = run("sfdisk", &arguments(&["--dump"], &[&image])).unwrap();
    for part in ["a.img3 : start=      122880", "a.img5 : start=       20480"] {
        assert!(table.contains(part), "{table}");
    }
    fs::write(place.path("root"), &bytes[60 << 20..]).unwrap();
    checkers::fsck("ext4", &place.path("root")).unwrap();
    assert_eq!(debugfs(&place.path("root"), "cat /file"), "text\n");
}

#[test]
fn a_dry_run_touches_nothing_and_needs_no_program() {
    let place = Place::new(User::Ordinary);
    place.put("files.vmdb", FILES);
    place.put("copy-me.txt", "");
    fs::create_dir(place.path("overlay")).unwrap();
    let run = place.run("vmdb2 --dry-run files.vmdb").expect(0);
    for part in [
        "1 primary: sectors 2048 to 18431",
        "at /boot/firmware",
        "create-file: /foo/bar/test.txt",
    ] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
    let run = place.run("--json vmdb2 --dry-run files.vmdb").expect(0);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["volumes"][0]["mounted_at"], "/boot/firmware");
    assert_eq!(document["disk"]["partitions"][2]["first"], 20480);
    assert_eq!(place.names(), ["copy-me.txt", "files.vmdb", "overlay"]);
}

#[test]
fn a_specification_may_come_from_standard_input() {
    let (place, run) = built(User::Ordinary, LINE);
    run.expect(0);
    let expected = digest(&place.path("files.img"));
    let mut command = place.command("vmdb2 --output files.img --rootfs-tarball root.tar -");
    command.stdin(fs::File::open(place.path("files.vmdb")).unwrap());
    Run::of(&mut command).expect(0);
    assert_eq!(digest(&place.path("files.img")), expected);
}
