//! Elements that install GRUB as those of diskimage-builder do: machines start from what comes out.

use std::fs;
use std::path::{Path, PathBuf};

use createhdds::system::Firmware;
use testkit::MIB;
use testkit::program::{arguments, run};

use super::ground::Ground;
use crate::checkers::Volume;
use crate::grub::machine::boot;
use crate::grub::started::WORD;
use crate::systems::user::{self, User};
use crate::{cache, checkers};

/// A system partition, a place for GRUB, and the root.
const LAYOUT: &str = "\
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: ESP, type: EF00, size: 64MiB, mkfs: {type: vfat, mount: {mount_point: /boot/efi, fstab: {}}}}
      - {name: BSP, type: EF02, size: 8MiB}
      - {name: root, size: 100%, mkfs: {type: ext4, mount: {mount_point: /, fstab: {fsck-passno: 1}}}}
";

/// The same with the root on a logical volume.
const ON_LVM: &str = "\
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - {name: ESP, type: EF00, size: 64MiB, mkfs: {type: vfat, mount: {mount_point: /boot/efi, fstab: {}}}}
      - {name: BSP, type: EF02, size: 8MiB}
      - {name: pv, type: 8E00, size: 100%}
- lvm:
    name: lvm
    pvs: [{name: member, base: pv, options: [--force]}]
    vgs: [{name: v-g, base: [member]}]
    lvs: [{name: other, base: v-g, extents: 5}, {name: root, base: v-g, extents: 90%FREE}]
- mkfs: {name: mkfs_root, base: root, type: ext4, mount: {mount_point: /, fstab: {fsck-passno: 1}}}
";

/// The element that provides the system.
const ROOT: &str = "#!/bin/bash\nset -eu\nsudo tar -C $TARGET_ROOT -xpf $DEBIAN\n\
                    sudo mkdir -p $TARGET_ROOT/{boot,dev,proc,sys,tmp}\n";

/// What the element `bootloader` does.
const INSTALL: &str = "\
[ -n \"$(type -P grub-install)\" ]
mkdir -p /boot/grub
grub-install --version | grep -q ' 2\\.'
grub-mkconfig -o /boot/grub/grub.cfg
grub-install --modules='part_msdos part_gpt lvm biosdisk' --target=i386-pc --force $IMAGE_BLOCK_DEVICE
grub-install --modules='part_msdos part_gpt lvm' --target=x86_64-efi --removable --force $IMAGE_BLOCK_DEVICE";

/// A place with an element that installs GRUB into a Debian.
fn ground() -> Ground {
    let ground = Ground::new(User::Ordinary);
    let debian = ground.beside("debian.tar");
    fs::copy(cache::path("debian-grub.tar"), &debian).unwrap();
    user::give(User::Ordinary, &debian);
    ground.put("debian/element-provides", "operating-system\n");
    ground.put("debian/root.d/10-debian", ROOT);
    ground.put("probe/files/word", WORD);
    ground.script(
        "install",
        "cp /tmp/in_target.d/files/word /etc/grub.d/00_a_word; chmod 755 /etc/grub.d/00_a_word; echo kernel > /boot/vmlinuz-1",
    );
    ground.script("finalise", INSTALL);
    ground
}

/// Builds an image of 1 GiB with this layout.
fn build(ground: &Ground, layout: &str) -> PathBuf {
    let debian = ground.beside("debian.tar").display().to_string();
    let variables = [
        ("DEBIAN", debian.as_str()),
        ("DIB_BLOCK_DEVICE_CONFIG", layout),
    ];
    ground
        .run("dib -n -t raw --size 1G debian probe", &variables)
        .expect(0);
    let image = ground.path("image.raw");
    checkers::sfdisk_verify(&image).unwrap();
    checkers::sgdisk_verify(&image).unwrap();
    image
}

/// Makes sure that the image is started by both firmwares, and that GRUB has its files on `drive`.
fn assert_started(image: &Path, drive: &str) {
    for (firmware, platform) in [(Firmware::Bios, "pc"), (Firmware::Uefi, "efi")] {
        let said = boot(firmware, image);
        let word = format!("the word comes from {drive} by ({drive})/boot/grub on {platform}");
        assert!(
            plain(&said).contains(&plain(&word)),
            "'{word}' isn't in {said}"
        );
    }
}

/// The same on one line, as no terminal breaks it.
fn plain(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn one_image_is_started_by_a_bios_and_by_uefi() {
    let ground = ground();
    let image = build(&ground, LAYOUT);
    let table = checkers::table(&image).unwrap();
    let [esp, root] = [0, 2].map(|index| Volume::of_partition(&image, &table.entries[index]));
    checkers::fsck("vfat", &esp).unwrap();
    checkers::e2fsck(&root).unwrap();
    let configuration = configuration(&root);
    let uuid = &checkers::blkid(&root).unwrap()["UUID"];
    for part in [uuid, "/boot/vmlinuz-1 "] {
        assert!(configuration.contains(part), "{configuration}");
    }
    assert!(!configuration.contains("createhdds"), "{configuration}");
    assert_started(&image, "hd0,gpt3");
}

/// GRUB's configuration on a root filesystem.
fn configuration(root: &Volume) -> String {
    let said = checkers::debugfs("cat /boot/grub/grub.cfg", root).unwrap();
    String::from_utf8(said).unwrap()
}

/// The UUID of the group or the volume whose metadata begins with `start`.
fn id_of(start: &str, metadata: &str) -> String {
    let (_, own) = metadata.split_once(&format!("\n{start}")).unwrap();
    let (_, id) = own.split_once("id = \"").unwrap();
    id.split('"').next().unwrap().to_owned()
}

#[test]
fn one_image_with_its_root_on_lvm_is_started_by_a_bios_and_by_uefi() {
    let ground = ground();
    let image = build(&ground, ON_LVM);
    let table = checkers::table(&image).unwrap();
    let mut entry = table.entries[2].clone();
    let member = Volume::of_partition(&image, &entry);
    let arguments = arguments(&["--dump", "metadata"], &[&member]);
    let metadata = run("pvck", &arguments).unwrap();
    let [group, root] = ["v-g {", "root {"].map(|name| id_of(name, &metadata));
    // Five extents are in front of it.
    let front = (MIB + 5 * 4 * MIB) / 512;
    entry.start += front;
    entry.sectors -= front;
    let volume = Volume::of_partition(&image, &entry);
    let configuration = configuration(&volume);
    let drive = format!("lvmid/{group}/{root}");
    for part in [
        " root=/dev/mapper/v--g-root ",
        "insmod lvm\n",
        &format!("set root='{drive}'"),
        &format!("--hint='{drive}'"),
    ] {
        assert!(
            configuration.contains(part),
            "'{part}' isn't in {configuration}"
        );
    }
    assert_started(&image, &drive);
}
