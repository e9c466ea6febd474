//! What was typed: arguments in, exit status out.

mod arguments;
mod dib;
mod early;
mod files;
mod inspect;
mod installations;
mod links;
mod logging;
mod make_fs;
mod sandboxed;
mod values;
mod vmdb2;

pub use arguments::COMMANDS;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::ArgMatches;
use clap::error::ErrorKind;
use indicatif::MultiProgress;

use crate::command::dib::build;
use crate::command::{self, Context};
use crate::describe::hdds::Config;
use crate::describe::hdds::locate::{Found, Search};
use crate::distribution::Distribution;
use crate::printable::printable_lines;
use crate::sandbox::{self, Inside, Part};
use crate::status::Status;
use dib::virt_dib::Answer;
use early::Early;

/// Runs the program with `arguments`, its own name first.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    if let Some(failed) = command::become_program(&arguments) {
        return failed;
    }
    let (arguments, inside) = match sandbox::become_part(&arguments) {
        Some(Part::Done(status)) => return status,
        Some(Part::First(inside, arguments)) => (arguments, Some(inside)),
        None => (arguments, None),
    };
    let arguments = links::by_name(arguments);
    // What needs no configuration doesn't look for one.
    let bare = arguments::program().allow_external_subcommands(true);
    if let Ok(matches) = bare.try_get_matches_from(&arguments)
        && let Some(status) = run_bare(&matches, &arguments, inside.as_ref())
    {
        return status;
    }
    let early = Early::scan(&arguments);
    let executable = std::env::current_exe().ok();
    let variable = |name: &str| std::env::var_os(name);
    let search = Search::new(
        early.config,
        early.data_dir,
        variable,
        executable.as_deref(),
    );
    let found = search.locate(Path::is_file);
    // A word that is none of them is refused with the other arguments.
    let distribution = early.distribution.as_deref().and_then(Distribution::known);
    let config = read_config(&found, distribution);
    let program = match &config {
        Ok(config) => arguments::program_with_groups(config),
        // Help is always given, whatever the configuration looks like.
        Err(_) => arguments::program().allow_external_subcommands(true),
    };
    let matches = match program.try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(error) => return links::code(&arguments, refuse(&error)),
    };
    let status = config.and_then(|config| run(&matches, found, config));
    status.unwrap_or_else(|error| complain(&error)).into()
}

fn read_config(found: &Found, distribution: Option<Distribution>) -> Result<Config> {
    let name = found.config.name();
    let text = found.config.read()?;
    Ok(Config::parse_for(distribution, &text, &name, &COMMANDS)?)
}

fn run(matches: &ArgMatches, found: Found, config: Config) -> Result<Status> {
    let bars = start_logging(matches)?;
    tracing::debug!("the configuration is {}", found.config.name());
    let config = if matches.get_flag("strict") {
        config.strict()?
    } else {
        config
    };
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let context = Context::new(config, found.data, arguments::settings(matches), bars);
    let verb = arguments::verb(matches).context("no command")?;
    command::run(&context, &verb)
}

/// Runs what needs no configuration; `None` when that isn't what was asked for.
fn run_bare(
    matches: &ArgMatches,
    arguments: &[OsString],
    inside: Option<&Inside>,
) -> Option<ExitCode> {
    let result = match matches.subcommand()? {
        (make_fs::NAME, inner) => match make_fs::options(inner) {
            Ok(options) => run_make_fs(matches, &options, arguments, inside),
            Err(error) => return Some(refuse(&error).into()),
        },
        (vmdb2::NAME, inner) => match vmdb2::options(inner) {
            Ok(options) => run_vmdb2(matches, &options, arguments, inside),
            Err(error) => return Some(links::code(arguments, refuse(&error))),
        },
        (inspect::NAME, inner) => {
            run_inspect(matches, &inspect::options(inner)).map(ExitCode::from)
        }
        (dib::element_info::NAME, inner) => {
            run_element_info(matches, &dib::element_info::options(inner))
        }
        (dib::block_device::NAME, inner) => {
            run_block_device(matches, &dib::block_device::options(inner), arguments)
        }
        (dib::extract_image::NAME, inner) => match dib::extract_image::options(inner) {
            Ok(options) => run_extract_image(matches, &options),
            Err(error) => return Some(refuse(&error).into()),
        },
        (dib::get_kernel::NAME, inner) => run_get_kernel(matches, &dib::get_kernel::options(inner)),
        (dib::disk_image_create::NAME, inner) => match dib::disk_image_create::asked(inner) {
            Ok(asked) => run_dib(matches, &asked, arguments, inside),
            Err(error) => return Some(links::code(arguments, refuse(&error))),
        },
        (dib::disk_image_create::RAMDISK_NAME, inner) => {
            match dib::disk_image_create::ramdisk_asked(inner) {
                Ok(asked) => run_dib(matches, &asked, arguments, inside),
                Err(error) => return Some(links::code(arguments, refuse(&error))),
            }
        }
        (dib::virt_dib::NAME, inner) => match dib::virt_dib::answer(inner) {
            Ok(Answer::Build(asked)) => run_dib(matches, &asked, arguments, inside),
            Ok(Answer::Print(text)) => command::print(&text).map(|()| ExitCode::SUCCESS),
            Err(error) => return Some(links::code(arguments, refuse(&error))),
        },
        (dib::diskimage_builder::NAME, inner) => run_diskimage_builder(matches, inner),
        (dib::run_parts::NAME, inner) => start_logging(matches)
            .and_then(|_| command::dib::run_parts::run(&dib::run_parts::options(inner))),
        _ => return None,
    };
    Some(result.unwrap_or_else(|error| links::code(arguments, complain(&error))))
}

/// Builds what is asked for of elements; `inside` of the sandbox, or on the way there.
fn run_dib(
    matches: &ArgMatches,
    options: &build::Options,
    arguments: &[OsString],
    inside: Option<&Inside>,
) -> Result<ExitCode> {
    let bars = start_logging(matches)?;
    let settings = arguments::settings(matches);
    let Some(inside) = inside else {
        return build::run(&settings, options, arguments);
    };
    match build::assemble(&settings, options, &bars, inside, arguments)? {
        build::Ended::With(status) => Ok(links::code(arguments, status)),
        build::Ended::InScript(code) => Ok(code.into()),
    }
}

fn run_element_info(
    matches: &ArgMatches,
    options: &command::dib::element_info::Options,
) -> Result<ExitCode> {
    start_logging(matches)?;
    command::dib::element_info::run(&arguments::settings(matches), options)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the images that files describe, each by a command of its own.
fn run_diskimage_builder(matches: &ArgMatches, inner: &ArgMatches) -> Result<ExitCode> {
    start_logging(matches)?;
    let program = arguments::program();
    let options = dib::diskimage_builder::options(inner, (&program, matches));
    command::dib::builds::run(&arguments::settings(matches), &options)
}

fn run_block_device(
    matches: &ArgMatches,
    options: &command::dib::block_device::Options,
    arguments: &[OsString],
) -> Result<ExitCode> {
    let bars = start_logging(matches)?;
    let settings = arguments::settings(matches);
    let status = command::dib::block_device::run(&settings, &bars, options)?;
    Ok(links::code(arguments, status))
}

fn run_extract_image(
    matches: &ArgMatches,
    options: &command::dib::extract_image::Options,
) -> Result<ExitCode> {
    let bars = start_logging(matches)?;
    command::dib::extract_image::run(&arguments::settings(matches), &bars, options)?;
    Ok(ExitCode::SUCCESS)
}

fn run_get_kernel(
    matches: &ArgMatches,
    options: &command::dib::get_kernel::Options,
) -> Result<ExitCode> {
    let bars = start_logging(matches)?;
    command::dib::get_kernel::run(&arguments::settings(matches), &bars, options)?;
    Ok(ExitCode::SUCCESS)
}

fn run_inspect(matches: &ArgMatches, options: &command::inspect::Options) -> Result<Status> {
    start_logging(matches)?;
    command::inspect::run(&arguments::settings(matches), options)
}

/// Builds what a specification of vmdb2 describes; `inside` of the sandbox, or on the way there.
fn run_vmdb2(
    matches: &ArgMatches,
    options: &command::vmdb2::Options,
    arguments: &[OsString],
    inside: Option<&Inside>,
) -> Result<ExitCode> {
    let bars = start_logging(matches)?;
    let settings = arguments::settings(matches);
    match inside {
        Some(inside) => {
            let status = command::vmdb2::assemble(&settings, options, &bars, inside)?;
            Ok(links::code(arguments, status))
        }
        None => command::vmdb2::run(&settings, options, arguments),
    }
}

fn run_make_fs(
    matches: &ArgMatches,
    options: &command::make_fs::Options,
    arguments: &[OsString],
    inside: Option<&Inside>,
) -> Result<ExitCode> {
    let bars = start_logging(matches)?;
    let settings = arguments::settings(matches);
    command::make_fs::run(&settings, &bars, options, arguments, inside)
}

/// Sets up the log, which shares the terminal with the bars.
fn start_logging(matches: &ArgMatches) -> Result<MultiProgress> {
    let level = matches
        .get_one::<String>("loglevel")
        .context("no log level")?;
    let bars = MultiProgress::new();
    logging::init(level, &bars)?;
    Ok(bars)
}

/// Shows help where it was asked for, else what is wrong with the command line.
fn refuse(error: &clap::Error) -> Status {
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    match (show(error), is_answer) {
        // A reader of help that has gone away has read enough.
        (Err(error), true) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&anyhow::Error::new(error).context(STDOUT_FAILED))
        }
        (_, true) => Status::Success,
        // When the terminal has gone there is nobody left to tell.
        (_, false) => Status::Usage,
    }
}

/// Prints what clap says. What was typed stands in it, whatever it does to a terminal.
fn show(error: &clap::Error) -> io::Result<()> {
    let plain = error.to_string();
    match printable_lines(&plain) {
        Cow::Borrowed(_) => error.print()?,
        Cow::Owned(text) => io::stderr().write_all(text.as_bytes())?,
    }
    io::stdout().flush()
}

/// Why an answer can't be given.
const STDOUT_FAILED: &str = "can't write to standard output";

/// Tells an error with all its causes. A reader that has gone away is none.
fn complain(error: &anyhow::Error) -> Status {
    let is_broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        let cause = cause.downcast_ref::<io::Error>();
        cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    };
    if !error.chain().any(is_broken_pipe) {
        let text = format!("createhdds: {error:#}");
        let _ = writeln!(io::stderr(), "{}", printable_lines(&text));
    }
    Status::Failed
}
