//! The one place that runs external programs.

use std::env;
use std::error::Error as _;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use disklayout::fs::Tool;
use disklayout::{Error, ErrorKind, Place, Result};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::children::{Background, CHILDREN, Children};
use super::supervisor;
use crate::address::masked;
use crate::stage::MemFile;

/// Where administration programs are, which an ordinary user's PATH often leaves out.
const SYSTEM_DIRECTORIES: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/// The signal that nobody can handle, with which the system ends what takes its last memory.
const SIGKILL: i32 = 9;

/// Finds and runs programs.
#[derive(Clone, Debug)]
pub struct Runner {
    search: Vec<PathBuf>,
    /// What programs that take the time from the environment take it for.
    time: Option<u64>,
    children: &'static Children,
}

impl Runner {
    /// A runner that searches PATH and then the directories of administration programs.
    pub fn from_env() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let system = SYSTEM_DIRECTORIES.iter().map(PathBuf::from);
        Self::with_search(env::split_paths(&path).chain(system).collect())
    }

    /// A runner that searches these directories only.
    pub fn with_search(search: Vec<PathBuf>) -> Self {
        Self {
            search,
            time: None,
            children: &CHILDREN,
        }
    }

    /// The same runner, for programs that take `time`, in seconds since 1970, from
    /// SOURCE_DATE_EPOCH. No other gets that variable, whatever the environment has.
    #[must_use]
    pub fn at(mut self, time: u64) -> Self {
        self.time = Some(time);
        self
    }

    /// Where `tool` is.
    ///
    /// # Errors
    /// `Tool` at `place`, naming the package to install.
    pub fn find(&self, place: &Place, tool: Tool) -> Result<PathBuf> {
        let candidates = self.search.iter().map(|dir| dir.join(tool.program));
        let mut refused = None;
        for path in candidates {
            if is_executable(&path) {
                return Ok(path);
            }
            if path.is_file() {
                refused = refused.or(Some(path));
            }
        }
        let Tool { program, packages } = tool;
        let message = match refused {
            Some(path) => format!(
                "'{}' is there, but may not be run: give it the permission (chmod +x), or install \
                 the package {packages}",
                path.display()
            ),
            None => format!("{program} isn't installed; install the package {packages}"),
        };
        Err(Error::new(ErrorKind::Tool, place, message))
    }

    /// Looks for each of `tools`.
    ///
    /// # Errors
    /// That of [`Self::find`] for the first one that is missing.
    pub fn find_all(&self, place: &Place, tools: &[Tool]) -> Result<()> {
        tools.iter().try_for_each(|tool| {
            self.find(place, *tool)?;
            Ok(())
        })
    }

    /// Runs `tool` with `args` to its end. It reads nothing, what it prints is dropped, and its
    /// messages are English.
    ///
    /// # Errors
    /// `Tool` at `place` when it isn't installed, can't be started, or fails; with the last words
    /// that it said.
    pub fn run(&self, place: &Place, tool: Tool, args: &[OsString]) -> Result<()> {
        self.run_into(Stdio::null(), place, tool, args)
    }

    /// The same, and gives what it printed.
    ///
    /// # Errors
    /// Those of [`Self::run`].
    pub fn output(&self, place: &Place, tool: Tool, args: &[OsString]) -> Result<String> {
        let fail = |error: io::Error| {
            let message = format!("can't read what {} prints", tool.program);
            Error::new(ErrorKind::Tool, place, message).with_source(error)
        };
        let printed = MemFile::new(0).map_err(fail)?;
        let target = printed.file().try_clone().map_err(fail)?;
        self.run_into(target.into(), place, tool, args)?;
        fs::read_to_string(printed.path()).map_err(fail)
    }

    /// Runs `tool` as [`Self::run`] does, and has it read what `feed` writes.
    ///
    /// # Errors
    /// Those of [`Self::run`] and those of `feed`. The tool's own come first where both fail, as
    /// nothing can be written to one that has ended.
    pub fn feed(
        &self,
        place: &Place,
        tool: Tool,
        args: &[OsString],
        feed: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        let mut command = self.command(place, tool, args)?;
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut fed = Ok(());
        let mut feed = Some(feed);
        let run = self.children.run_fed(&mut command, |stdin| {
            if let (Some(mut stdin), Some(feed)) = (stdin, feed.take()) {
                fed = feed(&mut stdin);
            }
        });
        let ended = ended(place, tool, run);
        match fed {
            Err(error) if !is_closed(&error) => Err(error),
            _ => ended.and(fed),
        }
    }

    /// Starts `tool` with `args`, and goes on. It reads nothing, what it prints is dropped; it
    /// cleans up when it is interrupted, which happens when its value is dropped.
    ///
    /// # Errors
    /// `Tool` at `place` when it isn't installed or can't be started.
    pub fn start(&self, place: &Place, tool: Tool, args: &[OsString]) -> Result<Job> {
        let mut command = self.command(place, tool, args)?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let background = self.children.start_tidy(&mut command);
        Ok(Job {
            background: background.map_err(|error| cannot_run(place, tool, error))?,
            place: place.to_owned(),
            tool,
        })
    }

    fn run_into(&self, out: Stdio, place: &Place, tool: Tool, args: &[OsString]) -> Result<()> {
        let mut command = self.command(place, tool, args)?;
        command.stdin(Stdio::null()).stdout(out);
        ended(place, tool, self.children.run(&mut command))
    }

    fn command(&self, place: &Place, tool: Tool, args: &[OsString]) -> Result<Command> {
        let program = self.find(place, tool)?;
        let args_shown = || masked(&format!("{args:?}"));
        tracing::debug!(?program, args = args_shown(), "run");
        let mut command = supervisor::command(&program);
        command.args(args).env("LC_ALL", "C").stderr(Stdio::piped());
        match self.time {
            Some(time) => command.env("SOURCE_DATE_EPOCH", time.to_string()),
            None => command.env_remove("SOURCE_DATE_EPOCH"),
        };
        Ok(command)
    }
}

fn cannot_run(place: &Place, tool: Tool, error: io::Error) -> Error {
    let message = format!("can't run {}", tool.program);
    Error::new(ErrorKind::Tool, place, message).with_source(error)
}

/// A program that runs while its user goes on.
#[derive(Debug)]
pub struct Job {
    background: Background,
    place: Place,
    tool: Tool,
}

impl Job {
    /// Whether it has ended.
    ///
    /// # Errors
    /// `Tool` when the system can't tell.
    pub fn has_ended(&mut self) -> Result<bool> {
        let ended = self.background.has_ended();
        ended.map_err(|error| cannot_run(&self.place, self.tool, error))
    }

    /// Interrupts it, and kills it when it doesn't end.
    pub fn stop(&mut self) {
        self.background.stop();
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// `Tool` when it fails; with the last words that it said.
    pub fn end(self) -> Result<()> {
        ended(&self.place, self.tool, self.background.end())
    }
}

/// What became of a run.
fn ended(place: &Place, tool: Tool, run: io::Result<(ExitStatus, String)>) -> Result<()> {
    let (status, said) = run.map_err(|error| cannot_run(place, tool, error))?;
    tracing::debug!(%status, said, "{} ended", tool.program);
    match status.success() {
        true => Ok(()),
        false => Err(failed(place, tool, status, &said)),
    }
}

/// Whether something couldn't be written because nobody reads it any more.
fn is_closed(error: &Error) -> bool {
    let source = error.source().and_then(|it| it.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
}

impl Default for Runner {
    fn default() -> Self {
        Self::from_env()
    }
}

/// Whether this user may run the file `path`.
fn is_executable(path: &Path) -> bool {
    path.is_file() && accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

fn failed(place: &Place, tool: Tool, status: ExitStatus, said: &str) -> Error {
    let said = match said.trim() {
        "" => "it said nothing",
        said => said,
    };
    // The last words of several lines are one message.
    let said = said.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    let why = match status.signal() {
        Some(SIGKILL) => ", perhaps for want of memory",
        _ => "",
    };
    let message = format!("{} failed ({status}{why}): {said}", tool.program);
    Error::new(ErrorKind::Tool, place, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Packages;
    use crate::run::watch::STDERR_TAIL;

    const SH: Tool = Tool {
        program: "sh",
        packages: Packages::same("dash", "Debian, Ubuntu"),
    };

    fn sh(script: &str) -> Result<()> {
        Runner::from_env().run(&"disk".into(), SH, &["-c".into(), script.into()])
    }

    #[test]
    fn a_missing_program_names_the_package() {
        let empty = tempfile::tempdir().unwrap();
        let runner = Runner::with_search(vec![empty.path().to_owned()]);
        let error = runner.run(&"parts[0]".into(), SH, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tool);
        assert_eq!(
            error.to_string(),
            "parts[0]: sh isn't installed; install the package 'dash' (Debian, Ubuntu)"
        );
    }

    #[test]
    fn a_directory_or_a_plain_file_is_no_program() {
        let one = tempfile::tempdir().unwrap();
        std::fs::create_dir(one.path().join("sh")).unwrap();
        let two = tempfile::tempdir().unwrap();
        let runner = Runner::with_search(vec![one.path().to_owned(), two.path().to_owned()]);
        let error = runner.find(&"disk".into(), SH).unwrap_err();
        assert!(error.message().contains("isn't installed"), "{error}");
        std::fs::write(two.path().join("sh"), "").unwrap();
        let error = runner.find(&"disk".into(), SH).unwrap_err();
        assert!(error.message().contains("may not be run"), "{error}");
    }

    #[test]
    fn a_failure_tells_the_status_and_the_last_words() {
        let error = sh("echo no such thing >&2; exit 3").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tool);
        assert_eq!(
            error.to_string(),
            "disk: sh failed (exit status: 3): no such thing"
        );
        let error = sh("exit 1").unwrap_err();
        assert!(error.message().ends_with("it said nothing"), "{error}");
        let error = sh("echo one >&2; echo two >&2; kill -9 $$").unwrap_err();
        assert_eq!(
            error.message(),
            "sh failed (signal: 9 (SIGKILL), perhaps for want of memory): one; two"
        );
    }

    #[test]
    fn only_the_end_of_a_long_complaint_is_kept() {
        let error = sh("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done >&2; false");
        let error = error.unwrap_err();
        assert!(error.message().ends_with("line 1999"), "{error}");
        assert!(error.message().len() < 2 * STDERR_TAIL);
    }

    #[test]
    fn what_a_program_prints_is_given_whole() {
        let script = "i=0; while [ $i -lt 9999 ]; do echo $i; i=$((i+1)); done; echo no >&2";
        let runner = Runner::from_env();
        let printed = runner
            .output(&"disk".into(), SH, &["-c".into(), script.into()])
            .unwrap();
        assert_eq!(printed.lines().count(), 9999);
        assert!(printed.ends_with("9998\n"));
        runner
            .output(
                &"disk".into(),
                SH,
                &["-c".into(), "echo half; exit 1".into()],
            )
            .unwrap_err();
    }

    #[test]
    fn programs_see_no_input_and_the_c_locale() {
        sh("read x && exit 1; [ \"$LC_ALL\" = C ]").unwrap();
    }

    fn fed(script: &str, feed: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        Runner::from_env().feed(&"disk".into(), SH, &["-c".into(), script.into()], feed)
    }

    fn put(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
        out.write_all(bytes)
            .map_err(|error| Error::io("disk", "can't feed it", error))
    }

    #[test]
    fn a_program_reads_what_it_is_fed_to_the_end() {
        fed("[ \"$(wc -c)\" = 300000 ]", |out| put(out, &[7; 300_000])).unwrap();
        // More than a pipe holds is said meanwhile.
        fed("head -c 300000 /dev/zero >&2; cat > /dev/null", |out| {
            put(out, &[7; 300_000])
        })
        .unwrap();
    }

    #[test]
    fn of_two_failures_the_cause_is_told() {
        let error = fed("echo no room >&2; exit 1", |out| put(out, &[7; 300_000])).unwrap_err();
        assert!(error.message().ends_with("no room"), "{error}");
        let broken = |_: &mut dyn Write| Err(Error::invalid("source", "is gone"));
        for script in ["cat > /dev/null", "cat > /dev/null; exit 1"] {
            assert_eq!(fed(script, broken).unwrap_err().place(), "source");
        }
        let error = fed("exit 0", |out| put(out, &[7; 300_000])).unwrap_err();
        assert_eq!(error.message(), "can't feed it");
    }
}
