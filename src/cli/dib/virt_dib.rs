//! The options of `virt-dib`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::values::{given, given_path, repeated, text, types, words};
use super::{abbreviations, shared};
use crate::cli::values::{flag, option, value};
use crate::command::dib::build::Options;

/// The command's name.
pub(in crate::cli) const NAME: &str = "virt-dib";

/// What comes out, by its words.
const FORMATS: [&str; 7] = ["docker", "qcow2", "raw", "squashfs", "tar", "tgz", "vhd"];

/// The script that is left out always: it asks git about repositories that need not be there.
const EXCLUDED_SCRIPT: &str = "01-sahara-version";

/// The long options that `virt-dib --long-options` of guestfs-tools 1.48.2 prints.
const OF_GUESTFS_TOOLS: [&str; 40] = [
    "arch",
    "checksum",
    "color",
    "colors",
    "colour",
    "colours",
    "debug",
    "debug-gc",
    "docker-target",
    "drive",
    "drive-format",
    "element-path",
    "envvar",
    "exclude-element",
    "exclude-script",
    "extra-packages",
    "formats",
    "fs-type",
    "help",
    "image-cache",
    "install-type",
    "machine-readable",
    "memsize",
    "mkfs-options",
    "name",
    "network",
    "no-delete-on-failure",
    "no-network",
    "python",
    "qemu-img-options",
    "quiet",
    "ramdisk",
    "ramdisk-element",
    "root-label",
    "size",
    "skip-base",
    "smp",
    "verbose",
    "version",
    "wrap",
];

/// Help by another letter, which is taken and not told of.
const SHORT_HELP: &str = "short-help";

/// Options that are about virtual machines, and what they are without one.
const WITHOUT_MEANING: [(&str, &str); 4] = [
    (
        "drive",
        "--drive has no meaning here: what elements keep is in the directory of --image-cache",
    ),
    (
        "drive-format",
        "--drive-format has no meaning here: there is no drive for what elements keep",
    ),
    (
        "memsize",
        "--memsize has no meaning here: scripts run on this machine, and have its memory",
    ),
    (
        "smp",
        "--smp has no meaning here: scripts run on this machine, and have its processors",
    ),
];

const AFTER_HELP: &str = "\
The options are those of virt-dib of guestfs-tools, which had it until 2023; here its scripts run in a
sandbox of namespaces in place of a virtual machine. Directories of elements are those of -p, then those of
ELEMENTS_PATH, then the diskimage-builder of -B, or the one that is found.

  createhdds virt-dib -B /usr/share/diskimage-builder/lib --name debian vm debian-minimal
  createhdds virt-dib --formats qcow2,raw --size 10G --envvar DIB_RELEASE=bookworm --name debian vm debian-minimal
  createhdds virt-dib --ramdisk --ramdisk-element dracut-ramdisk --name rescue rescue centos

Environment: with --envvar, scripts have the variables that are given and no others; without it what
'createhdds dib --help' tells of counts.

A link to this program that is called virt-dib takes the same options.";

/// What a command line asks for.
#[derive(Debug, PartialEq)]
pub(in crate::cli) enum Answer {
    /// To print these lines.
    Print(String),
    /// To build something.
    Build(Box<Options>),
}

/// The subcommand.
pub(in crate::cli) fn command() -> Command {
    let command = shared::command(NAME)
        .about("Build an image from elements of diskimage-builder, with the options of virt-dib")
        .after_help(AFTER_HELP);
    let own = [
        of_images().into(),
        of_elements().into(),
        of_scripts().into(),
        of_runs().into(),
    ];
    let command = shared::with_options(command, own)
        .mut_arg("element-path", |arg| arg.short('p'))
        .mut_arg("quiet", |arg| arg.short('q'))
        .mut_arg("verbose", |arg| arg.short('v'))
        .args(of_machines())
        .args(of_answers());
    abbreviations::taken(command, &OF_GUESTFS_TOOLS)
}

fn of_elements() -> [Arg; 5] {
    [
        Arg::new("dib")
            .short('B')
            .value_name("DIR")
            .allow_hyphen_values(true)
            .value_parser(value_parser!(PathBuf))
            .help("The directory 'lib' of the installed diskimage-builder [default: found]"),
        repeated(text(
            "extra-packages",
            "PACKAGE[,PACKAGE]",
            "Install packages behind the phase install.d; may be repeated",
        )),
        flag("skip-base", "Leave the element 'base' out"),
        flag("ramdisk", "Make a kernel and a ramdisk, and no image"),
        text(
            "python",
            "PYTHON",
            "The Python that diskimage-builder is run by [default: python3]",
        ),
    ]
}

fn of_images() -> [Arg; 3] {
    [
        text(
            "name",
            "NAME",
            "The image's name, without the extension [default: image]",
        ),
        text(
            "formats",
            "FORMAT[,FORMAT]",
            "What is made [default: qcow2]",
        )
        .help(format!(
            "What is made: {} [default: qcow2]",
            FORMATS.join(", ")
        ))
        .value_parser(formats),
        text(
            "arch",
            "ARCH",
            "The architecture, by Debian's name: amd64, arm64, armhf [default: this machine's]",
        ),
    ]
}

fn of_scripts() -> [Arg; 2] {
    [
        text(
            "debug",
            "LEVEL",
            "How much scripts tell of what they do, 0 for nothing",
        )
        .value_parser(value_parser!(u32)),
        flag("network", "Give scripts the network, as is usual").overrides_with("no-network"),
    ]
}

fn of_runs() -> [Arg; 4] {
    let unheeded = |name: &'static str| flag(name, "Changes nothing").hide(true);
    [
        flag(
            "no-delete-on-failure",
            "Keep the tree as it is, in NAME-failed.tar, when a script fails",
        ),
        // Terminals are asked what they can do.
        unheeded("colors").aliases(["color", "colour", "colours"]),
        unheeded("wrap"),
        unheeded("debug-gc"),
    ]
}

/// Options about the virtual machine that isn't there.
fn of_machines() -> [Arg; 4] {
    let without = |name: &'static str, value: &'static str| {
        text(
            name,
            value,
            "Has no meaning here: there is no virtual machine",
        )
    };
    [
        without("drive", "DISK"),
        without("drive-format", "FORMAT"),
        without("memsize", "MB").short('m'),
        without("smp", "N"),
    ]
}

fn of_answers() -> [Arg; 4] {
    [
        option(
            "machine-readable",
            "WHERE",
            "Print what this command can make, where no element is given",
        )
        .value_parser(PossibleValuesParser::new(["stream:stdout"]))
        .num_args(0..=1)
        .require_equals(true),
        flag("short-options", "Print the short options"),
        flag("long-options", "Print the long options"),
        Arg::new(SHORT_HELP)
            .short('?')
            .action(ArgAction::Help)
            .hide(true),
    ]
}

/// Formats that there are.
fn formats(text: &str) -> Result<Vec<String>, String> {
    let known = FORMATS.join(", ");
    let formats = types(text).map_err(|_| format!("give one format at least: {known}"))?;
    let unknown = formats
        .iter()
        .find(|format| !FORMATS.contains(&format.as_str()));
    match unknown {
        Some(unknown) => Err(format!("'{unknown}' is no format: there are {known}")),
        None => Ok(formats),
    }
}

/// What the command line asks for.
///
/// # Errors
/// When no element is given, and nothing is to be printed.
pub(in crate::cli) fn answer(matches: &ArgMatches) -> Result<Answer, clap::Error> {
    if matches.get_flag("short-options") {
        return Ok(Answer::Print(lines(short_options())));
    }
    if matches.get_flag("long-options") {
        return Ok(Answer::Print(lines(long_options())));
    }
    let asked = shared::asked(matches);
    if asked.request.elements.is_empty() && matches.contains_id("machine-readable") {
        let outputs = FORMATS.iter().map(|format| format!("output:{format}"));
        let name = std::iter::once(NAME.to_owned());
        return Ok(Answer::Print(lines(name.chain(outputs).collect())));
    }
    shared::check(&asked, command())?;
    Ok(Answer::Build(Box::new(with_own(asked, matches))))
}

/// With what only this command has.
fn with_own(mut asked: Options, matches: &ArgMatches) -> Options {
    let request = &mut asked.request;
    request.excluded_scripts.push(EXCLUDED_SCRIPT.to_owned());
    request.dib = given_path(matches, "dib");
    request.packages = words(matches, "extra-packages");
    request.skips_base = matches.get_flag("skip-base");
    request.is_ramdisk = matches.get_flag("ramdisk");
    request.python = given(matches, "python");
    request.image_name = given(matches, "name");
    request.types = value(matches, "formats").unwrap_or_default();
    request.arch = given(matches, "arch");
    let level = value::<u32>(matches, "debug").unwrap_or(0);
    request.trace = request.trace.saturating_add(level);
    asked.run.keeps_on_failure = matches.get_flag("no-delete-on-failure");
    let given = WITHOUT_MEANING
        .iter()
        .filter(|(name, _)| matches.contains_id(name));
    asked.warnings = given.map(|(_, warning)| (*warning).to_owned()).collect();
    asked
}

fn lines(words: Vec<String>) -> String {
    words.iter().map(|word| format!("{word}\n")).collect()
}

/// The short options, those of clap among them.
fn short_options() -> Vec<String> {
    let mut command = command();
    command.build();
    let arguments = command.get_arguments();
    let arguments = arguments.filter(|arg| arg.get_id() != SHORT_HELP);
    let letters = arguments.filter_map(Arg::get_short);
    let mut options: Vec<_> = letters.map(|letter| format!("-{letter}")).collect();
    options.sort();
    options
}

/// The long options with their other names, those of clap among them.
fn long_options() -> Vec<String> {
    let mut command = command();
    command.build();
    let names = command.get_arguments().flat_map(|arg| {
        let others = arg.get_all_aliases().unwrap_or_default().into_iter();
        // Beginnings are taken, and not told of.
        let others = others.filter(|name| OF_GUESTFS_TOOLS.contains(name));
        arg.get_long().into_iter().chain(others)
    });
    let mut options: Vec<_> = names.map(|name| format!("--{name}")).collect();
    options.sort();
    options
}

#[cfg(test)]
mod tests {
    use disklayout::Bytes;

    use super::*;
    use crate::describe::dib::Request;

    fn parse(line: &str) -> Result<Answer, clap::Error> {
        let words = [NAME].into_iter().chain(line.split_whitespace());
        answer(&command().try_get_matches_from(words)?)
    }

    fn asked(line: &str) -> Options {
        match parse(line).unwrap_or_else(|error| panic!("{line}: {error}")) {
            Answer::Build(asked) => *asked,
            Answer::Print(text) => panic!("{line}: {text}"),
        }
    }

    fn printed(line: &str) -> String {
        match parse(line).unwrap() {
            Answer::Build(asked) => panic!("{line}: {asked:?}"),
            Answer::Print(text) => text,
        }
    }

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_option_asks_for_something() {
        let line = "-B /dib/lib -p one --element-path two --arch arm64 --checksum --colours --debug 2 \
                    --docker-target a:b --envvar A --envvar B=c --exclude-element e --exclude-script 10-s \
                    --extra-packages p,q --extra-packages r --formats raw,tgz,raw --fs-type xfs \
                    --image-cache /cache --install-type package --mkfs-options=-D --no-network \
                    --name n --no-delete-on-failure --python python3.11 -q --qemu-img-options a=b \
                    --ramdisk --ramdisk-element dracut --root-label l --size 1.5G --skip-base -u --wrap \
                    -x -x --dry-run --lossy vm os";
        let Options {
            request,
            run,
            warnings,
        } = asked(line);
        let expected = Request {
            elements: owned(&["vm", "os"]),
            is_ramdisk: true,
            ramdisk_element: Some("dracut".into()),
            skips_base: true,
            excluded_elements: owned(&["e"]),
            excluded_scripts: owned(&["10-s", EXCLUDED_SCRIPT]),
            element_path: ["one", "two"].map(PathBuf::from).to_vec(),
            dib: Some("/dib/lib".into()),
            python: Some("python3.11".into()),
            arch: Some("arm64".into()),
            image_name: Some("n".into()),
            types: owned(&["raw", "tgz"]),
            is_uncompressed: true,
            qemu_img_options: vec![("a".into(), "b".into())],
            has_checksums: true,
            docker_target: Some("a:b".into()),
            exact_size: Some(Bytes::new(3 << 29)),
            fs_type: Some("xfs".into()),
            root_label: Some("l".into()),
            mkfs_options: Some("-D".into()),
            packages: owned(&["p", "q", "r"]),
            install_type: Some("package".into()),
            image_cache: Some("/cache".into()),
            is_offline: true,
            has_no_network: true,
            trace: 4,
            clears_environment: true,
            variables: vec![("A".into(), None), ("B".into(), Some("c".into()))],
            ..Request::default()
        };
        assert_eq!(request, expected);
        assert!(run.is_dry && run.is_lossy && run.keeps_on_failure);
        assert_eq!(run.is_quiet, Some(true));
        assert_eq!(warnings, Vec::<String>::new());
        let Options { request, run, .. } = asked("--no-network --network -v os");
        assert!(!request.has_no_network && !request.is_offline && !request.clears_environment);
        assert_eq!(request.excluded_scripts, [EXCLUDED_SCRIPT]);
        assert_eq!(run.is_quiet, Some(false));
    }

    #[test]
    fn what_is_about_virtual_machines_is_warned_of() {
        let asked = asked("--drive d --drive-format raw -m 1024 --smp 2 --machine-readable os");
        let about = asked
            .warnings
            .iter()
            .map(|it| it.split(' ').next().unwrap());
        let expected = ["--drive", "--drive-format", "--memsize", "--smp"];
        assert_eq!(about.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_there_is_can_be_printed() {
        let formats = "virt-dib\noutput:docker\noutput:qcow2\noutput:raw\noutput:squashfs\n\
                       output:tar\noutput:tgz\noutput:vhd\n";
        assert_eq!(printed("--machine-readable"), formats);
        assert_eq!(printed("--machine-readable=stream:stdout"), formats);
        let short = printed("--short-options");
        assert_eq!(short.replace('\n', " "), "-B -V -h -m -p -q -u -v -x ");
        let long = printed("--long-options os");
        let long: Vec<_> = long.lines().collect();
        for name in OF_GUESTFS_TOOLS {
            assert!(long.contains(&format!("--{name}").as_str()), "{name}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, part) in [
            ("", "no element is given"),
            ("-B d", "no element is given"),
            (
                "--formats vmdk os",
                "'vmdk' is no format: there are docker, qcow2",
            ),
            ("--formats raw,x os", "'x' is no format"),
            ("--formats= os", "give one format at least: docker"),
            ("--formats , os", "give one format at least"),
            ("--size 10 os", "'10' is no size with a unit"),
            ("--debug -1 os", "-1 is not in 0.."),
            ("--debug x os", "invalid digit"),
            (
                "--machine-readable x --nosuch",
                "unexpected argument '--nosuch'",
            ),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
