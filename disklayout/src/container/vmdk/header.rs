//! The header of an extent.

use zerocopy::FromZeros;

use super::format::*;

/// The header of a disk of so many sectors, of which the places of tables are left open.
pub(super) fn header(sectors: u64, is_stream: bool) -> Header {
    let mut header = Header::new_zeroed();
    let flags = match is_stream {
        true => FLAG_NEWLINES | FLAG_COMPRESSED | FLAG_MARKERS,
        false => FLAG_NEWLINES | FLAG_REDUNDANT,
    };
    header.magic = MAGIC;
    header.version.set(if is_stream { 3 } else { 1 });
    header.flags.set(flags);
    header.capacity.set(sectors);
    header.grain_size.set(GRAIN / SECTOR);
    header.descriptor_offset.set(DESCRIPTOR);
    header.descriptor_size.set(DESCRIPTOR_LEN);
    header.entries_per_table.set(ENTRIES as u32);
    header.newlines = NEWLINES;
    header.compression.set(if is_stream { DEFLATE } else { 0 });
    header
}
