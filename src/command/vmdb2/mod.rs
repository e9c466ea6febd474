//! `vmdb2`: the system that a specification of vmdb2 describes.

mod show;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use disklayout::fs::Misfits;
use indicatif::MultiProgress;

use super::{Settings, answer, outputs, system};
use crate::config::yaml;
use crate::describe::vmdb2::{self as describe, Described};
use crate::engine::Conditions;
use crate::sandbox::{self, Inside};
use crate::status::Status;

/// What is built, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The specification; `-` is standard input.
    pub spec: PathBuf,
    /// The archive of the root filesystem that steps read and write.
    pub rootfs_tarball: Option<PathBuf>,
    /// What templates use.
    pub variables: Vec<(String, String)>,
    /// What becomes of files that a filesystem can't hold.
    pub misfits: Misfits,
    /// Whether nothing is made.
    pub is_dry: bool,
    /// The image, and how it is made.
    pub system: system::Options,
}

/// Checks the specification, and builds what it describes in a sandbox, for which the command is done
/// once more with these `arguments`.
///
/// # Errors
/// What is wrong with the specification or the output, or why there can't be a sandbox.
pub fn run(settings: &Settings, options: &Options, arguments: &[OsString]) -> Result<ExitCode> {
    let text = read(&options.spec)?;
    let described = options.describe(settings, &text)?;
    for warning in &described.warnings {
        tracing::warn!("{warning}");
    }
    let system = &described.system;
    let names = options.names(settings)?.1;
    let plan = system::check(system, &names[0])?;
    if options.is_dry {
        let file = &options.system.files[0];
        answer::print(&match settings.json {
            true => format!("{:#}\n", show::document(&names[0], system, &plan, file)),
            false => show::text(&names[0], system, &plan, file),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    system::ready(settings, &options.system, system)?.enter(arguments, text)
}

/// Builds it in the sandbox `inside`.
///
/// # Errors
/// When a step fails.
pub fn assemble(
    settings: &Settings,
    options: &Options,
    bars: &MultiProgress,
    inside: &Inside,
) -> Result<Status> {
    let system = options.describe(settings, &inside.input)?.system;
    system::assemble(settings, &options.system, bars, inside, &system)
}

fn read(spec: &Path) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    match spec.as_os_str() == "-" {
        true => io::stdin()
            .read_to_end(&mut text)
            .map(|_| text)
            .context("can't read the specification from standard input"),
        false => fs::read(spec)
            .with_context(|| format!("can't read the specification '{}'", spec.display())),
    }
}

impl Options {
    /// The directory of the image, and the names of its files there.
    fn names(&self, settings: &Settings) -> Result<(PathBuf, Vec<String>)> {
        outputs::names(&settings.directory, &self.system.output, &self.system.files)
    }

    /// What the specification describes.
    fn describe(&self, settings: &Settings, text: &[u8]) -> Result<Described> {
        let name = match self.spec.as_os_str() == "-" {
            true => "<stdin>".to_owned(),
            false => self.spec.display().to_string(),
        };
        let text = std::str::from_utf8(text);
        let text = text.with_context(|| format!("{name} isn't UTF-8"))?;
        let document = yaml::parse(text, &name)?;
        let (directory, names) = self.names(settings)?;
        let directory = std::path::absolute(directory)?;
        let tarball = self.rootfs_tarball.as_deref();
        let settings = describe::Settings {
            device: system::device_path(&directory, &names[0])
                .display()
                .to_string(),
            image_name: names[0].clone(),
            time: Conditions::from_environment()?.time,
            tarball_exists: tarball.is_some_and(Path::exists),
            rootfs_tarball: self.rootfs_tarball.clone(),
            variables: self.variables.clone(),
            arch: sandbox::native_architecture().to_owned(),
            directory: std::env::current_dir().context("the current directory has gone")?,
            misfits: self.misfits,
        };
        Ok(describe::read(&document, &settings)?)
    }
}
