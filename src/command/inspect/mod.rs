//! `inspect`: tells what images hold. No configuration is needed or read, and nothing is written.

mod cat;
mod devices;
mod document;
mod files;
mod keys;
mod layers;
mod open;
mod text;
mod wrapping;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use disklayout::SectorSize;
use disklayout::disk::Disk;
use disklayout::inspect::{self, Image, verity};
use serde_json::{Value, json};

pub(super) use self::cat::copy;
use self::keys::Key;
use self::layers::Layer;
use super::Settings;
use crate::printable::printable;
use crate::status::Status;

const STDOUT: &str = "can't write to standard output";

/// What is to be told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The images, relative to the directory of images.
    pub images: Vec<PathBuf>,
    /// Whether all files are to be listed.
    pub tree: bool,
    /// The only partition that counts, by its number.
    pub part: Option<u32>,
    /// The only logical volume that counts: its name, or `GROUP/NAME`.
    pub volume: Option<String>,
    /// Files of keys that containers are tried with, in this order.
    pub key_files: Vec<PathBuf>,
    /// Whether data is held against its hash trees.
    pub verify: bool,
    /// What the sectors of the disks hold, where that isn't to be found out.
    pub sector_size: Option<SectorSize>,
    /// The file of which the content is wanted, and nothing else.
    pub cat: Option<OsString>,
}

/// Tells what is in the images, as text or as one JSON document.
///
/// # Errors
/// When standard output can't be written to, or a key can't be read. An image that can't be read is told
/// in its place and by the status.
pub fn run(settings: &Settings, options: &Options) -> Result<Status> {
    let keys = keys::read(&settings.directory, options)?;
    let chosen = Chosen {
        settings,
        options,
        keys: &keys,
    };
    if let Some(file) = &options.cat {
        let [path] = &options.images[..] else {
            bail!("--cat takes one image");
        };
        with_image(path, (settings, options), |found| {
            devices::with(found, options, &keys, |devices| {
                cat::write(found, devices, file, options)
            })
        })?;
        return Ok(Status::Success);
    }
    let mut out = io::stdout().lock();
    let mut documents = Vec::new();
    let mut status = Status::Success;
    for (index, path) in options.images.iter().enumerate() {
        let (shown, is_sound) = match settings.json {
            true => one_document(path, &chosen),
            false => one_text(path, &chosen, index > 0, &mut out)?,
        };
        documents.extend(shown);
        if !is_sound {
            status = Status::Failed;
        }
    }
    if settings.json {
        let document = document::document(documents);
        writeln!(out, "{document:#}").context(STDOUT)?;
    }
    out.flush().context(STDOUT)?;
    Ok(status)
}

/// What was asked for, and the keys for it.
struct Chosen<'a> {
    settings: &'a Settings,
    options: &'a Options,
    keys: &'a [Key],
}

/// Writes about an image; whether all that was asked for could be read.
fn one_text(
    path: &Path,
    chosen: &Chosen<'_>,
    is_next: bool,
    out: &mut dyn Write,
) -> Result<(Option<Value>, bool)> {
    let shown = path.display().to_string();
    let options = chosen.options;
    let told = with_image(path, (chosen.settings, options), |found| {
        devices::with(found, options, chosen.keys, |devices| {
            let mut text = Vec::new();
            let is_sound = text::write(&mut text, &shown, (found, devices), options)?;
            Ok((text, is_sound))
        })
    });
    match told {
        Ok((text, is_sound)) => {
            if is_next {
                writeln!(out).context(STDOUT)?;
            }
            out.write_all(&text).context(STDOUT)?;
            Ok((None, is_sound))
        }
        Err(error) => {
            // What was said before comes first.
            out.flush().context(STDOUT)?;
            let text = format!("{shown}: {error:#}");
            writeln!(io::stderr(), "createhdds: {}", printable(&text))?;
            Ok((None, false))
        }
    }
}

fn one_document(path: &Path, chosen: &Chosen<'_>) -> (Option<Value>, bool) {
    let options = chosen.options;
    let told = with_image(path, (chosen.settings, options), |found| {
        devices::with(found, options, chosen.keys, |devices| {
            Ok(document::image(found, devices, options))
        })
    });
    let (mut value, is_sound) =
        told.unwrap_or_else(|error| (json!({ "error": format!("{error:#}") }), false));
    value["file"] = json!(path.to_string_lossy());
    (Some(value), is_sound)
}

/// What is in an image. One in which nothing is recognised is an error.
fn read(disk: &dyn Disk, sector_size: Option<SectorSize>) -> Result<Image<'_>> {
    let image = match sector_size {
        Some(size) => inspect::image_of(disk, size)?,
        None => inspect::image(disk)?,
    };
    let is_empty = |volume: &inspect::Volume<'_>| matches!(volume.filesystem, Ok(None));
    let is_tree = || !matches!(verity::superblock(disk, 0), Ok(None));
    if image.table.is_none() && image.volumes.iter().all(is_empty) && !is_tree() {
        bail!("no table and no filesystem recognised");
    }
    Ok(image)
}

/// An image, and the formats around it, from the outermost one on.
pub(super) struct Found<'a> {
    /// What it is taken for.
    pub image: Image<'a>,
    disk: &'a dyn Disk,
    layers: &'a [Layer],
}

/// Reads the image at `path`, and does something with it.
pub(super) fn with_image<T>(
    path: &Path,
    (settings, options): (&Settings, &Options),
    tell: impl Fn(&Found<'_>) -> Result<T>,
) -> Result<T> {
    let file = open::open(path, &settings.directory.join(path))?;
    if file.is_empty() {
        bail!("it is empty");
    }
    layers::with_disk(file, path, &mut |disk, layers| {
        if let Some(what) = wrapping::format(disk)? {
            bail!("it is {what}, no image that can be read: convert or unpack it first");
        }
        let image = read(disk, options.sector_size)?;
        check_part(&image, options.part)?;
        tell(&Found {
            image,
            disk,
            layers,
        })
    })
}

/// The number of a volume; that of a whole image is 0.
fn number(volume: &inspect::Volume<'_>) -> u32 {
    volume
        .partition
        .as_ref()
        .map_or(0, |partition| partition.number)
}

fn check_part(image: &Image<'_>, part: Option<u32>) -> Result<()> {
    let Some(part) = part else { return Ok(()) };
    let mut numbers = image.volumes.iter().map(number);
    if numbers.any(|number| number == part) {
        return Ok(());
    }
    bail!("there is no partition {part}")
}

/// Bytes in hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
