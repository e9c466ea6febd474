//! `doctor`: tells what this host lacks for the images of the configuration. Touches no file, and no
//! network unless a relative release has to be looked up.

mod check;
mod directory;
mod document;
mod images;
mod installations;
mod layouts;
mod programs;
mod systems;
mod text;

use anyhow::Result;
use foreign::run::Runner;
use serde_json::Value;

use super::{Context, answer};
use crate::describe::hdds::arch;
use crate::engine;
use crate::status::Status;
use check::{Check, State};
use images::Images;

/// What is to be looked at.
#[derive(Clone, Debug)]
pub struct Options {
    /// The next release; looked up when it isn't given and needed.
    pub next_release: Option<u64>,
}

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// The architecture of this host.
    arch: &'static str,
    /// How many images are to be built on such a host.
    images: usize,
    checks: Vec<Check>,
}

impl Findings {
    /// Whether every image can be built.
    pub fn is_complete(&self) -> bool {
        self.checks.iter().all(|it| it.state != State::Missing)
    }

    /// A line for everything that was looked at, and one with the conclusion.
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// The same as a JSON document.
    pub fn document(&self) -> Value {
        document::document(self)
    }
}

/// Looks at everything that images need, and tells it as text or as one JSON document.
///
/// # Errors
/// When the configuration or the environment makes no sense. What is missing is told by the status.
pub fn run(context: &Context, options: &Options) -> Result<Status> {
    engine::start_common(context.settings.jobs())?;
    let findings = look(context, options, &Runner::from_env())?;
    answer::print(&match context.settings.json {
        true => format!("{:#}\n", findings.document()),
        false => findings.text(),
    })?;
    Ok(match findings.is_complete() {
        true => Status::Success,
        false => Status::Failed,
    })
}

/// Looks at everything that images need, their programs where `runner` looks for them.
///
/// # Errors
/// When the configuration or the environment makes no sense.
pub fn look(context: &Context, options: &Options, runner: &Runner) -> Result<Findings> {
    let (expected, unknown) = images::expected(&context.config, options.next_release)?;
    let images = Images::new(&expected, arch::host());
    let mut checks = programs::checks(&images, &foreign::registry(), &|tool| {
        runner
            .find(&disklayout::Place::from(tool.program), tool)
            .ok()
    });
    let missing = checks.iter().filter(|it| it.state == State::Missing);
    let hindered = missing.flat_map(|it| it.images.clone()).collect();
    let layouts = layouts::look(context, &images, &hindered)?;
    checks.extend(installations::checks(context, &images, runner));
    checks.extend(layouts.checks);
    checks.extend(systems::checks(runner));
    let directory = &context.settings.directory;
    checks.extend(directory::checks(directory, &images, layouts.least));
    checks.extend(unknown);
    checks.extend(images.others());
    Ok(Findings {
        arch: arch::host(),
        images: images.all.len(),
        checks,
    })
}
