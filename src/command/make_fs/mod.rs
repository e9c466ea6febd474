//! `make-fs`: one image from directories and archives. No configuration is needed or read.

mod input;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use disklayout::SectorSize;
use disklayout::fs::{self, Misfits};
use disklayout::layout::DiskSize;
use disklayout::layout::single::{SingleSpec, Table};
use disklayout::source::Rules;
use foreign::stage::staging;
use indicatif::MultiProgress;
use uuid::Uuid;

use super::Settings;
use super::set::{NOT_TOLD, clean_up_on_signals};
use crate::engine::download::Downloads;
use crate::engine::{self, Directory, Temporaries};
pub use crate::engine::{InputFormat, Taken};
use crate::report;
use crate::status::Status;

/// What goes into the image and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// What goes in, each over those before it.
    pub inputs: Vec<Input>,
    /// The image, relative to the directory of images.
    pub output: PathBuf,
    /// Whether a file that is no disk image may be replaced by it.
    pub force: bool,
    /// The partition table, if there is one.
    pub table: Option<Table>,
    /// The partition's type; what suits the filesystem when there is none.
    pub part_type: Option<String>,
    /// What the sectors of the image hold.
    pub sector_size: SectorSize,
    /// The image's size.
    pub size: DiskSize,
    /// The filesystem by its name.
    pub filesystem: String,
    /// The filesystem's label.
    pub label: Option<String>,
    /// The filesystem's UUID.
    pub uuid: Option<Uuid>,
    /// What identifiers derive from; the content when there is none.
    pub seed: Option<String>,
    /// What the inputs are taken for.
    pub taken: Taken,
    /// How the entries of the inputs become those of the image; the latest time is found here.
    pub rules: Rules,
    /// What becomes of content that the filesystem can't hold.
    pub misfits: Misfits,
    /// What only some formats have.
    pub format: fs::Options,
}

/// Something that goes into the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// An archive on standard input.
    Stdin,
    /// A directory, an archive, or an image of a container.
    Path(PathBuf),
}

/// Makes the image. What became of it is reported as it happens.
///
/// # Errors
/// When the inputs can't be read, or when the output or its directory can't be used.
pub fn run(settings: &Settings, bars: &MultiProgress, options: &Options) -> Result<Status> {
    let time = engine::time::from_environment()?;
    let latest = engine::time::latest_from_environment()?;
    let (path, name) = split(&settings.directory.join(&options.output))?;
    let directory = Arc::new(Directory::share(&path)?);
    let settings_of_run = engine::Settings {
        directory: Arc::clone(&directory),
        temporaries: Temporaries::default(),
        jobs: settings.jobs(),
        sync: settings.sync,
        explicit_zeros: settings.explicit_zeros,
        time,
        latest,
        downloads: Downloads::default(),
        install: settings.install.clone(),
    };
    let settings_of_run = &settings_of_run;
    let opened = input::open(&options.inputs)?;
    input::check_apart(&opened, &path, &name)?;
    engine::check_target(&directory, &name)?;
    if !options.force {
        engine::check_replaced(&directory, &name)?;
    }
    clean_up_on_signals(&settings_of_run.temporaries, bars)?;
    staging::remove_leftovers();
    let rules = Rules {
        latest,
        accounts: engine::accounts::of_host(),
        ..options.rules.clone()
    };
    let place = disklayout::Place::from(&options.filesystem);
    let spec = options.spec(&place);
    let plan = || {
        let tree = engine::read_inputs(opened, &rules, &options.taken, settings_of_run)?;
        let seed = options.seed.as_deref();
        engine::plan_single(&spec, tree, seed, settings_of_run, &foreign::registry())
    };
    let reporter = report::choose(settings.json, bars);
    let outcome = engine::make(&name, settings_of_run, reporter.as_ref(), plan)?;
    if let Some(error) = reporter.lost() {
        return Err(anyhow::Error::new(error).context(NOT_TOLD));
    }
    Ok(if outcome.is_success() {
        Status::Success
    } else {
        Status::Failed
    })
}

impl Options {
    fn spec<'a>(&'a self, place: &'a disklayout::Place) -> SingleSpec<'a> {
        SingleSpec {
            place,
            table: self.table,
            part_type: self.part_type.as_deref(),
            sector_size: self.sector_size,
            size: self.size,
            filesystem: &self.filesystem,
            label: self.label.as_deref(),
            uuid: self.uuid,
            options: &self.format,
            misfits: self.misfits,
        }
    }
}

/// The directory of the output and its name there.
fn split(output: &Path) -> Result<(PathBuf, String)> {
    let shown = output.display();
    let ends_in_slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    let Some(name) = output.file_name().filter(|_| !ends_in_slash) else {
        bail!("the output '{shown}' is no file name");
    };
    let name = name
        .to_str()
        .with_context(|| format!("the name of the output '{shown}' isn't UTF-8"))?;
    let parent = match output.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    Ok((parent.to_path_buf(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_name_in_a_directory() {
        for (output, expected) in [
            ("a.img", Some((".", "a.img"))),
            ("./a.img", Some((".", "a.img"))),
            ("/a.img", Some(("/", "a.img"))),
            ("../d/a.img", Some(("../d", "a.img"))),
            ("d/", None),
            ("..", None),
            ("/", None),
        ] {
            let found = split(Path::new(output)).ok();
            let found = found
                .as_ref()
                .map(|(path, name)| (path.to_str().unwrap(), &**name));
            assert_eq!(found, expected, "{output}");
        }
    }
}
