//! `diskimage-builder`: the images of files, one command after the other.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::json;
use signal_hook::iterator::Signals;

use crate::command::{Settings, answer};
use crate::config::yaml;
use crate::describe::dib::{Build, Builds, read_builds};
use crate::printable::printable_lines;
use crate::shell;
use crate::signals;

/// The program that builds.
const PROGRAM: &str = "createhdds";

/// Its commands.
const IMAGE: &str = "disk-image-create";
const RAMDISK: &str = "ramdisk-image-create";

/// What is built, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The files.
    pub files: Vec<PathBuf>,
    /// Options in front of every command.
    pub options: Vec<OsString>,
    /// Whether commands are shown, and nothing is run.
    pub is_dry: bool,
    /// Whether the first image that fails is the last.
    pub stops_on_failure: bool,
}

/// Builds the images of files in their order. The status is that of the last that has failed.
///
/// # Errors
/// What is wrong with the files, or when a command can't be run.
pub fn run(settings: &Settings, options: &Options) -> Result<ExitCode> {
    let builds = read(&options.files)?;
    for warning in &builds.warnings {
        tracing::warn!("{warning}");
    }
    if options.is_dry {
        answer::print(&match settings.json {
            true => format!("{:#}\n", document(&builds.all)),
            false => builds.all.iter().map(line).collect(),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let running = Running::start()?;
    let mut failed = None;
    for build in &builds.all {
        say(&line(build));
        let Some(status) = running.run(command(build, &options.options)?)? else {
            break;
        };
        if !status.success() {
            failed = Some(status);
            say(&format!(
                "the image '{}' has failed ({status})\n",
                build.name
            ));
            if options.stops_on_failure {
                break;
            }
        }
    }
    if let Some(signal) = running.ended_by() {
        let status = u8::try_from(signals::status(signal));
        return Ok(status.map_or(ExitCode::FAILURE, ExitCode::from));
    }
    Ok(match failed {
        Some(status) => signals::passed_on(status).map_or(ExitCode::FAILURE, ExitCode::from),
        None => ExitCode::SUCCESS,
    })
}

fn say(text: &str) {
    // Images are built whether anybody reads this or not.
    let _ = io::stderr().write_all(printable_lines(text).as_bytes());
}

/// What the files describe.
fn read(files: &[PathBuf]) -> Result<Builds> {
    let documents = files.iter().map(|path| {
        let shown = path.display();
        let text = fs::read(path).with_context(|| format!("can't read '{shown}'"))?;
        let text = String::from_utf8(text).with_context(|| format!("'{shown}' isn't UTF-8"))?;
        Ok(yaml::parse(&text, &shown.to_string())?)
    });
    Ok(read_builds(&documents.collect::<Result<Vec<_>>>()?)?)
}

/// The name of the command that builds an image.
const fn name(build: &Build) -> &'static str {
    match build.is_ramdisk {
        true => RAMDISK,
        false => IMAGE,
    }
}

/// The command as a line for a shell, variables first.
fn line(build: &Build) -> String {
    let variables = build.environment.iter();
    let variables = variables.map(|(name, value)| format!("{name}={}", shell::word(value)));
    let words = [PROGRAM, name(build)].into_iter().map(str::to_owned);
    let words = words.chain(build.words.iter().map(|word| shell::word(word)));
    let mut line = variables.chain(words).collect::<Vec<_>>().join(" ");
    line.push('\n');
    line
}

fn document(builds: &[Build]) -> serde_json::Value {
    let builds = builds.iter().map(|build| {
        let environment = build.environment.iter();
        let environment = environment.map(|(name, value)| (name.clone(), json!(value)));
        let words = [name(build)].into_iter();
        let words = words.chain(build.words.iter().map(String::as_str));
        json!({
            "imagename": build.name,
            "environment": environment.collect::<serde_json::Map<_, _>>(),
            "command": words.collect::<Vec<_>>(),
        })
    });
    json!({ "builds": builds.collect::<Vec<_>>() })
}

/// The command, which is this program once more.
fn command(build: &Build, options: &[OsString]) -> Result<Command> {
    let executable = env::current_exe().context("can't find this program's own file")?;
    let mut command = Command::new(executable);
    // Whatever link this process was called by.
    command.arg0(PROGRAM);
    command.args(options).arg(name(build)).args(&build.words);
    let environment = build.environment.iter();
    command.envs(environment.map(|(name, value)| (name, value)));
    Ok(command)
}

/// The command that runs, to which signals are passed on that would end this process.
struct Running {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What runs.
    process: Option<OwnedFd>,
    /// The signal that has come.
    signal: Option<i32>,
}

impl Running {
    /// Nothing yet.
    fn start() -> Result<Self> {
        let mut signals = Signals::new(signals::endings()).context("can't handle signals")?;
        let state = Arc::default();
        let passed = Self {
            state: Arc::clone(&state),
        };
        let thread = thread::Builder::new().name("signals".into());
        let thread = thread.spawn(move || {
            for signal in signals.forever() {
                passed.pass_on(signal);
            }
        });
        thread.context("can't start the thread that handles signals")?;
        Ok(Self { state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass_on(&self, signal: i32) {
        let mut state = self.state();
        state.signal = Some(signal);
        if let (Some(process), Some(signal)) = (&state.process, Signal::from_named_raw(signal)) {
            // It may have ended by itself.
            let _ = pidfd_send_signal(process, signal);
        }
    }

    /// The signal that has come, if one has.
    fn ended_by(&self) -> Option<i32> {
        self.state().signal
    }

    /// Runs `command` to its end; not at all when a signal has come.
    fn run(&self, mut command: Command) -> Result<Option<ExitStatus>> {
        let Some(mut child) = self.begin(&mut command)? else {
            return Ok(None);
        };
        let status = child.wait();
        self.state().process = None;
        let status = status.context("can't wait for the command that builds")?;
        Ok(self.ended_by().is_none().then_some(status))
    }

    /// Starts it while no signal can come in between.
    fn begin(&self, command: &mut Command) -> Result<Option<Child>> {
        let mut state = self.state();
        if state.signal.is_some() {
            return Ok(None);
        }
        let shown = Path::new(command.get_program()).display().to_string();
        let child = command.spawn();
        let child = child.with_context(|| format!("can't run '{shown}'"))?;
        state.process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).ok();
        Ok(Some(child))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn build(is_ramdisk: bool) -> Build {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Build {
            name: "a b".into(),
            is_ramdisk,
            environment: vec![pair("DIB_A", "it's $x"), pair("B", "1")],
            words: ["-o", "a b", "vm"].map(str::to_owned).to_vec(),
        }
    }

    #[test]
    fn a_shell_gets_variables_and_words() {
        assert_eq!(
            line(&build(false)),
            "DIB_A='it'\\''s $x' B=1 createhdds disk-image-create -o 'a b' vm\n"
        );
        assert!(line(&build(true)).contains(" createhdds ramdisk-image-create -o "));
    }

    #[test]
    fn the_command_is_this_program() {
        let options = ["--no-sync".into()];
        let command = command(&build(false), &options).unwrap();
        let words: Vec<_> = command.get_args().collect();
        assert_eq!(
            words,
            ["--no-sync", IMAGE, "-o", "a b", "vm"].map(OsStr::new)
        );
        assert_eq!(command.get_envs().count(), 2);
    }

    #[test]
    fn a_signal_ends_what_runs_and_all_that_would_come() {
        let running = Running {
            state: Arc::default(),
        };
        let mut sleeps = Command::new("sleep");
        sleeps.arg("600");
        let mut child = running.begin(&mut sleeps).unwrap().unwrap();
        running.pass_on(Signal::TERM.as_raw());
        assert_eq!(signals::passed_on(child.wait().unwrap()), Some(128 + 15));
        assert!(running.run(sleeps).unwrap().is_none());
        assert_eq!(running.ended_by(), Some(15));
    }
}
