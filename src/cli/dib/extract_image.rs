//! The options of `extract-image`.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use disklayout::fs;

use crate::cli::values::value;
use crate::command::dib::extract_image::Options;
use crate::command::make_fs::format_place;
use crate::formats;

/// The command's name.
pub(in crate::cli) const NAME: &str = "extract-image";

/// What names of archives begin with that are compressed, and of the one that isn't.
const TAR: &str = "tar";

const AFTER_HELP: &str = "\
IMAGE may be in any format that 'inspect' reads, compressed or not; nothing is mounted. The archive has the
root filesystem, with those for /boot and /boot/efi in their places; of Btrfs the subvolume 'root', where
there is one. Its name says how it is compressed: .tar, .tar.gz, .tar.xz, .tar.zst.";

/// The subcommand.
pub(in crate::cli) fn command() -> Command {
    let path = |name: &'static str, value_name: &'static str| {
        Arg::new(name)
            .value_name(value_name)
            .required(true)
            .value_parser(value_parser!(PathBuf))
    };
    Command::new(NAME)
        .about("Write the tree of the system in an image of a cloud to an archive")
        .after_help(AFTER_HELP)
        .arg(path("image", "IMAGE").help("The image; '-' is standard input"))
        .arg(path("archive", "ARCHIVE").help("The archive"))
        .arg(
            Arg::new("force")
                .long("force")
                .action(ArgAction::SetTrue)
                .help("Replace ARCHIVE also where it is something else than an archive"),
        )
}

/// What the command line asks for.
///
/// # Errors
/// When the name of the archive doesn't tell what it is.
pub(in crate::cli) fn options(matches: &ArgMatches) -> Result<Options, clap::Error> {
    let archive: PathBuf = value(matches, "archive").unwrap_or_default();
    let refusal = |message: String| command().error(ErrorKind::ValueValidation, message);
    let name = archive.file_name().and_then(OsStr::to_str);
    let format = name.and_then(formats::of_file).map(|(name, _)| name);
    let Some(format) = format.filter(|name| name.starts_with(TAR)) else {
        let message = "the name of the ARCHIVE has to end in .tar, .tar.gz, .tar.xz or .tar.zst";
        return Err(refusal(message.to_owned()));
    };
    let formats = formats::asked(&[format], &fs::Options::default(), &format_place());
    let mut formats = formats.map_err(refusal)?;
    Ok(Options {
        image: value(matches, "image").unwrap_or_default(),
        archive,
        // One was asked for.
        format: formats.remove(0),
        force: matches.get_flag("force"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_archive_says_what_it_is() {
        let format = |archive: &str| {
            let line = [NAME, "a.qcow2", archive];
            let matches = command().try_get_matches_from(line).unwrap();
            options(&matches).map(|options| options.format.name).ok()
        };
        for (archive, expected) in [
            ("a.tar", Some("tar")),
            ("a.tar.gz", Some("tar.gz")),
            ("b/a.tgz", Some("tar.gz")),
            ("a.tar.xz", Some("tar.xz")),
            ("a.tar.zst", Some("tar.zst")),
            ("tar.gz", None),
            ("a.img", None),
            ("a.erofs", None),
            ("a", None),
        ] {
            assert_eq!(format(archive).as_deref(), expected, "{archive}");
        }
    }
}
