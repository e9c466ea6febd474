//! The images that are asked for, and which of them are this host's business.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::check::Check;
use crate::command::next_release::next_release;
use crate::describe::hdds::releases::NextRelease;
use crate::describe::hdds::{Config, arch};
use crate::image::{Image, InstallRecipe, Layout, Recipe};
use disklayout::layout::spec::Holds;

/// Every image of `config`, and what is missing where not all of them can be named: those of
/// releases that nobody can tell.
///
/// # Errors
/// When the configuration makes no sense.
pub(super) fn expected(config: &Config, next: Option<u64>) -> Result<(Vec<Image>, Option<Check>)> {
    let error = match config.images(&mut next_release(next, &config.distribution)) {
        Ok(images) => return Ok((images, None)),
        Err(error) => error,
    };
    let mut nobody = NextRelease::new(None, || bail!("nobody knows"));
    let mut rest = config.clone();
    rest.installs.retain(|group| {
        let alone = Config {
            layouts: vec![],
            installs: vec![group.clone()],
            ..config.clone()
        };
        alone.images(&mut nobody).is_ok()
    });
    if rest.installs.len() == config.installs.len() {
        return Err(error);
    }
    let names = config.installs.iter().map(|group| group.name.as_str());
    let left_out: Vec<_> = names
        .filter(|name| !rest.installs.iter().any(|known| known.name == *name))
        .collect();
    let left_out = left_out.join(", ");
    let text = format!("the images of {left_out} aren't looked at: {error:#}");
    let images = rest.images(&mut nobody)?;
    Ok((images, Some(Check::missing("releases", text))))
}

/// The images that are asked for, by whose business they are.
pub(super) struct Images<'a> {
    /// Those that this host builds.
    pub(super) all: Vec<&'a Image>,
    /// Those that are left to hosts of other architectures.
    foreign: Vec<&'a Image>,
}

impl<'a> Images<'a> {
    pub(super) fn new(images: &'a [Image], host: &str) -> Self {
        let images = images.iter();
        let (all, foreign) = images.partition(|image| arch::builds_on(image, host));
        Self { all, foreign }
    }

    /// Those that are written here.
    pub(super) fn layouts(&self) -> impl Iterator<Item = (&'a Image, &'a Layout)> {
        self.all.iter().filter_map(|image| match &image.recipe {
            Recipe::Layout(layout, _) => Some((*image, &**layout)),
            Recipe::Install(_) => None,
        })
    }

    /// Those with an installed system.
    pub(super) fn installs(&self) -> impl Iterator<Item = (&'a Image, &'a InstallRecipe)> {
        self.all.iter().filter_map(|image| match &image.recipe {
            Recipe::Install(recipe) => Some((*image, &**recipe)),
            Recipe::Layout(..) => None,
        })
    }

    /// Those with a filesystem that has one of these names.
    pub(super) fn with_filesystem(&self, names: &[&str]) -> Vec<&'a Image> {
        let has = |layout: &Layout| {
            layout.disk.slots().any(|holds| match holds {
                Holds::Filesystem(it) => names.contains(&it.format.as_str()),
                _ => false,
            })
        };
        let layouts = self.layouts().filter(|(_, layout)| has(layout));
        layouts.map(|(image, _)| image).collect()
    }

    /// What is to be said of the images that aren't this host's business, if there are any.
    pub(super) fn others(&self) -> Option<Check> {
        let arches = self.foreign.iter().filter_map(|image| arch::of(image));
        let arches: BTreeSet<_> = arches.collect();
        let arches = arches.into_iter().collect::<Vec<_>>().join(", ");
        let text = match self.foreign.len() {
            0 => return None,
            1 => format!("1 image is left to hosts of {arches}"),
            count => format!("{count} images are left to hosts of {arches}"),
        };
        Some(Check::unneeded("others", text))
    }
}
