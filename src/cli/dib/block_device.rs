//! The options of `dib-block-device`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::cli::values::{option, value};
use crate::command::dib::block_device::{Options, Step};

/// The command's name.
pub(in crate::cli) const NAME: &str = "dib-block-device";

const AFTER_HELP: &str = "\
The parameters are names and values of YAML: 'config' is the configuration of the disks, 'image-dir' the
directory of their files, NAME.raw, 'image-size' their size unless they have one, as '2GiB', 'build-dir' the
directory in which the tree is called 'built', and 'root-fs-type', 'root-label' and 'root-fs-opts' are for the
root filesystem. Without --params, DIB_BLOCK_DEVICE_PARAMS_YAML names the file.

Builds need none of this: 'createhdds dib' makes its disks itself.

A link to this program that is called dib-block-device takes the same options.";

/// The subcommand.
pub(in crate::cli) fn command() -> Command {
    let step = |name: &'static str, about: &'static str| Command::new(name).about(about);
    Command::new(NAME)
        .about("Make the disks of a configuration of diskimage-builder, with empty filesystems")
        .after_help(AFTER_HELP)
        .subcommand_required(true)
        .arg(
            option(
                "params",
                "FILE",
                "The parameters [default: those that the environment names]",
            )
            .value_parser(value_parser!(PathBuf)),
        )
        .subcommand(step("init", "Check the parameters and the configuration"))
        .subcommand(
            step(
                "getval",
                "Print what is known: root-label, root-fstype, boot-label, mount-points, \
                  image-path, image-block-device, image-block-devices",
            )
            .arg(
                Arg::new("symbol")
                    .value_name("SYMBOL")
                    .required(true)
                    .help("What is asked for"),
            ),
        )
        .subcommand(step("create", "Make the images"))
        .subcommand(step("writefstab", "Write fstab into the tree"))
        .subcommand(step("umount", "Do nothing: nothing is mounted"))
        .subcommand(step("cleanup", "Do nothing: nothing is left"))
        .subcommand(step("delete", "Remove the images"))
}

/// What the command line asks for.
pub(in crate::cli) fn options(matches: &ArgMatches) -> Options {
    let step = match matches.subcommand() {
        Some(("getval", inner)) => Step::Get(value(inner, "symbol").unwrap_or_default()),
        Some(("create", _)) => Step::Create,
        Some(("writefstab", _)) => Step::WriteFstab,
        Some(("delete", _)) => Step::Delete,
        Some(("umount" | "cleanup", _)) => Step::CleanUp,
        _ => Step::Init,
    };
    Options {
        parameters: value(matches, "params"),
        step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_asked_for_by_its_name() {
        command().debug_assert();
        for (line, step) in [
            ("init", Step::Init),
            ("getval root-label", Step::Get("root-label".to_owned())),
            ("create", Step::Create),
            ("writefstab", Step::WriteFstab),
            ("umount", Step::CleanUp),
            ("cleanup", Step::CleanUp),
            ("delete", Step::Delete),
        ] {
            let words = [NAME, "--params", "p"].into_iter().chain(line.split(' '));
            let found = options(&command().try_get_matches_from(words).unwrap());
            assert_eq!((found.parameters, found.step), (Some("p".into()), step));
        }
        for wrong in [&[NAME][..], &[NAME, "getval"], &[NAME, "other"]] {
            command().try_get_matches_from(wrong).unwrap_err();
        }
    }
}
