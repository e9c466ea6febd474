//! The files that an image goes into: their formats, and what is beside them.

use std::ffi::OsStr;
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches};
use disklayout::fs;

use super::values::{self, all, option};
use crate::checksum::Algorithm;
use crate::command::make_fs::{STDOUT, format_place};
use crate::formats::{self, FileFormat, Holds, Stream};

const FORMAT_OPTION: &str = "format-option";

/// The option, and the format that it adds.
const BMAP: &str = "bmap";

/// Not that of a filesystem, which Btrfs has.
const CHECKSUM: &str = "image-checksum";

/// The options.
pub(super) fn arguments() -> [Arg; 4] {
    [
        option(
            "format",
            "FORMAT[,FORMAT]",
            "The format of the image, or several, each in a file of its own [default: by the name \
             of OUTPUT, or raw]",
        )
        .value_delimiter(',')
        .action(ArgAction::Append),
        option(
            FORMAT_OPTION,
            "NAME=VALUE",
            "Something that only some formats of images have; may be repeated",
        )
        .value_parser(values::named)
        .action(ArgAction::Append),
        Arg::new(BMAP)
            .long(BMAP)
            .action(ArgAction::SetTrue)
            .help("Put a map beside the image, by which bmaptool copies it: OUTPUT.bmap"),
        option(
            CHECKSUM,
            "KIND[,KIND]",
            "Put sums of the image beside it: OUTPUT.sha256, OUTPUT.md5",
        )
        .value_delimiter(',')
        .value_parser(Algorithm::named),
    ]
}

/// The formats of the image, with what was chosen for them. A name that says the format of an archive
/// counts unless a disk is wanted for sure.
///
/// # Errors
/// What doesn't go together.
pub(super) fn files(
    matches: &ArgMatches,
    output: &Path,
    wants_disk: bool,
) -> Result<Vec<FileFormat>, String> {
    let mut names: Vec<String> = all(matches, "format");
    let is_named = !names.is_empty();
    if !is_named {
        let name = output.file_name().and_then(OsStr::to_str);
        let by_name = name.and_then(formats::of_file);
        let is_wanted = |holds| holds != Holds::Files || !wants_disk;
        let by_name = by_name.filter(|(_, holds)| is_wanted(*holds));
        names.push(by_name.map_or("raw", |(name, _)| name).to_owned());
    }
    if matches.get_flag(BMAP) && !names.iter().any(|name| name == BMAP) {
        names.push(BMAP.to_owned());
    }
    let options = all::<(String, String)>(matches, FORMAT_OPTION).into_iter();
    let options = options.fold(fs::Options::default(), |options, (name, value)| {
        options.with(&name, value)
    });
    let files = formats::asked(&names, &options, &format_place())?;
    let checksums: Vec<_> = all(matches, CHECKSUM);
    let mut files = formats::with_checksums(files, &checksums);
    files.iter_mut().for_each(|file| file.is_named = is_named);
    if output.as_os_str() == STDOUT {
        if !checksums.is_empty() {
            let message =
                "standard output ('-') has no place beside it for --image-checksum: give a file";
            return Err(message.to_owned());
        }
        let [only] = &mut files[..] else {
            return Err("one image goes to standard output ('-'): give one format".to_owned());
        };
        only.stream = Some(Stream::Stdout);
    }
    Ok(files)
}
