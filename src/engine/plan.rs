//! From an image to a disk in which everything is decided.

use anyhow::{Result, bail};
use disklayout::fs::Registry;
use disklayout::layout::{DiskPlan, guestfs};
use disklayout::{Identity, Timestamp};

use super::contents::Contents;
use crate::image::{Image, Recipe};

/// Plans `image` without touching a file.
///
/// Every identifier in it derives from its file name and every time is `time`, so that nothing
/// depends on where, when or beside which others it is built.
///
/// # Errors
/// When the description can't be built, with the place in the configuration, or when the data of
/// an upload is missing.
pub fn plan_image(
    image: &Image,
    contents: &Contents<'_>,
    registry: &Registry,
    time: Timestamp,
) -> Result<DiskPlan> {
    match &image.recipe {
        Recipe::Layout(recipe) => {
            let spec = recipe.disk_spec(|upload| contents.content(upload))?;
            let identity = Identity::new(&image.file_name, time);
            let trees = contents.trees(recipe, time)?;
            Ok(guestfs::plan(&spec, trees, &identity, registry)?)
        }
        Recipe::Install(recipe) => bail!(
            "{}: building an installed system isn't supported by this version yet; images with a \
             layout are built",
            recipe.place
        ),
    }
}

/// Plans `image`, which is to be written then: what that needs must be there too.
///
/// # Errors
/// Those of [`plan_image`], or that an external program is missing.
pub(super) fn plan_to_write(
    image: &Image,
    contents: &Contents<'_>,
    registry: &Registry,
    time: Timestamp,
) -> Result<DiskPlan> {
    let plan = plan_image(image, contents, registry, time)?;
    check_tools(&plan)?;
    Ok(plan)
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
