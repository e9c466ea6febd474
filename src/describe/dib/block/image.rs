//! `local_loop`: an image, `NAME.raw`, that is written.

use disklayout::SectorSize;

use super::Settings;
use super::entry::Entry;
use super::size;
use crate::config::{Findings, Place};

/// An image.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) name: String,
    /// Where it stands.
    pub(super) place: Place,
    /// Its size in bytes, where it has one of its own.
    pub(super) size: Option<u64>,
    /// Where that is said, or would be.
    pub(super) size_place: Place,
    pub(super) sector: SectorSize,
    /// The directory that it is written into, where that is said.
    pub(super) directory: Option<String>,
}

/// Reads an image. A sector size of the settings wins over its own.
pub(super) fn read(entry: &Entry<'_>, settings: &Settings, findings: &mut Findings) -> Option<Raw> {
    let size = entry.optional_size("size", findings, size::bytes);
    let directory = entry.optional_text("directory", findings);
    let sector = sector(entry, settings, findings);
    if let Some(base) = &entry.base {
        let message = format!(
            "the image '{}' stands on nothing: leave 'base' out",
            entry.name
        );
        findings.refuse::<()>(&base.place, message);
    }
    if entry.name.contains('/') {
        let message = format!("'{}' is no name of a file: leave the '/' out", entry.name);
        findings.refuse::<()>(&entry.object.place_of("name"), message);
    }
    let raw = Raw {
        name: entry.name.clone(),
        place: entry.place().clone(),
        size: size?,
        size_place: entry.object.place_of("size"),
        sector: sector?,
        directory: directory?,
    };
    match raw.size {
        Some(size) => check_size(&raw, size, findings).map(|()| raw),
        None => Some(raw),
    }
}

fn sector(entry: &Entry<'_>, settings: &Settings, findings: &mut Findings) -> Option<SectorSize> {
    let own = entry.number("block_size", 512, findings)?;
    let bytes = settings.block_size.unwrap_or(own);
    match SectorSize::of(bytes) {
        Some(sector) => Some(sector),
        None => {
            let place = entry.object.place_of("block_size");
            let message = format!("sectors of {bytes} bytes can't be had: give 512 or 4096");
            findings.refuse(&place, message)
        }
    }
}

/// Refuses a size that isn't a whole number of sectors.
pub(super) fn check_size(raw: &Raw, size: u64, findings: &mut Findings) -> Option<()> {
    let sector = raw.sector.get();
    if size > 0 && size.is_multiple_of(sector) {
        return Some(());
    }
    let below = size / sector * sector;
    let nearest = match below {
        0 => format!("the smallest is {sector}"),
        below => format!("the nearest are {below} and {}", below + sector),
    };
    let message = format!(
        "the size of '{}', {size} bytes, is no whole number of sectors of {sector} bytes: {nearest}",
        raw.name
    );
    findings.refuse(&raw.size_place, message)
}
