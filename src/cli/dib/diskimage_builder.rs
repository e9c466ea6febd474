//! The options of `diskimage-builder`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::cli::values::{all, flag};
use crate::command::dib::builds::Options;
use crate::describe::dib::builds::key_names;

/// The command's name.
pub(in crate::cli) const NAME: &str = "diskimage-builder";

const AFTER_HELP: &str = "\
FILE is YAML, a list of images. Their keys are options of 'dib', by their long names or by those below;
images of one name are one, and an image without a name goes on with the one before it: lists get longer,
of 'environment' and 'qemu-img-options' each name counts, of everything else the last value does.

  - imagename: debian
    types: [qcow2, raw]
    checksum: true
    environment: {DIB_RELEASE: bookworm}
    elements: [vm, debian-minimal]
  - packages: [vim]

All files are checked before anything is run. The images are built in their order; the status is that of the
last that has failed.";

const LINK: &str =
    "A link to this program that is called diskimage-builder takes the same options.";

const KEYS_IN_A_LINE: usize = 7;

/// The subcommand.
pub(in crate::cli) fn command() -> Command {
    Command::new(NAME)
        .about("Build the images that files describe for diskimage-builder")
        .version(env!("CARGO_PKG_VERSION"))
        .infer_long_args(true)
        .after_help(format!("{AFTER_HELP}\n\nKeys:{}\n\n{LINK}", keys()))
        .arg(flag(
            "dry-run",
            "Check the files and print the commands; run nothing",
        ))
        .arg(flag(
            "stop-on-failure",
            "Build no further image when one has failed",
        ))
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .action(ArgAction::Append)
                .value_parser(value_parser!(PathBuf))
                .help("Files with images"),
        )
}

/// The keys of images, on lines that aren't too long.
fn keys() -> String {
    let names = key_names();
    let lines = names.chunks(KEYS_IN_A_LINE);
    let lines: Vec<_> = lines.map(|names| names.join(", ")).collect();
    format!("\n  {}", lines.join(",\n  "))
}

/// What the command line asks for; `program` is the whole of it.
pub(in crate::cli) fn options(matches: &ArgMatches, program: (&Command, &ArgMatches)) -> Options {
    Options {
        files: all(matches, "files"),
        options: in_front(program),
        is_dry: matches.get_flag("dry-run"),
        stops_on_failure: matches.get_flag("stop-on-failure"),
    }
}

/// The program's own options that were typed, each in one word.
fn in_front((program, matches): (&Command, &ArgMatches)) -> Vec<OsString> {
    let mut words = Vec::new();
    for arg in program.get_arguments() {
        let id = arg.get_id().as_str();
        let (Some(long), Some(ValueSource::CommandLine)) =
            (arg.get_long(), matches.value_source(id))
        else {
            continue;
        };
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            words.push(format!("--{long}").into());
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            let mut word = OsString::from(format!("--{long}="));
            word.push(value);
            words.push(word);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        let program = arguments::program();
        let matches = program.clone().try_get_matches_from(line.split(' '))?;
        let (_, inner) = matches.subcommand().unwrap();
        Ok(options(inner, (&program, &matches)))
    }

    #[test]
    fn options_of_the_program_are_those_of_its_commands() {
        let options = parse(
            "createhdds -l debug diskimage-builder --no-sync a.yaml -C out --stop b.yaml --jobs=2",
        );
        let options = options.unwrap();
        assert_eq!(options.files, ["a.yaml", "b.yaml"].map(PathBuf::from));
        assert!(options.stops_on_failure && !options.is_dry);
        let mut words = options.options;
        words.sort();
        assert_eq!(
            words,
            [
                "--directory=out",
                "--jobs=2",
                "--loglevel=debug",
                "--no-sync"
            ]
        );
        assert!(parse("createhdds diskimage-builder").is_err());
    }
}
