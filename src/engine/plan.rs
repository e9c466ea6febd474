//! From an image to a disk in which everything is decided.

use std::fs::File;
use std::io;
use std::mem;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Error, Result, anyhow};
use disklayout::fs::Registry;
use disklayout::layout::spec::{Disk, Holds};
use disklayout::layout::{self, DiskPlan};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Identity, Timestamp, archive, container};
use foreign::run::Runner;

use super::contents::{Contents, Find};
use super::download::Downloads;
use super::event::{Reporter, Silent};
use super::input::Scratch;
use super::siblings::Siblings;
use super::{Settings, seed, time};
use crate::image::{FileFormat, Image, Layout, Recipe, Seed};
use crate::virtinstall::{Host, Installation};
use foreign::stage::NamelessFile;

/// What plans depend on beside descriptions and contents.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// The time that every image is given.
    pub time: Timestamp,
    /// The latest time that a file of a directory or an archive may have.
    pub latest: Option<Timestamp>,
    /// How files come from the network.
    pub downloads: Downloads,
}

impl Conditions {
    /// Those that the environment asks for.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn from_environment() -> Result<Self> {
        Ok(Self {
            time: time::from_environment()?,
            latest: time::latest_from_environment()?,
            downloads: Downloads::from_environment()?,
        })
    }
}

/// Plans layouts without touching a file.
#[derive(Debug)]
pub struct Planner<'a> {
    pub(super) contents: Contents<'a>,
    registry: &'a Registry,
    formats: container::Registry,
    archives: archive::Registry,
    time: Timestamp,
}

impl<'a> Planner<'a> {
    /// One for `images`, with nothing downloaded yet.
    pub(super) fn new(
        images: &'a [Image],
        find: &'a dyn Find,
        registry: &'a Registry,
        conditions: &Conditions,
        scratch: &'a Scratch<'a>,
    ) -> Self {
        Self {
            contents: Contents::of(images, find, scratch, conditions.latest),
            registry,
            formats: container::Registry::default(),
            archives: foreign::archives(),
            time: conditions.time,
        }
    }

    /// The same, which reads the keys of what is encrypted: what it decides can be written.
    pub(super) fn with_keys(self) -> Self {
        let contents = self.contents.with_keys();
        Self { contents, ..self }
    }

    /// One for `images` that has nothing but what is on this machine.
    pub fn offline(
        images: &'a [Image],
        find: &'a dyn Find,
        registry: &'a Registry,
        conditions: &Conditions,
    ) -> Self {
        let mut conditions = conditions.clone();
        conditions.downloads.offline = true;
        Self::gathering(images, find, registry, &conditions, &Silent)
    }

    /// One for `images` that downloads first what they need, each address once and several at a time.
    /// What fails is told to those who ask for it.
    pub fn gathering(
        images: &'a [Image],
        find: &'a dyn Find,
        registry: &'a Registry,
        conditions: &Conditions,
        reporter: &dyn Reporter,
    ) -> Self {
        let planner = Self::new(images, find, registry, conditions, &nameless);
        let downloads = &conditions.downloads;
        planner.contents.download(downloads, reporter, &|_| {});
        planner
    }

    /// Whether all that `layout` needs from the network is here.
    pub fn is_downloaded(&self, layout: &Layout) -> bool {
        self.contents.is_downloaded(layout)
    }

    /// Decides everything about `images`, which share a disk.
    ///
    /// Every identifier in it derives from its seed and every time is that of the conditions, so that
    /// nothing depends on where, when or beside which others it is built.
    ///
    /// # Errors
    /// When the description can't be built, with the place in it, or when contents are missing.
    pub fn decide(&self, images: &[Image]) -> Result<Decided> {
        let files: Vec<_> = images.iter().filter_map(written).collect();
        let (layout, _) = files.first().context("there is no disk")?;
        let chosen = self.chosen(files.iter().map(|(_, file)| *file))?;
        let multiple = multiple_of(&chosen);
        let mut disk = self.contents.fill(layout, self.time)?;
        for (other, formats) in disk.others.iter_mut().zip(&layout.other_formats) {
            let multiple = multiple_of(&self.chosen(formats)?);
            other.multiple = multiple.unwrap_or(other.multiple);
        }
        let seed = match &layout.seed {
            Seed::Text(text) => text.clone(),
            Seed::Content => seed_of(&disk),
        };
        let identity = Identity::new(&seed, self.time);
        let notices = match multiple {
            None => take_notices(&mut disk),
            Some(_) => Vec::new(),
        };
        let is_only = chosen.len() == 1;
        let begun = chosen.iter().map(|(format, file)| match format {
            Format::Archive(format) => {
                archive(*format, file, &mut disk, is_only, &identity).map(Begun::Archive)
            }
            Format::Disk(format) => Ok(Begun::Image(*format, file)),
        });
        let begun: Vec<_> = begun.collect::<Result<_>>()?;
        let disk = multiple.map(|multiple| {
            disk.multiple = multiple;
            layout::plan(disk, &identity, self.registry)
        });
        let disk = disk.transpose()?;
        let size = disk.as_ref().map_or(Bytes::new(0), |disk| disk.size);
        let files = begun.into_iter().map(|file| match file {
            Begun::Archive(plan) => Ok(FilePlan::Archive(plan)),
            Begun::Image(format, file) => image(format, file, size, &identity).map(FilePlan::Image),
        });
        Ok(Decided {
            files: files.collect::<Result<_>>()?,
            disk,
            notices,
        })
    }

    /// Files with their formats.
    fn chosen<'f>(
        &self,
        files: impl IntoIterator<Item = &'f FileFormat>,
    ) -> Result<Vec<(Format<'_>, &'f FileFormat)>> {
        let files = files.into_iter();
        files.map(|file| Ok((self.format(file)?, file))).collect()
    }

    /// The format of a file.
    fn format(&self, file: &FileFormat) -> Result<Format<'_>> {
        let disk = self.formats.format(&file.name).map(Format::Disk);
        let archive = || self.archives.format(&file.name).map(Format::Archive);
        disk.or_else(archive).ok_or_else(|| {
            let message = format!("'{}' is no format of images", file.name);
            disklayout::Error::invalid(&file.place, message).into()
        })
    }
}

/// What a file is made in.
#[derive(Clone, Copy, Debug)]
enum Format<'a> {
    Disk(&'a dyn container::Format),
    Archive(&'a dyn archive::Format),
}

/// A file that is planned, or waits for the size of the disk.
enum Begun<'a> {
    Archive(Box<dyn archive::Plan>),
    Image(&'a dyn container::Format, &'a FileFormat),
}

/// An image file of a disk of so many bytes.
fn image(
    format: &dyn container::Format,
    file: &FileFormat,
    size: Bytes,
    identity: &Identity,
) -> Result<Box<dyn container::Plan>> {
    let plan = format.plan(&container::Request {
        place: &file.place,
        size,
        options: &file.options,
        identity,
    })?;
    check_stream(format.about().name(), file, plan.as_ref())?;
    Ok(plan)
}

/// An archive of what is in the only filesystem of `disk`, which is taken away where this is the only
/// file.
fn archive(
    format: &dyn archive::Format,
    file: &FileFormat,
    disk: &mut Disk,
    is_only: bool,
    identity: &Identity,
) -> Result<Box<dyn archive::Plan>> {
    let mut filesystems = disk.filesystems_mut();
    let (Some(only), None) = (filesystems.next(), filesystems.next()) else {
        let message = format!(
            "{} is of the files of one filesystem, and the image has none or several: ask for it \
             where there is one",
            format.about().name()
        );
        return Err(disklayout::Error::unsupported(&file.place, message).into());
    };
    Ok(format.plan(archive::Request {
        place: file.place.clone(),
        tree: match is_only {
            true => mem::replace(&mut only.tree, FileTree::new(identity.time())),
            false => only.tree.clone(),
        },
        misfits: only.misfits,
        options: &file.options,
        identity,
    })?)
}

/// What is to be told of all that goes onto `disk`.
fn take_notices(disk: &mut Disk) -> Vec<String> {
    let filesystems = disk.filesystems_mut();
    let notices = filesystems.map(|filesystem| filesystem.tree.take_notices());
    notices.flatten().collect()
}

/// What is made, with everything decided.
#[derive(Debug)]
pub struct Decided {
    /// The disk; none where all files are archives.
    pub disk: Option<DiskPlan>,
    /// One file for each image, in their order.
    pub files: Vec<FilePlan>,
    /// What is to be told of the content where there is no disk.
    pub notices: Vec<String>,
}

/// A file in which everything is decided but what the disk holds.
#[derive(Debug)]
pub enum FilePlan {
    /// A file of the disk.
    Image(Box<dyn container::Plan>),
    /// An archive.
    Archive(Box<dyn archive::Plan>),
}

impl Decided {
    /// The archives among the files.
    pub fn archives(&self) -> impl Iterator<Item = &dyn archive::Plan> {
        self.files.iter().filter_map(|file| match file {
            FilePlan::Archive(plan) => Some(plan.as_ref()),
            FilePlan::Image(_) => None,
        })
    }

    /// What of the content isn't in it.
    pub fn warnings(&self) -> Vec<String> {
        let mut all = self.notices.clone();
        if let Some(disk) = &self.disk {
            let filesystems = disk.filesystems();
            all.extend(filesystems.flat_map(|one| one.warnings()).cloned());
            all.extend(disk.notices.iter().cloned());
        }
        let of_archives = self.archives().flat_map(|one| one.warnings()).cloned();
        all.extend(of_archives);
        all
    }
}

/// The disk of an image that is written here, and the format of its file.
fn written(image: &Image) -> Option<(&Layout, &FileFormat)> {
    match &image.recipe {
        Recipe::Layout(layout, file) => Some((layout, file)),
        Recipe::Install(_) => None,
    }
}

/// Refuses to send to standard output what has to be written here and there.
fn check_stream(name: &str, file: &FileFormat, plan: &dyn container::Plan) -> Result<()> {
    match plan.not_streamed() {
        Some(reason) if file.stream.is_some() => {
            let message = format!(
                "{name} can't go to standard output ('-'): {reason}; give the name of a file, ./- \
                 if it is called so"
            );
            Err(disklayout::Error::unsupported(&file.place, message).into())
        }
        _ => Ok(()),
    }
}

/// What the size of a disk that is kept in files of these formats is a multiple of, if it is in any.
fn multiple_of(chosen: &[(Format<'_>, &FileFormat)]) -> Option<Bytes> {
    let all = chosen.iter().filter_map(|(format, file)| match format {
        Format::Disk(format) => Some(format.granularity(&file.options)),
        Format::Archive(_) => None,
    });
    all.max()
}

/// A file for what has to be decompressed before it can be planned.
fn nameless() -> io::Result<File> {
    NamelessFile::new()?.file().try_clone()
}

/// What identifiers derive from where only the content of the first partition counts, its format, its
/// label and the table.
fn seed_of(disk: &Disk) -> String {
    match disk.partitions.first().map(|one| &one.holds) {
        Some(Holds::Filesystem(it)) => {
            let table = disk.table.kind().as_str();
            let label = it.label.as_deref().unwrap_or_default();
            seed::of_tree(&[&it.format, label, table], &it.tree)
        }
        _ => String::new(),
    }
}

/// An image in which everything is decided.
#[derive(Debug)]
pub enum Planned {
    /// A disk that is written here.
    Layout(Box<Decided>),
    /// An installation.
    Install(Box<Installation>),
}

/// Plans images that are to be made then: what that needs must be there too.
pub(super) struct Preparer<'a> {
    pub(super) planner: Planner<'a>,
    find: &'a dyn Find,
    settings: &'a Settings,
    /// This host as installations see it, looked at when the first one is planned.
    host: OnceLock<Result<Host, Arc<Error>>>,
}

impl<'a> Preparer<'a> {
    pub(super) fn new(planner: Planner<'a>, find: &'a dyn Find, settings: &'a Settings) -> Self {
        Self {
            planner,
            find,
            settings,
            host: OnceLock::new(),
        }
    }

    /// Plans `images`.
    ///
    /// # Errors
    /// When they can't be made, or when something is missing that they need.
    pub(super) fn plan(&self, images: Siblings<'_>) -> Result<Planned> {
        let image = images.first();
        match &image.recipe {
            Recipe::Layout(..) => Ok(Planned::Layout(Box::new(self.layout(images.images)?))),
            Recipe::Install(recipe) => {
                // What is wrong with the host is wrong with all installations.
                let systems = &self.host()?.systems;
                let kickstart = self.find.kickstart(image)?;
                let settings = &self.settings.install;
                let name = &image.file_name;
                let plan = Installation::plan(name, recipe, kickstart, systems, settings)?;
                Ok(Planned::Install(Box::new(plan)))
            }
        }
    }

    /// Plans `images`, which share a disk.
    ///
    /// # Errors
    /// When they can't be made, or when something is missing that they need.
    pub(super) fn layout(&self, images: &[Image]) -> Result<Decided> {
        let plan = self.planner.decide(images)?;
        for filesystem in plan.disk.iter().flat_map(DiskPlan::filesystems) {
            filesystem.check_tools()?;
        }
        Ok(plan)
    }

    fn host(&self) -> Result<&Host> {
        let look = || Host::look("virtinstall", &self.settings.install, &Runner::from_env());
        let host = self.host.get_or_init(|| look().map_err(Arc::new));
        // All installations share it, so that it is told once.
        host.as_ref().map_err(|error| anyhow!("{error:#}"))
    }
}
