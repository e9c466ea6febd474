//! Options of systems that start.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, value_parser};
use disklayout::layout::spec::DiskTable;

use crate::cli::sandboxed;
use crate::cli::values::{option, value};
use crate::command::make_fs::{Bootloader, Firmware};
use crate::formats::{FileFormat, Holds};

/// The heading of these options.
const BOOT: &str = "Systems that start";

/// What makes a tree a system that starts.
pub(super) fn arguments() -> [Arg; 5] {
    let of_bootloader = |name, value, help| {
        let option = option(name, value, help);
        option.requires("bootloader").help_heading(BOOT)
    };
    [
        option(
            "bootloader",
            "KIND",
            "Install GRUB, by the programs of the tree, on a disk with a GPT or as --partition says",
        )
        .value_parser(["grub-bios", "grub-uefi", "both"])
        .help_heading(BOOT),
        of_bootloader(
            "kernel-parameters",
            "TEXT",
            "What the kernel is told [default: as the tree has it]",
        ),
        of_bootloader("console", "CONSOLE", "Use the serial line as well").value_parser(["serial"]),
        of_bootloader(
            "log",
            "FILE",
            "Write everything there that programs of the tree say",
        )
        .value_parser(value_parser!(PathBuf)),
        sandboxed::tree("beside the image").requires("bootloader").help_heading(BOOT),
    ]
}

/// The boot loader that the command line asks for.
pub(super) fn loader(matches: &ArgMatches) -> Option<Bootloader> {
    let kind: String = value(matches, "bootloader")?;
    let parameters = value::<String>(matches, "kernel-parameters");
    Some(Bootloader {
        firmwares: match kind.as_str() {
            "grub-bios" => vec![Firmware::Bios],
            "grub-uefi" => vec![Firmware::Uefi],
            _ => vec![Firmware::Bios, Firmware::Uefi],
        },
        kernel_parameters: parameters
            .map(|text| text.split_whitespace().map(str::to_owned).collect()),
        serial: value::<String>(matches, "console").is_some(),
        log: value(matches, "log"),
        tree: sandboxed::tree_of(matches),
    })
}

/// Refuses a boot loader where none can be.
///
/// # Errors
/// Why there can't be one.
pub(super) fn check(table: &DiskTable, files: &[FileFormat]) -> Result<(), &'static str> {
    if *table == DiskTable::None {
        return Err("--bootloader needs a partition table: leave --partition=none out");
    }
    if files.iter().any(|file| file.stream.is_some()) {
        return Err("an image with a boot loader can't go to standard output ('-'): give a file");
    }
    match files.iter().any(|file| file.holds == Holds::Files) {
        true => Err("--bootloader is for disks: leave out the formats of archives"),
        false => Ok(()),
    }
}
