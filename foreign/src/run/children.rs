//! The programs that run now, so that none survives this process when it is interrupted.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::panic::resume_unwind;
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::watch::{self, STDERR_TAIL};

/// How long a program that cleans up when it is interrupted may take for that.
const PATIENCE: Duration = Duration::from_secs(3);

/// The programs that are running now. Handles of processes are used, not numbers: a number may
/// belong to another process by the time a signal is sent.
#[derive(Debug)]
pub(super) struct Children {
    /// How long one may do nothing.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u64,
    running: BTreeMap<u64, Running>,
    stopped: bool,
}

#[derive(Debug)]
struct Running {
    handle: OwnedFd,
    /// Whether it has something to clean up when it is interrupted.
    tidy: bool,
}

pub(super) static CHILDREN: Children = Children::new();

/// Ends every program that runs, and lets none start any more: for an interrupted command, whose
/// programs must not survive it. It takes a lock, so it belongs into a thread that waits for
/// signals, not into a signal handler.
pub fn kill_children() {
    CHILDREN.kill();
}

/// A program that runs. It is ended when this is dropped.
#[derive(Debug)]
struct Started<'a> {
    children: &'a Children,
    id: u64,
    handle: OwnedFd,
    child: Child,
}

/// A program that runs while something else is done.
#[derive(Debug)]
pub(super) struct Background {
    started: Started<'static>,
    said: Option<JoinHandle<io::Result<String>>>,
}

impl Children {
    pub(super) const fn new() -> Self {
        Self {
            patience: watch::PATIENCE,
            state: Mutex::new(State {
                next: 0,
                running: BTreeMap::new(),
                stopped: false,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `command` to its end: its status and the last words that it said.
    pub(super) fn run(&self, command: &mut Command) -> io::Result<(ExitStatus, String)> {
        let (started, stderr) = self.start(command, false)?;
        let said = started.watch(stderr, self.patience);
        started.end(said)
    }

    /// The same; `feed` gets what leads to its standard input, if that is a pipe.
    pub(super) fn run_fed(
        &self,
        command: &mut Command,
        feed: impl FnOnce(Option<ChildStdin>),
    ) -> io::Result<(ExitStatus, String)> {
        let (mut started, stderr) = self.start(command, false)?;
        let stdin = started.child.stdin.take();
        let said = thread::scope(|scope| {
            let watch = || started.watch(stderr, self.patience);
            let watched = thread::Builder::new().spawn_scoped(scope, watch)?;
            feed(stdin);
            watched.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        started.end(said)
    }

    /// Starts `command`, which cleans up when it is interrupted.
    pub(super) fn start_tidy(&'static self, command: &mut Command) -> io::Result<Background> {
        let (started, stderr) = self.start(command, true)?;
        let mut background = Background {
            started,
            said: None,
        };
        if let Some(stderr) = stderr {
            let tail = thread::Builder::new().spawn(|| tail(stderr));
            background.said = Some(tail?);
        }
        Ok(background)
    }

    /// Starts `command` and registers it under the lock, so that [`Self::kill`] misses none.
    fn start(
        &self,
        command: &mut Command,
        tidy: bool,
    ) -> io::Result<(Started<'_>, Option<ChildStderr>)> {
        let mut state = self.lock();
        if state.stopped {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
        }
        let mut child = command.spawn()?;
        let opened = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
        let handles = opened
            .map_err(io::Error::from)
            .and_then(|handle| Ok((handle.try_clone()?, handle)));
        match handles {
            Ok((handle, registered)) => {
                let id = state.next;
                state.next += 1;
                let handle_of_state = Running {
                    handle: registered,
                    tidy,
                };
                state.running.insert(id, handle_of_state);
                let stderr = child.stderr.take();
                let started = Started {
                    children: self,
                    id,
                    handle,
                    child,
                };
                Ok((started, stderr))
            }
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    fn kill(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let tidy = || state.running.values().filter(|one| one.tidy);
        // One that has just ended gets no signal any more.
        for one in tidy() {
            let _ = pidfd_send_signal(&one.handle, Signal::INT);
        }
        let deadline = Instant::now() + PATIENCE;
        tidy().for_each(|one| await_end(&one.handle, deadline));
        for one in state.running.values() {
            let _ = pidfd_send_signal(&one.handle, Signal::KILL);
        }
    }
}

/// Waits for the end of a process, until `deadline` at the latest.
fn await_end(handle: &OwnedFd, deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = Timespec::try_from(left).ok();
    let _ = poll(&mut [PollFd::new(handle, PollFlags::IN)], left.as_ref());
}

impl Started<'_> {
    /// Waits for its end, hearing what it says.
    fn watch(&self, stderr: Option<ChildStderr>, patience: Duration) -> io::Result<String> {
        watch::to_end(&self.handle, self.child.id(), stderr, patience)
    }

    /// Its status, and what it `said`, unless that is unknown: then it is ended.
    fn end(mut self, said: io::Result<String>) -> io::Result<(ExitStatus, String)> {
        let said = said?;
        Ok((self.child.wait()?, said))
    }

    fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if !self.has_ended().unwrap_or(true) {
            let _ = pidfd_send_signal(&self.handle, Signal::KILL);
            let _ = self.child.wait();
        }
        self.children.lock().running.remove(&self.id);
    }
}

impl Background {
    /// Whether it has ended.
    pub(super) fn has_ended(&mut self) -> io::Result<bool> {
        self.started.has_ended()
    }

    /// Interrupts it, and kills it when it doesn't end.
    pub(super) fn stop(&mut self) {
        let handle = &self.started.handle;
        let _ = pidfd_send_signal(handle, Signal::INT);
        await_end(handle, Instant::now() + PATIENCE);
        let _ = pidfd_send_signal(handle, Signal::KILL);
    }

    /// Waits for its end: its status and the last words that it said.
    pub(super) fn end(mut self) -> io::Result<(ExitStatus, String)> {
        let status = self.started.child.wait();
        let said = self.said.take().map(JoinHandle::join);
        let said = said.map(|said| said.unwrap_or_else(|panic| resume_unwind(panic)));
        Ok((status?, said.transpose()?.unwrap_or_default()))
    }
}

impl Drop for Background {
    /// It never outlives its user.
    fn drop(&mut self) {
        if !self.has_ended().unwrap_or(true) {
            self.stop();
        }
    }
}

/// Reads to the end and keeps the last [`STDERR_TAIL`] bytes.
fn tail(mut stderr: ChildStderr) -> io::Result<String> {
    let mut kept = Vec::new();
    let mut buffer = [0; STDERR_TAIL];
    loop {
        let count = match stderr.read(&mut buffer) {
            Ok(0) => return Ok(String::from_utf8_lossy(&kept).into_owned()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        kept.extend_from_slice(&buffer[..count]);
        kept.drain(..kept.len().saturating_sub(STDERR_TAIL));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;

    fn fresh() -> &'static Children {
        Box::leak(Box::new(Children::new()))
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stderr(Stdio::piped());
        command
    }

    #[test]
    fn killing_ends_what_runs_and_lets_nothing_start() {
        let children = fresh();
        let sleeper = thread::spawn(|| children.run(Command::new("sleep").arg("1000")));
        while children.lock().running.is_empty() {
            thread::sleep(Duration::from_millis(1));
        }
        children.kill();
        let (status, _) = sleeper.join().unwrap().unwrap();
        assert!(!status.success());
        assert!(children.lock().running.is_empty());
        let error = children.run(&mut Command::new("true")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }

    /// Says that it is ready, makes the file `$1`, and waits.
    const READY: &str = "echo ready >&2; : > \"$1\"; while :; do sleep 0.01; done";

    /// Starts `script` and READY behind it, with `files` below `root`, and returns when it is ready.
    fn ready(children: &'static Children, script: &str, root: &std::path::Path) -> Background {
        let [file, ready] = ["file", "ready"].map(|name| root.join(name));
        std::fs::write(&file, "").unwrap();
        let mut command = sh(&format!("{script}; {READY}"));
        let background = children.start_tidy(command.args([&file, &ready])).unwrap();
        // Until the trap is set an interrupt would just end it.
        while !ready.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        background
    }

    #[test]
    fn what_is_tidy_may_clean_up() {
        for by_kill in [false, true] {
            let root = tempfile::tempdir().unwrap();
            let children = fresh();
            let trap = "trap 'rm \"$0\"; exit 7' INT";
            let mut background = ready(children, trap, root.path());
            assert!(!background.has_ended().unwrap());
            if by_kill {
                children.kill();
            } else {
                background.stop();
            }
            let (status, said) = background.end().unwrap();
            assert_eq!((status.code(), said.as_str()), (Some(7), "ready\n"));
            assert!(!root.path().join("file").exists());
            assert!(children.lock().running.is_empty());
        }
    }

    #[test]
    fn what_does_not_end_is_killed() {
        let root = tempfile::tempdir().unwrap();
        let mut background = ready(fresh(), "trap '' INT", root.path());
        background.stop();
        assert_eq!(background.end().unwrap().0.signal(), Some(9));
    }

    #[test]
    fn what_does_nothing_any_more_is_ended() {
        let mut children = Children::new();
        children.patience = Duration::from_millis(300);
        for script in ["exec sleep 1000", "while :; do :; done"] {
            let error = children.run(&mut sh(script)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{script}");
            let mut command = sh(script);
            let error = children.run_fed(command.stdin(Stdio::piped()), drop);
            assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert!(children.lock().running.is_empty());
    }

    /// A grandchild has the same standard error, and goes on.
    #[test]
    fn only_the_program_itself_is_waited_for() {
        let children = fresh();
        let (status, said) = children
            .run(&mut sh("sleep 5 & echo words >&2; exit 3"))
            .unwrap();
        assert_eq!((status.code(), said.as_str()), (Some(3), "words\n"));
    }

    #[test]
    fn what_is_dropped_is_ended() {
        let children = fresh();
        drop(children.start_tidy(&mut sh("exec sleep 1000")).unwrap());
        assert!(children.lock().running.is_empty());
    }
}
