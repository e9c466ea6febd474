//! Recognises ISO 9660, the format of discs: the volume descriptor, not the files.
//!
//! ECMA-119, section 8.4 (primary volume descriptor). Discs with UDF alone are told by their magic.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned, little_endian as le};

use crate::error::Result;
use crate::inspect::fs::Filesystem;
use crate::inspect::fs::area::Area;
use crate::inspect::fs::facts::{Facts, text};

pub(super) const KIND: &str = "iso9660";

const DESCRIPTOR: u64 = 0x8000;

/// The start of the primary volume descriptor. Numbers stand in both byte orders.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct VolumeDescriptor {
    descriptor_type: u8,
    standard_identifier: [u8; 5],
    version: u8,
    unused: u8,
    system_identifier: [u8; 32],
    volume_identifier: [u8; 32],
    unused_field: [u8; 8],
    volume_space_size: [le::U32; 2],
    escape_sequences: [u8; 32],
    volume_set_size: [le::U16; 2],
    volume_sequence_number: [le::U16; 2],
    logical_block_size: [le::U16; 2],
}

const _: () = assert!(size_of::<VolumeDescriptor>() == 132);

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    if area.probe(DESCRIPTOR + 1)? != Some(*b"CD001") {
        return Ok(None);
    }
    let raw: VolumeDescriptor = area.structure("volume descriptor", DESCRIPTOR)?;
    let label = text(&raw.volume_identifier).map(|text| text.trim_end().to_owned());
    let (blocks, size) = (
        raw.volume_space_size[0].get(),
        raw.logical_block_size[0].get(),
    );
    let mut facts = Facts {
        label: label.filter(|label| !label.is_empty()),
        ..Facts::new(KIND)
    };
    if blocks > 0 && size > 0 {
        facts.blocks = Some(blocks.into());
        facts.block_size = Some(size.into());
        facts.size = Some(u64::from(blocks) * u64::from(size));
    }
    Ok(Some(Filesystem::without_files(area, facts)))
}
