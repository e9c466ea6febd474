//! What grub-mkimage is asked for.

use std::ffi::OsString;

use super::plan::{DIRECTORY, Home};
use super::platform::Platform;

/// The file with what is done before anything else, for UEFI.
pub(super) fn load_file(platform: Platform) -> String {
    format!("{DIRECTORY}/{}/load.cfg", platform.name)
}

/// The image that grub-mkimage makes.
pub(super) fn core_file(platform: Platform) -> String {
    let extension = match platform.is_bios() {
        true => "img",
        false => "efi",
    };
    format!("{DIRECTORY}/{}/core.{extension}", platform.name)
}

/// What finds GRUB's files by the UUID of their filesystem: first in the logical volume that they are in,
/// if they are in one.
pub(super) fn search(home: &Home) -> String {
    let Home { uuid, path, .. } = home;
    let hint = match home.drive.starts_with(',') {
        true => String::new(),
        false => format!("{} ", home.drive),
    };
    format!("search.fs_uuid {uuid} root {hint}\nset prefix=($root)'{path}'\n")
}

/// The modules that are in the image: what reads the tables, what lies between them and GRUB's files, and
/// these, and `others`.
pub(super) fn modules<'a>(platform: Platform, home: &Home, others: &'a [String]) -> Vec<&'a str> {
    let finds = match platform.is_bios() {
        true => "biosdisk",
        false => "search_fs_uuid",
    };
    let mut modules = vec!["part_msdos", "part_gpt"];
    modules.extend(&home.layers.modules);
    modules.extend([home.filesystem.name, finds]);
    for other in others {
        if !modules.contains(&other.as_str()) {
            modules.push(other);
        }
    }
    modules
}

/// The arguments of grub-mkimage, in the tree. The first place to look for GRUB's files is their logical
/// volume, or the partition of their number on the disk that GRUB was started from.
pub(super) fn arguments(platform: Platform, home: &Home, others: &[String]) -> Vec<OsString> {
    let prefix = format!("({}){}", home.drive, home.path);
    let mut arguments: Vec<OsString> = vec![
        "-O".into(),
        platform.name.into(),
        "-d".into(),
        platform.modules().into(),
        "-p".into(),
        prefix.into(),
        "-o".into(),
        core_file(platform).into(),
    ];
    if !platform.is_bios() {
        arguments.extend(["-c".into(), load_file(platform).into()]);
    }
    let modules = modules(platform, home, others).into_iter();
    arguments.extend(modules.map(OsString::from));
    arguments
}

#[cfg(test)]
mod tests {
    use super::super::filesystems::of_format;
    use super::super::layers::Layers;
    use super::*;
    use crate::system::Firmware;

    #[test]
    fn the_program_gets_these_arguments() {
        for (firmware, architecture, drive, layers, format, path, hint, expected) in [
            (
                Firmware::Bios,
                "amd64",
                ",msdos1",
                vec![],
                "ext4",
                "/boot/grub",
                "",
                "-O i386-pc -d /usr/lib/grub/i386-pc -p (,msdos1)/boot/grub \
                 -o /boot/grub/i386-pc/core.img part_msdos part_gpt ext2 biosdisk",
            ),
            (
                Firmware::Uefi,
                "arm64",
                ",gpt2",
                vec![],
                "xfs",
                "/grub",
                "",
                "-O arm64-efi -d /usr/lib/grub/arm64-efi -p (,gpt2)/grub \
                 -o /boot/grub/arm64-efi/core.efi -c /boot/grub/arm64-efi/load.cfg \
                 part_msdos part_gpt xfs search_fs_uuid",
            ),
            (
                Firmware::Bios,
                "amd64",
                "lvmid/A/B",
                vec!["lvm"],
                "btrfs",
                "/grub",
                "lvmid/A/B ",
                "-O i386-pc -d /usr/lib/grub/i386-pc -p (lvmid/A/B)/grub \
                 -o /boot/grub/i386-pc/core.img part_msdos part_gpt lvm btrfs biosdisk",
            ),
        ] {
            let home = Home {
                drive: drive.to_owned(),
                layers: Layers {
                    modules: layers,
                    ..Layers::default()
                },
                uuid: "U".to_owned(),
                filesystem: of_format(format).unwrap(),
                path: path.to_owned(),
            };
            let platform = Platform::of(firmware, architecture).unwrap();
            let found = arguments(platform, &home, &[]).join(" ".as_ref());
            assert_eq!(found, expected);
            let expected = format!("search.fs_uuid U root {hint}\nset prefix=($root)'{path}'\n");
            assert_eq!(search(&home), expected);
        }
    }
}
