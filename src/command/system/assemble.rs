//! Steps, one after the other.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::Options;
use super::device::Device;
use crate::engine::{self, Event, Reporter};
use crate::rootfs::Assembly;
use crate::sandbox::{Inside, Output};
use crate::system::{Action, Step, System};

/// What assembles a system.
#[derive(Debug)]
pub(super) struct Assembler<'a> {
    /// What is assembled.
    pub system: &'a System,
    /// Where.
    pub inside: &'a Inside,
    /// How images are written.
    pub run: &'a engine::Settings,
    /// Who is told.
    pub reporter: &'a dyn Reporter,
    /// What identifiers derive from: the name of the first file.
    pub seed: &'a str,
}

impl Assembler<'_> {
    /// Does all steps. What they have left of the disk beside filesystems is on the device.
    ///
    /// # Errors
    /// That of the first step that fails, with its place.
    pub(super) fn assemble(&self, output: Output, options: &Options) -> Result<Device> {
        let device = Device::create(self.run, self.seed, &self.system.disk)?;
        let mut assembly = Assembly::new(self.inside, output);
        assembly.package_cache = options.package_cache.as_deref();
        assembly.root_cache = options.root_cache.as_deref();
        let steps = self.system.steps.len();
        for (step, number) in self.system.steps.iter().zip(1..) {
            let title = step.title.as_str();
            self.reporter.report(&Event::StepStarted {
                number,
                steps,
                title,
            });
            assembly.stand_ins = self.grub_stand_ins()?;
            let took = self.step(step, &assembly, &device)?;
            self.reporter.report(&Event::StepEnded {
                number,
                steps,
                title,
                took,
                skipped: step.skipped.as_deref(),
            });
        }
        Ok(device)
    }

    /// Does a step, unless it is left out; gives how long it took.
    fn step(&self, step: &Step, assembly: &Assembly<'_>, device: &Device) -> Result<Duration> {
        let started = Instant::now();
        if step.skipped.is_none() {
            let done = match &step.action {
                Action::Pack(archive, _) => self.pack_tree(archive),
                Action::Grub(grub) => self.install_grub(grub, assembly, device),
                action => assembly.run(action),
            };
            done.with_context(|| step.place.to_string())?;
        }
        Ok(started.elapsed())
    }
}
