//! The options of `inspect`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use disklayout::SectorSize;

use crate::command::inspect::Options;

/// The command's name.
pub(super) const NAME: &str = "inspect";

const AFTER_HELP: &str = "\
Reads images, block devices and pipes ('-' is standard input), in qcow2, VHD, VHDX, VMDK, VDI, raw or
compressed; nothing is mounted, and nothing is written. What is damaged is read as far as possible, with warnings. With --cat, what is in a file is
written to standard output, and nothing else.

Logical volumes of LVM2 are looked into, and containers of LUKS that a key opens, whatever is in which.
A key is all that is in its file, a line end too; '-' is standard input.

A GPT tells what the sectors of its disk hold, an MBR doesn't: the size is taken with which more
filesystems are found in the partitions, 512 bytes where nothing speaks for 4096.";

/// The subcommand.
pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Tell what images hold: tables, partitions, filesystems, files")
        .after_help(AFTER_HELP)
        .arg(
            Arg::new("tree")
                .long("tree")
                .action(ArgAction::SetTrue)
                .help("List every file, too"),
        )
        .arg(
            Arg::new("part")
                .long("part")
                .value_name("N")
                .value_parser(value_parser!(u32))
                .help("Only the partition with this number"),
        )
        .arg(
            Arg::new("volume")
                .long("volume")
                .value_name("NAME")
                .help("Only the logical volume of this name; GROUP/NAME where there are several"),
        )
        .arg(
            Arg::new("key-file")
                .long("key-file")
                .value_name("FILE")
                .action(ArgAction::Append)
                .value_parser(value_parser!(PathBuf))
                .help("Look into LUKS containers that all bytes of this file open; repeatable"),
        )
        .arg(
            Arg::new("verify")
                .long("verify")
                .action(ArgAction::SetTrue)
                .conflicts_with("cat")
                .help("Hold data against its hash trees of dm-verity, which reads all of it"),
        )
        .arg(
            Arg::new("sector-size")
                .long("sector-size")
                .value_name("BYTES")
                .value_parser(["512", "4096"])
                .help("What a sector of the disks holds [default: found out]"),
        )
        .arg(
            Arg::new("cat")
                .long("cat")
                .value_name("PATH")
                .value_parser(value_parser!(OsString))
                .conflicts_with("tree")
                .help("Write what is in this file to standard output"),
        )
        .arg(
            Arg::new("images")
                .value_name("IMAGE")
                .required(true)
                .num_args(1..)
                .action(ArgAction::Append)
                .value_parser(value_parser!(PathBuf))
                .help("Images, block devices or pipes"),
        )
}

/// What the command line asks for.
pub(super) fn options(matches: &ArgMatches) -> Options {
    Options {
        images: matches
            .get_many("images")
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        tree: matches.get_flag("tree"),
        part: matches.get_one("part").copied(),
        volume: matches.get_one("volume").cloned(),
        key_files: matches
            .get_many("key-file")
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        verify: matches.get_flag("verify"),
        sector_size: matches
            .get_one::<String>("sector-size")
            .and_then(|bytes| SectorSize::of(bytes.parse().ok()?)),
        cat: matches.get_one("cat").cloned(),
    }
}
