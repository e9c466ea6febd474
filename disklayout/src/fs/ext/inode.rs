//! The inodes of the inode table.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromZeros, IntoBytes};

use super::checksum::Crc;
use super::format::*;
use super::geometry::Geometry;
use crate::identity::Timestamp;
use crate::tree::{Attributes, Device};

/// The first and last second that an inode holds: 34 bits from -2^31 where it has more than 128
/// bytes.
pub(super) const SECONDS: std::ops::RangeInclusive<i64> = -(1 << 31)..=(1 << 34) - (1 << 31) - 1;
/// The same for an inode of 128 bytes.
pub(super) const SHORT_SECONDS: std::ops::RangeInclusive<i64> = -(1 << 31)..=(1 << 31) - 1;

/// What an inode holds, and its number.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    pub number: u32,
    pub links: u16,
    pub size: u64,
    /// Blocks of data, of mapping and of attributes.
    pub blocks: u64,
    /// The type and the permissions.
    pub mode: u16,
    pub attributes: Attributes,
    pub i_flags: u32,
    pub i_block: [u8; I_BLOCK_BYTES],
    /// Where the block of attributes is; 0 when there is none.
    pub i_file_acl: u64,
    /// The attributes that are in the inode.
    pub xattrs: &'a [u8],
    /// What the inode of an attribute's value has instead of times.
    pub value: Option<ValueFields>,
}

/// What the inode of an attribute's value has instead of the time of its last access, and of its
/// version.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueFields {
    /// The value's checksum.
    pub hash: u32,
    /// How many entries refer to it.
    pub refcount: u32,
}

/// The inode as it is stored. `seed` is what the filesystem's checksums start from.
pub(super) fn bytes(
    geometry: &Geometry,
    fields: &Fields<'_>,
    created: Timestamp,
    seed: Crc,
) -> Vec<u8> {
    let mut it = Inode::new_zeroed();
    it.i_mode = U16::new(fields.mode);
    set_owner(&mut it, &fields.attributes);
    it.i_links_count = U16::new(fields.links);
    it.i_size_lo = U32::new(fields.size as u32);
    it.i_size_high = U32::new((fields.size >> 32) as u32);
    it.i_flags = U32::new(fields.i_flags);
    set_blocks(&mut it, geometry, fields.blocks);
    it.i_block = fields.i_block;
    it.i_file_acl_lo = U32::new(fields.i_file_acl as u32);
    it.i_file_acl_high = U16::new((fields.i_file_acl >> 32) as u16);
    set_times(&mut it, fields.attributes.mtime, created);
    if let Some(value) = fields.value {
        set_value(&mut it, value);
    }
    let inode_size = geometry.inode_size as usize;
    let structure = inode_size.min(size_of::<Inode>());
    if inode_size >= size_of::<Inode>() {
        it.i_extra_isize = U16::new(EXTRA_ISIZE);
    }
    let mut bytes = it.as_bytes()[..structure].to_vec();
    bytes.extend_from_slice(fields.xattrs);
    bytes.resize(inode_size, 0);
    if geometry.features.has_metadata_csum() {
        let (low, high) = seed.of_inode(fields.number).update(&bytes).halves();
        it.i_checksum_lo = U16::new(low);
        it.i_checksum_hi = U16::new(high);
        bytes[..structure].copy_from_slice(&it.as_bytes()[..structure]);
    }
    bytes
}

fn set_owner(it: &mut Inode, attributes: &Attributes) {
    let (uid, gid) = (attributes.uid, attributes.gid);
    (it.i_uid, it.i_uid_high) = (U16::new(uid as u16), U16::new((uid >> 16) as u16));
    (it.i_gid, it.i_gid_high) = (U16::new(gid as u16), U16::new((gid >> 16) as u16));
}

/// Blocks are counted as sectors, and above 48 bits of those as blocks of the filesystem.
fn set_blocks(it: &mut Inode, geometry: &Geometry, blocks: u64) {
    let sectors = blocks * u64::from(geometry.block_size / 512);
    let (count, flag) = if sectors >> 48 == 0 {
        (sectors, 0)
    } else {
        (blocks, EXT4_HUGE_FILE_FL)
    };
    it.i_blocks_lo = U32::new(count as u32);
    it.i_blocks_high = U16::new((count >> 32) as u16);
    it.i_flags = U32::new(it.i_flags.get() | flag);
}

fn set_times(it: &mut Inode, changed: Timestamp, created: Timestamp) {
    let (seconds, extra) = time(changed);
    (it.i_mtime, it.i_mtime_extra) = (seconds, extra);
    (it.i_ctime, it.i_ctime_extra) = (seconds, extra);
    (it.i_atime, it.i_atime_extra) = (seconds, extra);
    (it.i_crtime, it.i_crtime_extra) = time(created);
}

/// The upper half of the count would be in the time of the last change.
fn set_value(it: &mut Inode, value: ValueFields) {
    let seconds = Timestamp::from_seconds(value.hash.into());
    (it.i_atime, it.i_atime_extra) = time(seconds);
    (it.i_ctime, it.i_ctime_extra) = (U32::ZERO, U32::ZERO);
    it.i_version = U32::new(value.refcount);
}

/// The lower 32 bits of the seconds, and 30 bits of nanoseconds above two more bits of seconds.
/// The lower half counts as signed, so the upper bits are what is missing from that.
fn time(time: Timestamp) -> (U32, U32) {
    let low = time.seconds as i32;
    let epoch = ((time.seconds - i64::from(low)) >> 32) as u32 & 3;
    (
        U32::new(low as u32),
        U32::new(time.nanoseconds << 2 | epoch),
    )
}

/// A device in the place of the block map: 16 bits in the first word where its numbers allow,
/// else 32 bits in the second.
pub(super) fn device(device: Device) -> [u8; I_BLOCK_BYTES] {
    let Device { major, minor } = device;
    let (position, number) = if major < 256 && minor < 256 {
        (0, major << 8 | minor)
    } else {
        (4, (minor & 0xFF) | (major << 8) | (minor & !0xFF) << 12)
    };
    let mut i_block = [0; I_BLOCK_BYTES];
    i_block[position..position + 4].copy_from_slice(U32::new(number).as_bytes());
    i_block
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the kernel's documentation, section 4.1.2 (inode timestamps).
    #[test]
    fn seconds_take_34_bits() {
        for (seconds, low, epoch) in [
            (*SECONDS.start(), 0x8000_0000, 0),
            (-1, 0xFFFF_FFFF, 0),
            (0x7FFF_FFFF, 0x7FFF_FFFF, 0),
            (0x8000_0000, 0x8000_0000, 1),
            (0x1_7FFF_FFFF, 0x7FFF_FFFF, 1),
            (0x2_7FFF_FFFF, 0x7FFF_FFFF, 2),
            (*SECONDS.end(), 0x7FFF_FFFF, 3),
        ] {
            let (stored, extra) = time(Timestamp {
                seconds,
                nanoseconds: 999_999_999,
            });
            assert_eq!((stored.get(), extra.get() & 3), (low, epoch), "{seconds}");
            assert_eq!(extra.get() >> 2, 999_999_999);
        }
    }

    #[test]
    fn devices_take_16_or_32_bits() {
        for (major, minor, expected) in [
            (1, 3, [0x03, 0x01, 0, 0, 0, 0, 0, 0]),
            (255, 255, [0xFF, 0xFF, 0, 0, 0, 0, 0, 0]),
            (256, 0, [0, 0, 0, 0, 0x00, 0x00, 0x01, 0x00]),
            (8, 256, [0, 0, 0, 0, 0x00, 0x08, 0x10, 0x00]),
            (4095, 1_048_575, [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
        ] {
            assert_eq!(
                device(Device { major, minor })[..8],
                expected,
                "{major}:{minor}"
            );
        }
    }
}
