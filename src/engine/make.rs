//! One image outside of any configuration, from the trees that go into it.

use std::time::Instant;

use anyhow::Result;
use disklayout::Identity;
use disklayout::fs::Registry;
use disklayout::layout::DiskPlan;
use disklayout::layout::single::{self, SingleSpec, Table};
use disklayout::tree::FileTree;

use super::event::{Event, Reporter};
use super::outcome::Outcome;
use super::{Settings, build, job, output, seed, threads};

/// Makes the image called `name` from what `plan` decides.
///
/// `plan` reads what it needs; no file exists before it has come back. What becomes of the image
/// is told by the outcome.
///
/// # Errors
/// When no threads can be started.
pub fn make(
    name: &str,
    settings: &Settings,
    reporter: &dyn Reporter,
    plan: impl FnOnce() -> Result<DiskPlan> + Send,
) -> Result<Outcome> {
    let started = Instant::now();
    let pool = threads::pool(settings.jobs)?;
    reporter.report(&Event::Started { images: 1 });
    reporter.report(&Event::Planning { image: name });
    let planned = pool.install(|| {
        build::contain_panic(|| {
            output::check_target(&settings.directory, name)?;
            let plan = plan()?;
            super::plan::check_tools(&plan)?;
            Ok(plan)
        })
    });
    let results = match planned {
        Ok(plan) => build::Run::new(1, settings, &pool, reporter)
            .write_all(vec![job(name, 1, plan, settings)]),
        Err(error) => vec![super::not_planned(name, 1, 1, error, reporter)],
    };
    Ok(super::finish(&[name], results, started, reporter))
}

/// Plans a disk with `tree` as the content of its only filesystem. Its identifiers derive from
/// `seed`; where there is none, from all that is known of the content without reading a file.
///
/// # Errors
/// When it can't be built.
pub fn plan_single(
    spec: &SingleSpec<'_>,
    tree: FileTree,
    seed: Option<&str>,
    settings: &Settings,
    registry: &Registry,
) -> Result<DiskPlan> {
    let seed = match seed {
        Some(seed) => seed.to_owned(),
        None => seed::of_tree(&chosen(spec), &tree),
    };
    let identity = Identity::new(&seed, settings.time);
    Ok(single::plan(spec, tree, &identity, registry)?)
}

/// What counts for the identifiers beside the content: the format, the label, the table.
fn chosen<'a>(spec: &SingleSpec<'a>) -> [&'a str; 3] {
    let table = match spec.table {
        None => "none",
        Some(Table::Mbr) => "mbr",
        Some(Table::Gpt) => "gpt",
    };
    [spec.filesystem, spec.label.unwrap_or_default(), table]
}
