//! The images in their directory, held by this run alone: renaming, removing and building them.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use disklayout::tree::Content;
use foreign::run::kill_children;
use foreign::stage::staging;
use indicatif::MultiProgress;

use super::next_release::next_release;
use super::{Context, checksum, kickstart};
use crate::describe::hdds::locate::DataDir;
use crate::describe::hdds::{Rename, arch};
use crate::distribution::{Distribution, Owner};
use crate::engine::{self, Conditions, Directory, Event, Reporter, Temporaries, Unfinished};
use crate::image::Image;
use crate::inventory::Report;
use crate::report;
use crate::status::Status;
use crate::virtinstall::{self, Kickstart};

impl Context {
    /// Every image of the configuration, and whether they are those of today for sure.
    pub(super) fn images(&self, next: Option<u64>) -> Result<(Vec<Image>, bool)> {
        let mut next = next_release(next, &self.config.distribution);
        let images = self.config.images(&mut next)?;
        Ok((images, !next.is_doubtful()))
    }
}

/// Why a run fails that has made all images.
pub(super) const NOT_TOLD: &str = "can't write what was done";

/// What images need from the directory of data.
pub(super) struct Uploads<'a>(pub(super) &'a DataDir);

impl engine::Find for Uploads<'_> {
    fn file(&self, name: &str) -> Result<Content> {
        self.0.upload(name)
    }

    fn directory(&self, name: &str) -> Result<PathBuf> {
        self.0.upload_directory(name)
    }

    fn kickstart(&self, image: &Image) -> Result<Kickstart> {
        kickstart::find(self.0, image)
    }
}

/// From now on a signal leaves nothing behind: no temporary file, no child, no bar.
pub(super) fn clean_up_on_signals(temporaries: &Temporaries, bars: &MultiProgress) -> Result<()> {
    let bars = bars.clone();
    engine::exit_on_signals(temporaries.clone(), move || {
        kill_children();
        // Standard error may be gone as well; that is no reason to stop here.
        for (name, error) in virtinstall::remove_all() {
            let _ = writeln!(
                io::stderr(),
                "can't remove '{name}' from libvirt: {error:#}"
            );
        }
        for (path, error) in staging::remove_all() {
            let _ = writeln!(io::stderr(), "can't remove '{}': {error}", path.display());
        }
        // The terminal may have gone with the signal.
        let _ = bars.clear();
    })
}

/// Tells which files stay because a set of another distribution has made them.
fn tell_of_others(names: &[&String], ours: &Distribution) {
    let mut by_owner: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    for name in names {
        if let Owner::Other(other) = ours.owner_of(name) {
            by_owner.entry(other).or_default().push(name);
        }
    }
    for (other, names) in by_owner {
        let names = names.join(", ");
        match other {
            Some(other) => tracing::warn!(
                "not removed, because they are images of {other}, and this is a set of {ours}: \
                 {names}; if it is one of {other}, say \"distribution\": \"{other}\" in hdds.json"
            ),
            None => tracing::warn!(
                "not removed, because they aren't images of {ours}: {names}; the 'prefix' of a \
                 \"distribution\" in hdds.json tells what a set's are called"
            ),
        }
    }
}

/// The image directory, locked.
#[derive(Debug)]
pub(super) struct ImageSet {
    directory: Arc<Directory>,
    reporter: Box<dyn Reporter>,
    conditions: Conditions,
}

impl ImageSet {
    /// Takes the directory, and removes what killed runs have left in it. What is wrong with the
    /// environment is told before anything is done.
    pub(super) fn lock(context: &Context) -> Result<Self> {
        let conditions = Conditions::from_environment()?;
        let directory = Arc::new(Directory::lock(&context.settings.directory)?);
        let reporter = report::choose(context.settings.json, &context.bars);
        let set = Self {
            directory,
            reporter,
            conditions,
        };
        for name in Unfinished::of(&set.directory)?.leftovers {
            set.remove_one(&name)?;
        }
        Ok(set)
    }

    /// Renames what the configuration has new names for.
    pub(super) fn rename(&self, renames: &[Rename]) -> Result<()> {
        let entries = super::listing::list(self.directory.path())?;
        self.rename_all(&crate::inventory::planned_renames(renames, &entries))
    }

    /// Renames files that count as images under their new names.
    pub(super) fn adopt(&self, report: &Report<'_>) -> Result<()> {
        self.rename_all(&report.adopt)
    }

    fn rename_all(&self, renames: &[Rename]) -> Result<()> {
        for Rename { from, to } in renames {
            self.reporter.report(&Event::Renaming { from, to });
            self.rename_one(from, to)
                .with_context(|| format!("can't rename '{from}' to '{to}'"))?;
        }
        Ok(())
    }

    /// Checksums go first: when the image is still there, the next run does the rest.
    fn rename_one(&self, from: &str, to: &str) -> Result<()> {
        for algorithm in checksum::beside(&self.directory, from)? {
            checksum::rename(&self.directory, algorithm, from, to)?;
        }
        Ok(self.directory.rename(from, to)?)
    }

    /// Removes `unknown` images, if it is for sure that they are unknown.
    pub(super) fn clean(&self, unknown: &[String], is_sure: bool, context: &Context) -> Result<()> {
        if !is_sure && !unknown.is_empty() {
            tracing::warn!(
                "nothing is removed, because the current release is known from this machine only, \
                 and these may be of a newer one: {}; give the next release with -n/--nextrel",
                unknown.join(", ")
            );
            return Ok(());
        }
        self.remove(unknown, &context.config.distribution)
    }

    /// Removes images, and their checksums before them. Those of other distributions than ours
    /// are left alone, which is told.
    pub(super) fn remove(&self, names: &[String], ours: &Distribution) -> Result<()> {
        let (names, others): (Vec<_>, Vec<_>) = names
            .iter()
            .partition(|name| ours.owner_of(name) == Owner::Ours);
        tell_of_others(&others, ours);
        for name in names {
            for algorithm in checksum::beside(&self.directory, name)? {
                self.remove_one(&algorithm.file_name(name))?;
            }
            self.remove_one(name)?;
        }
        Ok(())
    }

    /// Removes a file. One that has gone already is no error.
    fn remove_one(&self, name: &str) -> Result<()> {
        self.reporter.report(&Event::Removing { name });
        let removed = self.directory.remove_if_there(name);
        removed.with_context(|| format!("can't remove '{name}'"))
    }

    /// Tells how many of `images` are left to hosts of other architectures, if any are.
    pub(super) fn tell_of_foreign<'a>(&self, images: impl IntoIterator<Item = &'a Image>) {
        let images = images.into_iter();
        let foreign = images.filter(|image| !arch::builds_on(image, arch::host()));
        let arches: Vec<_> = foreign.filter_map(arch::of).collect();
        if !arches.is_empty() {
            self.reporter
                .report(&Event::LeftToOthers { arches: &arches });
        }
    }

    /// Why images can't be built, each reason once.
    ///
    /// # Errors
    /// When that can't be found out.
    pub(super) fn objections(&self, context: &Context, images: &[Image]) -> Result<Vec<String>> {
        let find = Uploads(&context.data);
        let settings = self.settings(context);
        engine::start_common(settings.jobs)?;
        let plans = engine::plan_all(
            images,
            &settings,
            &foreign::registry(),
            &find,
            self.reporter.as_ref(),
        );
        let mut objections = Vec::new();
        for error in plans.into_iter().filter_map(Result::err) {
            let text = format!("{error:#}");
            if !objections.contains(&text) {
                objections.push(text);
            }
        }
        Ok(objections)
    }

    /// Builds images. What became of each is reported as it happens.
    pub(super) fn build(&self, context: &Context, images: &[Image]) -> Result<Status> {
        let settings = self.settings(context);
        clean_up_on_signals(&settings.temporaries, &context.bars)?;
        staging::remove_leftovers();
        let find = Uploads(&context.data);
        let outcome = engine::run(
            images,
            &settings,
            &foreign::registry(),
            &find,
            self.reporter.as_ref(),
        )?;
        if let Some(error) = self.reporter.lost() {
            return Err(anyhow::Error::new(error).context(NOT_TOLD));
        }
        Ok(if outcome.is_success() {
            Status::Success
        } else {
            Status::Failed
        })
    }

    fn settings(&self, context: &Context) -> engine::Settings {
        let directory = Arc::clone(&self.directory);
        context
            .settings
            .of_engine(directory, self.conditions.clone())
    }
}
