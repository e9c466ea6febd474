//! Elements that install GRUB as those of diskimage-builder do: machines start from what comes out.

use std::fs;

use createhdds::system::Firmware;

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

#[test]
fn one_image_is_started_by_a_bios_and_by_uefi() {
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
    let debian = debian.display().to_string();
    let variables = [
        ("DEBIAN", debian.as_str()),
        ("DIB_BLOCK_DEVICE_CONFIG", LAYOUT),
    ];
    ground
        .run("dib -n -t raw --size 1G debian probe", &variables)
        .expect(0);
    let image = ground.path("image.raw");
    checkers::sfdisk_verify(&image).unwrap();
    checkers::sgdisk_verify(&image).unwrap();
    let table = checkers::table(&image).unwrap();
    let [esp, root] = [0, 2].map(|index| Volume::of_partition(&image, &table.entries[index]));
    checkers::fsck("vfat", &esp).unwrap();
    checkers::e2fsck(&root).unwrap();
    let read = |path: &str| {
        let said = checkers::debugfs(&format!("cat {path}"), &root).unwrap();
        String::from_utf8(said).unwrap()
    };
    let configuration = read("/boot/grub/grub.cfg");
    let uuid = &checkers::blkid(&root).unwrap()["UUID"];
    assert!(configuration.contains(uuid), "{configuration}");
    assert!(
        configuration.contains("/boot/vmlinuz-1 "),
        "{configuration}"
    );
    assert!(!configuration.contains("createhdds"), "{configuration}");
    for (firmware, platform) in [(Firmware::Bios, "pc"), (Firmware::Uefi, "efi")] {
        let said = boot(firmware, &image);
        let word = format!("the word comes from hd0,gpt3 by (hd0,gpt3)/boot/grub on {platform}");
        assert!(said.contains(&word), "'{word}' isn't in {said}");
    }
}
