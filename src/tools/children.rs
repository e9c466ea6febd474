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

/// How much of what a program said last is kept, in bytes.
pub(super) const STDERR_TAIL: usize = 1024;

/// How long a program that cleans up when it is interrupted may take for that.
const PATIENCE: Duration = Duration::from_secs(3);

/// The programs that are running now. Handles of processes are used, not numbers: a number may
/// belong to another process by the time a signal is sent.
#[derive(Debug)]
pub(super) struct Children(Mutex<State>);

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

/// A program that runs while something else is done.
#[derive(Debug)]
pub(super) struct Background {
    children: &'static Children,
    id: u64,
    child: Child,
    said: Option<JoinHandle<io::Result<String>>>,
}

impl Children {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(State {
            next: 0,
            running: BTreeMap::new(),
            stopped: false,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `command` to its end: its status and the last words that it said.
    pub(super) fn run(&self, command: &mut Command) -> io::Result<(ExitStatus, String)> {
        self.run_fed(command, drop)
    }

    /// The same; `feed` gets what leads to its standard input, if that is a pipe.
    pub(super) fn run_fed(
        &self,
        command: &mut Command,
        feed: impl FnOnce(Option<ChildStdin>),
    ) -> io::Result<(ExitStatus, String)> {
        let (id, mut child) = self.start(command, false)?;
        let stderr = child.stderr.take();
        let said = thread::scope(|scope| {
            let said = scope.spawn(|| stderr.map(tail).transpose());
            feed(child.stdin.take());
            said.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        let status = child.wait();
        self.lock().running.remove(&id);
        Ok((status?, said?.unwrap_or_default()))
    }

    /// Starts `command`, which cleans up when it is interrupted.
    pub(super) fn start_tidy(&'static self, command: &mut Command) -> io::Result<Background> {
        let (id, mut child) = self.start(command, true)?;
        let said = child.stderr.take();
        let said = said.map(|stderr| thread::spawn(|| tail(stderr)));
        Ok(Background {
            children: self,
            id,
            child,
            said,
        })
    }

    /// Starts `command` and registers it under the lock, so that [`Self::kill`] misses none.
    fn start(&self, command: &mut Command, tidy: bool) -> io::Result<(u64, Child)> {
        let mut state = self.lock();
        if state.stopped {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
        }
        let mut child = command.spawn()?;
        match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(handle) => {
                let id = state.next;
                state.next += 1;
                state.running.insert(id, Running { handle, tidy });
                Ok((id, child))
            }
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error.into())
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

impl Background {
    /// Whether it has ended.
    pub(super) fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Interrupts it, and kills it when it doesn't end.
    pub(super) fn stop(&mut self) {
        if let Some(one) = self.children.lock().running.get(&self.id) {
            let _ = pidfd_send_signal(&one.handle, Signal::INT);
            await_end(&one.handle, Instant::now() + PATIENCE);
            let _ = pidfd_send_signal(&one.handle, Signal::KILL);
        }
    }

    /// Waits for its end: its status and the last words that it said.
    pub(super) fn end(mut self) -> io::Result<(ExitStatus, String)> {
        let status = self.child.wait();
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
            let _ = self.child.wait();
        }
        self.children.lock().running.remove(&self.id);
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

    /// Says that it is ready, and waits.
    const READY: &str = "echo ready >&2; while :; do sleep 0.01; done";

    #[test]
    fn what_is_tidy_may_clean_up() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        let script = format!("trap 'rm \"$0\"; exit 7' INT; {READY}");
        for by_kill in [false, true] {
            let children = fresh();
            std::fs::write(&file, "").unwrap();
            let mut background = children.start_tidy(sh(&script).arg(&file)).unwrap();
            // Until the trap is set an interrupt would just end it.
            thread::sleep(Duration::from_millis(300));
            assert!(!background.has_ended().unwrap());
            if by_kill {
                children.kill();
            } else {
                background.stop();
            }
            let (status, said) = background.end().unwrap();
            assert_eq!((status.code(), said.as_str()), (Some(7), "ready\n"));
            assert!(!file.exists());
            assert!(children.lock().running.is_empty());
        }
    }

    #[test]
    fn what_does_not_end_is_killed() {
        let children = fresh();
        let script = format!("trap '' INT; {READY}");
        let mut background = children.start_tidy(&mut sh(&script)).unwrap();
        thread::sleep(Duration::from_millis(300));
        background.stop();
        assert_eq!(background.end().unwrap().0.signal(), Some(9));
    }

    #[test]
    fn what_is_dropped_is_ended() {
        let children = fresh();
        drop(children.start_tidy(&mut sh("exec sleep 1000")).unwrap());
        assert!(children.lock().running.is_empty());
    }
}
