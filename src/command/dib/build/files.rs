//! The files that come out of a build.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Error, Result, bail};
use disklayout::Place;
use disklayout::source::{Entry, Exclude, Rules};
use disklayout::tree::Content;

use super::disks::Disk;
use super::session::{Assembled, Session};
use super::{nodes, old};
use crate::command::system::device::Beside;
use crate::command::system::pack::{Assembled as Packed, write_untold};
use crate::command::{Settings, outputs};
use crate::describe::dib::{Build, Holds, Output};
use crate::engine::{self, Directory, Reporter};
use crate::image::{FileContent, FileFormat, Filling, Image, Layout, Object, ObjectKind, Recipe};
use crate::status::Status;

/// Where an image of App Container has its tree, and the file that describes it.
const ROOTFS: &str = "/rootfs";
const MANIFEST: &str = "/manifest";

/// What is added to the name of an image whose tree is kept as it was when a script failed.
const FAILED: &str = "-failed.tar";

/// What archives are without, and what images of the tree are without what is in.
const VIRTUAL: [&str; 2] = ["/proc", "/sys"];
const DEV: &str = "/dev";

/// The directory of the image, and its name there.
///
/// # Errors
/// When it can't be a name.
pub(super) fn place(settings: &Settings, build: &Build) -> Result<(PathBuf, String)> {
    let name = Path::new(&build.name);
    let (path, names) = outputs::names(&settings.directory, name, &[FileFormat::raw("")])?;
    let name = names.into_iter().next().context("the image has no name")?;
    Ok((path, name))
}

/// Makes sure that files can come out of a build. Gives their directory.
///
/// # Errors
/// When the directory can't be written to, or something else than a file is in the place of one.
pub(super) fn check(settings: &Settings, build: &Build) -> Result<PathBuf> {
    let (path, name) = place(settings, build)?;
    let directory = Directory::share(&path)?;
    for output in &build.outputs {
        let name = format!("{name}{}", output.suffix);
        outputs::check(
            &directory,
            &[name],
            std::slice::from_ref(&output.format),
            true,
        )?;
    }
    if let Some(manifest) = &build.manifest
        && !manifest.is_file()
    {
        bail!(
            "there is no manifest '{}' (ACI_MANIFEST)",
            manifest.display()
        );
    }
    let is_container = |output: &Output| output.holds == Holds::AppContainer;
    if build.manifest.is_none() && build.outputs.iter().any(is_container) {
        tracing::warn!(
            "an image of App Container has no use without a manifest: name one in ACI_MANIFEST"
        );
    }
    Ok(path)
}

/// The file with an image of a container that is for Docker or Podman, where there is one: one that was
/// given a name there.
///
/// # Errors
/// When it can't have its name.
pub(super) fn container(settings: &Settings, build: &Build) -> Result<Option<PathBuf>> {
    let mut outputs = build.outputs.iter();
    let Some(output) = outputs
        .find(|it| it.is_container())
        .filter(|_| build.is_loaded)
    else {
        return Ok(None);
    };
    let (path, name) = place(settings, build)?;
    Ok(Some(path.join(format!("{name}{}", output.suffix))))
}

/// Packs everything that comes out of the build.
///
/// # Errors
/// When the tree can't be read, or what was there can't be put aside. What becomes of single files is
/// told by the status.
pub(super) fn pack(
    session: &Session<'_>,
    assembled: &Assembled,
    settings: &Settings,
    run: &engine::Settings,
    reporter: &dyn Reporter,
) -> Result<Status> {
    let packing = Packing::new(session, assembled)?;
    let (path, stem) = place(settings, session.build)?;
    let mut is_success = true;
    for (directory, images) in packing.images(session.build, assembled, &path, &stem)? {
        let directory = Arc::new(Directory::share(&directory)?);
        let names: Vec<_> = images.iter().map(|image| image.file_name.clone()).collect();
        let run = engine::Settings {
            directory,
            ..run.clone()
        };
        let kept = match session.build.overwrites {
            true => Ok(()),
            false => old::put_aside(&run.directory, &names, &run.temporaries, reporter),
        };
        let outcome = kept
            .and_then(|()| engine::run(&images, &run, &foreign::registry(), &packing, reporter));
        let settled = run.temporaries.settle();
        is_success &= outcome?.is_success();
        settled.context("can't leave the images that were there one name each")?;
    }
    Ok(match is_success {
        true => Status::Success,
        false => Status::Failed,
    })
}

/// Keeps the tree as it is, as an archive.
///
/// # Errors
/// When it can't be packed.
pub(super) fn keep(
    session: &Session<'_>,
    settings: &Settings,
    run: &engine::Settings,
) -> Result<()> {
    let (_, stem) = place(settings, session.build)?;
    let packing = Packing::of_tree(session)?;
    let place = Place::from("the tree");
    let format = crate::formats::asked(&["tar"], &Default::default(), &place);
    let format = format.map_err(Error::msg)?.into_iter().next();
    let format = format.context("there is no format tar")?;
    let name = format!("{stem}{FAILED}");
    let layout = packing.tree().whole(&place, &stem, Rules::default());
    write_untold(&[image(&name, layout, format)], run, &packing)?;
    tracing::warn!("the tree is kept as '{}'", run.directory.shown(&name));
    Ok(())
}

/// An image of a disk, or an archive, as the engine makes it.
pub(super) fn image(name: &str, layout: Layout, format: FileFormat) -> Image {
    Image {
        file_name: name.to_owned(),
        group: "dib".to_owned(),
        recipe: Recipe::Layout(Arc::new(layout), format),
    }
}

/// What files are packed from: the tree, and then what is beside it on each of the disks.
struct Packing {
    path: PathBuf,
    nodes: Vec<Entry>,
    all: Vec<Packed>,
}

impl engine::Find for Packing {
    fn file(&self, name: &str) -> Result<Content> {
        let mut found = self.all.iter().map(|it| it.file(name));
        let found = found.find_map(Result::ok);
        found.with_context(|| format!("there is no '{name}'"))
    }

    fn directory(&self, name: &str) -> Result<PathBuf> {
        self.tree().directory(name)
    }
}

impl Packing {
    /// The tree alone.
    fn of_tree(session: &Session<'_>) -> Result<Self> {
        let path = session.inside.packed_tree()?;
        let nodes = nodes::find(&session.stand_ins.records, &path, &session.inside.tree)?;
        let tree = Packed::new("", &path, Beside::default()).with_nodes(nodes.clone());
        Ok(Self {
            path,
            nodes,
            all: vec![tree],
        })
    }

    fn new(session: &Session<'_>, assembled: &Assembled) -> Result<Self> {
        let mut packing = Self::of_tree(session)?;
        let systems = assembled.disks.iter().map(|(disk, _)| &disk.system);
        let mounted = systems.flat_map(|system| &system.volumes);
        let mounted: Vec<_> = mounted.filter_map(|it| it.mounted_at.clone()).collect();
        for (disk, device) in &assembled.disks {
            let beside = device.beside(&disk.system)?;
            let packed = Packed::new(&disk.name, &packing.path, beside);
            let packed = packed.with_nodes(packing.nodes.clone());
            packing.all.push(packed.with_mounted(mounted.clone()));
        }
        Ok(packing)
    }

    fn tree(&self) -> &Packed {
        &self.all[0]
    }

    /// All files, by the directories that they go to.
    fn images(
        &self,
        build: &Build,
        assembled: &Assembled,
        directory: &Path,
        stem: &str,
    ) -> Result<BTreeMap<PathBuf, Vec<Image>>> {
        let mut images: BTreeMap<PathBuf, Vec<Image>> = BTreeMap::new();
        let disks = assembled.disks.iter().zip(&self.all[1..]);
        let mut layouts = Vec::new();
        for ((disk, _), packed) in disks {
            layouts.push((disk, packed.layout(&disk.system, &disk.file_name(build))?));
        }
        for output in &build.outputs {
            if output.holds == Holds::Disk {
                for (disk, layout) in &layouts {
                    let name = format!("{}{}", disk.file_name(build), output.suffix);
                    let image = image(&name, layout.clone(), output.format.clone());
                    let own = own_directory(disk, directory);
                    images.entry(own).or_default().push(image);
                }
                continue;
            }
            let name = format!("{stem}{}", output.suffix);
            let layout = self.archive(output.holds, build, stem)?;
            let image = image(&name, layout, output.format.clone());
            images.entry(directory.to_owned()).or_default().push(image);
        }
        Ok(images)
    }

    /// The tree as an archive has it.
    fn archive(&self, holds: Holds, build: &Build, stem: &str) -> Result<Layout> {
        let mut rules = Rules {
            excluded: self.excluded(holds)?,
            ..Rules::default()
        };
        let place = Place::from("the tree");
        let is_container = holds == Holds::AppContainer;
        if is_container {
            rules.target = ROOTFS.into();
        }
        // Of devices in /dev there are none: that is the machine's where it is started.
        let in_dev = format!("{DEV}/");
        let nodes = self.nodes.iter().cloned();
        let mut nodes: Vec<_> = nodes
            .filter(|node| !node.path.starts_with(in_dev.as_bytes()))
            .collect();
        for node in nodes.iter_mut().filter(|_| is_container) {
            node.path.splice(..0, ROOTFS.bytes());
        }
        let tree = Packed::new("", &self.path, Beside::default()).with_nodes(nodes);
        let mut layout = tree.whole(&place, stem, rules);
        if let Some(manifest) = build.manifest.as_ref().filter(|_| is_container)
            && let Some(Filling::Files(objects)) = layout.contents.first_mut()
        {
            let bytes = fs::read(manifest);
            let bytes = bytes.with_context(|| format!("can't read '{}'", manifest.display()))?;
            objects.push(Object {
                place,
                kind: ObjectKind::File {
                    path: MANIFEST.to_owned(),
                    content: FileContent::Inline(bytes),
                },
            });
        }
        Ok(layout)
    }

    /// What is left out of the tree. A pattern that matches nothing would be told as useless.
    fn excluded(&self, holds: Holds) -> Result<Vec<Exclude>> {
        let mut excluded = Vec::new();
        let mut leave_out = |pattern: &str| -> Result<()> {
            excluded.push(Exclude::parse("the tree", pattern.as_bytes())?);
            Ok(())
        };
        for name in VIRTUAL.into_iter().chain([DEV]) {
            let path = self.path.join(name.trim_start_matches('/'));
            let is_whole = holds != Holds::Tree && name != DEV;
            let is_directory = fs::symlink_metadata(&path).is_ok_and(|it| it.is_dir());
            if is_whole && is_directory {
                leave_out(name)?;
            } else if is_directory && fs::read_dir(&path)?.next().is_some() {
                leave_out(&format!("{name}/*"))?;
            }
        }
        Ok(excluded)
    }
}

/// Where the files of a disk go.
fn own_directory(disk: &Disk, directory: &Path) -> PathBuf {
    match &disk.directory {
        Some(own) => PathBuf::from(own),
        None => directory.to_owned(),
    }
}
