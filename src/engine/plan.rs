//! From an image to a disk in which everything is decided.

use std::sync::{Arc, OnceLock};

use anyhow::{Error, Result, anyhow};
use disklayout::fs::Registry;
use disklayout::layout::{DiskPlan, guestfs};
use disklayout::{Identity, Timestamp};
use foreign::run::Runner;

use super::Settings;
use super::contents::{Contents, Find};
use crate::image::{Image, LayoutRecipe, Recipe};
use crate::virtinstall::{Host, Installation};

/// An image in which everything is decided.
#[derive(Debug)]
pub enum Planned {
    /// A disk that is written here.
    Layout(DiskPlan),
    /// An installation.
    Install(Box<Installation>),
}

/// Plans a layout without touching a file.
///
/// Every identifier in it derives from its file name and every time is `time`, so that nothing
/// depends on where, when or beside which others it is built.
///
/// # Errors
/// When the description can't be built, with the place in the configuration, or when the data of
/// an upload is missing.
pub fn plan_layout(
    file_name: &str,
    recipe: &LayoutRecipe,
    contents: &Contents<'_>,
    registry: &Registry,
    time: Timestamp,
) -> Result<DiskPlan> {
    let spec = recipe.disk_spec(|upload| contents.content(upload))?;
    let identity = Identity::new(file_name, time);
    let trees = contents.trees(recipe, time)?;
    Ok(guestfs::plan(&spec, trees, &identity, registry)?)
}

/// Plans images that are to be made then: what that needs must be there too.
pub(super) struct Planner<'a> {
    pub(super) contents: Contents<'a>,
    find: &'a dyn Find,
    registry: &'a Registry,
    settings: &'a Settings,
    /// This host as installations see it, looked at when the first one is planned.
    host: OnceLock<Result<Host, Arc<Error>>>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        contents: Contents<'a>,
        find: &'a dyn Find,
        registry: &'a Registry,
        settings: &'a Settings,
    ) -> Self {
        Self {
            contents,
            find,
            registry,
            settings,
            host: OnceLock::new(),
        }
    }

    /// Plans `image`.
    ///
    /// # Errors
    /// When it can't be made, or when something is missing that it needs.
    pub(super) fn plan(&self, image: &Image) -> Result<Planned> {
        match &image.recipe {
            Recipe::Layout(recipe) => Ok(Planned::Layout(self.layout(image, recipe)?)),
            Recipe::Install(recipe) => {
                // What is wrong with the host is wrong with all installations.
                let systems = &self.host()?.systems;
                let kickstart = self.find.kickstart(image)?;
                let settings = &self.settings.install;
                let name = &image.file_name;
                let plan = Installation::plan(name, recipe, kickstart, systems, settings)?;
                Ok(Planned::Install(Box::new(plan)))
            }
        }
    }

    /// Plans `image`, which is made by `recipe`.
    ///
    /// # Errors
    /// When it can't be made, or when something is missing that it needs.
    pub(super) fn layout(&self, image: &Image, recipe: &LayoutRecipe) -> Result<DiskPlan> {
        let (contents, time) = (&self.contents, self.settings.time);
        let plan = plan_layout(&image.file_name, recipe, contents, self.registry, time)?;
        check_tools(&plan)?;
        Ok(plan)
    }

    fn host(&self) -> Result<&Host> {
        let look = || Host::look("virtinstall", &self.settings.install, &Runner::from_env());
        let host = self.host.get_or_init(|| look().map_err(Arc::new));
        // All installations share it, so that it is told once.
        host.as_ref().map_err(|error| anyhow!("{error:#}"))
    }
}

/// Looks for what writing `plan` needs.
///
/// # Errors
/// When an external program is missing.
pub(super) fn check_tools(plan: &DiskPlan) -> Result<()> {
    for filesystem in plan.partitions.iter().flat_map(|one| &one.filesystem) {
        filesystem.check_tools()?;
    }
    Ok(())
}
