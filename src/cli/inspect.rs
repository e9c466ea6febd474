//! The options of `inspect`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::command::inspect::Options;

/// The command's name.
pub(super) const NAME: &str = "inspect";

const AFTER_HELP: &str = "\
Reads raw images; nothing is mounted, and nothing is written. With --cat, what is in a file is
written to standard output, and nothing else.";

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
                .help("Raw images"),
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
        cat: matches.get_one("cat").cloned(),
    }
}
