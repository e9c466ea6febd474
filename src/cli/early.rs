//! What has to be known of the command line before it can be parsed: where the configuration is,
//! because the subcommands are made from it.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The options that say where the configuration and its files are, and what it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Early {
    pub config: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
    pub distribution: Option<String>,
}

impl Early {
    /// Looks for `--config`, `--data-dir` and `--distribution` among the arguments, in front of or behind the
    /// subcommand. What is wrong with the others is told when they are parsed.
    pub(super) fn scan(arguments: &[OsString]) -> Self {
        Self {
            config: last_value(arguments, "--config").map(PathBuf::from),
            data_dir: last_value(arguments, "--data-dir").map(PathBuf::from),
            distribution: last_value(arguments, "--distribution")
                .and_then(|value| value.into_string().ok()),
        }
    }
}

/// The value of the last `option VALUE` or `option=VALUE` before a `--`.
fn last_value(arguments: &[OsString], option: &str) -> Option<OsString> {
    let mut found = None;
    let mut rest = arguments.iter().take_while(|argument| *argument != "--");
    while let Some(argument) = rest.next() {
        if argument == option {
            found = rest.next().cloned();
        } else if let Some(value) = value_after_equals(argument, option) {
            found = Some(value);
        }
    }
    found
}

fn value_after_equals(argument: &OsStr, option: &str) -> Option<OsString> {
    use std::os::unix::ffi::OsStrExt;
    let rest = argument.as_bytes().strip_prefix(option.as_bytes())?;
    Some(OsStr::from_bytes(rest.strip_prefix(b"=")?).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_anywhere_and_the_last_one_counts() {
        for (line, config, data_dir) in [
            ("all", None, None),
            ("--config a.json all", Some("a.json"), None),
            ("all --config=a.json", Some("a.json"), None),
            ("--config a --config=b check", Some("b"), None),
            ("--data-dir d check -r", None, Some("d")),
            ("all -- --config a", None, None),
            ("all --config", None, None),
            ("all --configuration a", None, None),
        ] {
            let arguments: Vec<_> = line.split(' ').map(OsString::from).collect();
            let early = Early::scan(&arguments);
            assert_eq!(early.config, config.map(PathBuf::from), "{line}");
            assert_eq!(early.data_dir, data_dir.map(PathBuf::from), "{line}");
        }
    }
}
