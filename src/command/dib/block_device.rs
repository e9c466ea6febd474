//! `dib-block-device`: the disks of a configuration by themselves, without what they hold.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use disklayout::Bytes;
use disklayout::fs::Misfits;
use disklayout::tree::Content;
use indicatif::MultiProgress;

use crate::command::set::clean_up_on_signals;
use crate::command::{Settings, answer};
use crate::config::yaml;
use crate::describe::dib::block::{self, Configuration, DeviceKind, Image, Parameters};
use crate::engine::{self, Conditions, Directory};
use crate::image::{FileFormat, Image as File, Layout, Recipe};
use crate::report;
use crate::status::Status;

/// The variable that names the file of parameters.
const VARIABLE: &str = "DIB_BLOCK_DEVICE_PARAMS_YAML";

/// What is done, and with which parameters.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file of parameters, if the environment doesn't name it.
    pub parameters: Option<PathBuf>,
    /// What is done.
    pub step: Step,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Checks everything.
    Init,
    /// Prints what is known by this name.
    Get(String),
    /// Makes the images, with empty filesystems.
    Create,
    /// Writes fstab into the tree.
    WriteFstab,
    /// Takes away what only root could have made: there is nothing.
    CleanUp,
    /// Removes the images.
    Delete,
}

/// Does what is asked for.
///
/// # Errors
/// What is wrong with parameters and configuration, and what can't be written.
pub fn run(settings: &Settings, bars: &MultiProgress, options: &Options) -> Result<Status> {
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    let path = options.parameters.clone().or(named);
    let path = path.with_context(|| {
        format!("give a file of parameters with --params, or name it in {VARIABLE}")
    })?;
    let devices = Devices::read(&path)?;
    for warning in &devices.configuration.warnings {
        tracing::warn!("{warning}");
    }
    match &options.step {
        Step::Init | Step::CleanUp => {}
        Step::Get(symbol) => answer::print(&format!("{}\n", devices.value(symbol)?))?,
        Step::Create => return devices.create(settings, bars),
        Step::WriteFstab => devices.write_fstab()?,
        Step::Delete => devices.delete()?,
    }
    Ok(Status::Success)
}

/// Parameters, and the configuration that they name.
struct Devices {
    parameters: Parameters,
    configuration: Configuration,
}

impl Devices {
    fn read(path: &Path) -> Result<Self> {
        let parameters = Parameters::read(&document(path)?)?;
        let settings = block::Settings {
            image_name: block::IMAGE.to_owned(),
            time: Conditions::from_environment()?.time,
            root: parameters.root.clone(),
            block_size: None,
            misfits: Misfits::Refuse,
        };
        let configuration = block::read(&document(&parameters.configuration)?, &settings)?;
        Ok(Self {
            parameters,
            configuration,
        })
    }

    /// The images, as large as the parameters say.
    fn images(&self) -> Result<Vec<Image>> {
        let size = self.parameters.size.unwrap_or(Bytes::new(0));
        Ok(self.configuration.lay_out(size)?)
    }

    /// The file of an image.
    fn file(&self, name: &str) -> PathBuf {
        self.parameters.images.join(file_name(name))
    }

    fn value(&self, symbol: &str) -> Result<String> {
        let values = &self.configuration.values;
        if let Some(value) = values.get(symbol) {
            return Ok(value);
        }
        Ok(match symbol {
            "image-path" | "image-block-device" => self.file(block::IMAGE).display().to_string(),
            "image-block-devices" => {
                let images = self.images().unwrap_or_default();
                let volumes = images.iter().flat_map(|it| &it.volumes);
                values.block_devices(volumes, |image| self.file(image))
            }
            _ => bail!(
                "'{symbol}' isn't known of block devices: there are root-label, root-fstype, boot-label, \
                 mount-points, image-path, image-block-device and image-block-devices"
            ),
        })
    }

    /// Makes the images.
    fn create(&self, settings: &Settings, bars: &MultiProgress) -> Result<Status> {
        let images: Vec<_> = self.images()?.into_iter().map(empty).collect();
        let directory = Arc::new(Directory::share(&self.parameters.images)?);
        let run = settings.of_engine(directory, Conditions::from_environment()?);
        clean_up_on_signals(&run.temporaries, bars)?;
        let reporter = report::choose(settings.json, bars);
        let nothing = |name: &str| -> Result<Content> { Err(anyhow!("there is no '{name}'")) };
        let registry = foreign::registry();
        let outcome = engine::run(&images, &run, &registry, &nothing, reporter.as_ref())?;
        Ok(match outcome.is_success() {
            true => Status::Success,
            false => Status::Failed,
        })
    }

    fn write_fstab(&self) -> Result<()> {
        let build = self.parameters.build.as_ref();
        let build = build.context("the parameters have no 'build-dir', where the tree is")?;
        let etc = build.join("built/etc");
        fs::create_dir_all(&etc).with_context(|| format!("can't make '{}'", etc.display()))?;
        let lines = self.configuration.fstab.iter();
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        let path = etc.join("fstab");
        fs::write(&path, text).with_context(|| format!("can't write '{}'", path.display()))
    }

    fn delete(&self) -> Result<()> {
        let directory = &self.parameters.images;
        ensure!(
            directory.is_dir(),
            "there is no directory '{}'",
            directory.display()
        );
        let directory = Directory::share(directory)?;
        let devices = self.configuration.values.devices.iter();
        for image in devices.filter(|device| device.kind == DeviceKind::Image) {
            let name = file_name(&image.name);
            let removed = directory.remove_if_there(&name);
            removed.with_context(|| format!("can't remove '{name}'"))?;
        }
        Ok(())
    }
}

fn file_name(image: &str) -> String {
    format!("{image}.raw")
}

/// An image in which nothing is but filesystems.
fn empty(image: Image) -> File {
    let layout = Layout::empty(image.disk, block::IMAGE);
    File {
        file_name: file_name(&image.name),
        group: "dib".to_owned(),
        recipe: Recipe::Layout(Arc::new(layout), FileFormat::raw("the image")),
    }
}

fn document(path: &Path) -> Result<crate::config::Document> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("can't read '{shown}'"))?;
    Ok(yaml::parse(&text, &shown.to_string())?)
}
