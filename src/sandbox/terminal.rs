//! A terminal that a program of a sandbox has to itself, and that comes back to the command.
//!
//! A shell puts itself into the foreground of its terminal, and when it ends the processes that were there
//! before. Those of the command have no numbers among the processes of a sandbox, so that a shell in it
//! can't: the guard, which is one of them, does it. It is asked by what is standard input of the first
//! process, and answers there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitStatus};

use nix::sys::signal::{SigSet, Signal};
use rustix::process::getpgrp;
use rustix::termios::tcsetpgrp;

/// The terminal of a process, whichever that is.
const TERMINAL: &str = "/dev/tty";

/// What is asked and answered by.
const WORD: [u8; 1] = *b"t";

/// Runs `command` to its end on a terminal, which it has to itself. The first process of a sandbox does.
///
/// # Errors
/// When it can't be started.
pub fn run_on_terminal(command: &mut Command, terminal: &File) -> io::Result<ExitStatus> {
    command.stdin(terminal.try_clone()?);
    command.stdout(terminal.try_clone()?);
    command.stderr(terminal.try_clone()?);
    let status = command.status()?;
    let mut guard = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    guard.write_all(&WORD)?;
    guard.read_exact(&mut [0; WORD.len()])?;
    Ok(status)
}

/// Puts the command into the foreground again, as the guard, when the first process has asked for it.
///
/// # Errors
/// When that process has gone.
pub(super) fn serve(first: &mut UnixStream) -> io::Result<()> {
    first.read_exact(&mut [0; WORD.len()])?;
    if let Err(error) = come_back() {
        tracing::debug!("the terminal is not the command's again: {error}");
    }
    first.write_all(&WORD)
}

fn come_back() -> io::Result<()> {
    let terminal = File::open(TERMINAL)?;
    // Whoever isn't in the foreground would be stopped for it.
    let mut stopping = SigSet::empty();
    stopping.add(Signal::SIGTTOU);
    stopping.thread_block()?;
    let done = tcsetpgrp(terminal, getpgrp());
    stopping.thread_unblock()?;
    Ok(done?)
}
