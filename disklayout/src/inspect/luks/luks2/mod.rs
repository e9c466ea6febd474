//! Headers of LUKS2.

mod copies;
mod slots;
mod volume;

use super::Luks;
use super::facts::{Facts, Slot, some};
use crate::disk::Disk;
use crate::error::Result;
use crate::units::Bytes;
use crate::volume::luks::format::luks2::VERSION;
use crate::volume::luks::format::metadata::{Crypt, Keyslot};
use crate::volume::luks::format::text;
use copies::Copy;

/// Reads the header that counts.
pub(super) fn read(disk: &dyn Disk) -> Result<Option<Luks<'_>>> {
    let found = copies::read(disk)?;
    Ok(found.map(|(copy, warnings)| luks(disk, &copy, warnings)))
}

fn luks<'a>(disk: &'a dyn Disk, copy: &Copy, warnings: Vec<String>) -> Luks<'a> {
    let metadata = &copy.metadata;
    let segment = volume::segment(metadata);
    let digest = match &segment {
        Ok((number, _)) => volume::digest(metadata, *number),
        Err(why) => Err(why.clone()),
    };
    let bound = |number: u32| {
        let slots = digest.as_ref().map(|digest| &digest.keyslots);
        slots.is_ok_and(|slots| slots.contains(&number.to_string()))
    };
    let keys = metadata
        .keyslots
        .iter()
        .filter(|(number, _)| bound(**number));
    let keys = keys.map(|(number, slot)| (*number, slots::key(slot)));
    Luks {
        disk,
        facts: facts(copy, segment.as_ref().ok().map(|(_, segment)| *segment)),
        warnings,
        keys: keys.collect(),
        volume: match (&segment, &digest) {
            (Ok((_, segment)), Ok(digest)) => volume::volume(disk, metadata, segment, digest),
            (Err(why), _) | (_, Err(why)) => Err(why.clone()),
        },
    }
}

fn facts(copy: &Copy, segment: Option<&Crypt>) -> Facts {
    let Copy {
        at,
        binary,
        metadata,
    } = copy;
    let slots = metadata.keyslots.iter().map(|(number, slot)| Slot {
        number: *number,
        kdf: slots::shown(slot),
    });
    let key_len = metadata.keyslots.values().find_map(|slot| match slot {
        Keyslot::Luks2 { key_size, .. } => Some(*key_size),
        Keyslot::Other => None,
    });
    Facts {
        version: VERSION,
        header_offset: Bytes::new(*at),
        uuid: text(&binary.uuid).parse().ok(),
        label: some(text(&binary.label)),
        subsystem: some(text(&binary.subsystem)),
        flags: metadata.config.flags.clone(),
        cipher: segment.map_or_else(String::new, |it| it.encryption.clone()),
        key_bits: key_len.unwrap_or_default().saturating_mul(8),
        sector_size: segment.map_or(0, |it| it.sector_size),
        data_offset: Bytes::new(segment.map_or(0, |it| it.offset)),
        data_len: segment.and_then(|it| it.size.parse().ok()).map(Bytes::new),
        slots: slots.collect(),
    }
}
