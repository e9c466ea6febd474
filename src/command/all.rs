//! `all`: builds what is missing or outdated.

use std::collections::HashSet;

use anyhow::{Result, bail};

use super::set::ImageSet;
use super::{Context, Kind};
use super::{listing, time};
use crate::describe::hdds::arch;
use crate::image::Image;
use crate::inventory::{Report, doubtful, names_of, to_delete};
use crate::status::Status;

/// What `all` is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// First remove every image.
    pub delete: bool,
    /// Remove unknown images.
    pub clean: bool,
    /// The next release; looked up when it isn't given and needed.
    pub next_release: Option<u64>,
    /// Keep to images of one kind.
    pub kind: Option<Kind>,
}

/// Deletes, renames, compares, cleans and builds, in this order, as asked.
///
/// # Errors
/// When the directory can't be used. Images that can't be built are told by the status.
pub fn run(context: &Context, options: &Options) -> Result<Status> {
    let (expected, is_sure) = context.images(options.next_release)?;
    let is_wanted = |image: &Image| options.kind.is_none_or(|kind| kind == Kind::of(image));
    let set = ImageSet::lock(context)?;
    if options.delete {
        delete(context, &set, &expected, options.kind)?;
    }
    set.rename(&context.config.renames)?;
    let entries = listing::list(&context.settings.directory)?;
    let report = Report::new(&expected, &entries, time::now(), arch::host());
    if options.clean {
        set.clean(&report.unknown, is_sure, context)?;
    }
    set.adopt(&report)?;
    for name in doubtful(&expected, &entries, &[]) {
        tracing::warn!("'{name}' may have been left behind by a run that was killed; it stays");
    }
    let images: Vec<_> = report
        .to_build()
        .filter(|image| is_wanted(image))
        .cloned()
        .collect();
    set.tell_of_foreign(expected.iter().filter(|image| is_wanted(image)));
    set.build(context, &images)
}

/// Removes every image of the kind, unless one with a layout couldn't be built anew.
fn delete(context: &Context, set: &ImageSet, expected: &[Image], kind: Option<Kind>) -> Result<()> {
    let is_wanted = |image: &Image| kind.is_none_or(|kind| kind == Kind::of(image));
    let layouts = expected
        .iter()
        .filter(|image| is_wanted(image) && Kind::of(image) == Kind::Guestfs);
    let objections = set.objections(context, &layouts.cloned().collect::<Vec<_>>())?;
    if !objections.is_empty() {
        bail!(
            "nothing is removed, because not all could be built anew: {}",
            objections.join("; ")
        );
    }
    let entries = listing::list(&context.settings.directory)?;
    let spared = expected.iter().filter(|image| !is_wanted(image));
    let spared: HashSet<_> = spared.flat_map(|image| names_of(image, expected)).collect();
    let mut names = to_delete(expected, &entries, arch::host());
    names.retain(|name| !spared.contains(name));
    set.remove(&names, &context.config.distribution)
}
