//! This program as the parent of no program of others: it makes sure that the other one ends when
//! this process does, even by a signal that nobody can handle.
//!
//! Only a process can ask the system to be killed when its parent ends, and it has to ask between
//! its beginning and its own program. So a program is started by way of this one, which asks and
//! then becomes the other program.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// This program, whatever has become of its file.
const SELF: &str = "/proc/self/exe";

/// The first argument of a process that is to become another program.
const MARK: &str = "--internal-become";

/// The status of a shell for a program that can't be run.
const CANNOT_RUN: u8 = 126;

/// Whether the file at [`SELF`] is this program, and not a test's.
static ENABLED: AtomicBool = AtomicBool::new(false);

/// From now on programs are started by way of this one, whose `main` calls [`become_program`].
pub fn enable() {
    ENABLED.store(Path::new(SELF).exists(), Ordering::Relaxed);
}

/// What starts `program`.
pub(super) fn command(program: &Path) -> Command {
    if !ENABLED.load(Ordering::Relaxed) {
        return Command::new(program);
    }
    let mut command = Command::new(SELF);
    command.arg(MARK).arg(std::process::id().to_string());
    command.arg(program);
    command
}

/// Becomes the program in `arguments`, if this process was started for that: it comes back only
/// with the status of a failure.
pub fn become_program(arguments: &[OsString]) -> Option<ExitCode> {
    let [_, mark, parent, program, rest @ ..] = arguments else {
        return None;
    };
    if mark != MARK {
        return None;
    }
    let error = exec(parent, program, rest);
    let _ = writeln!(io::stderr(), "can't run '{}': {error}", program.display());
    Some(CANNOT_RUN.into())
}

fn exec(parent: &OsStr, program: &OsStr, arguments: &[OsString]) -> io::Error {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // It may have ended before that.
    let parent = parent.to_str().and_then(|text| text.parse().ok());
    if getppid() != parent.and_then(Pid::from_raw) {
        return io::Error::other("the program that started it has ended");
    }
    Command::new(program).args(arguments).exec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_arguments_become_a_program() {
        for line in [
            "createhdds",
            "createhdds all",
            "createhdds --internal-become",
            "createhdds --internal-become 1",
            "createhdds all 1 sh",
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert!(become_program(&arguments).is_none(), "{line}");
        }
    }

    #[test]
    fn an_orphan_becomes_nothing() {
        let orphan = ["createhdds", MARK, "0", "true"].map(OsString::from);
        assert!(become_program(&orphan).is_some());
    }

    #[test]
    fn outside_of_the_command_programs_are_started_directly() {
        let command = command(Path::new("/bin/true"));
        assert_eq!(command.get_program(), "/bin/true");
    }
}
