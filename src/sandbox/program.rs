//! Programs that run in a sandbox, and what they say.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// So many of the last lines are kept for an error.
const KEPT_LINES: usize = 12;

/// So many bytes of a line are kept.
const KEPT_BYTES: usize = 400;

/// The size of the pipe that has what a program reads, in bytes: what every user may have.
const INPUT_PIPE: usize = 1 << 20;

/// Where goes what programs say.
#[derive(Debug, Default)]
pub struct Output {
    /// The log of a user who wants one.
    pub log: Option<File>,
    /// Whether standard error gets it too.
    pub verbose: bool,
    /// What each line begins with, such as the time.
    pub prefix: Option<fn() -> String>,
    /// Whether a line has begun.
    pub is_in_line: bool,
}

impl Output {
    /// Passes on what was said.
    ///
    /// # Errors
    /// When the log can't be written.
    pub fn say(&mut self, said: &[u8]) -> io::Result<()> {
        let Some(prefix) = self.prefix else {
            return self.pass_on(said);
        };
        let mut lines = Vec::new();
        for line in said.split_inclusive(|byte| *byte == b'\n') {
            if !self.is_in_line {
                lines.extend(prefix().bytes());
            }
            lines.extend(line);
            self.is_in_line = !line.ends_with(b"\n");
        }
        self.pass_on(&lines)
    }

    fn pass_on(&mut self, said: &[u8]) -> io::Result<()> {
        if let Some(log) = &mut self.log {
            log.write_all(said)?;
        }
        if self.verbose {
            // A terminal that has gone is no reason to stop.
            let _ = io::stderr().write_all(said);
        }
        Ok(())
    }
}

/// How a program has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// Its last lines.
    pub said: Vec<String>,
}

impl fmt::Display for Ended {
    /// How it has failed, and what it said last: `failed (status 1); its last lines:`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status.code() {
            Some(code) => write!(f, "failed (status {code})")?,
            None => write!(f, "failed ({})", self.status)?,
        }
        match self.said.as_slice() {
            [] => f.write_str("; it said nothing"),
            lines => write!(f, "; its last lines:\n  {}", lines.join("\n  ")),
        }
    }
}

/// Runs `command` to its end. It reads nothing, and what it says, on standard output or error, goes
/// to `output` as it comes.
///
/// # Errors
/// When it can't be started or watched, or when the log can't be written.
pub fn run(command: &mut Command, output: &mut Output) -> io::Result<Ended> {
    command.stdin(Stdio::null());
    watch(command, output)
}

/// The same, with `input` on standard input, read on a thread of its own.
///
/// # Errors
/// Those of [`run`], and that of reading the input, whatever the program has made of what came before.
pub fn run_with_input(
    command: &mut Command,
    mut input: Box<dyn Read + Send>,
    output: &mut Output,
) -> io::Result<Ended> {
    let (reader, mut writer) = io::pipe()?;
    // Fewer turns between the two, where the system allows that much.
    let _ = fcntl_setpipe_size(&writer, INPUT_PIPE);
    command.stdin(reader);
    let feeder = thread::Builder::new().name("input".into());
    let feeder = feeder.spawn(move || {
        let mut buffer = vec![0; INPUT_PIPE / 2];
        loop {
            let count = input.read(&mut buffer)?;
            match writer.write_all(&buffer[..count]) {
                Ok(()) if count > 0 => {}
                // It has read enough, or has failed, and says so itself.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                _ => return Ok(()),
            }
        }
    })?;
    let ended = watch(command, output);
    match feeder.join() {
        Ok(fed) => fed.and(ended),
        Err(_) => Err(io::Error::other("reading the input has panicked")),
    }
}

fn watch(command: &mut Command, output: &mut Output) -> io::Result<Ended> {
    let (mut reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn();
    // The command holds ends of pipes too.
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child?;
    let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let mut tail = Tail::default();
    let mut buffer = vec![0; 1 << 16];
    // Something that it started may go on, and keep the pipe.
    while let Some(count) = next(&handle, &mut reader, &mut buffer)? {
        let said = &buffer[..count];
        output.say(said)?;
        tail.push(said);
    }
    Ok(Ended {
        status: child.wait()?,
        said: tail.lines(),
    })
}

/// The next bytes that were said; `None` when the process has ended and all was read.
fn next(
    process: &impl AsFd,
    reader: &mut PipeReader,
    buffer: &mut [u8],
) -> io::Result<Option<usize>> {
    loop {
        let mut both = [
            PollFd::new(reader, PollFlags::IN),
            PollFd::new(process, PollFlags::IN),
        ];
        match poll(&mut both, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let (said, ended) = (both[0].revents(), both[1].revents());
        if said.contains(PollFlags::IN) {
            let count = reader.read(buffer)?;
            return Ok((count > 0).then_some(count));
        }
        if !ended.is_empty() {
            return Ok(None);
        }
        if said.contains(PollFlags::HUP) {
            // Nobody says anything any more, and it runs on.
            poll(&mut [PollFd::new(process, PollFlags::IN)], None)?;
        }
    }
}

/// The last lines of a text that comes in pieces.
#[derive(Debug, Default)]
struct Tail {
    lines: VecDeque<Vec<u8>>,
    current: Vec<u8>,
}

impl Tail {
    fn push(&mut self, text: &[u8]) {
        for byte in text {
            match byte {
                b'\n' => self.end_line(),
                // A line of progress is written over.
                b'\r' => self.current.clear(),
                _ if self.current.len() < KEPT_BYTES => self.current.push(*byte),
                _ => {}
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.current);
        if !line.trim_ascii().is_empty() {
            self.lines.push_back(line);
        }
        if self.lines.len() > KEPT_LINES {
            self.lines.pop_front();
        }
    }

    fn lines(mut self) -> Vec<String> {
        self.end_line();
        let lines = self.lines.iter();
        lines
            .map(|line| String::from_utf8_lossy(line).trim_end().to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn sh(script: &str) -> Ended {
        let mut command = Command::new("sh");
        run(command.args(["-c", script]), &mut Output::default()).unwrap()
    }

    #[test]
    fn a_failure_has_the_status_and_the_last_lines() {
        let told = |raw, said: &[&str]| {
            let said = said.iter().map(|line| (*line).to_owned()).collect();
            let status = ExitStatus::from_raw(raw);
            Ended { status, said }.to_string()
        };
        assert_eq!(
            told(100 << 8, &["E: one", "E: two"]),
            "failed (status 100); its last lines:\n  E: one\n  E: two"
        );
        assert_eq!(
            told(9, &[]),
            "failed (signal: 9 (SIGKILL)); it said nothing"
        );
    }

    #[test]
    fn both_outputs_and_the_status_are_told() {
        let ended = sh("echo one; echo two >&2; printf three; exit 7");
        assert_eq!(ended.status.code(), Some(7));
        assert_eq!(ended.said, ["one", "two", "three"]);
        assert!(sh("").said.is_empty());
    }

    #[test]
    fn what_is_read_comes_from_a_thread_and_its_error_counts() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::InvalidData.into())
            }
        }
        let fed = |script: &str, input: Box<dyn Read + Send>| {
            let mut command = Command::new("sh");
            run_with_input(command.args(["-c", script]), input, &mut Output::default())
        };
        let much = || Box::new(io::repeat(b'x').take(300_000));
        assert_eq!(fed("wc -c", much()).unwrap().said, ["300000"]);
        // One that doesn't read all is no failure by itself, and isn't waited for.
        let ended = fed("exit 4", Box::new(io::repeat(0))).unwrap();
        assert_eq!(ended.status.code(), Some(4));
        let error = fed("cat", Box::new((&b"xy"[..]).chain(Fails))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let mut command = Command::new("/nowhere");
        run_with_input(
            &mut command,
            Box::new(io::repeat(0)),
            &mut Output::default(),
        )
        .unwrap_err();
    }

    #[test]
    fn what_closes_its_output_is_waited_for() {
        assert_eq!(
            sh("exec >&- 2>&-; sleep 0.1; exit 3").status.code(),
            Some(3)
        );
    }

    #[test]
    fn what_runs_on_behind_it_is_not() {
        let ended = sh("sleep 1000 & echo here");
        assert_eq!(ended.said, ["here"]);
    }

    #[test]
    fn the_last_lines_are_kept() {
        let ended = sh("for i in $(seq 100); do echo $i; done; printf 'a\\rb\\n\\n \\n'");
        assert_eq!(ended.said.len(), KEPT_LINES);
        assert_eq!(ended.said.last().map(String::as_str), Some("b"));
        let long = sh("head -c 100000 /dev/zero | tr '\\0' x");
        assert_eq!(long.said, ["x".repeat(KEPT_BYTES)]);
    }

    #[test]
    fn lines_begin_with_what_they_should() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut output = Output {
            log: Some(log.reopen().unwrap()),
            prefix: Some(|| "| ".to_owned()),
            ..Output::default()
        };
        for said in ["a\nb", "c\n", "\n", "d"] {
            output.say(said.as_bytes()).unwrap();
        }
        let text = std::fs::read_to_string(log.path()).unwrap();
        assert_eq!(text, "| a\n| bc\n| \n| d");
    }

    #[test]
    fn a_log_has_everything() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut output = Output {
            log: Some(log.reopen().unwrap()),
            ..Output::default()
        };
        run(Command::new("seq").arg("100000"), &mut output).unwrap();
        let text = std::fs::read_to_string(log.path()).unwrap();
        assert_eq!(text.lines().count(), 100_000);
    }
}
