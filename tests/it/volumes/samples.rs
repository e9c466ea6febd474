use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use testkit::MIB;
use testkit::checkers::blkid_value;
use testkit::program::{arguments, command, run};
use testkit::scratch::Scratch;

use crate::checkers::debugfs;

use super::machine::{
    self, END, Writes, activate_lvm, attempt, open_luks, open_verity, printf, whole,
};

/// Neither text nor free of zeroes and newlines.
const KEY: &[u8] = b"a\0key\n'%\\\xff\n";

/// Makes a LUKS container of a file, with a key that takes little time.
fn luks_format(options: &[&str], disk: &Path, key: &[u8]) {
    let mut format = command("cryptsetup");
    format.args(["luksFormat", "--batch-mode", "--key-file=-"]);
    format.args(options).arg(disk);
    let mut format = format.stdin(Stdio::piped()).spawn().unwrap();
    format.stdin.take().unwrap().write_all(key).unwrap();
    assert!(format.wait().unwrap().success());
}

/// Fills a new ext4 filesystem on `device` and has it checked.
fn use_ext4(device: &str) -> String {
    format!(
        "mkfs.ext4 -q {device}\nmount {device} /mnt\n\
         dd if=/dev/zero bs=1M count=8 2> /dev/null | tr '\\0' x > /mnt/file\n\
         umount /mnt\nmount -o ro {device} /mnt\nmd5sum /mnt/file\numount /mnt\n\
         e2fsck -fn {device}\n"
    )
}

/// What md5sum says of that file.
const SUM: &str = "2058fb53f643fcd58a8d83a05542392b  /mnt/file\n";

#[test]
fn luks_of_both_versions_is_opened_with_its_key_alone() {
    let scratch = Scratch::new();
    let disks = [
        scratch.sample("luks1", 32 * MIB),
        scratch.sample("luks2", 48 * MIB),
    ];
    let [first, second] = &disks;
    let pbkdf2 = ["--pbkdf-force-iterations=1000"];
    luks_format(&[&["--type=luks1"], &pbkdf2[..]].concat(), first, KEY);
    let argon2 = [
        "--type=luks2",
        "--pbkdf=argon2id",
        "--pbkdf-memory=32768",
        "--pbkdf-parallel=2",
        "--pbkdf-force-iterations=4",
    ];
    luks_format(&argon2, second, KEY);
    let before = [first, second].map(|disk| fs::read(disk).unwrap());
    let mut script = String::new();
    for device in ["/dev/vda", "/dev/vdb"] {
        let wrong = printf(b"a");
        script += &format!("{wrong} | fails cryptsetup open --key-file=- {device} plain\n");
        script += &open_luks(device, "plain", KEY, &use_ext4("/dev/mapper/plain"));
    }
    script += "[[ ! -e /dev/mapper/plain ]]\n";
    let said = machine::run(&[first, second], Writes::Dropped, &script);
    assert_eq!(said.matches(SUM).count(), 2, "{said}");
    let after = [first, second].map(|disk| fs::read(disk).unwrap());
    assert!(before == after, "the machine has written to the files");
}

#[test]
fn groups_of_lvm2_are_activated() {
    let scratch = Scratch::new();
    let disks = [
        scratch.sample("pv1", 40 * MIB),
        scratch.sample("pv2", 40 * MIB),
    ];
    let [first, second] = &disks;
    let volumes = use_ext4("/dev/group/linear") + &use_ext4("/dev/group/striped");
    let script = format!(
        "vgcreate --quiet group /dev/vda /dev/vdb\n\
         lvcreate --quiet --yes --size 20M --name linear group\n\
         lvcreate --quiet --yes --size 24M --stripes 2 --name striped group\n\
         vgchange --quiet --activate n group\n\
         [[ ! -e /dev/group/linear ]]\n{}",
        activate_lvm("group", &volumes)
    );
    let said = machine::run(&[first, second], Writes::Kept, &script);
    assert_eq!(said.matches(SUM).count(), 2, "{said}");
    for disk in [first, second] {
        assert_eq!(blkid_value(disk, "TYPE"), "LVM2_member");
    }
}

/// A filesystem with a file for [`SUM`].
fn mke2fs(scratch: &Scratch) -> PathBuf {
    let tree = scratch.path("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("file"), vec![b'x'; 8 << 20]).unwrap();
    let data = scratch.sample("data", 16 * MIB);
    let options = ["-q", "-t", "ext4", "-b", "4096", "-d"];
    run("mke2fs", &arguments(&options, &[&tree, &data])).unwrap();
    data
}

/// The root, in hexadecimal digits, of the tree that veritysetup writes to `hash`.
fn verity_format(data: &Path, hash: &Path) -> String {
    let said = run("veritysetup", &arguments(&["format"], &[data, hash])).unwrap();
    let mut lines = said.lines();
    let root = lines.find_map(|line| line.strip_prefix("Root hash:"));
    root.unwrap().trim().to_owned()
}

#[test]
fn a_tree_of_verity_vouches_for_every_byte() {
    let scratch = Scratch::new();
    let data = mke2fs(&scratch);
    let [hash, damaged] = ["sample-hash", "sample-damaged"].map(|name| scratch.path(name));
    let root = verity_format(&data, &hash);
    fs::copy(&data, &damaged).unwrap();
    change_a_byte_of_the_file(&damaged);
    let whole = "mount -o ro /dev/mapper/whole /mnt\nmd5sum /mnt/file\numount /mnt";
    let changed = "mount -o ro /dev/mapper/changed /mnt\nfails md5sum /mnt/file\numount /mnt\n\
                   dmesg | grep 'data block .* is corrupted'";
    let other = "fails md5sum /dev/mapper/other";
    let no_root = "0".repeat(64);
    let script = [
        open_verity(["/dev/vda", "/dev/vdb"], "whole", &root, "", whole),
        open_verity(["/dev/vdc", "/dev/vdb"], "changed", &root, "", changed),
        open_verity(["/dev/vda", "/dev/vdb"], "other", &no_root, "", other),
        // The filesystem itself notices nothing.
        "mount -o ro /dev/vdc /mnt\nmd5sum /mnt/file\numount /mnt\n".to_owned(),
    ];
    let disks = [data.as_path(), &hash, &damaged];
    let said = machine::run(&disks, Writes::Dropped, &script.concat());
    assert_eq!(said.matches(SUM).count(), 1, "{said}");
}

/// As debugfs says where the file has its blocks.
fn change_a_byte_of_the_file(image: &Path) {
    let said = debugfs("bmap /file 1000", image).unwrap();
    let said = String::from_utf8(said).unwrap();
    let block: u64 = said.trim().parse().unwrap();
    let image = File::options().write(true).open(image).unwrap();
    image.write_all_at(b"y", block * 4096 + 77).unwrap();
}

#[test]
fn a_script_that_fails_fails_in_the_machine() {
    let said = attempt(&[], Writes::Dropped, "echo one\nfalse\necho two").unwrap_err();
    for part in ["one\n", "\"false\" fails", "status 1"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("two\n\n"), "{said}");
}

/// Whether bash of this host gets to the end of a script.
fn ends(script: &str) -> bool {
    let output = command("bash").args(["-c", &whole(script)]).output();
    output.unwrap().stdout.ends_with(END.as_bytes())
}

#[test]
fn a_script_ends_with_the_first_surprise() {
    let good = ["", "fails false", "quiet true", "echo a | fails grep b"];
    for script in good {
        assert!(ends(script), "{script}");
    }
    let bad = [
        "false",
        "false | true",
        "echo $unset",
        "exit 0",
        "fails true",
        "echo a | fails grep a",
        "quiet echo a",
        "quiet false",
        "if",
        "f() { false; true; }\nf",
    ];
    for script in bad {
        assert!(!ends(script), "{script}");
    }
}
