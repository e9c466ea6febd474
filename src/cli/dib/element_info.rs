//! The options of `element-info`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::cli::values::{all, option, value};
use crate::command::dib::element_info::Options;

/// The command's name.
pub(in crate::cli) const NAME: &str = "element-info";

const AFTER_HELP: &str = "\
Elements are searched for in the directories of ELEMENTS_PATH, and behind those in the diskimage-builder
that is installed, of which none is needed.

A link to this program that is called element-info takes the same options.";

/// The subcommand.
pub(in crate::cli) fn command() -> Command {
    Command::new(NAME)
        .about("Tell the elements of diskimage-builder that some elements need")
        .after_help(AFTER_HELP)
        .arg(
            Arg::new("env")
                .short('e')
                .long("env")
                .action(ArgAction::SetTrue)
                .help("Print commands of a shell that set IMAGE_ELEMENT and its like"),
        )
        .arg(
            option(
                "dib",
                "DIR",
                "The diskimage-builder that is installed [default: found]",
            )
            .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("elements")
                .value_name("ELEMENT")
                .required(true)
                .num_args(1..)
                .action(ArgAction::Append)
                .help("Elements, of which one has to provide an operating system"),
        )
}

/// What the command line asks for.
pub(in crate::cli) fn options(matches: &ArgMatches) -> Options {
    Options {
        elements: all(matches, "elements"),
        dib: value(matches, "dib"),
        as_variables: matches.get_flag("env"),
    }
}
