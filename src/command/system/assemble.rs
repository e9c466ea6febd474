//! Steps, one after the other.

use std::time::Instant;

use anyhow::{Context as _, Error, Result};

use super::Options;
use super::device::Device;
use crate::bootloader;
use crate::engine::{self, Event, Reporter, keys};
use crate::image::Keys;
use crate::rooted::Tree;
use crate::rootfs::{Assembly, Beginning};
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
    /// The name of the first file.
    pub name: &'a str,
    /// What identifiers derive from.
    pub seed: &'a str,
}

impl Assembler<'_> {
    /// Does all steps. What they have left of the disk beside filesystems is on the device; the keys
    /// are those of the containers, found.
    ///
    /// # Errors
    /// That of the first step that fails, with its place.
    pub(super) fn assemble(
        &self,
        output: Output,
        options: &Options,
    ) -> Result<(Device, Vec<Keys>)> {
        let device = Device::create(self.run, self.name, &self.system.disk)?;
        let mut assembly = Assembly::new(self.inside, output);
        assembly.package_cache = options.package_cache.as_deref();
        assembly.root_cache = options.root_cache.as_deref();
        let mut beginning = Beginning::default();
        let mut all_keys = self.system.keys.clone();
        let steps = &self.system.steps;
        for (index, step) in steps.iter().enumerate() {
            let (number, steps) = (index + 1, steps.len());
            let title = step.title.as_str();
            self.reporter.report(&Event::StepStarted {
                number,
                steps,
                title,
            });
            let started = Instant::now();
            let skipped = self.skipped(index, step, &beginning);
            if skipped.is_none() {
                assembly.stand_ins = self.grub_stand_ins()?;
                let done = match step.action {
                    Action::FindKey(index) => keys::read_ahead(&mut all_keys[index]),
                    _ => self.step(index, &mut beginning, &mut assembly, &device),
                };
                done.map_err(|error| self.explained(error))
                    .with_context(|| step.place.to_string())?;
            }
            self.reporter.report(&Event::StepEnded {
                number,
                steps,
                title,
                took: started.elapsed(),
                skipped,
            });
        }
        Ok((device, all_keys))
    }

    /// The same error, with its reason where that is a tree without room.
    fn explained(&self, error: Error) -> Error {
        match self.inside.is_full() {
            Ok(true) => error.context(
                "there is no room left for the tree: give a directory that has more with --tree DIR",
            ),
            _ => error,
        }
    }

    /// Why a step is left out, if it is: as it was described, or as what it does is done already in the
    /// tree as it was kept.
    fn skipped<'s>(&self, index: usize, step: &'s Step, beginning: &Beginning) -> Option<&'s str> {
        let is_done = beginning.done.is_some_and(|done| match step.action {
            Action::Grub(_) | Action::Planned | Action::FindKey(_) | Action::VirtualFilesystems => {
                false
            }
            _ => index <= done,
        });
        let kept = is_done.then_some("as what it does is kept");
        step.skipped.as_deref().or(kept)
    }

    /// Does a step.
    fn step(
        &self,
        index: usize,
        beginning: &mut Beginning,
        assembly: &mut Assembly<'_>,
        device: &Device,
    ) -> Result<()> {
        let steps = &self.system.steps;
        let keep = beginning.keep.clone().filter(|it| it.step == index);
        match &steps[index].action {
            Action::Unpack(_) => {
                *beginning = assembly.unpack(steps, index)?;
                // What is done was done behind it.
                return Ok(());
            }
            Action::Pack(archive) => self.pack_tree(archive)?,
            Action::Grub(grub) => {
                if grub.installs_packages && beginning.done != Some(index) {
                    self.install_grub_packages(grub, assembly)?;
                    keep.map_or(Ok(()), |keep| assembly.keep_at(&keep))?;
                }
                return self.install_grub(grub, assembly, device);
            }
            Action::FindKernel => bootloader::grub::find_kernel(&Tree::open(assembly.tree())?)?,
            action => assembly.run(action)?,
        }
        keep.map_or(Ok(()), |keep| assembly.keep_at(&keep))
    }
}
