//! How an image is run ("Image Configuration", `config`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::error::{Error, Result};
use crate::place::Place;

/// What containers of an image are started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The user, by name or number, and a group behind a colon: `www-data`, `1000:1000`.
    pub user: Option<String>,
    /// The ports that it listens at.
    pub exposed_ports: BTreeSet<Port>,
    /// Variables of the environment, names and values.
    pub env: Vec<(String, String)>,
    /// The program with its arguments.
    pub entrypoint: Vec<String>,
    /// Further arguments, or the program where there is no entry point; others may be given.
    pub cmd: Vec<String>,
    /// Directories whose data are kept outside, as absolute paths.
    pub volumes: BTreeSet<String>,
    /// The directory that it is started in, as an absolute path.
    pub working_dir: Option<String>,
    /// Names and values for people and programs.
    pub labels: BTreeMap<String, String>,
    /// The signal that ends it: `SIGTERM`, `SIGRTMIN+3`, `15`.
    pub stop_signal: Option<String>,
}

/// A port of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// Its number, from 1 on.
    pub number: u16,
    /// What is spoken there.
    pub protocol: Protocol,
}

/// A protocol with ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Transmission Control Protocol.
    #[default]
    Tcp,
    /// User Datagram Protocol.
    Udp,
    /// Stream Control Transmission Protocol.
    Sctp,
}

impl Port {
    /// A port as it is written: `80`, which means TCP, `53/udp`.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when it is none.
    pub fn parse(place: &Place, text: &str) -> Result<Self> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = match protocol {
            "tcp" => Some(Protocol::Tcp),
            "udp" => Some(Protocol::Udp),
            "sctp" => Some(Protocol::Sctp),
            _ => None,
        };
        let number = number.parse().ok().filter(|number| *number > 0);
        let port = number.zip(protocol);
        let port = port.map(|(number, protocol)| Self { number, protocol });
        port.ok_or_else(|| {
            let shown = text.escape_debug();
            let message =
                format!("'{shown}' is no port: give one from 1 to 65535, with /tcp, /udp or /sctp");
            Error::invalid(place, message)
        })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        };
        write!(f, "{}/{protocol}", self.number)
    }
}

impl Config {
    /// Refuses what no container can be started with.
    pub(super) fn check(&self, place: &Place) -> Result<()> {
        let texts = self.entrypoint.iter().chain(&self.cmd).chain(&self.user);
        let values = self.env.iter().map(|(_, value)| value);
        let paths = || self.volumes.iter().chain(&self.working_dir);
        let checks = [
            ("an argument, a user or a value with a NUL byte", {
                let all = texts.chain(values).chain(paths());
                all.clone().find(|text| text.contains('\0'))
            }),
            ("a variable whose name is empty or has '=' or a NUL byte", {
                let mut names = self.env.iter().map(|(name, _)| name);
                names.find(|name| name.is_empty() || name.contains(['=', '\0']))
            }),
            ("a directory that isn't an absolute path", {
                paths().find(|path| !path.starts_with('/'))
            }),
            (
                "a label without a name",
                self.labels.keys().find(|name| name.is_empty()),
            ),
            (
                "a user without a name",
                self.user.iter().find(|user| user.is_empty()),
            ),
            ("a signal that isn't called SIG... and has no number", {
                self.stop_signal.iter().find(|signal| !is_signal(signal))
            }),
        ];
        let wrong = checks
            .into_iter()
            .find_map(|(what, found)| Some((what, found?)));
        wrong.map_or(Ok(()), |(what, found)| {
            let message = format!("the image has {what}: '{}'", found.escape_debug());
            Err(Error::invalid(place, message))
        })
    }
}

fn is_signal(text: &str) -> bool {
    let is_fine =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"+-".contains(&byte);
    let is_name = text
        .strip_prefix("SIG")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_fine));
    is_name
        || text
            .parse::<u8>()
            .is_ok_and(|number| (1..=64).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_have_numbers_and_protocols() {
        let place = Place::from("image");
        for (text, shown) in [("80", "80/tcp"), ("53/udp", "53/udp"), ("1/sctp", "1/sctp")] {
            assert_eq!(Port::parse(&place, text).unwrap().to_string(), shown);
        }
        for text in ["", "0", "65536", "80/", "80/icmp", "-1", "80/tcp/udp", "+"] {
            Port::parse(&place, text).expect_err(text);
        }
    }

    #[test]
    fn what_no_container_starts_with_is_refused() {
        let place = Place::from("image");
        let variable = |name: &str| Config {
            env: vec![(name.to_owned(), "x".to_owned())],
            ..Config::default()
        };
        let signal = |name: &str| Config {
            stop_signal: Some(name.to_owned()),
            ..Config::default()
        };
        let directory = |path: &str| Config {
            working_dir: Some(path.to_owned()),
            ..Config::default()
        };
        for fine in [
            variable("A"),
            signal("SIGRTMIN+3"),
            signal("15"),
            directory("/"),
        ] {
            fine.check(&place).unwrap();
        }
        for wrong in [
            variable(""),
            variable("A="),
            signal("TERM"),
            signal("SIG"),
            signal("0"),
            directory("srv"),
            directory("/\0"),
        ] {
            let error = wrong.check(&place).unwrap_err();
            assert!(error.message().starts_with("the image has a"), "{error}");
        }
    }
}
