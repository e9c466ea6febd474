//! The files that an image goes into: their formats, and what is beside them.

use std::ffi::OsStr;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use disklayout::fs;

use super::{all, option, refusal, values};
use crate::checksum::Algorithm;
use crate::command::make_fs::{STDOUT, format_place};
use crate::formats::{self, FileFormat, Holds};

const FORMAT_OPTION: &str = "format-option";

/// The option, and the format that it adds.
const BMAP: &str = "bmap";

/// Options that say what disks are like.
const OF_DISKS: [&str; 7] = [
    "type",
    "size",
    "label",
    "uuid",
    "partition",
    "part-type",
    "sector-size",
];

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

/// The formats of the image, with what was chosen for them.
pub(super) fn files(matches: &ArgMatches, output: &Path) -> Result<Vec<FileFormat>, clap::Error> {
    let mut names: Vec<String> = all(matches, "format");
    let is_named = !names.is_empty();
    if !is_named {
        let name = output.file_name().and_then(OsStr::to_str);
        let by_name = name.and_then(formats::of_file);
        // Who says what the disk is like wants one, whatever it is called.
        let is_wanted = |holds| holds != Holds::Files || of_disks(matches).is_none();
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
    let files = formats::asked(&names, &options, &format_place());
    let files = files.map_err(|message| refusal(&message))?;
    let checksums: Vec<_> = all(matches, CHECKSUM);
    let mut files = formats::with_checksums(files, &checksums);
    files.iter_mut().for_each(|file| file.is_named = is_named);
    refuse_useless(matches, &files)?;
    if output.as_os_str() == STDOUT {
        if !checksums.is_empty() {
            return Err(refusal(
                "standard output ('-') has no place beside it for --image-checksum: give a file",
            ));
        }
        let [only] = &mut files[..] else {
            return Err(refusal(
                "one image goes to standard output ('-'): give one format",
            ));
        };
        only.to_stdout = true;
    }
    Ok(files)
}

/// Refuses options of a disk where there is none.
fn refuse_useless(matches: &ArgMatches, files: &[FileFormat]) -> Result<(), clap::Error> {
    let is_archive = |file: &FileFormat| file.holds == Holds::Files;
    match of_disks(matches) {
        Some(name) if files.iter().all(is_archive) => {
            let formats: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
            Err(refusal(&format!(
                "--{name} is for disks, and {} has none: leave it out, or add a format that has",
                formats.join(", ")
            )))
        }
        _ => Ok(()),
    }
}

/// An option that is given and says what a disk is like, or a filesystem on it.
fn of_disks(matches: &ArgMatches) -> Option<&'static str> {
    let choices = foreign::registry().choices().into_iter();
    let all = OF_DISKS.into_iter();
    let mut all = all.chain(choices.map(|(choice, _)| choice.name));
    all.find(|name| matches.value_source(name) == Some(ValueSource::CommandLine))
}
