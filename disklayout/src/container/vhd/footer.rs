//! What stands at the end of an image.

use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use super::geometry::Geometry;
use crate::identity::Identity;

/// 2000-01-01, from which times are counted, in seconds since 1970.
const EPOCH: i64 = 946_684_800;

/// The footer of an image of `size` bytes. `data_offset` is where the header of a dynamic one is.
/// Times before 2000 or after 2136, which the field doesn't hold, are its first or last one.
pub(super) fn footer(size: u64, disk_type: u32, data_offset: u64, identity: &Identity) -> Footer {
    let geometry = Geometry::of(size / SECTOR);
    let seconds = identity.time().seconds.saturating_sub(EPOCH);
    let mut footer = Footer::new_zeroed();
    footer.cookie = COOKIE;
    footer.features.set(RESERVED);
    footer.version.set(VERSION);
    footer.data_offset.set(data_offset);
    footer
        .timestamp
        .set(seconds.clamp(0, u32::MAX.into()) as u32);
    // As QEMU with force_size, so that nobody takes the geometry's size.
    footer.creator_application = *b"qem2";
    footer.creator_version.set(0x0005_0003);
    footer.creator_host = *b"Wi2k";
    footer.original_size.set(size);
    footer.current_size.set(size);
    footer.cylinders.set(geometry.cylinders);
    footer.heads = geometry.heads;
    footer.sectors = geometry.sectors;
    footer.disk_type.set(disk_type);
    footer.unique_id = *identity.uuid("vhd").as_bytes();
    footer.checksum.set(checksum(footer.as_bytes()));
    footer
}

/// The size that a footer tells: by its geometry where it is made by somebody who rounds it.
pub(super) fn size_of_disk(footer: &Footer) -> u64 {
    let geometry = Geometry {
        cylinders: footer.cylinders.get(),
        heads: footer.heads,
        sectors: footer.sectors,
    };
    let is_rounded = ROUNDED.contains(&&footer.creator_application) && !geometry.is_largest();
    match is_rounded {
        true => geometry.total() * SECTOR,
        false => footer.current_size.get(),
    }
}
