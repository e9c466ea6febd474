//! Layouts: whether they can be planned, and how much they write at least.

use std::collections::BTreeSet;

use anyhow::Result;
use disklayout::Timestamp;
use disklayout::fs::{Format, Registry};
use disklayout::layout::DiskPlan;

use super::check::{Check, grouped};
use super::images::Images;
use crate::command::Context;
use crate::command::set::Uploads;
use crate::engine::download::Downloads;
use crate::engine::{self, Contents, Silent};
use crate::image::{Image, LayoutRecipe, Recipe, Source};

/// What became of planning the layouts.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    pub(super) checks: Vec<Check>,
    /// How many bytes the planned ones write at least.
    pub(super) least: u64,
}

/// Plans every layout but those of `hindered`, whose programs are missing. Nothing is downloaded.
///
/// # Errors
/// When the environment makes no sense.
pub(super) fn look(
    context: &Context,
    images: &Images<'_>,
    hindered: &BTreeSet<String>,
) -> Result<Layouts> {
    let time = engine::time::from_environment()?;
    let downloads = Downloads {
        offline: true,
        ..Downloads::from_environment()?
    };
    let wanted = images.layouts().map(|(image, _)| image);
    let wanted = wanted.filter(|image| !hindered.contains(&image.file_name));
    let wanted: Vec<Image> = wanted.cloned().collect();
    let find = Uploads(&context.data);
    let contents = Contents::gather(&wanted, &find, &downloads, &Silent);
    let contents = contents.not_after(engine::time::latest_from_environment()?);
    Ok(plan(&wanted, &contents, &foreign::registry(), time))
}

fn plan(
    wanted: &[Image],
    contents: &Contents<'_>,
    registry: &Registry,
    time: Timestamp,
) -> Layouts {
    let (mut refused, mut waiting, mut least) = (vec![], vec![], 0);
    for image in wanted {
        let Recipe::Layout(recipe) = &image.recipe else {
            continue;
        };
        if !is_downloaded(recipe, contents) {
            waiting.push(image);
            continue;
        }
        match engine::plan_layout(&image.file_name, recipe, contents, registry, time) {
            Ok(plan) => least += least_bytes(&plan, registry),
            Err(error) => refused.push((image, format!("{error:#}"))),
        }
    }
    let mut checks = grouped(&refused, |message| Check::missing("layouts", message));
    if !waiting.is_empty() {
        let text = "to be downloaded yet, so that their uploads aren't looked at";
        checks.push(Check::remark("downloads", text).of(&waiting));
    }
    let planned = wanted.len() - refused.len() - waiting.len();
    if planned > 0 {
        let whose = if planned == 1 { "its" } else { "their" };
        let text = format!("{planned} can be planned, with all {whose} uploads");
        checks.insert(0, Check::ok("layouts", text));
    }
    Layouts { checks, least }
}

fn is_downloaded(recipe: &LayoutRecipe, contents: &Contents<'_>) -> bool {
    let mut uploads = recipe.uploads.iter();
    uploads
        .all(|upload| matches!(upload.source, Source::File(_)) || contents.content(upload).is_ok())
}

/// The bytes of the files, where the format stores each of them.
fn least_bytes(plan: &DiskPlan, registry: &Registry) -> u64 {
    let filesystems = plan.partitions.iter().flat_map(|one| &one.filesystem);
    let is_compressed = |kind| registry.format(kind).is_some_and(Format::is_compressed);
    let plain = filesystems.filter(|plan| !is_compressed(plan.summary().kind));
    plain
        .flat_map(|plan| plan.tree().files())
        .map(|(_, content)| content.data_len())
        .sum()
}
