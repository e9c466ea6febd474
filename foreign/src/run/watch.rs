//! Waits for the end of a program: hears what it says, and ends one that does nothing any more.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::process::ChildStderr;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, pidfd_send_signal};

/// How much of what a program said last is kept, in bytes.
pub(super) const STDERR_TAIL: usize = 1024;

/// How long a program may neither read nor write a byte. What compresses or formats does that all
/// the time; what waits for an answer, or has lost its way, never again.
pub(super) const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// The longest time between two looks at what it has done.
const PACE: Duration = Duration::from_secs(5);

/// Waits for the end of the process `pid` behind `handle`, and gives its last words. One that does
/// nothing for as long as `patience` is killed.
///
/// # Errors
/// `TimedOut` for that; else what the system says.
pub(super) fn to_end(
    handle: &OwnedFd,
    pid: u32,
    mut stderr: Option<ChildStderr>,
    patience: Duration,
) -> io::Result<String> {
    let mut said = Vec::new();
    let mut activity = Activity::begin(pid, patience);
    loop {
        let (heard, ended) = await_news(handle, stderr.as_ref(), PACE.min(patience))?;
        if heard && !hear(&mut stderr, &mut said)? {
            stderr = None;
        }
        // What was said before the end is heard first.
        if ended && !heard {
            return Ok(String::from_utf8_lossy(&said).into_owned());
        }
        if !ended && activity.is_over() {
            // One that has just ended gets no signal any more.
            let _ = pidfd_send_signal(handle, Signal::KILL);
            let minutes = patience.as_secs() / 60;
            let text = format!("it did nothing for {minutes} minutes, and was ended");
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
    }
}

/// Whether something was said, and whether the process has ended.
fn await_news(
    handle: &OwnedFd,
    stderr: Option<&ChildStderr>,
    longest: Duration,
) -> io::Result<(bool, bool)> {
    let mut fds = vec![PollFd::new(handle, PollFlags::IN)];
    fds.extend(stderr.map(|stderr| PollFd::new(stderr, PollFlags::IN)));
    match poll(&mut fds, Timespec::try_from(longest).ok().as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let has_news = |fd: &PollFd<'_>| !fd.revents().is_empty();
    Ok((fds.get(1).is_some_and(has_news), has_news(&fds[0])))
}

/// Hears what was said, of which the last [`STDERR_TAIL`] bytes are kept; whether there may be more.
fn hear(stderr: &mut Option<ChildStderr>, said: &mut Vec<u8>) -> io::Result<bool> {
    let Some(stderr) = stderr else {
        return Ok(false);
    };
    let mut buffer = [0; STDERR_TAIL];
    let count = match stderr.read(&mut buffer) {
        Ok(count) => count,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
        Err(error) => return Err(error),
    };
    said.extend_from_slice(&buffer[..count]);
    said.drain(..said.len().saturating_sub(STDERR_TAIL));
    Ok(count > 0)
}

/// How long a process has done nothing.
struct Activity {
    pid: u32,
    patience: Duration,
    done: Option<Done>,
    since: Instant,
}

/// The bytes that a process has read and written, as the kernel tells them.
type Done = [u64; 2];

impl Activity {
    fn begin(pid: u32, patience: Duration) -> Self {
        Self {
            pid,
            patience,
            done: None,
            since: Instant::now(),
        }
    }

    /// Whether nothing was done for too long. Where that isn't told, it never is.
    fn is_over(&mut self) -> bool {
        let done = std::fs::read_to_string(format!("/proc/{}/io", self.pid));
        let done = done.ok().and_then(|text| parse(&text));
        if done.is_none() || done != self.done {
            self.done = done;
            self.since = Instant::now();
        }
        self.since.elapsed() >= self.patience
    }
}

fn parse(text: &str) -> Option<Done> {
    let field = |name| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    Some([field("rchar:")?, field("wchar:")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_from_the_file_of_the_process() {
        let text = "rchar: 12\nwchar: 34\nsyscr: 5\nread_bytes: 0\n";
        assert_eq!(parse(text), Some([12, 34]));
        assert_eq!(parse("rchar: 12\n"), None);
        assert_eq!(parse(""), None);
    }
}
