//! Versions of external programs.

use std::fmt;

use disklayout::{Error, ErrorKind, Place, Result};

use super::{Runner, Tool};

/// An option, and the first version of a program that has it.
pub(crate) type Need = (&'static str, Version);

/// Makes sure that the installed version of `tool`, which it tells when it is asked with `ask`, has
/// all of `needs`. It isn't run where there are none.
///
/// # Errors
/// `Tool` below `place` with what is installed and what is needed, and when it doesn't tell.
pub(crate) fn require(
    runner: &Runner,
    place: &Place,
    tool: Tool,
    ask: &str,
    needs: &[Need],
) -> Result<()> {
    if needs.is_empty() {
        return Ok(());
    }
    let said = runner.output(place, tool, &[ask.into()])?;
    let installed = Version::find(&said).ok_or_else(|| {
        let (program, said) = (tool.program, said.trim());
        let message = format!("{program} doesn't tell its version but '{said}'");
        Error::new(ErrorKind::Tool, place, message)
    })?;
    check(place, tool, installed, needs)
}

fn check(place: &Place, tool: Tool, installed: Version, needs: &[Need]) -> Result<()> {
    let Some((name, since)) = needs.iter().find(|(_, since)| installed < *since) else {
        return Ok(());
    };
    let Tool { program, packages } = tool;
    let message = format!(
        "{program} {installed} is installed, and this needs {since} or a later one: install a \
         newer {packages}, or leave it out"
    );
    Err(Error::new(ErrorKind::Tool, place.choice(name), message))
}

/// The first two numbers of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub u32, pub u32);

impl Version {
    /// What a program says of itself: the first word with two numbers, `v6.2` or `1.47.0`.
    pub(crate) fn find(said: &str) -> Option<Self> {
        said.split_whitespace().find_map(Self::parse)
    }

    fn parse(word: &str) -> Option<Self> {
        let mut parts = word.strip_prefix('v').unwrap_or(word).split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?;
        // Others follow, as in 6.11-rc1.
        let end = minor.find(|letter: char| !letter.is_ascii_digit());
        let minor = minor[..end.unwrap_or(minor.len())].parse().ok()?;
        Some(Self(major, minor))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Packages;

    #[test]
    fn programs_tell_their_version() {
        for (said, expected) in [
            ("mkfs.btrfs, part of btrfs-progs v6.2\n", Some((6, 2))),
            (
                "mkfs.btrfs, part of btrfs-progs v6.16.1\n+ZSTD",
                Some((6, 16)),
            ),
            ("x v6.11-rc1", Some((6, 11))),
            ("mkfs.xfs version 6.1.0", Some((6, 1))),
            ("version 7", None),
            ("", None),
        ] {
            let expected = expected.map(|(major, minor)| Version(major, minor));
            assert_eq!(Version::find(said), expected, "{said}");
        }
    }

    #[test]
    fn what_is_installed_must_have_what_is_needed() {
        let tool = Tool {
            program: "mkfs.x",
            packages: Packages::same("x-progs", ""),
        };
        let needs = [("old", Version(6, 2)), ("new", Version(6, 12))];
        check(&"p".into(), tool, Version(6, 12), &needs).unwrap();
        let error = check(&"p".into(), tool, Version(6, 2), &needs).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tool);
        let expected = "p.new: mkfs.x 6.2 is installed, and this needs 6.12 or a later one: \
            install a newer 'x-progs', or leave it out";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_program_is_asked_only_where_there_are_needs() {
        let tool = Tool {
            program: "no-such-program",
            packages: Packages::same("none", ""),
        };
        let runner = Runner::from_env();
        require(&runner, &"p".into(), tool, "--version", &[]).unwrap();
        let needs = [("new", Version(1, 0))];
        let error = require(&runner, &"p".into(), tool, "--version", &needs).unwrap_err();
        assert!(error.to_string().contains("isn't installed"), "{error}");
        let echo = Tool {
            program: "echo",
            ..tool
        };
        require(&runner, &"p".into(), echo, "v1.0", &needs).unwrap();
        let error = require(&runner, &"p".into(), echo, "hello", &needs).unwrap_err();
        assert!(error.to_string().contains("but 'hello'"), "{error}");
    }

    #[test]
    fn versions_are_shown_as_they_are_told() {
        assert!(Version(6, 2) < Version(6, 12));
        assert_eq!(Version(6, 12).to_string(), "6.12");
    }
}
