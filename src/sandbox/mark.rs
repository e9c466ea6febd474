//! The parts of a sandbox that this program is started as.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

use super::first::{self, Inside};
use super::{guard, host, in_tree};

/// This program, whatever has become of its file.
const SELF: &str = "/proc/self/exe";

/// The first argument of a process that is a part of a sandbox.
const MARK: &str = "--internal-sandbox";

/// The status of a part that couldn't do its work, which it tells on standard error.
pub(super) const CANNOT: u8 = 125;

/// What a process is in a sandbox.
#[derive(Debug)]
pub enum Part {
    /// A part that has done its work.
    Done(ExitCode),
    /// The first process. The command that it does has these arguments.
    First(Inside, Vec<OsString>),
}

/// What starts this program as the part called `part`.
pub(super) fn command(part: &str) -> Command {
    let mut command = Command::new(match Path::new(SELF).exists() {
        true => OsStr::new(SELF).to_owned(),
        // A container may have no /proc.
        false => std::env::current_exe().map_or_else(|_| SELF.into(), Into::into),
    });
    command.arg(MARK).arg(part);
    command
}

/// Becomes the part of a sandbox that `arguments` ask for; `None` when they ask for none.
pub fn become_part(arguments: &[OsString]) -> Option<Part> {
    let [_, mark, part, rest @ ..] = arguments else {
        return None;
    };
    if mark != MARK {
        return None;
    }
    let done = match part.to_str() {
        Some("guard") => guard::run(rest),
        Some("map") => guard::map_ids(rest),
        Some("probe") => host::probe(rest),
        Some("in-tree") => in_tree::run(rest),
        Some("first") => match first::run(rest) {
            Ok((inside, arguments)) => return Some(Part::First(inside, arguments)),
            Err(error) => Err(error),
        },
        _ => Err(anyhow::anyhow!("'{}' is no part of it", part.display())),
    };
    Some(Part::Done(done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "createhdds: the sandbox: {error:#}");
        ExitCode::from(CANNOT)
    })))
}
