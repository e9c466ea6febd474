//! Fills the files of images that are begun: with a disk, or as archives.

use std::collections::HashMap;

use anyhow::{Context, Result};
use disklayout::Bytes;
use disklayout::archive::{self, Facts};
use disklayout::container::Tee;
use disklayout::fs::Progress;
use rayon::prelude::*;

use super::beside::Beside;
use super::build::{Job, JobImage, Run, WriteDisk};
use super::destination::Destination;
use super::plan::FilePlan;
use super::progress::Watch;

/// What comes with an image.
#[derive(Default)]
pub(super) struct Rest {
    /// What goes into its place beside it.
    pub(super) beside: Option<Beside>,
    /// What is known of it since it was written.
    pub(super) facts: Facts,
}

impl Run<'_> {
    /// Writes a disk into all of its images, and the archives; what comes with each of them.
    pub(super) fn fill(&self, job: Job<'_>, begun: &[Destination]) -> Result<Vec<Rest>> {
        let images: Vec<_> = job.images.iter().zip(begun).collect();
        let archives = images.iter().filter_map(|(image, to)| match &image.plan {
            FilePlan::Archive(plan) => Some((image, plan, to)),
            FilePlan::Image(_) => None,
        });
        let archives: Vec<_> = archives.collect();
        // All files are read once for the disk, and for each archive.
        let passes = u64::from(archives.len() < images.len()) + archives.len() as u64;
        let total = job.content.files.times(passes);
        let watch = Watch::new(job.images[0].name, total, self.reporter);
        if archives.len() < images.len() {
            self.write_disk(&images, job.size, job.write, &watch)?;
        }
        let mut facts = HashMap::new();
        for (image, plan, to) in archives {
            facts.insert(image.number, self.write_archive(plan.as_ref(), to, &watch)?);
        }
        let beside = images.par_iter();
        let beside = beside.map(|(image, to)| self.beside(image, to));
        let beside = beside.collect::<Result<Vec<_>>>()?;
        let rest = images.iter().zip(beside).map(|((image, _), beside)| Rest {
            beside,
            facts: facts.remove(&image.number).unwrap_or_default(),
        });
        Ok(rest.collect())
    }

    /// Writes a disk of `size` into those of `images` that hold it.
    fn write_disk(
        &self,
        images: &[(&JobImage<'_>, &Destination)],
        size: Bytes,
        write: Box<WriteDisk<'_>>,
        progress: &dyn Progress,
    ) -> Result<()> {
        let scratch = || self.settings.scratch();
        let mut opened = Vec::new();
        for (image, to) in images {
            if let FilePlan::Image(plan) = &image.plan {
                let target = to.target(self.settings.sync);
                let disk = target.and_then(|target| plan.open(target, &scratch));
                opened.push(disk.map_err(|error| to.cannot_begin(size, error))?);
            }
        }
        let disk = Tee::of(opened);
        write(&*disk, progress)?;
        disk.finish().context("can't complete the image")
    }

    fn write_archive(
        &self,
        plan: &dyn archive::Plan,
        to: &Destination,
        progress: &dyn Progress,
    ) -> Result<Facts> {
        let scratch = || self.settings.scratch();
        let target = to.target(self.settings.sync);
        let target = target.map_err(|error| to.cannot_begin(Bytes::new(0), error))?;
        Ok(plan.write(&mut *target.into_stream(), &scratch, progress)?)
    }

    /// The sums of an image that is complete; none where it has no name.
    fn beside(&self, image: &JobImage<'_>, to: &Destination) -> Result<Option<Beside>> {
        match to {
            Destination::File(output) => {
                Beside::of(output, image.name, image.checksums, self.settings).map(Some)
            }
            Destination::Stream(..) => Ok(None),
        }
    }
}
