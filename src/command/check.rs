//! `check`: tells which images are missing, outdated or unknown.

use std::io::{self, Write};

use anyhow::Result;
use serde_json::json;

use super::Context;
use super::listing;
use super::set::ImageSet;
use crate::hdds::arch;
use crate::image::Image;
use crate::inventory::Report;
use crate::status::Status;

/// What `check` is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The next release; looked up when it isn't given and needed.
    pub next_release: Option<u64>,
    /// Rename images first.
    pub rename: bool,
    /// Remove unknown images.
    pub clean: bool,
}

/// Tells how the images are. The answer stands in the exit status too.
///
/// # Errors
/// When the directory can't be read, or changed where that is asked for.
pub fn run(context: &Context, options: &Options) -> Result<Status> {
    let (expected, is_sure) = context.images(options.next_release)?;
    // Without a change to make, another run is no hindrance.
    let changes = options.rename || options.clean;
    let set = changes.then(|| ImageSet::lock(context)).transpose()?;
    if let (Some(set), true) = (&set, options.rename) {
        set.rename(&context.config.renames)?;
        let entries = listing::list(&context.settings.directory)?;
        set.adopt(&Report::new(
            &expected,
            &entries,
            listing::now(),
            arch::host(),
        ))?;
    }
    let entries = listing::list(&context.settings.directory)?;
    let report = Report::new(&expected, &entries, listing::now(), arch::host());
    print(&report, context.settings.json)?;
    if let (Some(set), true) = (&set, options.clean) {
        set.clean(&report.unknown, is_sure, context)?;
    }
    Ok(match report.exit_status() {
        0 => Status::Success,
        1 => Status::Outdated,
        _ => Status::Missing,
    })
}

/// Prints the lines of the original, or one JSON object.
fn print(report: &Report<'_>, as_json: bool) -> Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        let names = |images: &[&Image]| -> Vec<String> {
            images.iter().map(|image| image.file_name.clone()).collect()
        };
        let object = json!({
            "missing": names(&report.missing),
            "outdated": names(&report.outdated),
            "unknown": report.unknown,
            "current": names(&report.current),
        });
        writeln!(out, "{object}")?;
    } else {
        for line in report.lines() {
            writeln!(out, "{line}")?;
        }
    }
    Ok(out.flush()?)
}
