//! The options of `make-fs`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use disklayout::fs::ext::{Inodes, Journal};
use disklayout::fs::{self, ext};
use disklayout::layout::single::Table;
use disklayout::layout::{DiskSize, Room};
use disklayout::source::{Exclude, Owners, Rules};
use uuid::Uuid;

use super::values;
use crate::command::make_fs::{Input, Options};
use crate::hdds::size;

/// The command's name.
pub(super) const NAME: &str = "make-fs";

/// The heading of what only ext2, ext3 and ext4 have.
const EXT: &str = "Options of ext2, ext3 and ext4";

/// The names of those options.
const EXT_OPTIONS: [&str; 10] = [
    "block-size",
    "inode-size",
    "bytes-per-inode",
    "inodes",
    "reserved",
    "journal",
    "features",
    "root-owner",
    "hash-seed",
    "last-mounted",
];

const AFTER_HELP: &str = "\
INPUT is a directory, a tar archive, plain or compressed, or '-' for an archive on standard input.
Several are laid over each other in their order. OUTPUT is replaced when the image is complete.

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
        .args(content_arguments())
        .args(ext_arguments())
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

fn image_arguments() -> [Arg; 7] {
    [
        option("type", "TYPE", "The filesystem")
            .short('t')
            .value_parser(["ext2", "ext3", "ext4", "ntfs"])
            .default_value("ext4"),
        option("size", "SIZE", "The size of the image")
            .short('s')
            .default_value("auto")
            .value_parser(parse_size),
        option("label", "LABEL", "The filesystem's label").short('L'),
        option("uuid", "UUID", "The filesystem's UUID")
            .short('U')
            .value_parser(values::uuid),
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
        option("format", "FORMAT", "The format of the image")
            .value_parser(["raw"])
            .default_value("raw"),
        option(
            "seed",
            "TEXT",
            "What UUIDs derive from [default: the content]",
        ),
    ]
}

fn content_arguments() -> [Arg; 5] {
    [
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
        Arg::new("whiteouts")
            .long("whiteouts")
            .action(ArgAction::SetTrue)
            .help("Take .wh. files for what they are in container layers: removals"),
    ]
}

fn mapping(name: &'static str, help: &'static str) -> Arg {
    option(name, "FROM:TO[:COUNT]", help)
        .value_parser(values::mapping)
        .action(ArgAction::Append)
}

fn ext_arguments() -> Vec<Arg> {
    let arguments = [
        option(
            "block-size",
            "BYTES",
            "Bytes in a block: 1024, 2048 or 4096",
        )
        .value_parser(value_parser!(u32)),
        option("inode-size", "BYTES", "Bytes in an inode: 128, 256, ...")
            .value_parser(value_parser!(u32)),
        option("bytes-per-inode", "BYTES", "One inode for so many bytes")
            .value_parser(values::size)
            .conflicts_with("inodes"),
        option("inodes", "N", "At least so many inodes")
            .value_parser(value_parser!(u64).range(1..)),
        option(
            "reserved",
            "PERCENT",
            "What only root may use, from 0 to 50, like 2.5",
        )
        .value_parser(values::percent),
        option("journal", "SIZE|none", "The journal's size").value_parser(values::journal),
        option(
            "features",
            "LIST",
            "Features by mke2fs' names, ^NAME to leave one out",
        )
        .value_delimiter(',')
        .value_parser(values::feature)
        .action(ArgAction::Append),
        option("root-owner", "UID:GID", "Who owns the root directory").value_parser(values::owner),
        option("hash-seed", "UUID", "What hashes of names start from").value_parser(values::uuid),
        option(
            "last-mounted",
            "PATH",
            "Where it says that it was last mounted",
        ),
    ];
    arguments.map(|argument| argument.help_heading(EXT)).into()
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// What the command line asks for.
///
/// # Errors
/// When options and arguments contradict each other.
pub(super) fn options(matches: &ArgMatches) -> Result<Options, clap::Error> {
    let (inputs, output) = paths(matches)?;
    Ok(Options {
        inputs,
        output,
        table: match value::<String>(matches, "partition").as_deref() {
            Some("gpt") => Some(Table::Gpt),
            Some("mbr") => Some(Table::Mbr),
            _ => None,
        },
        size: value(matches, "size").unwrap_or(DiskSize::Smallest(Room::NONE)),
        filesystem: value(matches, "type").unwrap_or_default(),
        label: value(matches, "label"),
        uuid: value(matches, "uuid"),
        seed: value(matches, "seed"),
        rules: rules(matches)?,
        format: format(matches)?,
    })
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
    if output.as_os_str() == "-" {
        return Err(refusal(
            "an image isn't written from its start to its end, so OUTPUT can't be standard \
             output ('-'); give the name of a file, ./- if it is called so",
        ));
    }
    Ok((inputs, output))
}

fn input(path: PathBuf) -> Input {
    match path.as_os_str() == "-" {
        true => Input::Stdin,
        false => Input::Path(path),
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
        ..Rules::default()
    })
}

fn format(matches: &ArgMatches) -> Result<fs::Options, clap::Error> {
    let mut given = EXT_OPTIONS.iter();
    let given = given.find(|name| matches.contains_id(name));
    let kind: String = value(matches, "type").unwrap_or_default();
    match given {
        None => Ok(fs::Options::Default),
        Some(name) if kind == "ntfs" => Err(refusal(&format!(
            "--{name} is for ext2, ext3 and ext4, not for {kind}"
        ))),
        Some(_) => Ok(fs::Options::Ext(ext_options(matches))),
    }
}

fn ext_options(matches: &ArgMatches) -> ext::Options {
    let bytes_per_inode = value(matches, "bytes-per-inode");
    let bytes_per_inode =
        bytes_per_inode.map(|size: disklayout::Bytes| Inodes::BytesPerInode(size.get()));
    ext::Options {
        block_size: value(matches, "block-size"),
        inode_size: value(matches, "inode-size"),
        inodes: bytes_per_inode
            .or(value(matches, "inodes").map(Inodes::Count))
            .unwrap_or_default(),
        reserved: value(matches, "reserved"),
        journal: value(matches, "journal").unwrap_or(Journal::Default),
        features: all(matches, "features"),
        root_owner: value(matches, "root-owner"),
        hash_seed: value::<Uuid>(matches, "hash-seed"),
        last_mounted: value(matches, "last-mounted"),
    }
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

fn value<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Option<T> {
    matches.get_one(name).cloned()
}

fn all<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<T> {
    let values = matches.get_many(name).into_iter().flatten();
    values.cloned().collect()
}

#[cfg(test)]
mod tests {
    use disklayout::Bytes;
    use disklayout::source::Mapping;

    use super::*;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        let words = [NAME].into_iter().chain(line.split_whitespace());
        options(&command().try_get_matches_from(words)?)
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
        let named: Vec<_> = ext_arguments()
            .iter()
            .map(|argument| argument.get_id().to_string())
            .collect();
        assert_eq!(named, EXT_OPTIONS);
    }

    #[test]
    fn without_options_it_is_the_smallest_bare_ext4() {
        let options = parse("dir out.img").unwrap();
        assert_eq!(options.inputs, [Input::Path("dir".into())]);
        assert_eq!(options.output, PathBuf::from("out.img"));
        assert_eq!((options.table, &*options.filesystem), (None, "ext4"));
        assert_eq!(options.size, DiskSize::Smallest(Room::NONE));
        assert_eq!(options.format, fs::Options::Default);
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
            ("-p a b", Some(Table::Mbr)),
            ("--partition a b", Some(Table::Mbr)),
            ("--partition=gpt a b", Some(Table::Gpt)),
            ("-p=mbr a b", Some(Table::Mbr)),
            ("--partition=none a b", None),
        ] {
            assert_eq!(parse(line).unwrap().table, expected, "{line}");
        }
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
    fn options_of_ext_filesystems_are_gathered() {
        let line = "--block-size 2048 --inode-size 128 --inodes 99 --reserved 2.5 --journal none \
                    --features ^64bit,quota --features sparse_super2 --root-owner 1:2 \
                    --hash-seed 00000000-0000-4000-8000-000000000001 --last-mounted /x a b";
        let expected = ext::Options {
            block_size: Some(2048),
            inode_size: Some(128),
            inodes: Inodes::Count(99),
            reserved: Some(250),
            journal: Journal::None,
            features: ["^64bit", "quota", "sparse_super2"].map(Into::into).into(),
            root_owner: Some((1, 2)),
            hash_seed: Some(Uuid::from_u128(0x4000_8000_0000_0000_0001)),
            last_mounted: Some("/x".into()),
        };
        assert_eq!(parse(line).unwrap().format, fs::Options::Ext(expected));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        for (line, part) in [
            ("a", "OUTPUT"),
            ("", "INPUT... OUTPUT"),
            ("a -", "standard output"),
            ("- - b", "only once"),
            ("-t xfs a b", "--type"),
            ("-s 1.5G a b", "fraction"),
            ("-s auto-1M a b", "--size"),
            ("-s auto+0x a b", "--size"),
            ("-U random a b", "--uuid"),
            ("--partition=apm a b", "--partition"),
            ("--format qcow2 a b", "--format"),
            ("--owner root a b", "--owner"),
            ("--owner 1:2 --map-users 1:2 a b", "--map-users"),
            ("--map-users 1 a b", "--map-users"),
            ("--map-users 1:4294967295:2 a b", "4294967295"),
            ("--reserved 51 a b", "--reserved"),
            ("--reserved 1.005 a b", "--reserved"),
            ("--inodes 0 a b", "--inodes"),
            ("--inodes 1 --bytes-per-inode 4K a b", "--bytes-per-inode"),
            ("--journal all a b", "--journal"),
            ("--features ,, a b", "--features"),
            ("--exclude [a a b", "--exclude"),
            ("-t ntfs --inodes 7 a b", "--inodes is for ext2"),
        ] {
            let text = parse(line).unwrap_err().to_string();
            assert!(text.contains(part), "{line}: {text}");
        }
    }
}
