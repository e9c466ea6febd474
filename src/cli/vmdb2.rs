//! The options of `vmdb2`.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use disklayout::fs::Misfits;

use super::values::{all, flag, option, path, value};
use super::{files, sandboxed};
use crate::command::system;
use crate::command::vmdb2::Options;

/// The command's name.
pub(super) const NAME: &str = "vmdb2";

const AFTER_HELP: &str = "\
SPEC is a specification of vmdb2, '-' for one on standard input. It is read and checked as a whole
before a file is touched. Its steps run in a sandbox of namespaces: no root, no loop device and no
mount of the host is needed, and nothing is left behind. What becomes the image is written at the end,
in any format, and then renamed to its name.

A link to this program that is called vmdb2 takes the same options.";

/// The subcommand.
pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Build the bootable system that a specification of vmdb2 describes, without root")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(AFTER_HELP)
        .args(output_arguments())
        .args(run_arguments())
        .args(files::arguments())
        .arg(
            Arg::new("spec")
                .value_name("SPEC")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The specification, '-' for standard input"),
        )
}

fn output_arguments() -> [Arg; 4] {
    [
        path("output", "FILE", "The image, which is made or replaced"),
        path(
            "image",
            "FILE",
            "An image that exists already: not supported, use --output",
        ),
        path(
            "rootfs-tarball",
            "FILE",
            "The archive that the steps unpack-rootfs and cache-rootfs read and write",
        ),
        flag("force", "Replace FILE even if it is no disk image"),
    ]
}

fn run_arguments() -> [Arg; 8] {
    [
        option(
            "variable",
            "NAME=VALUE",
            "Something that templates of the specification use; may be repeated",
        )
        .value_parser(variable)
        .action(ArgAction::Append),
        path("log", "FILE", "Write everything there that programs say"),
        flag("verbose", "Show what programs say on standard error").short('v'),
        flag(
            "dry-run",
            "Check the specification and show what it would do; touch nothing",
        ),
        path(
            "package-cache",
            "DIR",
            "Keep downloaded packages there, and take them from there",
        ),
        path(
            "root-cache",
            "DIR",
            "Keep the unpacked --rootfs-tarball there, and it with packages, and begin with that",
        ),
        flag(
            "lossy",
            "Leave out, with a warning, what a filesystem can't hold",
        ),
        sandboxed::tree("beside the image"),
    ]
}

/// A variable: one equals sign, and quotes around the value that aren't part of it.
fn variable(text: &str) -> Result<(String, String), String> {
    let wrong = "give a name and a value with one '=' between them, like mirror=http://deb.debian.org/debian";
    let (name, value) = text.split_once('=').ok_or(wrong)?;
    if name.is_empty() {
        return Err(wrong.to_owned());
    }
    let quoted = ['\'', '"'].iter().find_map(|quote| {
        let inner = value.strip_prefix(*quote)?;
        inner.strip_suffix(*quote)
    });
    Ok((name.to_owned(), quoted.unwrap_or(value).to_owned()))
}

/// What the command line asks for.
///
/// # Errors
/// When options and arguments contradict each other.
pub(super) fn options(matches: &ArgMatches) -> Result<Options, clap::Error> {
    let refuse = |message: &str| command().error(ErrorKind::ValueValidation, message);
    let is_dry = matches.get_flag("dry-run");
    if value::<PathBuf>(matches, "image").is_some() {
        return Err(refuse(
            "--image is for an image that exists already, which can't be changed without root: build \
             a new one with --output",
        ));
    }
    let output: PathBuf = match value(matches, "output") {
        Some(output) => output,
        None if is_dry => "image.img".into(),
        None => return Err(refuse("give the image that is made with --output FILE")),
    };
    let files = files::files(matches, &output, true).map_err(|message| refuse(&message))?;
    Ok(Options {
        spec: value(matches, "spec").unwrap_or_default(),
        rootfs_tarball: value(matches, "rootfs-tarball"),
        variables: all(matches, "variable"),
        misfits: match matches.get_flag("lossy") {
            true => Misfits::Drop,
            false => Misfits::Refuse,
        },
        is_dry,
        system: system::Options {
            output,
            files,
            seed: None,
            force: matches.get_flag("force"),
            log: value(matches, "log"),
            verbose: matches.get_flag("verbose"),
            package_cache: value(matches, "package-cache"),
            root_cache: value(matches, "root-cache"),
            tree: sandboxed::tree_of(matches),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        let words = [NAME].into_iter().chain(line.split_whitespace());
        options(&command().try_get_matches_from(words)?)
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn an_output_is_needed_unless_nothing_is_made() {
        assert_eq!(
            parse("--output a.qcow2 s").unwrap().system.files[0].name,
            "qcow2"
        );
        assert_eq!(
            parse("--output a.tar s").unwrap().system.files[0].name,
            "raw"
        );
        assert!(parse("--dry-run -").unwrap().is_dry);
        for (line, part) in [
            ("s", "--output FILE"),
            ("--image a s", "--output"),
            ("--output a --format none s", "'none' is no format"),
            ("--output a --variable x s", "one '='"),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn variables_lose_their_quotes() {
        for (text, expected) in [
            ("a=b", Ok(("a", "b"))),
            ("a='b c'", Ok(("a", "b c"))),
            ("a=\"b\"", Ok(("a", "b"))),
            ("a='b\"", Ok(("a", "'b\""))),
            ("a=", Ok(("a", ""))),
            ("a=b=c", Ok(("a", "b=c"))),
            ("=b", Err(())),
            ("a", Err(())),
        ] {
            let found = variable(text).map_err(|_| ());
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
