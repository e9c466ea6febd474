//! `check`: tells which images are missing, outdated or unknown.

use anyhow::Result;
use serde_json::json;

use super::Context;
use super::set::ImageSet;
use super::{answer, listing, time};
use crate::describe::hdds::arch;
use crate::engine::Unfinished;
use crate::image::Image;
use crate::inventory::{Report, doubtful};
use crate::printable::printable;
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
        set.adopt(&Report::new(&expected, &entries, time::now(), arch::host()))?;
    }
    let entries = listing::list(&context.settings.directory)?;
    let report = Report::new(&expected, &entries, time::now(), arch::host());
    let Unfinished { leftovers, in_use } = Unfinished::at(&context.settings.directory)?;
    let known = [leftovers.as_slice(), &in_use].concat();
    let left = Left {
        doubtful: doubtful(&expected, &entries, &known),
        leftovers,
    };
    print(&report, &left, context.settings.json)?;
    if let (Some(set), true) = (&set, options.clean) {
        set.clean(&report.unknown, is_sure, context)?;
    }
    Ok(match report.exit_status() {
        0 => Status::Success,
        1 => Status::Outdated,
        _ => Status::Missing,
    })
}

/// Unfinished images of runs that were killed.
struct Left {
    /// Those that are known to be that: the next run removes them.
    leftovers: Vec<String>,
    /// Those that only have the name of one: whoever knows better may remove them.
    doubtful: Vec<String>,
}

impl Left {
    fn lines(&self) -> impl Iterator<Item = String> {
        let lists = [
            ("Leftover files", &self.leftovers),
            ("Possible leftovers", &self.doubtful),
        ];
        let filled = lists.into_iter().filter(|(_, names)| !names.is_empty());
        filled.map(|(what, names)| format!("{what}: {}", names.join(", ")))
    }
}

/// Prints the lines of the original and those on unfinished images, or one JSON object.
fn print(report: &Report<'_>, left: &Left, as_json: bool) -> Result<()> {
    if !as_json {
        let lines = report.lines().into_iter().chain(left.lines());
        let lines = lines.map(|line| format!("{}\n", printable(&line)));
        return answer::print(&lines.collect::<String>());
    }
    let names = |images: &[&Image]| -> Vec<String> {
        images.iter().map(|image| image.file_name.clone()).collect()
    };
    let object = json!({
        "missing": names(&report.missing),
        "outdated": names(&report.outdated),
        "unknown": report.unknown,
        "current": names(&report.current),
        "leftovers": left.leftovers,
        "possible_leftovers": left.doubtful,
    });
    answer::print(&format!("{object}\n"))
}
