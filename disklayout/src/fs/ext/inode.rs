//! The inodes of the inode table.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromZeros, IntoBytes};

use super::allocate::InodePlan;
use super::checksum::Crc;
use super::defaults::INODE_SIZE;
use super::format::*;
use super::geometry::Geometry;
use crate::identity::Timestamp;

/// The first and last second that an inode of this size holds: 34 bits from -2^31.
pub(super) const SECONDS: std::ops::RangeInclusive<i64> = -(1 << 31)..=(1 << 34) - (1 << 31) - 1;

/// The inode as it is stored. `seed` is what the filesystem's checksums start from.
pub(super) fn bytes(
    geometry: &Geometry,
    plan: &InodePlan,
    created: Timestamp,
    seed: Crc,
) -> Vec<u8> {
    let mut it = Inode::new_zeroed();
    it.i_mode = U16::new(plan.mode);
    set_owner(&mut it, plan);
    it.i_links_count = U16::new(plan.links);
    it.i_size_lo = U32::new(plan.size as u32);
    it.i_size_high = U32::new((plan.size >> 32) as u32);
    let sectors = plan.blocks * u64::from(geometry.block_size / 512);
    it.i_blocks_lo = U32::new(sectors as u32);
    it.i_blocks_high = U16::new((sectors >> 32) as u16);
    it.i_flags = U32::new(plan.mapping.i_flags);
    it.i_block = plan.mapping.i_block;
    it.i_extra_isize = U16::new(EXTRA_ISIZE);
    set_times(&mut it, plan.attributes.mtime, created);
    let mut bytes = it.as_bytes().to_vec();
    bytes.resize(INODE_SIZE as usize, 0);
    if geometry.features.has_metadata_csum() {
        let (low, high) = seed.of_inode(plan.number).update(&bytes).halves();
        it.i_checksum_lo = U16::new(low);
        it.i_checksum_hi = U16::new(high);
        bytes[..size_of::<Inode>()].copy_from_slice(it.as_bytes());
    }
    bytes
}

fn set_owner(it: &mut Inode, plan: &InodePlan) {
    let (uid, gid) = (plan.attributes.uid, plan.attributes.gid);
    (it.i_uid, it.i_uid_high) = (U16::new(uid as u16), U16::new((uid >> 16) as u16));
    (it.i_gid, it.i_gid_high) = (U16::new(gid as u16), U16::new((gid >> 16) as u16));
}

fn set_times(it: &mut Inode, changed: Timestamp, created: Timestamp) {
    let (seconds, extra) = time(changed);
    (it.i_mtime, it.i_mtime_extra) = (seconds, extra);
    (it.i_ctime, it.i_ctime_extra) = (seconds, extra);
    (it.i_atime, it.i_atime_extra) = (seconds, extra);
    (it.i_crtime, it.i_crtime_extra) = time(created);
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
}
