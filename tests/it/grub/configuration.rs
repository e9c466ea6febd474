//! What GRUB's own programs make in a tree that is on no device.

use createhdds::bootloader::grub::{check, install};
use createhdds::system::{Firmware, Opened};
use disklayout::disk::MemDisk;
use disklayout::layout::spec::{Encrypted, Holds, Start};
use disklayout::volume::luks;
use testkit::root::is_root;

use super::disk::{GPT, MBR, ROOT, SIZE, grub, system};
use super::tree::{Tree, program};

/// A tree with a kernel, as far as GRUB's configuration is concerned.
fn tree() -> Tree {
    let tree = Tree::without(&[]);
    for name in ["vmlinuz-6.1.0-test", "initrd.img-6.1.0-test"] {
        tree.put(&format!("/boot/{name}"), "", 0o644);
    }
    tree
}

/// The lines of a text that begin with `word`, but for the space around them, each once.
fn lines<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let mut lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.retain(|line| line.starts_with(word));
    lines.sort_unstable();
    lines.dedup();
    lines
}

#[test]
fn the_configuration_names_no_device_of_this_machine() {
    if !is_root() {
        return;
    }
    let parts = [(64, "linux", "ext4", "/")];
    for (table, module) in [(MBR, "insmod part_msdos"), (GPT, "insmod part_gpt")] {
        let parts = [&parts[..], &[(1, "bios-boot", "", "")]].concat();
        let (tree, system) = (tree(), system(table, &parts));
        // Whoever allows it to look for other systems doesn't have it look at this machine.
        tree.put("/etc/default/grub", "GRUB_DISABLE_OS_PROBER=false\n", 0o644);
        let grub = grub(Firmware::Bios, 0, None);
        install(&tree, &grub, &system, &MemDisk::new(SIZE)).unwrap();
        let configuration = tree.text("/boot/grub/grub.cfg");
        for name in ["/dev/", "hostdisk", "loop", "vda", "hd0"] {
            assert!(!configuration.contains(name), "{name}: {configuration}");
        }
        let search = format!("search --no-floppy --fs-uuid --set=root {ROOT}");
        assert_eq!(lines(&configuration, "search"), [search.as_str()]);
        let parameters = "net.ifnames=0 rw loglevel=3 console=tty0 console=ttyS0,115200n8 \
                          systemd.show_status=true";
        let kernel = format!("linux\t/boot/vmlinuz-6.1.0-test root=UUID={ROOT} ro");
        let [normal, recovery] = lines(&configuration, "linux\t")[..] else {
            panic!("{configuration}");
        };
        assert_eq!(normal, format!("{kernel}  {parameters}"));
        assert!(
            recovery.starts_with(&format!("{kernel} single")),
            "{recovery}"
        );
        let initrd = ["initrd\t/boot/initrd.img-6.1.0-test"];
        assert_eq!(lines(&configuration, "initrd"), initrd);
        assert_eq!(lines(&configuration, "insmod part_"), [module]);
        assert_eq!(lines(&configuration, "insmod ext2"), ["insmod ext2"]);
        assert_eq!(
            lines(&configuration, "terminal_output"),
            ["terminal_output serial"]
        );
    }
}

#[test]
fn boot_on_a_filesystem_of_its_own_is_found_by_its_own_uuid() {
    if !is_root() {
        return;
    }
    let parts = [(64, "linux", "ext4", "/"), (64, "linux", "xfs", "/boot")];
    let (tree, system) = (tree(), system(MBR, &parts));
    let grub = grub(Firmware::Bios, 0, None);
    install(&tree, &grub, &system, &MemDisk::new(SIZE)).unwrap();
    let configuration = tree.text("/boot/grub/grub.cfg");
    let own = &system.volumes[1].uuid;
    let search = format!("search --no-floppy --fs-uuid --set=root {own}");
    assert_eq!(lines(&configuration, "search"), [search.as_str()]);
    let kernels = lines(&configuration, "linux\t");
    let start = format!("linux\t/vmlinuz-6.1.0-test root=UUID={ROOT} ro");
    assert!(
        kernels.iter().all(|line| line.starts_with(&start)),
        "{kernels:?}"
    );
    assert_eq!(lines(&configuration, "insmod xfs"), ["insmod xfs"]);
}

#[test]
fn a_root_that_is_encrypted_is_told_by_the_name_that_it_is_opened_by() {
    if !is_root() {
        return;
    }
    let parts = [(64, "linux", "ext4", "/"), (64, "linux", "ext2", "/boot")];
    let (tree, mut system) = (tree(), system(MBR, &parts));
    system.volumes[0].opened = Some(Opened {
        name: "crypt".to_owned(),
        uuid: "be62a114-f284-45cb-8039-9329532bc9eb".to_owned(),
    });
    let secrets = luks::Secrets::new([0; 32]);
    let holds = &mut system.disk.partitions[0].holds;
    *holds = Holds::Encrypted(Box::new(Encrypted {
        luks: luks::Request::new("luks", luks::Version::Luks2, secrets),
        sector_size: None,
        encrypts_zeroes: false,
        holds: std::mem::replace(holds, Holds::Nothing),
    }));
    let grub = grub(Firmware::Bios, 0, None);
    install(&tree, &grub, &system, &MemDisk::new(SIZE)).unwrap();
    let configuration = tree.text("/boot/grub/grub.cfg");
    let kernels = lines(&configuration, "linux\t");
    let start = "linux\t/vmlinuz-6.1.0-test root=/dev/mapper/crypt ro";
    assert_eq!(kernels.len(), 2);
    assert!(
        kernels.iter().all(|it| it.starts_with(start)),
        "{kernels:?}"
    );
    let search = format!(
        "search --no-floppy --fs-uuid --set=root {}",
        system.volumes[1].uuid
    );
    assert_eq!(lines(&configuration, "search"), [search.as_str()]);
    // GRUB asks for no passphrase.
    for word in ["crypt", "luks"] {
        let own: Vec<_> = configuration
            .lines()
            .filter(|line| line.contains(word))
            .collect();
        assert!(own.iter().all(|line| line.contains(start)), "{own:?}");
    }
}

#[test]
fn all_files_are_where_grub_install_puts_them() {
    if !is_root() {
        return;
    }
    let parts = [(40, "esp", "vfat", "/boot/efi"), (64, "linux", "ext4", "/")];
    let (tree, system) = (tree(), system(GPT, &parts));
    install(
        &tree,
        &grub(Firmware::Uefi, 1, Some(0)),
        &system,
        &MemDisk::new(SIZE),
    )
    .unwrap();
    let expected = ["fonts", "grub.cfg", "grubenv", "locale", "x86_64-efi"];
    assert_eq!(tree.names("/boot/grub"), expected);
    assert_eq!(tree.names("/boot/efi/EFI"), ["BOOT", "debian"]);
    assert_eq!(
        tree.names("/boot/efi/EFI/BOOT"),
        ["BOOTX64.EFI", "grubx64.efi", "mmx64.efi"]
    );
    assert_eq!(
        tree.names("/boot/efi/EFI/debian"),
        [
            "BOOTX64.CSV",
            "fbx64.efi",
            "grub.cfg",
            "grubx64.efi",
            "mmx64.efi",
            "shimx64.efi"
        ]
    );
    let uuid = &system.volumes[1].uuid;
    let stub = format!(
        "search.fs_uuid {uuid} root \nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n"
    );
    assert_eq!(tree.text("/boot/efi/EFI/debian/grub.cfg"), stub);
    let names = tree.names("/boot/grub/x86_64-efi");
    for name in [
        "core.efi",
        "grub.efi",
        "load.cfg",
        "normal.mod",
        "command.lst",
        "modinfo.sh",
    ] {
        assert!(
            names.iter().any(|it| it == name),
            "{name} isn't in {names:?}"
        );
    }
    // The environment is one, by the program that edits it.
    let environment = tree.path("/boot/grub/grubenv");
    let edit = |arguments: &[&str]| {
        let mut edit = program("/usr/bin/grub-editenv");
        let output = edit.arg(&environment).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(edit(&["list"]), "");
    edit(&["set", "saved_entry=1"]);
    assert_eq!(edit(&["list"]), "saved_entry=1\n");
    assert_eq!(std::fs::metadata(&environment).unwrap().len(), 1024);
}

#[test]
fn a_tree_that_lacks_a_package_is_not_touched() {
    if !is_root() {
        return;
    }
    let tree = Tree::without(&["/usr/lib/grub/i386-pc"]);
    let (system, grub) = (
        system(MBR, &[(64, "linux", "ext4", "/")]),
        grub(Firmware::Bios, 0, None),
    );
    let defaults = std::fs::read(tree.path("/etc/default/grub")).ok();
    let error = install(&tree, &grub, &system, &MemDisk::new(SIZE)).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("install the package grub-pc-bin in it"),
        "{said}"
    );
    assert!(!tree.path("/boot/grub").exists());
    assert_eq!(std::fs::read(tree.path("/etc/default/grub")).ok(), defaults);
}

/// How many sectors there have to be in front of the first partition, from what is said where there
/// are too few.
fn needed(said: &str) -> u64 {
    let number = said.split("core.img needs ").nth(1);
    let number = number.and_then(|rest| rest.split(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn the_gap_behind_an_mbr_is_as_large_as_it_has_to_be() {
    if !is_root() {
        return;
    }
    // Without what makes it, the configuration is made sooner.
    let tree = Tree::without(&["/etc/grub.d"]);
    tree.put("/etc/grub.d/10_nothing", "#!/bin/sh\necho true\n", 0o755);
    for format in [
        "ext4", "vfat", "xfs", "btrfs", "f2fs", "exfat", "ntfs", "squashfs",
    ] {
        let grub = grub(Firmware::Bios, 0, None);
        let from = |sector: u64| {
            let mut system = system(MBR, &[(64, "linux", format, "/")]);
            system.disk.partitions[0].start = Start::Sector(sector as i64);
            system
        };
        let at_least = needed(&check(&grub, &from(1)).unwrap_err().to_string());
        check(&grub, &from(1 + at_least - 1)).unwrap_err();
        check(&grub, &from(1 + at_least)).unwrap();
        let disk = MemDisk::new(SIZE);
        install(&tree, &grub, &from(2048), &disk).unwrap();
        let core = std::fs::read(tree.path("/boot/grub/i386-pc/core.img")).unwrap();
        let sectors = core.len().div_ceil(512) as u64;
        // Newer ones are larger, but not much.
        assert!(
            (at_least..at_least + 15).contains(&sectors),
            "{format}: {sectors}"
        );
        install(&tree, &grub, &from(1 + sectors), &disk).unwrap();
        let error = install(&tree, &grub, &from(1 + sectors - 1), &disk).unwrap_err();
        assert_eq!(needed(&error.to_string()), sectors, "{format}");
    }
}
