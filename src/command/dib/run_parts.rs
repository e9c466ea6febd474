//! `dib-run-parts`: the scripts of a directory, one after the other, in the environment that files
//! beside it make.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::io::Errno;

use crate::command::answer;
use crate::describe::dib::{PATTERN, Parts};
use crate::printable::printable;
use crate::signals;

/// What a line begins with that tells of scripts.
const PREFIX: &str = "dib-run-parts";

/// The directory with files that make the environment, beside that of the scripts.
const ENVIRONMENT: &str = "environment.d";

/// Has the variables that files set, shows how they do, and prints them: `bash -c SCRIPT bash FILE...`.
const SOURCE: &str = "exec 3>&1 1>&2; set -ue -o pipefail; for _file; do \
                      echo \"dib-run-parts Sourcing environment file $_file\"; \
                      set -x; source \"$_file\"; { set +x; } 2> /dev/null; done; \
                      unset _file; env -0 >&3";

/// What is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory.
    pub directory: PathBuf,
    /// Whether the names of scripts are all that is wanted.
    pub list: bool,
}

/// Runs the scripts of a directory, or lists them. Status 0, or that of the first script that fails.
///
/// # Errors
/// When there is no such directory, or a script can't be run.
pub fn run(options: &Options) -> Result<ExitCode> {
    let directory = &options.directory;
    let shown = directory.display();
    ensure!(directory.is_dir(), "'{shown}' is no directory of scripts");
    let pattern = env::var(PATTERN).ok();
    let scripts = Parts::scripts(pattern.as_deref())?;
    let names = scripts.of(directory);
    let names = names.with_context(|| format!("can't read '{shown}'"))?;
    if options.list {
        let lines = names.iter().map(|name| format!("{shown}/{name}\n"));
        answer::print(&lines.collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let variables = environment(directory)?;
    let mut times = Vec::new();
    for name in &names {
        say(&format!("Running {shown}/{name}"));
        let started = Instant::now();
        let status = script(&directory.join(name), variables.as_deref())?;
        if !status.success() {
            return Ok(signals::passed_on(status).map_or(ExitCode::FAILURE, ExitCode::from));
        }
        times.push((name.as_str(), started.elapsed()));
        say(&format!("{name} completed"));
    }
    profile(directory, &times);
    Ok(ExitCode::SUCCESS)
}

fn say(line: &str) {
    // Scripts run whether anybody reads this or not.
    let _ = writeln!(io::stderr(), "{PREFIX} {}", printable(line));
}

/// The variables of scripts, where files make them. They are made once for all, by bash.
fn environment(directory: &Path) -> Result<Option<Vec<(OsString, OsString)>>> {
    let beside = directory.join("..").join(ENVIRONMENT);
    if !beside.is_dir() {
        return Ok(None);
    }
    let files = Parts::environment()?.of(&beside);
    let files = files.with_context(|| format!("can't read '{}'", beside.display()))?;
    if files.is_empty() {
        return Ok(None);
    }
    let mut command = Command::new("bash");
    command.args(["-c", SOURCE, "bash"]);
    command.args(files.iter().map(|name| beside.join(name)));
    let said = command.stderr(Stdio::inherit()).output();
    let said = said.context("can't run bash, which files of the environment are for")?;
    ensure!(
        said.status.success(),
        "a file in '{}' fails ({})",
        beside.display(),
        said.status
    );
    let variables = said.stdout.split(|byte| *byte == 0).filter_map(variable);
    Ok(Some(variables.collect()))
}

/// A variable of `NAME=VALUE`.
fn variable(text: &[u8]) -> Option<(OsString, OsString)> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let (name, value) = text.split_at(equals);
    let name = OsStr::from_bytes(name).to_owned();
    Some((name, OsString::from_vec(value[1..].to_vec())))
}

/// Runs a script to its end; one that doesn't say what runs it is for bash.
fn script(path: &Path, variables: Option<&[(OsString, OsString)]>) -> Result<ExitStatus> {
    let run = |mut command: Command| -> io::Result<ExitStatus> {
        if let Some(variables) = variables {
            command.env_clear().envs(variables.iter().cloned());
        }
        command.status()
    };
    let status = match run(Command::new(path)) {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NOEXEC) => {
            let mut command = Command::new("bash");
            command.arg(path);
            run(command)
        }
        status => status,
    };
    status.with_context(|| format!("can't run '{}'", path.display()))
}

/// Tells how long every script took.
fn profile(directory: &Path, times: &[(&str, Duration)]) {
    let directory = directory.file_name().unwrap_or(directory.as_os_str());
    say("----------------------- PROFILING -----------------------");
    say("");
    say(&format!("Target: {}", directory.display()));
    say("");
    say(&format!("{:<40} {:>9}", "Script", "Seconds"));
    say(&format!("{:<40} {:>9}", "-".repeat(39), "-".repeat(10)));
    say("");
    for (name, took) in times {
        say(&format!("{name:<40} {:>10.3}", took.as_secs_f64()));
    }
    say("");
    say("--------------------- END PROFILING ---------------------");
}
