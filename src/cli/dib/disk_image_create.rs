//! The options of `dib`, which is `disk-image-create`, and of `ramdisk-image-create`.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::values::{self, given, given_path, path, repeated, text, words};
use super::{abbreviations, shared};
use crate::cli::values::{flag, value};
use crate::command::dib::build::Options;

/// The command's name.
pub(in crate::cli) const NAME: &str = "dib";

/// The same by the name that diskimage-builder has for it.
pub(in crate::cli) const LONG_NAME: &str = "disk-image-create";

/// The command that makes ramdisks.
pub(in crate::cli) const RAMDISK_NAME: &str = "ramdisk-image-create";

/// The long options that diskimage-builder has.
const OF_GETOPT: [&str; 16] = [
    "checksum",
    "docker-target",
    "help",
    "image-cache",
    "image-size",
    "install-type",
    "logfile",
    "max-online-resize",
    "min-tmpfs",
    "mkfs-options",
    "no-tmpfs",
    "offline",
    "qemu-img-options",
    "ramdisk-element",
    "root-label",
    "version",
];

const AFTER_HELP: &str = "\
Elements are those of diskimage-builder, as they are, or of your own: directories with scripts for the
phases of a build, in DIR of --element-path, in ELEMENTS_PATH, and in the diskimage-builder that is
installed. Their scripts run in a sandbox of namespaces: no root, no loop device and no mount of the host
is needed, and nothing is left behind.

  createhdds dib -o debian vm debian-minimal
  createhdds dib -a arm64 -t qcow2,raw --checksum -p vim,tmux -o debian vm debian-minimal
  DIB_RELEASE=bookworm createhdds dib --size 8G --element-path ~/elements -o web vm debian-minimal web

Environment: ELEMENTS_PATH has directories of elements, with ':' in between. ARCH, IMAGE_NAME, FS_TYPE,
ROOT_LABEL, RAMDISK_ELEMENT, MAX_ONLINE_RESIZE, DIB_IMAGE_SIZE (GB), DIB_IMAGE_EXTRA_SIZE (MB),
DIB_JOURNAL_SIZE (MB), DIB_IMAGE_CACHE, DIB_DEFAULT_INSTALLTYPE, DIB_CHECKSUM, DIB_OFFLINE, DIB_NO_TMPFS,
DIB_MIN_TMPFS, DIB_QUIET and DIB_DEBUG_TRACE stand for options that aren't given.
DIB_BLOCK_DEVICE_CONFIG describes the disk, DIB_PYTHON_EXEC is the Python of diskimage-builder, and
elements have variables of their own, like DIB_RELEASE.

Links to this program that are called disk-image-create and ramdisk-image-create take the same options.";

const AFTER_RAMDISK_HELP: &str = "\
A kernel and a ramdisk are made of a system that is built from the elements, and no image.

  createhdds ramdisk-image-create -o deploy deploy fedora
  createhdds ramdisk-image-create -a amd64 --ramdisk-element dracut-ramdisk -o rescue rescue centos

'createhdds dib --help' tells of elements and of the environment.

A link to this program that is called ramdisk-image-create takes the same options.";

/// The subcommand that makes images.
pub(in crate::cli) fn command() -> Command {
    with_options(NAME)
        .visible_alias(LONG_NAME)
        .about("Build an image from elements of diskimage-builder, without root")
        .after_help(AFTER_HELP)
}

/// The subcommand that makes ramdisks.
pub(in crate::cli) fn ramdisk_command() -> Command {
    // As with diskimage-builder, they are taken and not told of.
    let hidden = ["no-base", "packages"].into_iter();
    hidden
        .fold(with_options(RAMDISK_NAME), |command, name| {
            command.mut_arg(name, |arg| arg.hide(true))
        })
        .about("Build a kernel and a ramdisk from elements of diskimage-builder, without root")
        .after_help(AFTER_RAMDISK_HELP)
}

fn with_options(name: &'static str) -> Command {
    let own = [
        of_images().into(),
        of_elements().into(),
        of_scripts().into(),
        of_runs().into(),
    ];
    let command = shared::with_options(shared::command(name), own);
    abbreviations::taken(command, &OF_GETOPT)
}

fn short(name: &'static str, letter: char) -> Arg {
    Arg::new(name).short(letter)
}

fn of_images() -> [Arg; 7] {
    [
        short("name", 'o')
            .value_name("NAME")
            .allow_hyphen_values(true)
            .help("The image's name, without the extension [default: image]"),
        short("types", 't')
            .value_name("TYPE[,TYPE]")
            .allow_hyphen_values(true)
            .value_parser(values::types)
            .help(
                "What is made: qcow2, raw, vhd, tar, tgz, squashfs, docker, aci, vmdk, vdi, vhdx \
                 [default: qcow2]",
            ),
        short("arch", 'a')
            .value_name("ARCH")
            .allow_hyphen_values(true)
            .help(
                "The architecture, by Debian's name: amd64, arm64, armhf [default: this machine's]",
            ),
        text(
            "image-size",
            "GB",
            "The size of the disk in GB of 1024 MiB [default: by what is on it]",
        )
        .conflicts_with("size")
        .value_parser(values::gigabytes),
        text(
            "image-extra-size",
            "GB",
            "Room beyond what is on the disk, in GB of 1024 MiB [default: two thirds of that]",
        )
        .value_parser(values::extra_gigabytes),
        text(
            "mkfs-journal-size",
            "MB",
            "The journal of the root filesystem, in MiB [default: 64]",
        )
        .value_parser(value_parser!(u64).range(1..)),
        text(
            "max-online-resize",
            "BLOCKS",
            "Blocks that the root filesystem can grow to while it is mounted",
        ),
    ]
}

fn of_elements() -> [Arg; 3] {
    [
        short("no-base", 'n')
            .action(ArgAction::SetTrue)
            .help("Leave the element 'base' out"),
        repeated(
            short("packages", 'p')
                .value_name("PACKAGE[,PACKAGE]")
                .allow_hyphen_values(true),
        )
        .help("Install packages behind the phase install.d; may be repeated"),
        path(
            "dib",
            "DIR",
            "The diskimage-builder that is installed [default: found]",
        ),
    ]
}

fn of_scripts() -> [Arg; 2] {
    [
        short("clear", 'c')
            .action(ArgAction::SetTrue)
            .help("Begin with an empty environment"),
        flag("offline", "Don't look for newer versions of what is kept"),
    ]
}

fn of_runs() -> [Arg; 4] {
    [
        path(
            "logfile",
            "FILE",
            "Write there what scripts print, and don't show it unless --verbose is given",
        ),
        text(
            "min-tmpfs",
            "GB",
            "Make the tree in memory where there is so much of it, in GB [default: 2]",
        )
        .value_parser(value_parser!(u64)),
        flag("no-tmpfs", "Don't make the tree in memory"),
        flag(
            "keep-on-failure",
            "Keep the tree as it is, in NAME-failed.tar, when a script fails",
        ),
    ]
}

/// What the command line of `dib` asks for.
///
/// # Errors
/// When no element is given.
pub(in crate::cli) fn asked(matches: &ArgMatches) -> Result<Options, clap::Error> {
    read(matches, command())
}

/// What the command line of `ramdisk-image-create` asks for.
///
/// # Errors
/// When no element is given.
pub(in crate::cli) fn ramdisk_asked(matches: &ArgMatches) -> Result<Options, clap::Error> {
    let mut asked = read(matches, ramdisk_command())?;
    asked.request.is_ramdisk = true;
    Ok(asked)
}

fn read(matches: &ArgMatches, command: Command) -> Result<Options, clap::Error> {
    let mut asked = shared::asked(matches);
    shared::check(&asked, command)?;
    let request = &mut asked.request;
    request.arch = given(matches, "arch");
    request.image_name = given(matches, "name");
    request.types = value(matches, "types").unwrap_or_default();
    request.image_size = value(matches, "image-size");
    request.image_extra_size = value(matches, "image-extra-size");
    request.journal_size = value(matches, "mkfs-journal-size");
    request.max_online_resize = given(matches, "max-online-resize");
    request.skips_base = matches.get_flag("no-base");
    request.packages = words(matches, "packages");
    request.dib = given_path(matches, "dib");
    request.is_offline |= matches.get_flag("offline");
    request.clears_environment |= matches.get_flag("clear");
    request.min_tmpfs = value(matches, "min-tmpfs");
    request.has_no_tmpfs = matches.get_flag("no-tmpfs");
    asked.run.log = given_path(matches, "logfile");
    asked.run.keeps_on_failure = matches.get_flag("keep-on-failure");
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::error::ErrorKind;
    use disklayout::Bytes;

    use super::*;
    use crate::cli::arguments;
    use crate::command::system::Tree;
    use crate::describe::dib::Request;

    fn typed(words: &[&str]) -> Result<Options, clap::Error> {
        let words = [NAME].iter().chain(words);
        asked(&command().try_get_matches_from(words)?)
    }

    fn parse(line: &str) -> Options {
        let words: Vec<_> = line.split_whitespace().collect();
        typed(&words).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_commands_are_well_formed() {
        command().debug_assert();
        ramdisk_command().debug_assert();
        let help = ramdisk_command().render_long_help().to_string();
        assert!(!help.contains(" -p ") && !help.contains(" -n "), "{help}");
    }

    #[test]
    fn every_option_of_diskimage_builder_asks_for_something() {
        let line = "-a armhf -o arm.qcow2 -t qcow2,raw -x -x -u -c -n -p vim,tmux -p wget --checksum \
                    --image-size 2.5 --image-extra-size 1 --image-cache /cache --max-online-resize 1000 \
                    --min-tmpfs 7 --mkfs-journal-size 32 --mkfs-options=-D --no-tmpfs --offline \
                    --qemu-img-options compat=0.10,cluster_size=512 --root-label root \
                    --ramdisk-element dracut-ramdisk --install-type package --docker-target a:b \
                    --logfile log vm debian";
        let asked = parse(line);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = Request {
            elements: owned(&["vm", "debian"]),
            ramdisk_element: Some("dracut-ramdisk".into()),
            skips_base: true,
            arch: Some("armhf".into()),
            image_name: Some("arm.qcow2".into()),
            types: owned(&["qcow2", "raw"]),
            is_uncompressed: true,
            qemu_img_options: vec![pair("compat", "0.10"), pair("cluster_size", "512")],
            has_checksums: true,
            docker_target: Some("a:b".into()),
            image_size: Some(Bytes::new(5 << 29)),
            image_extra_size: Some(Bytes::new(1 << 30)),
            root_label: Some("root".into()),
            mkfs_options: Some("-D".into()),
            journal_size: Some(32),
            max_online_resize: Some("1000".into()),
            packages: owned(&["vim", "tmux", "wget"]),
            install_type: Some("package".into()),
            image_cache: Some("/cache".into()),
            is_offline: true,
            trace: 2,
            clears_environment: true,
            min_tmpfs: Some(7),
            has_no_tmpfs: true,
            ..Request::default()
        };
        assert_eq!(asked.request, expected);
        assert_eq!(asked.run.log, Some("log".into()));
    }

    #[test]
    fn options_of_this_program_ask_for_more() {
        let line = "--dib d --element-path e --element-path f --exclude-element x --exclude-script 10-y \
                    --envvar A --envvar B=c=d --fs-type xfs --no-network --size 1.5G --dry-run \
                    --tree /t --keep-on-failure --quiet --lossy os";
        let Options { request, run, .. } = parse(line);
        let expected = Request {
            elements: owned(&["os"]),
            excluded_elements: owned(&["x"]),
            excluded_scripts: owned(&["10-y"]),
            element_path: ["e", "f"].map(PathBuf::from).to_vec(),
            dib: Some("d".into()),
            exact_size: Some(Bytes::new(3 << 29)),
            fs_type: Some("xfs".into()),
            is_offline: true,
            has_no_network: true,
            clears_environment: true,
            variables: vec![("A".into(), None), ("B".into(), Some("c=d".into()))],
            ..Request::default()
        };
        assert_eq!(request, expected);
        assert_eq!(run.tree, Tree::Below("/t".into()));
        assert!(run.is_dry && run.keeps_on_failure && run.is_lossy);
        assert_eq!(run.is_quiet, Some(true));
        assert_eq!(parse("--quiet --verbose os").run.is_quiet, Some(false));
        assert_eq!(parse("--verbose --quiet os").run.is_quiet, Some(true));
    }

    #[test]
    fn nothing_is_asked_for_but_elements() {
        let asked = parse("os");
        let expected = Request {
            elements: owned(&["os"]),
            ..Request::default()
        };
        assert_eq!(asked.request, expected);
        assert_eq!(asked.run, crate::command::dib::build::Run::default());
    }

    #[test]
    fn words_are_read_as_getopt_does() {
        // Between elements, by their beginnings, together, and the last of each counts.
        let asked = parse(
            "vm -xuo a os --offl --image-s=4 -ob --no --mkfs -D --image-c /c base -t raw -t tar",
        );
        assert_eq!(asked.request.elements, ["vm", "os", "base"]);
        assert_eq!(asked.request.image_name.as_deref(), Some("b"));
        assert_eq!(asked.request.types, ["tar"]);
        assert_eq!(asked.request.mkfs_options.as_deref(), Some("-D"));
        assert_eq!(asked.request.image_cache, Some("/c".into()));
        assert!(
            asked.request.is_offline && asked.request.has_no_tmpfs && !asked.request.has_no_network
        );
        for (beginning, rest) in [
            ("--q", "a=b"),
            ("--r", "x"),
            ("--d", "x:y"),
            ("--in", "package"),
        ] {
            let asked = typed(&[beginning, rest, "os"]);
            assert_eq!(asked.is_ok(), beginning != "--r", "{beginning}");
        }
        let version = typed(&["--ver"]).unwrap_err();
        assert_eq!(version.kind(), ErrorKind::DisplayVersion);
        // Flags that are there twice, and what isn't an option any more.
        let asked = parse("--checksum --checksum -n -n os -- --offline");
        assert_eq!(asked.request.elements, ["os", "--offline"]);
        // As a shell parts what isn't quoted.
        let asked = typed(&["-p", "a b,c", "vm os", "-o", "", "--root-label", ""]).unwrap();
        assert_eq!(asked.request.packages, ["a", "b", "c"]);
        assert_eq!(asked.request.elements, ["vm", "os"]);
        assert_eq!(
            (asked.request.image_name, asked.request.root_label),
            (None, None)
        );
    }

    #[test]
    fn beginnings_are_taken_whatever_options_the_program_has() {
        let read = |line: &str| {
            let matches = arguments::program().try_get_matches_from(line.split(' '))?;
            let (name, inner) = matches.subcommand().unwrap();
            assert_eq!(name, NAME);
            asked(inner)
        };
        let request = read("createhdds disk-image-create --d x:y --in package os -C /tmp --no");
        let request = request.unwrap().request;
        assert_eq!(request.docker_target.as_deref(), Some("x:y"));
        assert_eq!(request.install_type.as_deref(), Some("package"));
        assert!(request.has_no_tmpfs && !request.has_no_network);
        read("createhdds dib --image x os").unwrap_err();
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (words, part) in [
            (&[][..], "no element is given"),
            (&["-a", "amd64"], "no element is given"),
            (&["", " "], "no element is given"),
            (&["--nosuch", "os"], "unexpected argument '--nosuch'"),
            (&["--image", "4", "os"], "unexpected argument '--image'"),
            (&["-t", ",", "os"], "give one type of image at least"),
            (&["--image-size", "4G", "os"], "'4G' is no number of GB"),
            (&["--image-size", "0", "os"], "leaves no room"),
            (&["--size", "4", "os"], "'4' is no size with a unit"),
            (
                &["--size", "4G", "--image-size", "4", "os"],
                "cannot be used with",
            ),
            (&["--mkfs-journal-size", "0", "os"], "0 is not in 1.."),
            (&["--min-tmpfs", "2.5", "os"], "invalid digit"),
            (
                &["--install-type", "binary", "os"],
                "possible values: source, package",
            ),
            (
                &["--qemu-img-options", "compat", "os"],
                "'compat' is no name with a value",
            ),
            (&["--envvar", "1=2", "os"], "'1' is no name of a variable"),
            (&["os", "-o"], "a value is required"),
        ] {
            let error = typed(words).unwrap_err().to_string();
            assert!(error.contains(part), "{words:?}: {error}");
        }
        // Nothing beyond what is on it is something to ask for.
        let asked = parse("--image-extra-size 0 os");
        assert_eq!(asked.request.image_extra_size, Some(Bytes::default()));
    }

    #[test]
    fn ramdisks_are_asked_for_by_their_command() {
        let words = [RAMDISK_NAME, "-p", "vim", "-n", "deploy", "os"];
        let matches = ramdisk_command().try_get_matches_from(words).unwrap();
        let request = ramdisk_asked(&matches).unwrap().request;
        assert!(request.is_ramdisk && request.skips_base);
        assert_eq!(request.packages, ["vim"]);
        let matches = ramdisk_command().try_get_matches_from([RAMDISK_NAME]);
        let error = ramdisk_asked(&matches.unwrap()).unwrap_err().to_string();
        assert!(error.contains("ramdisk-image-create [OPTIONS]"), "{error}");
    }
}
