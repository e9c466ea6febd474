//! The options of `make-fs`.

mod boot;
mod volume;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use disklayout::SectorSize;
use disklayout::fs::{self, Misfits};
use disklayout::layout::spec::DiskTable;
use disklayout::layout::{DiskSize, Room};
use disklayout::source::oci::{Choice, Platform};
use disklayout::source::{DirectoryLinks, Exclude, Owners, Rules};
use disklayout::table::types::PartitionType;

use crate::cli::files;
use crate::cli::values::{self, all, option, value};
use crate::command::make_fs::{Input, InputFormat, Options, Taken};
use crate::describe::hdds::{arch, size};
use crate::formats::{FileFormat, Holds};

/// The command's name.
pub(super) const NAME: &str = "make-fs";

/// The heading of what not all filesystems have.
const FORMAT: &str = "Options of some filesystems";

/// Options that say what disks are like.
const OF_DISKS: [&str; 10] = [
    "bootloader",
    "type",
    "size",
    "label",
    "uuid",
    "partition",
    "part-type",
    "sector-size",
    "luks-key-file",
    "verity",
];

const INPUT_FORMAT: &str = "input-format";

const AFTER_HELP: &str = "\
INPUT is a directory, a tar archive, plain or compressed, or '-' for an archive on standard input;
or an image of a container: an OCI layout, in a directory or an archive, or what docker save makes.
Several are laid over each other in their order. OUTPUT is replaced when the image is complete;
'-' is standard output, for formats that are written from their start to their end. Where several
formats are asked for, the name of each file is OUTPUT with the format's extension.

SIZE is that of the whole image: 2G, 500M; 'auto' for the smallest that holds the content;
'auto+200M' and 'auto+10%' leave so much room for ordinary users. '+200M' means 'auto+200M'.

With SOURCE_DATE_EPOCH, the filesystem is of that time and no file in it is of a later one.
Without, files keep their times and the filesystem is of 2000-01-01.";

/// The subcommand.
pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Make a filesystem image from directories and tar archives")
        .after_help(AFTER_HELP)
        .args(image_arguments())
        .args(files::arguments())
        .args(content_arguments())
        .args(container_arguments())
        .args(boot::arguments())
        .args(volume::arguments())
        .args(format_arguments())
        .arg(
            Arg::new("force")
                .long("force")
                .action(ArgAction::SetTrue)
                .help("Replace OUTPUT even if it is no disk image"),
        )
        .override_usage("createhdds make-fs [OPTIONS] INPUT... OUTPUT")
        // One argument, so that options may stand between any two of them.
        .arg(
            Arg::new("paths")
                .value_name("INPUT... OUTPUT")
                .required(true)
                .num_args(1..)
                .action(ArgAction::Append)
                .value_parser(value_parser!(PathBuf))
                .help("Directories and archives, '-' for standard input; the image"),
        )
}

fn image_arguments() -> [Arg; 8] {
    [
        option("type", "TYPE", "The filesystem")
            .short('t')
            .value_parser(PossibleValuesParser::new(foreign::registry().names()))
            .default_value("ext4"),
        option("size", "SIZE", "The size of the image")
            .short('s')
            .default_value("auto")
            .value_parser(parse_size),
        option("label", "LABEL", "The filesystem's label").short('L'),
        option("uuid", "UUID", "The filesystem's UUID")
            .short('U')
            .value_parser(fs::options::uuid),
        option(
            "partition",
            "TABLE",
            "Put it into a partition of an MBR or of this table",
        )
        .short('p')
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("mbr")
        .value_parser(["gpt", "mbr", "none"]),
        option(
            "part-type",
            "TYPE",
            "The partition's type: a name like esp, a GUID, a byte [default: by the filesystem]",
        )
        .requires("partition")
        .value_parser(PartitionType::parse),
        option("sector-size", "BYTES", "What a sector of the disk holds")
            .value_parser(["512", "4096"])
            .default_value("512"),
        option(
            "seed",
            "TEXT",
            "What UUIDs derive from [default: the content]",
        ),
    ]
}

fn content_arguments() -> Vec<Arg> {
    vec![
        option("owner", "UID:GID", "Who owns everything")
            .value_parser(values::owner)
            .conflicts_with_all(["map-users", "map-groups"]),
        mapping("map-users", "Owners that become others"),
        mapping("map-groups", "Groups that become others"),
        option(
            "exclude",
            "PATTERN",
            "Leave out what matches; may be repeated",
        )
        .value_parser(value_parser!(OsString))
        .action(ArgAction::Append),
        Arg::new("one-file-system")
            .long("one-file-system")
            .action(ArgAction::SetTrue)
            .help("Leave directories empty where other filesystems are mounted in an input"),
        option(
            "directory-links",
            "HOW",
            "Whether a directory goes where a link in its place leads [default: follow, with \
             --whiteouts replace]",
        )
        .value_parser(["follow", "replace"]),
        Arg::new("whiteouts")
            .long("whiteouts")
            .action(ArgAction::SetTrue)
            .help("Take .wh. files, and what overlayfs has for them, for what they are: removals"),
        Arg::new("strict-paths")
            .long("strict-paths")
            .action(ArgAction::SetTrue)
            .help("Refuse paths of an archive that start with a slash"),
        Arg::new("long")
            .long("long")
            .action(ArgAction::SetTrue)
            .help(
                "Take archives compressed with windows of 128 MiB to 2 GiB, which is their memory",
            ),
        Arg::new("lossy")
            .long("lossy")
            .action(ArgAction::SetTrue)
            .help("Leave out, with a warning, what the filesystem or Linux can't hold"),
    ]
}

/// What an input is taken for, and which image of a container.
fn container_arguments() -> [Arg; 3] {
    [
        option(
            INPUT_FORMAT,
            "FORMAT",
            "Take inputs for files, for images of containers, or for what they are",
        )
        .value_parser(["auto", "files", "image"])
        .default_value("auto"),
        option(
            "image",
            "NAME",
            "The image by its name, tag or digest where an input holds several",
        ),
        option(
            "platform",
            "OS/ARCH",
            "The platform of an image, like linux/arm64 [default: this machine's of several]",
        )
        .value_parser(|text: &str| {
            Platform::parse("--platform", text).map_err(|error| error.message().to_owned())
        }),
    ]
}

fn mapping(name: &'static str, help: &'static str) -> Arg {
    option(name, "FROM:TO[:COUNT]", help)
        .value_parser(values::mapping)
        .action(ArgAction::Append)
}

/// Whatever any filesystem has that others don't.
fn format_arguments() -> Vec<Arg> {
    let choices = foreign::registry().choices().into_iter();
    let arguments = choices.map(|(choice, kinds)| {
        let help = format!("{} [{}]", choice.help, kinds.join(", "));
        Arg::new(choice.name)
            .long(choice.name)
            .value_name(choice.value)
            .action(ArgAction::Append)
            .help(help)
            .help_heading(FORMAT)
    });
    arguments.collect()
}

/// What the command line asks for.
///
/// # Errors
/// When options and arguments contradict each other.
pub(super) fn options(matches: &ArgMatches) -> Result<Options, clap::Error> {
    let (inputs, output) = paths(matches)?;
    // Who says what the disk is like wants one, whatever it is called.
    let wants_disk = of_disks(matches).is_some();
    let files = files::files(matches, &output, wants_disk).map_err(|message| refusal(&message))?;
    refuse_useless(matches, &files)?;
    let bootloader = boot::loader(matches);
    let table = table(matches, bootloader.is_some());
    if bootloader.is_some() {
        boot::check(&table, &files).map_err(refusal)?;
    }
    let verity = volume::verity(matches, &table)?;
    Ok(Options {
        encryption: volume::encryption(matches)?,
        verity,
        inputs,
        output,
        files,
        force: matches.get_flag("force"),
        table,
        part_type: value(matches, "part-type"),
        sector_size: match value::<String>(matches, "sector-size").as_deref() {
            Some("4096") => SectorSize::B4096,
            _ => SectorSize::B512,
        },
        size: value(matches, "size").unwrap_or(DiskSize::Smallest(Room::NONE)),
        filesystem: value(matches, "type").unwrap_or_default(),
        label: value(matches, "label"),
        uuid: value(matches, "uuid"),
        seed: value(matches, "seed"),
        taken: taken(matches),
        rules: rules(matches)?,
        misfits: match matches.get_flag("lossy") {
            true => Misfits::Drop,
            false => Misfits::Refuse,
        },
        format: format(matches),
        bootloader,
    })
}

/// The partition table; who has a boot loader needs one.
fn table(matches: &ArgMatches, is_bootable: bool) -> DiskTable {
    match value::<String>(matches, "partition").as_deref() {
        Some("mbr") => DiskTable::MBR,
        Some("gpt") => DiskTable::GPT,
        None if is_bootable => DiskTable::GPT,
        _ => DiskTable::None,
    }
}

/// The inputs and the output, which is the last of the paths.
fn paths(matches: &ArgMatches) -> Result<(Vec<Input>, PathBuf), clap::Error> {
    let mut paths: Vec<PathBuf> = all(matches, "paths");
    let output = paths.pop();
    let Some(output) = output.filter(|_| !paths.is_empty()) else {
        return Err(refusal("give at least one INPUT, and an OUTPUT behind it"));
    };
    let inputs: Vec<_> = paths.into_iter().map(input).collect();
    let is_stdin = |input: &&Input| **input == Input::Stdin;
    if inputs.iter().filter(is_stdin).count() > 1 {
        return Err(refusal("standard input ('-') can be an input only once"));
    }
    Ok((inputs, output))
}

fn input(path: PathBuf) -> Input {
    match path.as_os_str() == "-" {
        true => Input::Stdin,
        false => Input::Path(path),
    }
}

fn taken(matches: &ArgMatches) -> Taken {
    Taken {
        format: match value::<String>(matches, INPUT_FORMAT).as_deref() {
            Some("files") => InputFormat::Files,
            Some("image") => InputFormat::Image,
            _ => InputFormat::Auto,
        },
        choice: Choice {
            reference: value(matches, "image"),
            platform: value(matches, "platform"),
            machine: Platform::parse("machine", arch::host()).ok(),
            reference_option: "--image",
            platform_option: "--platform",
        },
        advice: "--input-format image",
    }
}

fn rules(matches: &ArgMatches) -> Result<Rules, clap::Error> {
    let (users, groups) = (all(matches, "map-users"), all(matches, "map-groups"));
    let owners = match value::<(u32, u32)>(matches, "owner") {
        Some((uid, gid)) => Owners::Forced { uid, gid },
        None if users.is_empty() && groups.is_empty() => Owners::Kept,
        None => Owners::Mapped { users, groups },
    };
    let patterns = all::<OsString>(matches, "exclude").into_iter();
    let excluded = patterns.map(|pattern| {
        let parsed = Exclude::parse("--exclude", pattern.as_encoded_bytes());
        parsed.map_err(|error| refusal(&error.to_string()))
    });
    Ok(Rules {
        owners,
        excluded: excluded.collect::<Result<_, _>>()?,
        whiteouts: matches.get_flag("whiteouts"),
        lossy: matches.get_flag("lossy"),
        strict_paths: matches.get_flag("strict-paths"),
        long_windows: matches.get_flag("long"),
        directory_links: match value::<String>(matches, "directory-links").as_deref() {
            Some("follow") => Some(DirectoryLinks::Follow),
            Some("replace") => Some(DirectoryLinks::Replace),
            _ => None,
        },
        one_file_system: matches.get_flag("one-file-system"),
        ..Rules::default()
    })
}

/// What is given twice is a list.
fn format(matches: &ArgMatches) -> fs::Options {
    let mut options = fs::Options::default();
    for (choice, _) in foreign::registry().choices() {
        let given: Vec<String> = all(matches, choice.name);
        if !given.is_empty() {
            options.set(choice.name, given.join(","));
        }
    }
    options
}

fn parse_size(text: &str) -> Result<DiskSize, String> {
    // The spelling of virt-make-fs.
    match text.starts_with('+') {
        true => size::parse_disk_size(&format!("auto{text}")),
        false => size::parse_disk_size(text),
    }
}

fn refusal(message: &str) -> clap::Error {
    command().error(ErrorKind::ValueValidation, message)
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

#[cfg(test)]
mod tests {
    use disklayout::Bytes;
    use disklayout::source::Mapping;
    use disklayout::table::Kind;

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
    fn without_options_it_is_the_smallest_bare_ext4() {
        let options = parse("dir out.img").unwrap();
        assert_eq!(options.inputs, [Input::Path("dir".into())]);
        assert_eq!(options.output, PathBuf::from("out.img"));
        assert_eq!(
            (options.table, &*options.filesystem),
            (DiskTable::None, "ext4")
        );
        assert_eq!(options.size, DiskSize::Smallest(Room::NONE));
        assert_eq!(options.format, fs::Options::default());
        assert_eq!(options.rules, Rules::default());
    }

    #[test]
    fn inputs_come_before_the_output() {
        let options = parse("a - -s 1G b.tar out.img -t ext2").unwrap();
        let expected = [
            Input::Path("a".into()),
            Input::Stdin,
            Input::Path("b.tar".into()),
        ];
        assert_eq!(options.inputs, expected);
        assert_eq!(options.output, PathBuf::from("out.img"));
    }

    #[test]
    fn the_format_is_asked_for_or_that_of_the_name() {
        let formats = |line: &str| {
            let files = parse(line).unwrap().files.into_iter();
            files.map(|it| it.name).collect::<Vec<_>>()
        };
        for (line, expected) in [
            ("a b", &["raw"][..]),
            ("a b.qcow2", &["qcow2"]),
            ("a -", &["raw"]),
            ("--format raw a b.qcow2", &["raw"]),
            ("--format qcow2,raw a b", &["qcow2", "raw"]),
            ("--format qcow2 --format raw a b", &["qcow2", "raw"]),
        ] {
            assert_eq!(formats(line), expected, "{line}");
        }
        let line = "--format qcow2 --format-option cluster_size=2M a b";
        let files = parse(line).unwrap().files;
        assert_eq!(files[0].options.get("cluster_size"), Some("2M"));
        assert!(files[0].stream.is_none() && parse("a -").unwrap().files[0].stream.is_some());
    }

    #[test]
    fn sizes_are_fixed_or_follow_from_the_content() {
        let room = |bytes| DiskSize::Smallest(Room::Bytes(Bytes::new(bytes)));
        for (line, expected) in [
            ("-s 2G", DiskSize::Fixed(Bytes::new(2 << 30))),
            ("--size=auto", DiskSize::Smallest(Room::NONE)),
            ("-s auto+200M", room(200 << 20)),
            ("-s +200M", room(200 << 20)),
            ("-s auto+10%", DiskSize::Smallest(Room::Percent(10))),
            ("-s +10%", DiskSize::Smallest(Room::Percent(10))),
        ] {
            let options = parse(&format!("{line} a b")).unwrap();
            assert_eq!(options.size, expected, "{line}");
        }
    }

    #[test]
    fn a_bare_partition_is_that_of_an_mbr() {
        for (line, expected) in [
            ("-p a b", Kind::Mbr),
            ("--partition a b", Kind::Mbr),
            ("--partition=gpt a b", Kind::Gpt),
            ("-p=mbr a b", Kind::Mbr),
            ("--partition=none a b", Kind::None),
        ] {
            assert_eq!(parse(line).unwrap().table.kind(), expected, "{line}");
        }
    }

    #[test]
    fn sectors_and_the_type_of_the_partition() {
        let options = parse("-p --part-type esp --sector-size 4096 a b").unwrap();
        assert_eq!(options.part_type, PartitionType::parse("esp").ok());
        assert_eq!(options.sector_size, SectorSize::B4096);
        let options = parse("a b").unwrap();
        assert_eq!(options.part_type, None);
        assert_eq!(options.sector_size, SectorSize::B512);
    }

    #[test]
    fn inputs_may_be_images_of_containers() {
        let taken = parse("a b").unwrap().taken;
        assert_eq!(taken.format, InputFormat::Auto);
        assert!(taken.choice.reference.is_none() && taken.choice.machine.is_some());
        let line = "--input-format image --image a:1 --platform arm64 a b";
        let taken = parse(line).unwrap().taken;
        assert_eq!(taken.format, InputFormat::Image);
        assert_eq!(taken.choice.reference.as_deref(), Some("a:1"));
        let platform = taken.choice.platform.map(|it| it.to_string());
        assert_eq!(platform.as_deref(), Some("linux/arm64"));
    }

    #[test]
    fn owners_are_forced_or_mapped() {
        let owners = |line: &str| parse(&format!("{line} a b")).unwrap().rules.owners;
        assert_eq!(owners("--owner 7:8"), Owners::Forced { uid: 7, gid: 8 });
        let expected = Owners::Mapped {
            users: vec![
                Mapping {
                    from: 1000,
                    to: 0,
                    count: 1,
                },
                Mapping {
                    from: 1,
                    to: 2,
                    count: 3,
                },
            ],
            groups: vec![Mapping {
                from: 100,
                to: 5,
                count: 1,
            }],
        };
        assert_eq!(
            owners("--map-users 1000:0 --map-users 1:2:3 --map-groups 100:5"),
            expected
        );
    }

    #[test]
    fn links_to_directories_and_mounted_filesystems() {
        for (line, links, one_file_system) in [
            ("a b", None, false),
            (
                "--directory-links follow a b",
                Some(DirectoryLinks::Follow),
                false,
            ),
            (
                "--directory-links=replace a b",
                Some(DirectoryLinks::Replace),
                false,
            ),
            ("--one-file-system a b", None, true),
        ] {
            let rules = parse(line).unwrap().rules;
            assert_eq!(
                (rules.directory_links, rules.one_file_system),
                (links, one_file_system)
            );
        }
    }

    #[test]
    fn options_of_filesystems_are_gathered() {
        let line = "--block-size 2048 --reserved 2.5 --journal none --lossy \
                    --features ^64bit,quota --features sparse_super2 a b";
        let expected = fs::Options::default()
            .with("block-size", 2048)
            .with("reserved", 2.5)
            .with("journal", "none")
            .with("features", "^64bit,quota,sparse_super2");
        let options = parse(line).unwrap();
        assert_eq!((options.format, options.misfits), (expected, Misfits::Drop));
    }

    #[test]
    fn archives_are_taken_with_care_or_without() {
        let rules = |line: &str| parse(&format!("{line} a b")).unwrap().rules;
        let strict = rules("--strict-paths");
        assert!(strict.strict_paths && !strict.long_windows && !strict.lossy);
        let long = rules("--long --lossy");
        assert!(!long.strict_paths && long.long_windows && long.lossy);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        for (line, part) in [
            ("a", "OUTPUT"),
            ("", "INPUT... OUTPUT"),
            ("--format raw,qcow2 a -", "give one format"),
            ("--format qcow2,qcow2 a b", "asked for twice"),
            ("--format-option a a b", "--format-option"),
            ("--format-option compressed=1 a b", "no option 'compressed'"),
            ("- - b", "only once"),
            ("-t zfs a b", "--type"),
            ("-s 1.5G a b", "fraction"),
            ("-s auto-1M a b", "--size"),
            ("-s auto+0x a b", "--size"),
            ("-U random a b", "--uuid"),
            ("--partition=apm a b", "--partition"),
            ("--part-type esp a b", "--partition"),
            ("--sector-size 1024 a b", "--sector-size"),
            ("--format zip a b", "'zip' is no format of images"),
            ("--owner root a b", "--owner"),
            ("--owner 1:2 --map-users 1:2 a b", "--map-users"),
            ("--map-users 1 a b", "--map-users"),
            ("--map-users 1:4294967295:2 a b", "4294967295"),
            ("--exclude [a a b", "--exclude"),
            ("--directory-links keep a b", "--directory-links"),
            ("--input-format tar a b", "--input-format"),
            ("--platform linux/ a b", "--platform"),
        ] {
            let text = parse(line).unwrap_err().to_string();
            assert!(text.contains(part), "{line}: {text}");
        }
    }
}
