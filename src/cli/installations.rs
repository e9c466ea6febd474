//! The options of installations.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use super::values;
use crate::describe::hdds::machine;
use crate::virtinstall::settings::{Settings, VirtType};

const HEADING: &str = "Installations";

/// How a virtual machine may be run, by the words of the command line.
const VIRT_TYPES: [(&str, VirtType); 3] = [
    ("auto", VirtType::Auto),
    ("kvm", VirtType::Kvm),
    ("qemu", VirtType::Qemu),
];

/// Options that are given in front of the command, as in the original.
pub(super) fn only_in_front() -> [Arg; 2] {
    [
        option("textinst")
            .short('t')
            .action(ArgAction::SetTrue)
            .help("Run installations in text mode and show what they print"),
        option("baseurl")
            .short('b')
            .value_name("TREE")
            .action(ArgAction::Append)
            .value_delimiter(',')
            .value_parser(values::tree)
            .default_value("pub")
            .help(
                "Where to install from: pub, stg, the address of a mirror (http, https, ftp, file) \
                 or an absolute path; several are tried in their order. {release}, {arch} and \
                 {variant} are filled in; without them, the rest is appended as on the \
                 distribution's own mirrors, such as /RELEASE/BaseOS/ARCH/os",
            ),
    ]
}

/// Options that are taken on both sides of the command.
pub(super) fn anywhere() -> [Arg; 7] {
    let options = [
        option("virt-type")
            .value_name("TYPE")
            .value_parser(PossibleValuesParser::new(VIRT_TYPES.map(|(word, _)| word)))
            .hide_possible_values(true)
            .default_value("auto")
            .help(
                "Run virtual machines by kvm, by qemu (emulation), or by kvm if it's there (auto)",
            ),
        option("connect")
            .value_name("URI")
            .value_parser(NonEmptyStringValueParser::new())
            .help("Use this libvirt, like qemu:///session [default: libvirt's choice]"),
        option("install-jobs")
            .value_name("N")
            .value_parser(value_parser!(NonZeroUsize))
            .help("Run N installations at a time [default: as many as there is memory for]"),
        option("install-timeout")
            .value_name("DURATION")
            .value_parser(values::duration)
            .default_value("1h")
            .help("Stop an attempt that takes longer: seconds, or a time like 90m or 1h30m"),
        option("install-attempts")
            .value_name("N")
            .value_parser(value_parser!(NonZeroUsize))
            .default_value("3")
            .help("Try an installation up to N times"),
        option("memory")
            .value_name("SIZE")
            .value_parser(machine::parse_memory)
            .help("Memory of each virtual machine, in MiB or with a unit, for all groups"),
        option("cpus")
            .value_name("N")
            .value_parser(machine::parse_cpus)
            .help("Processors of each virtual machine, for all groups"),
    ];
    options.map(|option| option.global(true))
}

fn option(name: &'static str) -> Arg {
    Arg::new(name).long(name).help_heading(HEADING)
}

/// What the command line asks of installations.
pub(super) fn settings(matches: &ArgMatches) -> Settings {
    let default = Settings::default();
    let sources = matches.get_many("baseurl").into_iter().flatten();
    let virt_type = matches.get_one::<String>("virt-type");
    let virt_type = virt_type.and_then(|word| VIRT_TYPES.iter().find(|(name, _)| name == word));
    Settings {
        sources: sources.cloned().collect(),
        text: matches.get_flag("textinst"),
        virt_type: virt_type.map_or(default.virt_type, |(_, virt_type)| *virt_type),
        connect: matches.get_one("connect").cloned(),
        jobs: matches.get_one("install-jobs").copied(),
        timeout: matches
            .get_one::<Duration>("install-timeout")
            .map_or(default.timeout, |timeout| *timeout),
        attempts: matches
            .get_one("install-attempts")
            .copied()
            .unwrap_or(default.attempts),
        memory_mib: matches.get_one("memory").copied(),
        cpus: matches.get_one("cpus").copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::program;

    fn parse(line: &str) -> Result<Settings, clap::Error> {
        let words = ["createhdds"].into_iter().chain(line.split_whitespace());
        let program = program().allow_external_subcommands(true);
        program
            .try_get_matches_from(words)
            .map(|matches| settings(&matches))
    }

    #[test]
    fn without_options_everything_is_by_default() {
        assert_eq!(parse("all").unwrap(), Settings::default());
    }

    #[test]
    fn each_option_has_its_setting() {
        let with = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings
        };
        for (line, expected) in [
            ("-t all", with(|it| it.text = true)),
            ("-b stg all", with(|it| it.sources = vec!["stg".into()])),
            (
                "-b stg,http://m/{release} --baseurl=/srv all",
                with(|it| {
                    it.sources = ["stg", "http://m/{release}", "/srv"]
                        .map(String::from)
                        .into()
                }),
            ),
            (
                "--virt-type kvm all",
                with(|it| it.virt_type = VirtType::Kvm),
            ),
            (
                "all --virt-type=qemu",
                with(|it| it.virt_type = VirtType::Qemu),
            ),
            ("all --virt-type auto", Settings::default()),
            (
                "all --connect qemu:///system",
                with(|it| it.connect = Some("qemu:///system".into())),
            ),
            (
                "--install-jobs 2 all",
                with(|it| it.jobs = NonZeroUsize::new(2)),
            ),
            (
                "all --install-timeout 90m",
                with(|it| it.timeout = Duration::from_secs(5400)),
            ),
            (
                "--install-attempts 1 all",
                with(|it| it.attempts = NonZeroUsize::MIN),
            ),
            ("all --memory 4G", with(|it| it.memory_mib = Some(4096))),
            ("plan --memory=2048", with(|it| it.memory_mib = Some(2048))),
            ("all --cpus 4", with(|it| it.cpus = Some(4))),
        ] {
            assert_eq!(parse(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_option() {
        for (line, parts) in [
            ("-b other all", ["'other'", "--baseurl"]),
            ("-b pub,,stg all", ["''", "--baseurl"]),
            ("-b http://m/{version} all", ["{version}", "--baseurl"]),
            ("--virt-type xen all", ["'xen'", "--virt-type"]),
            ("all --install-jobs 0", ["'0'", "--install-jobs"]),
            ("all --install-timeout 0", ["'0'", "--install-timeout"]),
            ("all --install-attempts 0", ["'0'", "--install-attempts"]),
            ("all --memory 100M", ["512 MiB is the least", "--memory"]),
            ("all --cpus 0", ["'0'", "--cpus"]),
        ] {
            let message = parse(line).unwrap_err().to_string();
            for part in parts {
                assert!(message.contains(part), "{line}: {message}");
            }
        }
        // An empty word can't be told by its spelling.
        let program = program().allow_external_subcommands(true);
        let words = ["createhdds", "--connect", "", "all"];
        program.try_get_matches_from(words).unwrap_err();
        // These two have other meanings behind a command.
        parse("all -t").unwrap_err();
        parse("all --baseurl pub").unwrap_err();
    }
}
