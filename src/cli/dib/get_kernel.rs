//! The options of `disk-image-get-kernel`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::cli::values::value;
use crate::command::dib::get_kernel::Options;

/// The command's name.
pub(in crate::cli) const NAME: &str = "disk-image-get-kernel";

const AFTER_HELP: &str = "\
The image may be in any format that 'inspect' reads; nothing is mounted. The kernel is the newest that has a
ramdisk, in /boot or at the top of a filesystem that is mounted there; those for rescue and debugging are
left out.

A link to this program that is called disk-image-get-kernel takes the same options.";

/// The subcommand.
pub(in crate::cli) fn command() -> Command {
    let option = |name: &'static str, letter| Arg::new(name).short(letter);
    Command::new(NAME)
        .about("Write the kernel of an image, and its ramdisk, to files")
        .after_help(AFTER_HELP)
        .arg(
            option("image", 'i')
                .value_name("IMAGE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The image"),
        )
        .arg(
            option("into", 'd')
                .value_name("DIR")
                .default_value("/tmp")
                .value_parser(value_parser!(PathBuf))
                .help("Where the files go"),
        )
        .arg(
            option("prefix", 'o')
                .value_name("PREFIX")
                .default_value("baremetal")
                .help("What their names begin with: PREFIX-vmlinuz and PREFIX-initrd"),
        )
}

/// What the command line asks for.
pub(in crate::cli) fn options(matches: &ArgMatches) -> Options {
    Options {
        image: value(matches, "image").unwrap_or_default(),
        directory: value(matches, "into").unwrap_or_default(),
        prefix: value(matches, "prefix").unwrap_or_default(),
    }
}
