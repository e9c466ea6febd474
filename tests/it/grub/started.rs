//! Machines start GRUB, and it finds its configuration.

use createhdds::bootloader::grub::install;
use createhdds::system::{Firmware, Grub, System};
use testkit::root::is_root;
use testkit::scratch::Scratch;

use super::disk::{GPT, MBR, grub, image, pack, system};
use super::machine::boot;
use super::tree::Tree;

/// What is first in the configuration: says from where GRUB has it, and turns the machine off.
pub(crate) const WORD: &str = "#!/bin/sh\n\
                    echo 'serial --unit=0 --speed=115200'\n\
                    echo 'terminal_output serial'\n\
                    echo 'echo \"the word comes from $root by $prefix on $grub_platform\"'\n\
                    echo halt\n";

/// What a machine says that is started from an image of `system`, with a tree that lacks `removed`.
fn said(system: &System, grub: &Grub, removed: &[&str]) -> String {
    let scratch = Scratch::new();
    let tree = Tree::without(removed);
    tree.put("/etc/grub.d/00_a_word", WORD, 0o755);
    let path = scratch.path("grub");
    let image = image(&path);
    install(&tree, grub, system, &image).unwrap();
    pack(system, &tree, &image);
    boot(grub.firmware, &path)
}

fn expect(said: &str, word: &str) {
    let word = format!("the word comes from {word}");
    assert!(said.contains(&word), "'{word}' isn't in {said}");
}

#[test]
fn by_a_bios_from_an_mbr() {
    if !is_root() {
        return;
    }
    let system = system(MBR, &[(64, "linux", "ext4", "/")]);
    let said = said(&system, &grub(Firmware::Bios, 0, None), &[]);
    expect(&said, "hd0,msdos1 by (hd0,msdos1)/boot/grub on pc");
}

#[test]
fn by_a_bios_from_an_mbr_with_a_filesystem_for_boot() {
    if !is_root() {
        return;
    }
    let parts = [(64, "linux", "ext4", "/"), (64, "linux", "ext2", "/boot")];
    let said = said(&system(MBR, &parts), &grub(Firmware::Bios, 0, None), &[]);
    expect(&said, "hd0,msdos2 by (hd0,msdos2)/grub on pc");
}

#[test]
fn by_a_bios_from_a_boot_partition_of_a_gpt() {
    if !is_root() {
        return;
    }
    let parts = [(64, "linux", "ext4", "/"), (1, "bios-boot", "", "")];
    let said = said(&system(GPT, &parts), &grub(Firmware::Bios, 0, None), &[]);
    expect(&said, "hd0,gpt1 by (hd0,gpt1)/boot/grub on pc");
}

#[test]
fn by_uefi_as_it_is_made_here() {
    if !is_root() {
        return;
    }
    let parts = [(40, "esp", "vfat", "/boot/efi"), (64, "linux", "ext4", "/")];
    let removed = ["/usr/lib/shim"];
    let said = said(
        &system(GPT, &parts),
        &grub(Firmware::Uefi, 1, Some(0)),
        &removed,
    );
    expect(&said, "hd0,gpt2 by (hd0,gpt2)/boot/grub on efi");
}

#[test]
fn by_uefi_as_it_is_signed() {
    if !is_root() {
        return;
    }
    let parts = [
        (40, "esp", "vfat", "/boot/efi"),
        (64, "linux", "ext4", "/"),
        (64, "linux", "ext4", "/boot"),
    ];
    let said = said(&system(GPT, &parts), &grub(Firmware::Uefi, 1, Some(0)), &[]);
    expect(&said, "hd0,gpt3 by (hd0,gpt3)/grub on efi");
}
