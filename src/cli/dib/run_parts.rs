//! The options of `dib-run-parts`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::cli::values::value;
use crate::command::dib::run_parts::Options;

/// The command's name.
pub(in crate::cli) const NAME: &str = "dib-run-parts";

const AFTER_HELP: &str = "\
Scripts are executable files with names of letters, digits, '_' and '-', or that match the extended regular
expression in RUN_PARTS_REGEX. They run in the order of the numbers that they begin with, in the environment
that bash gets from files in environment.d beside the directory. The first that fails ends it: its status is
the program's.

A link to this program that is called dib-run-parts takes the same options.";

/// The subcommand.
pub(in crate::cli) fn command() -> Command {
    Command::new(NAME)
        .about("Run the scripts of a directory in their order, as diskimage-builder does")
        .after_help(AFTER_HELP)
        .arg(
            Arg::new("list")
                .long("list")
                .action(ArgAction::SetTrue)
                .help("Print the paths of the scripts, and run nothing"),
        )
        .arg(
            Arg::new("directory")
                .value_name("DIR")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The directory"),
        )
}

/// What the command line asks for.
pub(in crate::cli) fn options(matches: &ArgMatches) -> Options {
    Options {
        directory: value(matches, "directory").unwrap_or_default(),
        list: matches.get_flag("list"),
    }
}
