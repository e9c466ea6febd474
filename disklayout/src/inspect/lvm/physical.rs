//! Physical volumes, as the metadata of their group has them.

use std::collections::HashMap;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::inspect::lvm::config::Section;
use crate::inspect::lvm::fields::{bytes, id, number};
use crate::units::Bytes;
use crate::volume::lvm::format::Id;

/// A physical volume, as metadata has it.
#[derive(Clone, Debug)]
pub struct PhysicalVolume {
    /// Its name in the metadata, such as `pv0`.
    pub name: String,
    /// Its UUID.
    pub id: Id,
    /// The device that it was on.
    pub device_hint: Option<String>,
    /// The size of its disk or partition.
    pub size: Bytes,
    /// Where its first extent is, from the start of its disk.
    pub pe_start: Bytes,
    /// How many extents it has.
    pub extents: u64,
}

/// A physical volume of a group.
#[derive(Debug)]
pub struct GroupMember<'a> {
    /// What the metadata says of it.
    pub volume: PhysicalVolume,
    /// Its disk, unless that is missing.
    pub disk: Option<&'a dyn Disk>,
}

/// Those of a group.
pub(super) fn all(group: &Section) -> Result<Vec<PhysicalVolume>> {
    let all = group.section("physical_volumes");
    let all = all.into_iter().flat_map(Section::sections);
    let mut taken = HashMap::new();
    let member = |(name, section): (&str, &Section)| {
        let place = format!("physical volume '{name}'");
        let id = id(&place, section)?;
        if taken.insert(id, ()).is_some() {
            return Err(Error::corrupt(place, "another one has its UUID"));
        }
        Ok(PhysicalVolume {
            id,
            device_hint: section.text("device").map(str::to_owned),
            size: bytes(&place, section, "dev_size")?,
            pe_start: bytes(&place, section, "pe_start")?,
            extents: number(&place, section, "pe_count")?,
            name: name.to_owned(),
        })
    };
    all.map(member).collect()
}
