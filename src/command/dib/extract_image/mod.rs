//! `extract-image`: the tree of the system in an image of a cloud, as an archive.

mod feed;
mod mounts;
mod system;
mod tree;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result, bail};
use disklayout::fs::{Misfits, Unwatched};
use disklayout::tree::{NodeKind, Store};
use disklayout::{Identity, archive};
use indicatif::MultiProgress;
use serde_json::json;

use self::feed::Feed;
use self::mounts::Mount;
use self::system::System;
use self::tree::Assembly;
use crate::command::{Settings, answer, inspect, outputs, set};
use crate::engine::{self, Conditions, Directory, Output};
use crate::formats::FileFormat;
use crate::printable::printable;

/// What is read, and where it goes.
#[derive(Clone, Debug)]
pub struct Options {
    /// The image, relative to the directory of images.
    pub image: PathBuf,
    /// The archive, relative to the directory of images.
    pub archive: PathBuf,
    /// The format of the archive.
    pub format: FileFormat,
    /// Whether a file that is no archive may be replaced by it.
    pub force: bool,
}

/// How much an archive has.
#[derive(Clone, Copy, Debug)]
struct Amount {
    files: usize,
    bytes: u64,
}

/// Writes the archive.
///
/// # Errors
/// When the image can't be read or has no system, and when the archive can't be written.
pub fn run(settings: &Settings, bars: &MultiProgress, options: &Options) -> Result<()> {
    let files = std::slice::from_ref(&options.format);
    let (path, names) = outputs::names(&settings.directory, &options.archive, files)?;
    let directory = Arc::new(Directory::share(&path)?);
    outputs::check(&directory, &names, files, options.force)?;
    let run = settings.of_engine(Arc::clone(&directory), Conditions::from_environment()?);
    set::clean_up_on_signals(&run.temporaries, bars)?;
    engine::start_common(run.jobs)?;
    let read = inspect::Options {
        images: vec![options.image.clone()],
        ..inspect::Options::default()
    };
    let shown = options.image.display();
    let made = inspect::with_image(&options.image, (settings, &read), |found| {
        for warning in &found.image.warnings {
            tracing::warn!("{shown}: {}", printable(warning));
        }
        let system = System::find(&found.image)?;
        let output = Output::create(&directory, &run.temporaries, &names[0])?;
        let amount = write(&run, options, &system.mounts()?, &output)?;
        Ok((output, amount))
    });
    let (mut output, amount) = made.with_context(|| format!("'{shown}'"))?;
    output.publish(settings.sync)?;
    answer::print(&match settings.json {
        true => format!(
            "{:#}\n",
            json!({ "archive": names[0], "files": amount.files, "bytes": amount.bytes })
        ),
        false => format!("{}\n", names[0]),
    })
}

/// Writes an archive of all that is in `mounts` into `output`.
fn write(
    run: &engine::Settings,
    options: &Options,
    mounts: &[Mount<'_>],
    output: &Output,
) -> Result<Amount> {
    let (feed, sender) = Feed::new();
    let store = Arc::new(Store::stream(options.image.display().to_string(), feed));
    let mut assembly = Assembly::new(store);
    assembly.take(mounts)?;
    let (tree, files) = assembly.finish();
    let is_file = |kind: &NodeKind| matches!(kind, NodeKind::File(_));
    let amount = Amount {
        files: tree.nodes().filter(|(_, node)| is_file(&node.kind)).count(),
        bytes: tree.data_len(),
    };
    let name = &options.format.name;
    let formats = foreign::archives();
    let format = formats.format(name);
    let Some(format) = format else {
        bail!("there are no archives called '{name}'");
    };
    let plan = format.plan(archive::Request {
        place: options.format.place.clone(),
        tree,
        misfits: Misfits::Drop,
        options: &options.format.options,
        identity: &Identity::new(output.name(), run.conditions.time),
    })?;
    for warning in plan.warnings() {
        tracing::warn!("{}", printable(warning));
    }
    thread::scope(|scope| {
        scope.spawn(move || feed::send(&files, sender));
        let mut file = output.file();
        let written = plan.write(&mut file, &|| run.scratch(), &Unwatched);
        // Whoever reads the image waits for somebody who takes what was read, or for nobody to.
        drop(plan);
        written
    })?;
    Ok(amount)
}
