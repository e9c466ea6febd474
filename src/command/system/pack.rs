//! The tree and what is beside it on the disk, as an image like others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Error, Result};
use disklayout::fs::Options;
use disklayout::layout::spec::{Blob, Disk, DiskTable, Filesystem, Holds, Partition};
use disklayout::layout::{DiskSize, Room};
use disklayout::source::{Entry, Exclude, Rules};
use disklayout::tree::{Content, FileTree};
use disklayout::{Bytes, Place, SectorSize, Timestamp};

use super::assemble::Assembler;
use super::device::{Beside, Device};
use crate::command::outputs;
use crate::engine::{self, Directory, Silent};
use crate::formats;
use crate::image::{
    Data, FileFormat, Filling, Image, Keys, Layout, Object, ObjectKind, Recipe, Seed, Source,
};
use crate::rooted::locate_followed;
use crate::status::Status;
use crate::system::{System, Volume};

impl Assembler<'_> {
    /// Writes the image, in each of `files`, the names of which are `names`. Its containers are opened
    /// by `keys`.
    pub(super) fn pack(
        &self,
        device: &Device,
        keys: Vec<Keys>,
        names: &[String],
        files: &[FileFormat],
    ) -> Result<Status> {
        let beside = device.beside(self.system)?;
        let assembled = Assembled::new("", &self.inside.packed_tree()?, beside);
        let layout = assembled.layout(self.system, self.seed)?;
        let layout = Arc::new(Layout { keys, ..layout });
        let images = images(names, files, &layout);
        let registry = foreign::registry();
        let outcome = engine::run(&images, self.run, &registry, &assembled, self.reporter)?;
        Ok(match outcome.is_success() {
            true => Status::Success,
            false => Status::Failed,
        })
    }

    /// Writes an archive of the tree, as a cache of it.
    pub(super) fn pack_tree(&self, archive: &Path) -> Result<()> {
        let shown = archive.display();
        let (directory, names) = outputs::names(Path::new(""), archive, &[FileFormat::raw("")])?;
        let format = names.first().and_then(|name| formats::of_file(name));
        let format = format.filter(|(_, holds)| *holds == formats::Holds::Files);
        let (format, _) = format.with_context(|| {
            format!("the name of the archive '{shown}' says none of the formats that are written: tar, tar.gz, tar.xz, tar.zst")
        })?;
        let place = Place::from(format!("archive '{shown}'"));
        let files = formats::asked(&[format], &Options::default(), &place);
        let files = files.map_err(Error::msg)?;
        let tree = Assembled::new("", &self.inside.packed_tree()?, Beside::default());
        let layout = Arc::new(tree.whole(&place, self.seed, Rules::default()));
        let images = images(&names, &files, &layout);
        let run = engine::Settings {
            directory: Arc::new(Directory::share(&directory)?),
            ..self.run.clone()
        };
        write_untold(&images, &run, &tree)
    }
}

/// Writes images of which nothing is told.
///
/// # Errors
/// Why the first of them isn't there.
pub(in crate::command) fn write_untold(
    images: &[Image],
    run: &engine::Settings,
    find: &dyn engine::Find,
) -> Result<()> {
    let outcome = engine::run(images, run, &foreign::registry(), find, &Silent)?;
    match outcome.failed.into_iter().next() {
        Some(failure) => Err(failure.error),
        None => Ok(()),
    }
}

/// The images of a disk in files of these names and formats.
fn images(names: &[String], files: &[FileFormat], layout: &Arc<Layout>) -> Vec<Image> {
    let images = names.iter().zip(files).map(|(name, format)| Image {
        file_name: name.clone(),
        group: "system".to_owned(),
        recipe: Recipe::Layout(Arc::clone(layout), format.clone()),
    });
    images.collect()
}

/// What an image is made of.
#[derive(Debug)]
pub(in crate::command) struct Assembled {
    /// What the names of its bytes begin with: those of several disks are apart.
    name: String,
    tree: PathBuf,
    /// Bytes that stand for themselves, by their names.
    contents: BTreeMap<String, Content>,
    beside: Beside,
    /// What is in the tree in the place of something that stands for it, by its path there.
    nodes: Vec<Entry>,
    /// Where filesystems of other disks are mounted.
    mounted: Vec<String>,
}

impl engine::Find for Assembled {
    fn file(&self, name: &str) -> Result<Content> {
        let content = self.contents.get(name).cloned();
        content.with_context(|| format!("there is no '{name}'"))
    }

    fn directory(&self, name: &str) -> Result<PathBuf> {
        Ok(locate_followed(&self.tree, name.as_ref())?)
    }
}

impl Assembled {
    /// The tree, and what is beside it on the disk called `name`.
    pub(in crate::command) fn new(name: &str, tree: &Path, beside: Beside) -> Self {
        let blobs = beside
            .blobs
            .iter()
            .map(|(at, content)| (blob_name(name, *at), content));
        let partitions = beside.partitions.iter();
        let partitions =
            partitions.map(|(number, content)| (partition_name(name, *number), content));
        let contents = blobs.chain(partitions);
        Self {
            name: name.to_owned(),
            tree: tree.to_path_buf(),
            contents: contents
                .map(|(name, content)| (name, content.clone()))
                .collect(),
            beside,
            nodes: Vec::new(),
            mounted: Vec::new(),
        }
    }

    /// The same with `nodes` of the tree in the places of files that stand for them.
    pub(in crate::command) fn with_nodes(self, nodes: Vec<Entry>) -> Self {
        Self { nodes, ..self }
    }

    /// The same where filesystems of other disks are `mounted`.
    pub(in crate::command) fn with_mounted(self, mounted: Vec<String>) -> Self {
        Self { mounted, ..self }
    }

    /// The disk with everything that is on it.
    ///
    /// # Errors
    /// When a place in the tree can't be looked at.
    pub(in crate::command) fn layout(&self, system: &System, seed: &str) -> Result<Layout> {
        let mut disk = system.disk.clone();
        let contents = system.volumes.iter().zip(system.disk.slot_places());
        let contents = contents.zip(disk.slots_mut());
        let contents = contents.map(|((volume, place), holds)| match holds {
            Holds::Filesystem(_) => self.files(volume, &system.volumes, place),
            holds => Ok(self.bytes(volume, holds, place)),
        });
        let contents = contents.collect::<Result<_>>()?;
        let blobs = self.beside.blobs.iter();
        disk.blobs = blobs
            .clone()
            .map(|(at, content)| blob(&disk, *at, content))
            .collect();
        let kept = self.beside.table.iter();
        disk.kept_table = kept
            .map(|(at, content)| blob(&disk, *at, content))
            .collect();
        Ok(Layout {
            blobs: blobs
                .map(|(at, _)| data(&disk.place, blob_name(&self.name, *at)))
                .collect(),
            other_formats: Vec::new(),
            keys: system.keys.clone(),
            disk,
            contents,
            seed: Seed::Text(seed.to_owned()),
        })
    }

    /// The whole tree, as `rules` have it.
    pub(in crate::command) fn whole(&self, place: &Place, seed: &str, rules: Rules) -> Layout {
        let mut objects = vec![object(place, directory("/", rules))];
        objects.extend(self.nodes.iter().map(|it| object(place, node(it, "/"))));
        let tree = Filesystem::new("ext4", FileTree::new(Timestamp::default()));
        Layout {
            disk: Disk {
                place: place.clone(),
                size: DiskSize::Smallest(Room::Bytes(Bytes::new(0))),
                multiple: Bytes::new(1),
                sector_size: SectorSize::B512,
                table: DiskTable::None,
                partitions: vec![Partition::new(place, tree)],
                blobs: Vec::new(),
                groups: Vec::new(),
                others: Vec::new(),
                kept_table: Vec::new(),
            },
            contents: vec![Filling::Files(objects)],
            blobs: Vec::new(),
            other_formats: Vec::new(),
            keys: Vec::new(),
            seed: Seed::Text(seed.to_owned()),
        }
    }

    /// What of the tree goes to a filesystem.
    fn files(&self, volume: &Volume, all: &[Volume], place: &Place) -> Result<Filling> {
        let Some(path) = &volume.mounted_at else {
            return Ok(Filling::Files(Vec::new()));
        };
        let rules = Rules {
            excluded: self.elsewhere(path, all)?,
            ..Rules::default()
        };
        let mut objects = vec![object(place, directory(path, rules))];
        let own = self.nodes.iter().filter(|it| self.has(path, all, &it.path));
        objects.extend(own.map(|it| object(place, node(it, path))));
        Ok(Filling::Files(objects))
    }

    /// Whether what is at `path` of the tree is on the filesystem that is mounted at `at`.
    fn has(&self, at: &str, all: &[Volume], path: &[u8]) -> bool {
        let is_around = |at: &str| {
            let below = path.strip_prefix(at.trim_end_matches('/').as_bytes());
            below.is_some_and(|below| below.starts_with(b"/"))
        };
        let own = all.iter().filter_map(|it| it.mounted_at.as_deref());
        let mounted = own.chain(self.mounted.iter().map(String::as_str));
        let around = mounted.filter(|it| is_around(it));
        around.max_by_key(|it| it.len()) == Some(at)
    }

    /// What is below `path` but on other filesystems.
    fn elsewhere(&self, path: &str, all: &[Volume]) -> Result<Vec<Exclude>> {
        let top = path.trim_end_matches('/');
        let own = all.iter().filter_map(|volume| volume.mounted_at.as_deref());
        let others = own.chain(self.mounted.iter().map(String::as_str));
        let below = others.filter_map(|other| other.strip_prefix(top).filter(|it| it.len() > 1));
        let mut excluded = Vec::new();
        for below in below.filter(|below| below.starts_with('/')) {
            let directory = locate_followed(&self.tree, format!("{top}{below}").as_ref())?;
            // A pattern that matches nothing would be told as useless.
            if fs::read_dir(&directory).is_ok_and(|mut entries| entries.next().is_some()) {
                let pattern = format!("{}/*", escaped(below));
                excluded.push(Exclude::parse("mount", pattern.as_bytes())?);
            }
        }
        Ok(excluded)
    }

    /// What is in a partition without a filesystem.
    fn bytes(&self, volume: &Volume, holds: &mut Holds, place: &Place) -> Filling {
        let number = volume.location.number();
        let name = number.map(|number| partition_name(&self.name, number));
        let found = name.and_then(|name| Some((self.contents.get(&name)?, name)));
        match found {
            Some((content, name)) => {
                *holds = Holds::Bytes(content.clone());
                Filling::Bytes(data(place, name))
            }
            None => Filling::Files(Vec::new()),
        }
    }
}

/// What is in a directory of the tree.
fn directory(path: &str, rules: Rules) -> ObjectKind {
    let path = path.to_owned();
    ObjectKind::Directory { path, rules }
}

/// A node of the tree, on the filesystem that is mounted at `at`.
fn node(entry: &Entry, at: &str) -> ObjectKind {
    let mut entry = entry.clone();
    entry.path.drain(..at.trim_end_matches('/').len());
    let mtime = Some(entry.mtime);
    ObjectKind::Entry { entry, mtime }
}

fn object(place: &Place, kind: ObjectKind) -> Object {
    let place = place.clone();
    Object { place, kind }
}

fn blob(disk: &Disk, offset: Bytes, content: &Content) -> Blob {
    Blob {
        place: disk.place.clone(),
        offset,
        content: content.clone(),
    }
}

fn data(place: &Place, name: String) -> Data {
    Data {
        place: place.clone(),
        source: Source::File(name),
        sha256: None,
    }
}

fn blob_name(disk: &str, offset: Bytes) -> String {
    format!("{disk} byte {}", offset.get())
}

fn partition_name(disk: &str, number: u32) -> String {
    format!("{disk} partition {number}")
}

/// A pattern that matches `path` alone.
fn escaped(path: &str) -> String {
    let mut pattern = String::new();
    for character in path.chars() {
        if matches!(character, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
