//! Layouts: whether they can be planned, and how much they write at least.

use std::collections::BTreeSet;

use anyhow::Result;
use disklayout::fs::{Format, Registry};
use disklayout::layout::DiskPlan;

use super::check::{Check, grouped};
use super::images::Images;
use crate::command::Context;
use crate::command::set::Uploads;
use crate::engine::{Conditions, Planner};
use crate::image::Image;

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
    let wanted = images.layouts().map(|(image, _)| image);
    let wanted = wanted.filter(|image| !hindered.contains(&image.file_name));
    let wanted: Vec<Image> = wanted.cloned().collect();
    let (find, registry) = (Uploads(&context.data), foreign::registry());
    let conditions = Conditions::from_environment()?;
    Ok(plan(
        &wanted,
        &Planner::offline(&wanted, &find, &registry, &conditions),
        &registry,
    ))
}

fn plan(wanted: &[Image], planner: &Planner<'_>, registry: &Registry) -> Layouts {
    let (mut refused, mut waiting, mut least) = (vec![], vec![], 0);
    for image in wanted {
        let Some(layout) = image.layout() else {
            continue;
        };
        if !planner.is_downloaded(layout) {
            waiting.push(image);
            continue;
        }
        match planner.decide(std::slice::from_ref(image)) {
            Ok(plan) => least += plan.disk.map_or(0, |disk| least_bytes(&disk, registry)),
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

/// The bytes of the files, where the format stores each of them.
fn least_bytes(plan: &DiskPlan, registry: &Registry) -> u64 {
    let is_compressed = |kind| registry.format(kind).is_some_and(Format::is_compressed);
    let plain = plan
        .filesystems()
        .filter(|plan| !is_compressed(plan.summary().kind));
    plain
        .flat_map(|plan| plan.tree().files())
        .map(|(_, content)| content.data_len())
        .sum()
}
