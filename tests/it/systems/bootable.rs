//! Trees that have a kernel and GRUB become disks that machines start from.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use createhdds::system::Firmware;
use testkit::program::{arguments, run};

use super::assembled::{debugfs, digest, partition};
use super::place::Place;
use super::user::User;
use crate::grub::machine::boot;
use crate::grub::started::WORD;
use crate::world::Run;
use crate::{cache, checkers};

/// A place with a layer over the Debian with GRUB of `scripts/rootfs`: what a machine says when GRUB
/// runs its configuration, and the name of a kernel, which is never started.
fn place() -> Place {
    let place = Place::new(User::Ordinary);
    place.put("layer/etc/grub.d/00_a_word", WORD);
    let word = place.path("layer/etc/grub.d/00_a_word");
    fs::set_permissions(word, PermissionsExt::from_mode(0o755)).unwrap();
    place.put("layer/boot/vmlinuz-1", "kernel");
    place
}

/// Runs `line` with that Debian on standard input.
fn make(place: &Place, line: &str) -> Run {
    let mut command = place.command(line);
    command.stdin(File::open(cache::path("debian-grub.tar")).unwrap());
    Run::of(&mut command)
}

fn expect(firmware: Firmware, image: &Path, word: &str) {
    let said = boot(firmware, image);
    let word = format!("the word comes from {word}");
    assert!(said.contains(&word), "'{word}' isn't in {said}");
}

#[test]
fn one_image_is_started_by_a_bios_and_by_uefi() {
    let place = place();
    let line = "make-fs --bootloader both --kernel-parameters a=b -s auto+100M - layer a.img";
    make(&place, line).expect(0);
    let image = place.path("a.img");
    checkers::sgdisk_verify(&image).unwrap();
    let (esp, root) = (partition(&image, 2), partition(&image, 3));
    checkers::fsck("vfat", &esp).unwrap();
    checkers::fsck("ext4", &root).unwrap();
    let fstab = debugfs(&root, "cat /etc/fstab");
    let [uuid, id] = [&root, &esp].map(|filesystem| {
        let options = ["-o", "value", "-s", "UUID"];
        let said = run("blkid", &arguments(&options, &[filesystem])).unwrap();
        said.trim_end().to_owned()
    });
    let expected =
        format!("UUID={uuid} / ext4 defaults 0 1\nUUID={id} /boot/efi vfat umask=0077 0 2\n");
    assert_eq!(fstab, expected);
    let configuration = debugfs(&root, "cat /boot/grub/grub.cfg");
    // Without an initramfs it is the kernel that looks for it.
    let said = run(
        "sfdisk",
        &arguments(&["--part-uuid"], &[&image, Path::new("3")]),
    )
    .unwrap();
    let start = format!(
        "/boot/vmlinuz-1 root=PARTUUID={} ro",
        said.trim_end().to_lowercase()
    );
    assert!(configuration.contains(&start), "{configuration}");
    assert!(configuration.contains(" a=b "), "{configuration}");
    let by = "(hd0,gpt3)/boot/grub";
    expect(Firmware::Bios, &image, &format!("hd0,gpt3 by {by} on pc"));
    expect(Firmware::Uefi, &image, &format!("hd0,gpt3 by {by} on efi"));
    // The same bytes wherever the tree was, and with the name said otherwise.
    let first = digest(&image);
    make(&place, &format!("-j 1 {line} --tree .")).expect(0);
    assert_eq!(digest(&image), first);
    make(
        &place,
        &format!("{line} --seed a.img").replace("layer a.img", "layer b.img"),
    )
    .expect(0);
    assert_eq!(digest(&place.path("b.img")), first);
}

#[test]
fn an_mbr_of_a_size_and_an_fstab_of_the_trees_own() {
    let place = place();
    place.put("layer/etc/fstab", "LABEL=x / ext4 defaults 0 1\n");
    let line =
        "make-fs --bootloader grub-bios -p -s 1G -L x -t ext4 --format qcow2 - layer a.qcow2";
    make(&place, line)
        .expect(0)
        .says(["/etc/fstab of the tree stays as it is"]);
    let (image, raw) = (place.path("a.qcow2"), place.path("a.img"));
    let convert = ["convert", "-O", "raw"];
    run("qemu-img", &arguments(&convert, &[&image, &raw])).unwrap();
    checkers::accepted("qemu-img", &image);
    assert_eq!(fs::metadata(&raw).unwrap().len(), 1 << 30);
    let root = partition(&raw, 1);
    checkers::fsck("ext4", &root).unwrap();
    assert_eq!(
        debugfs(&root, "cat /etc/fstab"),
        "LABEL=x / ext4 defaults 0 1\n"
    );
    let by = "(hd0,msdos1)/boot/grub";
    expect(Firmware::Bios, &raw, &format!("hd0,msdos1 by {by} on pc"));
}

#[test]
fn what_cannot_start_is_refused() {
    let place = place();
    fs::remove_file(place.path("layer/boot/vmlinuz-1")).unwrap();
    make(&place, "make-fs --bootloader grub-bios - layer a.img")
        .expect(3)
        .says(["--bootloader: the tree has no kernel that GRUB could start"]);
    for (options, status, part) in [
        ("-t squashfs", 3, "no UUID that it could be found by"),
        ("--sector-size 4096", 3, "sectors of 512 bytes only"),
        ("--partition=none", 64, "needs a partition table"),
        ("--format tar", 64, "is for disks"),
        ("--kernel-parameters a\u{1}b", 3, "control character"),
    ] {
        let line = format!("make-fs --bootloader grub-bios {options} layer a.img");
        place.run(&line).expect(status).says([part]);
    }
    place
        .run("make-fs --bootloader both layer -")
        .expect(64)
        .says(["standard output"]);
    place
        .run("make-fs --console serial layer a.img")
        .expect(64)
        .says(["--bootloader"]);
    place
        .run("make-fs --bootloader both nowhere a.img")
        .expect(3)
        .says(["nowhere"]);
    // Before anything is read.
    place.put("text", "no image");
    place
        .run("make-fs --bootloader both nowhere text")
        .expect(3)
        .says(["--force"]);
    fs::remove_file(place.path("text")).unwrap();
    assert_eq!(place.names(), ["layer"]);
}
