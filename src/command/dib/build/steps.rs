//! What is told of a build as it goes on.

use std::time::Instant;

use anyhow::Result;

use super::session::Session;
use crate::describe::dib::{Phase, Side, Stage};
use crate::engine::{Event, Reporter};

/// What is told of a build as it goes on.
pub(super) struct Steps<'a> {
    reporter: &'a dyn Reporter,
    number: usize,
    steps: usize,
}

impl<'a> Steps<'a> {
    pub(super) fn of(session: &Session<'_>, reporter: &'a dyn Reporter) -> Result<Self> {
        let mut steps = usize::from(!session.build.packages.is_empty());
        for phase in Phase::ALL {
            steps += usize::from(!session.scripts(phase)?.is_empty());
        }
        Ok(Self {
            reporter,
            number: 0,
            steps,
        })
    }

    /// Runs a phase, if there are scripts for it, with the stops around it.
    pub(super) fn phase(&mut self, session: &Session<'_>, phase: Phase) -> Result<()> {
        session.stop_at(Stage::Before(phase.name), phase.place)?;
        let scripts = session.scripts(phase)?;
        if !scripts.is_empty() {
            let place = match phase.place {
                Side::Outside => "",
                Side::Inside => " in the tree",
            };
            let title = format!("{}{place}: {}", phase.directory(), scripts.join(" "));
            self.step(&title, || session.run_phase(phase))?;
        }
        session.stop_at(Stage::After(phase.name), phase.place)
    }

    /// Installs packages, where some were asked for.
    pub(super) fn packages(&mut self, session: &Session<'_>) -> Result<()> {
        const INSTALL: &str = "install-packages \"$@\"";
        let packages = &session.build.packages;
        if packages.is_empty() {
            return Ok(());
        }
        let mut arguments = vec!["-c", INSTALL, "install-packages"];
        arguments.extend(packages.iter().map(String::as_str));
        let title = format!("packages: {}", packages.join(" "));
        self.step(&title, || {
            session.run_inside("install-packages", &arguments)
        })
    }

    fn step(&mut self, title: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
        self.number += 1;
        let (number, steps) = (self.number, self.steps.max(self.number));
        self.reporter.report(&Event::StepStarted {
            number,
            steps,
            title,
        });
        let started = Instant::now();
        run()?;
        self.reporter.report(&Event::StepEnded {
            number,
            steps,
            title,
            took: started.elapsed(),
            skipped: None,
        });
        Ok(())
    }
}
