//! Images of containers: OCI image layouts, in a directory or an archive, and archives of
//! `docker save`.
//!
//! Only their documents are read, and the headers of their layers; layers are archives that lie
//! somewhere in a file, and are read there.

mod candidates;
mod digest;
mod document;
mod files;
mod layers;
mod platform;
mod reference;
mod shape;
mod verify;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;

pub use platform::Platform;

use super::archive::{self, LeftOut, Outlined};
use super::{DirectoryLinks, Rules};
use crate::error::{Error, Result};
use crate::tree::{FileTree, Section};
use document::{Layout, Saved};
use files::{Files, Holder};
use layers::Layer;
use shape::Part;
use verify::Witness;

/// Makes a directory a layout.
const LAYOUT_FILE: &str = "oci-layout";
const INDEX_FILE: &str = "index.json";
/// The list in an archive of `docker save`.
const SAVED_FILE: &str = "manifest.json";
/// How much of a compressed archive is looked at, in bytes.
const GLANCE: u64 = 1 << 20;

/// The files of an image of a container, or of several.
#[derive(Debug)]
pub struct ContainerImage(Files);

/// What an archive seems to be.
#[derive(Debug)]
pub enum Recognized {
    /// An archive of files like any other.
    Files,
    /// An image.
    Image(ContainerImage),
    /// Compressed, and maybe an image: [`decompress`] it, and look again.
    Compressed,
}

/// Which image is taken of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Its name, its tag or its digest.
    pub reference: Option<String>,
    /// What it runs on.
    pub platform: Option<Platform>,
    /// What it should run on where nothing is said. It is told by a notice that this decided.
    pub machine: Option<Platform>,
    /// What a user sets [`Self::reference`] by.
    pub reference_option: &'static str,
    /// What a user sets [`Self::platform`] by.
    pub platform_option: &'static str,
}

impl ContainerImage {
    /// An image in a directory.
    pub fn directory(place: &str, path: &Path) -> Self {
        let holder = Holder::Directory(path.to_owned());
        Self(Files::new(place, &path.display().to_string(), holder))
    }

    /// An image in an archive, which isn't compressed and is called `name` in messages.
    ///
    /// # Errors
    /// Those of reading the archive's headers.
    pub fn archive(place: &str, name: &str, file: File) -> Result<Self> {
        let (section, mut members) = (Section::whole(file), BTreeMap::new());
        archive::outline(place, name, section.clone(), &|it| it, |path, member| {
            keep(&mut members, path, member);
            ControlFlow::Continue(())
        })?;
        let holder = Holder::Archive(section, members);
        Ok(Self(Files::new(place, name, holder)))
    }

    /// Whether the documents of an image are there.
    fn is_image(&self) -> bool {
        let layout: Option<Layout> = self.0.document(LAYOUT_FILE).ok().flatten();
        layout.is_some() || self.is_saved()
    }

    /// Whether there is a list as `docker save` makes it, and the first that it leads to.
    fn is_saved(&self) -> bool {
        let saved: Option<Vec<Saved>> = self.0.document(SAVED_FILE).ok().flatten();
        let first = saved.as_deref().and_then(<[_]>::first);
        first.is_some_and(|first| self.0.find(&first.config).is_ok_and(|it| it.is_some()))
    }
}

fn keep(members: &mut BTreeMap<String, Outlined>, path: &[u8], member: Outlined) {
    let path = str::from_utf8(path).ok();
    if let Some(path) = path.and_then(|path| files::resolve("", path)) {
        members.insert(path, member);
    }
}

/// What an archive seems to be by its files: an image holds nothing but what belongs to one, has a
/// file `oci-layout` or a `manifest.json` that tells a configuration and layers, and those are
/// there. Of another archive no more is read than up to the first file that no image has, and of
/// a compressed one no more than its first MiB.
///
/// # Errors
/// `Io` at `place` when the archive can't be read. What is wrong with its format isn't told here.
pub fn recognize(place: &str, name: &str, file: &File) -> Result<Recognized> {
    let failed = |error| Error::io(place, format!("archive '{name}': can't read it"), error);
    let section = Section::whole(file.try_clone().map_err(failed)?);
    let is_compressed = archive::is_compressed(&section).map_err(failed)?;
    let (mut members, mut is_foreign, mut has_part) = (BTreeMap::new(), false, false);
    let glance = |bytes: Box<dyn Read + Send>| Box::new(bytes.take(GLANCE)) as Box<dyn Read + Send>;
    let read = archive::outline(place, name, section.clone(), &glance, |path, member| {
        match part(path, &member) {
            Part::Foreign => {
                is_foreign = true;
                return ControlFlow::Break(());
            }
            Part::Directory => {}
            Part::File => has_part = true,
        }
        keep(&mut members, path, member);
        ControlFlow::Continue(())
    });
    Ok(match (is_compressed, read) {
        _ if is_foreign || !has_part => Recognized::Files,
        (true, _) => Recognized::Compressed,
        (false, Err(_)) => Recognized::Files,
        (false, Ok(())) => {
            let holder = Holder::Archive(section, members);
            let image = ContainerImage(Files::new(place, name, holder));
            match image.is_image() {
                true => Recognized::Image(image),
                false => Recognized::Files,
            }
        }
    })
}

/// What of an image a member may be.
fn part(path: &[u8], member: &Outlined) -> Part {
    let path = str::from_utf8(path).ok();
    let Some(path) = path.and_then(|path| files::resolve("", path)) else {
        return Part::Foreign;
    };
    match member {
        Outlined::Other => Part::Foreign,
        Outlined::Directory => Part::of(&path, true),
        _ => Part::of(&path, false),
    }
}

/// The image that a directory is, by the same rules.
///
/// # Errors
/// `Io` at `place` when the directory can't be read.
pub fn recognize_directory(place: &str, path: &Path) -> Result<Option<ContainerImage>> {
    let image = ContainerImage::directory(place, path);
    let has = |name| path.join(name).symlink_metadata().is_ok();
    if !(has(LAYOUT_FILE) || has(SAVED_FILE)) || !image.is_image() {
        return Ok(None);
    }
    let failed = |error| image.0.failed("read the directory", error);
    let is_foreign = has_foreign(path, "").map_err(failed)?;
    Ok((!is_foreign).then_some(image))
}

/// Whether anything else lies in a directory of an image. Blobs aren't gone through.
fn has_foreign(top: &Path, inner: &str) -> io::Result<bool> {
    for entry in fs::read_dir(top.join(inner))? {
        let entry = entry?;
        let Some(name) = entry
            .file_name()
            .to_str()
            .map(|name| format!("{inner}/{name}"))
        else {
            return Ok(true);
        };
        let is_directory = entry.file_type()?.is_dir();
        let is_ours = Part::of(&name, is_directory) != Part::Foreign;
        let is_blobs = matches!(name.as_str(), "/blobs" | "/ingest");
        let goes_on = is_directory && inner.is_empty() && !is_blobs;
        if !is_ours || goes_on && has_foreign(top, &name[1..])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes the bytes of a compressed archive as they were before. A file that isn't compressed is
/// refused.
///
/// # Errors
/// At `place`: `Io` when reading or writing fails, `Corrupt` when it can't be decompressed.
pub fn decompress(
    place: &str,
    name: &str,
    file: File,
    rules: &Rules,
    to: &mut dyn Write,
) -> Result<()> {
    archive::decompress(place, name, Section::whole(file), rules, to)
}

/// Whether a file begins as a compressed archive does.
///
/// # Errors
/// What the system says.
pub fn is_compressed(file: &File) -> io::Result<bool> {
    archive::is_compressed(&Section::whole(file.try_clone()?))
}

/// Whether what `rules` have put into a tree seems to be the files of an image of a container, and
/// not what is in it.
pub fn holds_image_files(tree: &FileTree, rules: &Rules) -> bool {
    let has = |path: &str| {
        tree.find(&[&*rules.target, b"/", path.as_bytes()].concat())
            .is_some()
    };
    let top = tree.find(&[&*rules.target, b"/"].concat());
    let has_layer = || {
        let mut entries = top.into_iter().flat_map(|top| tree.entries(top));
        entries.any(|(_, id)| tree.entry(id, b"layer.tar").is_some())
    };
    let is_layout = has(LAYOUT_FILE) && has(INDEX_FILE);
    is_layout || ((has(SAVED_FILE) || has("repositories")) && (has("blobs/sha256") || has_layer()))
}

/// Puts the root filesystem of an image over what is in `tree`: its layers in their order, each as
/// an archive is, with what it removes of those below. Gzip, zstd, xz and bzip2 are read, whatever
/// the media type says. Everything with a digest is verified: documents and layers as they are
/// stored, and what layers are without their compression.
///
/// # Errors
/// All are at the image's place and name it. `Corrupt`: something is missing, is no document of
/// its kind, or hasn't the size or the digest that is said of it. `InvalidSpec`: it holds no such
/// image, or several, or one without layers, or paths that lead out of it. `Unsupported`: versions,
/// media types, encrypted layers. And those of [`super::add_archive`] for each layer.
pub fn add_image(
    tree: &mut FileTree,
    image: &ContainerImage,
    choice: &Choice,
    rules: &Rules,
) -> Result<()> {
    let files = &image.0;
    check_layout(files)?;
    let mut notices = Vec::new();
    let chosen = candidates::choose(files, choice, &mut notices)?;
    let layers = layers::of(files, &chosen)?;
    let rules = Rules {
        whiteouts: true,
        // A layer's directory takes the place of a link of those below.
        directory_links: Some(DirectoryLinks::Replace),
        ..rules.clone()
    };
    // What is damaged is told before what comes of it.
    let (verified, added) = rayon::join(
        || verify::verify(files, &layers),
        || add_layers(tree, files, &layers, &rules),
    );
    verified?;
    added?;
    notices.into_iter().for_each(|notice| tree.notice(notice));
    Ok(())
}

fn add_layers(tree: &mut FileTree, files: &Files, layers: &[Layer], rules: &Rules) -> Result<()> {
    let mut left_out = LeftOut::default();
    for layer in layers {
        left_out = add_layer(tree, files, layer, rules, left_out)?;
    }
    Ok(())
}

fn add_layer(
    tree: &mut FileTree,
    files: &Files,
    layer: &Layer,
    rules: &Rules,
    left_out: LeftOut,
) -> Result<LeftOut> {
    let (place, name) = (files.place(), &layer.name);
    let failed = |error| files.failed(&format!("look at {name}"), error);
    // Some programs make no archive of a layer that changes nothing.
    if layer.section.is_empty().map_err(failed)? {
        return Ok(left_out);
    }
    let witness = Witness::new(&layer.diff_id);
    let watch = |bytes| witness.watch(bytes);
    let section = layer.section.clone();
    let added = archive::add_section(tree, place, name, section, rules, &watch, left_out);
    witness.check(files, layer)?;
    added
}

/// Refuses layouts of a version to come.
fn check_layout(files: &Files) -> Result<()> {
    let layout: Option<Layout> = files.document(LAYOUT_FILE)?;
    match layout {
        Some(Layout {
            image_layout_version,
        }) if !image_layout_version.starts_with("1.") => {
            let shown = image_layout_version.escape_debug();
            let message = format!("'{LAYOUT_FILE}' tells version '{shown}'; 1.0.0 is known");
            Err(files.unsupported(message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
