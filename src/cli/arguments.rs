//! The command line: the options, the commands, and one subcommand for every image group.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use disklayout::Zeroes;

use super::values::{self, value};
use super::{dib, inspect, installations, logging, make_fs, vmdb2};
use crate::command::{self, Kind, Verb, all, check, group};
use crate::describe::hdds::releases::Release;
use crate::describe::hdds::{Config, Group, InstallGroup, LayoutGroup, arch};
use crate::distribution;

/// The names that no image group may have.
pub const COMMANDS: [&str; 18] = [
    "all",
    "check",
    "dib",
    "dib-block-device",
    "dib-run-parts",
    "disk-image-create",
    "disk-image-get-kernel",
    "diskimage-builder",
    "doctor",
    "element-info",
    "extract-image",
    "help",
    "inspect",
    "make-fs",
    "plan",
    "ramdisk-image-create",
    "virt-dib",
    "vmdb2",
];

const AFTER_HELP: &str = "\
Exit status: 0 when all was done; 3 when anything failed; 64 when the command line is wrong;
128 plus the signal's number when interrupted. `check` exits with 0 when every image is there,
1 when any is outdated and 2 when any is missing. `doctor` exits with 0 when every image can be
built on this host and 3 when any can't.

Environment: CREATEHDDS_CONFIG and CREATEHDDS_DATA_DIR stand for --config and --data-dir,
CREATEHDDS_CACHE_DIR is where downloads are kept, CREATEHDDS_DOWNLOAD_LIMIT the most bytes of one,
CREATEHDDS_DOWNLOAD_MIN_SPEED the fewest bytes a second; CREATEHDDS_RELEASE_URL tells
the current release, SOURCE_DATE_EPOCH is the time that images carry.";

/// The program without the subcommands of any configuration.
pub(super) fn program() -> Command {
    Command::new("createhdds")
        // By a link, usage would have the name of the command twice.
        .bin_name("createhdds")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Builds and maintains the set of test-disk images that an hdds.json describes")
        .after_help(AFTER_HELP)
        .subcommand_required(true)
        .arg_required_else_help(false)
        .disable_help_subcommand(false)
        .arg(loglevel())
        .args(installations::only_in_front())
        .args(anywhere())
        .args(installations::anywhere())
        .subcommand(all_command())
        .subcommand(check_command())
        .subcommand(dib::disk_image_create::command())
        .subcommand(dib::block_device::command())
        .subcommand(dib::run_parts::command())
        .subcommand(dib::get_kernel::command())
        .subcommand(dib::diskimage_builder::command())
        .subcommand(dib::extract_image::command())
        .subcommand(doctor_command())
        .subcommand(dib::element_info::command())
        .subcommand(inspect::command())
        .subcommand(make_fs::command())
        .subcommand(plan_command())
        .subcommand(dib::disk_image_create::ramdisk_command())
        .subcommand(dib::virt_dib::command())
        .subcommand(vmdb2::command())
}

/// The program with a subcommand for every group of `config`.
pub(super) fn program_with_groups(config: &Config) -> Command {
    config.groups().fold(program(), |program, group| {
        program.subcommand(match group {
            Group::Layout(group) => layout_command(group),
            Group::Install(group) => install_command(group),
        })
    })
}

/// Only in front: layout groups have another option of the same letter, as in the original.
fn loglevel() -> Arg {
    Arg::new("loglevel")
        .short('l')
        .long("loglevel")
        .value_name("LEVEL")
        .value_parser(PossibleValuesParser::new(logging::LEVELS))
        .default_value(logging::DEFAULT_LEVEL)
        .help("How much to log on standard error")
}

fn anywhere() -> Vec<Arg> {
    let path = |name: &'static str| {
        Arg::new(name)
            .long(name)
            .global(true)
            .value_parser(value_parser!(PathBuf))
    };
    let flag = |name: &'static str| {
        Arg::new(name)
            .long(name)
            .global(true)
            .action(ArgAction::SetTrue)
    };
    vec![
        path("config")
            .value_name("FILE")
            .help("The configuration, instead of a found hdds.json"),
        path("data-dir")
            .value_name("DIR")
            .help("Where kickstarts/ and uploads/ are"),
        Arg::new("distribution")
            .long("distribution")
            .value_name("NAME")
            .global(true)
            .value_parser(PossibleValuesParser::new(distribution::NAMES))
            .help("Whose systems are installed, whatever the configuration says"),
        path("directory")
            .short('C')
            .value_name("DIR")
            .default_value(".")
            .help("Where the images are"),
        Arg::new("jobs")
            .short('j')
            .long("jobs")
            .value_name("N")
            .global(true)
            .value_parser(values::jobs)
            .help("Build N images at a time [default: one for every processor]"),
        flag("json").help("Print JSON on standard output: one object a line, or one document"),
        flag("no-sync").help("Don't wait until images are on disk; a crash may leave broken ones"),
        Arg::new("zeroes")
            .long("zeroes")
            .value_name("WHICH")
            .global(true)
            .default_value("needed")
            .value_parser(values::zeroes())
            .help("Which zeroes image files have as data, for copies of their data to used media"),
        flag("explicit-zeros").hide(true).help("As --zeroes all"),
        flag("strict").help("Refuse a configuration with unknown keys instead of warning"),
    ]
}

fn all_command() -> Command {
    Command::new("all")
        .about("Build every image that is missing or outdated")
        .arg(switch(
            "delete",
            'd',
            "First remove every image that is there",
        ))
        .arg(switch("clean", 'c', "Remove images that no group asks for"))
        .arg(nextrel())
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .value_parser(["guestfs", "virtinstall"])
                .help("Keep to layouts (guestfs) or to installed systems (virtinstall)"),
        )
}

fn check_command() -> Command {
    Command::new("check")
        .about("Tell which images are missing, outdated or unknown")
        .arg(nextrel())
        .arg(switch(
            "rename",
            'r',
            "First rename images that have a new name",
        ))
        .arg(switch("clean", 'c', "Remove images that no group asks for"))
}

fn doctor_command() -> Command {
    Command::new("doctor")
        .about("Tell what this host lacks for the images of the configuration; change nothing")
        .arg(nextrel())
}

fn plan_command() -> Command {
    Command::new("plan")
        .about("Show what images would hold: tables, sectors, filesystems, files")
        .arg(nextrel())
        .arg(
            Arg::new("groups")
                .value_name("GROUP")
                .num_args(0..)
                .help("Only these groups"),
        )
}

fn switch(name: &'static str, short: char, help: &'static str) -> Arg {
    Arg::new(name)
        .short(short)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

fn nextrel() -> Arg {
    Arg::new("nextrel")
        .short('n')
        .long("nextrel")
        .value_name("N")
        .value_parser(value_parser!(u64))
        .help("The next release, which negative releases count back from [default: looked up]")
}

fn layout_command(group: &LayoutGroup) -> Command {
    let about = format!("Build the images of the layout group '{}'", group.name);
    let labels = group.labels.iter().map(|label| label.word.clone());
    let variants = [
        ("label", 'l', labels.collect()),
        ("filesystem", 'f', group.filesystems.clone()),
    ];
    let arguments = variants
        .into_iter()
        .filter(|(_, _, values): &(_, _, Vec<String>)| values.len() > 1);
    let arguments = arguments.map(|(name, short, values)| {
        Arg::new(name)
            .short(short)
            .long(name)
            .value_parser(PossibleValuesParser::new(values))
            .help(format!("Only the image with this {name}"))
    });
    Command::new(group.name.clone())
        .about(about)
        .args(arguments)
}

fn install_command(group: &InstallGroup) -> Command {
    let about = format!(
        "Build the images of the installation group '{}'",
        group.name
    );
    let release = Arg::new("release")
        .short('r')
        .long("release")
        .allow_negative_numbers(true)
        .value_parser(Release::parse)
        .help("Only this release; a negative one counts back from the next");
    let arch = Arg::new("arch")
        .short('a')
        .long("arch")
        .requires("release")
        .value_parser(PossibleValuesParser::new(arch::KNOWN))
        .help(format!(
            "Only this architecture of it [default: {}]",
            arch::DEFAULT
        ));
    Command::new(group.name.clone())
        .about(about)
        .args([release, arch, nextrel()])
}

/// What the command line asks for.
pub(super) fn settings(matches: &ArgMatches) -> command::Settings {
    command::Settings {
        directory: value(matches, "directory").unwrap_or_default(),
        jobs: value(matches, "jobs"),
        sync: !matches.get_flag("no-sync"),
        zeroes: match matches.get_flag("explicit-zeros") {
            true => Zeroes::All,
            false => value(matches, "zeroes").unwrap_or_default(),
        },
        json: matches.get_flag("json"),
        install: installations::settings(matches),
    }
}

/// The subcommand with its options.
pub(super) fn verb(matches: &ArgMatches) -> Option<Verb> {
    let (name, matches) = matches.subcommand()?;
    Some(match name {
        "all" => Verb::All(all::Options {
            delete: matches.get_flag("delete"),
            clean: matches.get_flag("clean"),
            next_release: next_release(matches),
            kind: value::<String>(matches, "kind").and_then(|name| Kind::from_name(&name)),
        }),
        "check" => Verb::Check(check::Options {
            next_release: next_release(matches),
            rename: matches.get_flag("rename"),
            clean: matches.get_flag("clean"),
        }),
        "doctor" => Verb::Doctor(command::doctor::Options {
            next_release: next_release(matches),
        }),
        "plan" => Verb::Plan(command::plan::Options {
            next_release: next_release(matches),
            groups: matches
                .get_many("groups")
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
        }),
        _ => Verb::Group(group::Options {
            name: name.to_owned(),
            label: optional(matches, "label"),
            filesystem: optional(matches, "filesystem"),
            release: optional(matches, "release"),
            arch: optional(matches, "arch"),
            next_release: optional(matches, "nextrel").filter(|next| *next > 0),
        }),
    })
}

/// 0 asks for a look-up, as in the original.
fn next_release(matches: &ArgMatches) -> Option<u64> {
    value(matches, "nextrel").filter(|next| *next > 0)
}

/// The value of an argument that not every group has.
fn optional<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Option<T> {
    matches.try_get_one(name).ok().flatten().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"guestfs": [
            {"name": "full", "size": "1M", "labels": ["mbr", "gpt"], "parts": []},
            {"name": "shrink", "size": "1M", "filesystems": ["ext4", "ntfs"], "parts": []}],
        "virtinstall": [{"name": "minimal", "size": 1, "releases": {"9": ["x86_64"]}}],
        "renames": []}"#;

    fn parse(line: &str) -> Result<Verb, clap::Error> {
        let config = Config::parse(CONFIG, "t", &COMMANDS).unwrap();
        let words = ["createhdds"].into_iter().chain(line.split_whitespace());
        program_with_groups(&config)
            .try_get_matches_from(words)
            .map(|m| verb(&m).unwrap())
    }

    #[test]
    fn the_program_is_well_formed() {
        let config = Config::parse(CONFIG, "t", &COMMANDS).unwrap();
        program_with_groups(&config).debug_assert();
        let program = program();
        let named: Vec<_> = program
            .get_subcommands()
            .flat_map(|c| c.get_name_and_visible_aliases())
            .map(str::to_owned)
            .collect();
        assert!(named.iter().all(|name| COMMANDS.contains(&name.as_str())));
    }

    #[test]
    fn groups_have_the_options_that_tell_their_variants_apart() {
        for (line, is_right) in [
            ("full -l gpt", true),
            ("full --label=gpt", true),
            ("full -l foo", false),
            ("full -f ext4", false),
            ("shrink -f ntfs", true),
            ("shrink -l mbr", false),
            ("minimal -r 9 -a aarch64", true),
            ("minimal -r -1", true),
            ("minimal -a x86_64", false),
            ("unknown", false),
            ("-l debug full", true),
            ("-l loud full", false),
            ("", false),
            ("-j 0 all", false),
            ("all -j 2 --json -C /tmp", true),
        ] {
            assert_eq!(parse(line).is_ok(), is_right, "{line}");
        }
    }

    #[test]
    fn a_next_release_of_0_is_to_be_looked_up() {
        for (line, expected) in [("all", None), ("all -n 0", None), ("all -n 10", Some(10))] {
            let Verb::All(options) = parse(line).unwrap() else {
                panic!("{line}")
            };
            assert_eq!(options.next_release, expected, "{line}");
        }
    }
}
