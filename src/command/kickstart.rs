//! The kickstart file of an image.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::hdds::locate::DataDir;
use crate::hdds::names::kickstart_file_names;
use crate::image::{Image, Recipe};
use crate::virtinstall::Kickstart;

/// The most particular of the kickstart files for `image`.
///
/// # Errors
/// When there is none, or when it can't be read.
pub(super) fn find(data: &DataDir, image: &Image) -> Result<Kickstart> {
    let Recipe::Install(recipe) = &image.recipe else {
        bail!("'{}' has no kickstart file", image.file_name);
    };
    let names = kickstart_file_names(&image.group, &recipe.release, &recipe.arch);
    for name in &names {
        let Some(content) = data.kickstart(name)? else {
            continue;
        };
        let bytes = match (content.inline_bytes(), content.host_path()) {
            (Some(bytes), _) => bytes.to_vec(),
            (None, Some(path)) => fs::read(path)
                .with_context(|| format!("can't read the kickstart file '{}'", path.display()))?,
            (None, None) => continue,
        };
        let name = name.clone();
        return Ok(Kickstart { name, bytes });
    }
    bail!(
        "{}: there is no kickstart file: none of {} is beside hdds.json or in kickstarts/",
        recipe.place,
        names.join(", ")
    )
}
