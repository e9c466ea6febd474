//! Options that all commands have that build by elements.

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::values::{self, given, given_path, path, repeated, text};
use crate::cli::sandboxed;
use crate::cli::values::{all, flag, value};
use crate::command::dib::build::{Options, Run};
use crate::describe::dib::Request;

/// What is said where no element is given.
const NO_ELEMENTS: &str = "no element is given: name at least one that brings a distribution, like 'debian-minimal', and \
     'vm' for an image that starts";

/// What options are about, where help tells of them.
const HEADINGS: [&str; 4] = ["Image", "Elements", "Scripts", "Build"];

/// The command `name` without options of its own.
pub(super) fn command(name: &'static str) -> Command {
    Command::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .infer_long_args(true)
        // As with getopt, the last one counts.
        .args_override_self(true)
        .arg(
            Arg::new("elements")
                .value_name("ELEMENT")
                .num_args(0..)
                .action(ArgAction::Append)
                .help("Elements, of which one has to provide an operating system"),
        )
}

/// The command with options of its `own`, of images, elements, scripts and builds, and behind them those
/// that all have.
pub(super) fn with_options(command: Command, own: [Vec<Arg>; 4]) -> Command {
    let shared = [
        of_images().into(),
        of_elements().into(),
        of_scripts().into(),
        of_runs().into(),
    ];
    under_headings(under_headings(command, own), shared)
        .next_help_heading(None::<&str>)
        // Clap's own would have no beginnings.
        .disable_version_flag(true)
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version)
                .help("Print version"),
        )
}

fn under_headings(command: Command, options: [Vec<Arg>; 4]) -> Command {
    let both = HEADINGS.into_iter().zip(options);
    both.fold(command, |command, (heading, options)| {
        command.next_help_heading(heading).args(options)
    })
}

fn of_elements() -> [Arg; 5] {
    [
        repeated(path(
            "element-path",
            "DIR",
            "Search for elements in DIR first; may be repeated",
        )),
        repeated(text(
            "exclude-element",
            "ELEMENT",
            "Leave an element out, whichever other needs it; may be repeated",
        )),
        repeated(text(
            "exclude-script",
            "NAME",
            "Leave scripts of this name out, in every phase; may be repeated",
        )),
        text(
            "ramdisk-element",
            "ELEMENT",
            "The element that ramdisks are made by [default: ramdisk]",
        ),
        text(
            "install-type",
            "TYPE",
            "How elements install what they are for, unless they are told otherwise [default: source]",
        )
        .value_parser(PossibleValuesParser::new(["source", "package"])),
    ]
}

fn of_images() -> [Arg; 9] {
    [
        text(
            "size",
            "N[bKMG]",
            "The size of the disk, exactly: 10G, 2.5G, 10737418240b [default: by what is on it]",
        )
        .value_parser(values::size),
        text(
            "fs-type",
            "TYPE",
            "The type of the root filesystem [default: ext4]",
        ),
        text(
            "root-label",
            "LABEL",
            "The label of the root filesystem [default: cloudimg-rootfs, of XFS img-rootfs]",
        ),
        text(
            "mkfs-options",
            "OPTIONS",
            "Options of the program that makes the root filesystem, in one word",
        ),
        text(
            "qemu-img-options",
            "NAME=VALUE,...",
            "Options of image files, by the names that qemu-img has for them",
        )
        .value_parser(values::pairs),
        text(
            "docker-target",
            "REPOSITORY:TAG",
            "What an image of the type docker is called",
        ),
        Arg::new("uncompressed")
            .short('u')
            .action(ArgAction::SetTrue)
            .help("Don't compress qcow2: larger and faster"),
        flag(
            "checksum",
            "Put sums beside every image: NAME.md5 and NAME.sha256",
        ),
        flag(
            "lossy",
            "Leave out, with a warning, what a filesystem can't hold",
        ),
    ]
}

fn of_scripts() -> [Arg; 4] {
    [
        repeated(
            text(
                "envvar",
                "VAR[=VALUE]",
                "Give scripts this variable, and of all others only what a build sets; may be repeated",
            )
            .value_parser(values::variable),
        ),
        path(
            "image-cache",
            "DIR",
            "Where elements keep what they download [default: ~/.cache/image-create]",
        ),
        flag(
            "no-network",
            "Give scripts no network, and have them use what is kept",
        ),
        Arg::new("trace")
            .short('x')
            .action(ArgAction::Count)
            .help("Have scripts tell what they do; twice, in every detail"),
    ]
}

fn of_runs() -> [Arg; 4] {
    [
        flag("quiet", "Don't show what scripts print").overrides_with("verbose"),
        flag("verbose", "Show what scripts print").overrides_with("quiet"),
        flag(
            "dry-run",
            "Check everything and show what would be built; make nothing",
        ),
        sandboxed::tree("in TMP_DIR"),
    ]
}

/// What the options ask for.
pub(super) fn asked(matches: &ArgMatches) -> Options {
    let variables: Vec<(String, Option<String>)> = all(matches, "envvar");
    let has_no_network = matches.get_flag("no-network");
    let request = Request {
        elements: elements(matches),
        element_path: all(matches, "element-path"),
        excluded_elements: all(matches, "exclude-element"),
        excluded_scripts: all(matches, "exclude-script"),
        ramdisk_element: given(matches, "ramdisk-element"),
        install_type: value(matches, "install-type"),
        exact_size: value(matches, "size"),
        fs_type: given(matches, "fs-type"),
        root_label: given(matches, "root-label"),
        mkfs_options: given(matches, "mkfs-options"),
        qemu_img_options: value(matches, "qemu-img-options").unwrap_or_default(),
        docker_target: given(matches, "docker-target"),
        is_uncompressed: matches.get_flag("uncompressed"),
        has_checksums: matches.get_flag("checksum"),
        clears_environment: !variables.is_empty(),
        variables,
        image_cache: given_path(matches, "image-cache"),
        has_no_network,
        is_offline: has_no_network,
        trace: matches.get_count("trace").into(),
        ..Request::default()
    };
    let run = Run {
        is_dry: matches.get_flag("dry-run"),
        tree: sandboxed::tree_of(matches),
        is_quiet: match (matches.get_flag("quiet"), matches.get_flag("verbose")) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        },
        is_lossy: matches.get_flag("lossy"),
        ..Run::default()
    };
    Options {
        request,
        run,
        warnings: Vec::new(),
    }
}

/// The elements, of which one word may have several, as a shell would part it.
fn elements(matches: &ArgMatches) -> Vec<String> {
    let all: Vec<String> = all(matches, "elements");
    let elements = all.iter().flat_map(|word| word.split_whitespace());
    elements.map(str::to_owned).collect()
}

/// Makes sure that there are elements.
///
/// # Errors
/// When there are none.
pub(super) fn check(asked: &Options, command: Command) -> Result<(), clap::Error> {
    match asked.request.elements.is_empty() {
        true => Err(refusal(command, NO_ELEMENTS)),
        false => Ok(()),
    }
}

/// What is wrong with a command line, as clap says it.
pub(super) fn refusal(command: Command, message: &str) -> clap::Error {
    let name = format!("createhdds {}", command.get_name());
    command
        .bin_name(name)
        .error(ErrorKind::ValueValidation, message)
}
