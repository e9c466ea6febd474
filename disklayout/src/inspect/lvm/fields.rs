//! Values that a section of metadata has to have.

use crate::error::{Error, Result};
use crate::inspect::lvm::config::Section;
use crate::units::Bytes;
use crate::volume::lvm::format::{Id, SECTOR};

pub(super) fn id(place: &str, section: &Section) -> Result<Id> {
    let text = section.text("id").unwrap_or_default();
    text.parse()
        .map_err(|said: String| Error::corrupt(place, said))
}

pub(super) fn number(place: &str, section: &Section, name: &str) -> Result<u64> {
    let number = section.number(name);
    number.ok_or_else(|| Error::corrupt(place, format!("it has no {name}")))
}

/// What is counted in sectors.
pub(super) fn bytes(place: &str, section: &Section, name: &str) -> Result<Bytes> {
    let bytes = number(place, section, name)?.checked_mul(SECTOR);
    bytes
        .map(Bytes::new)
        .ok_or_else(|| Error::corrupt(place, format!("its {name} is larger than any disk")))
}
