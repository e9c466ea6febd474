//! The FAT itself: for every cluster the one that follows it in its file.

use super::allocate::Allocation;
use super::fat_type::FatType;
use super::format::{FAT32_MASK, FIRST_CLUSTER};
use super::geometry::Geometry;

/// Clusters whose entries are made at once; even, so that those of FAT12 fill whole bytes.
const PORTION: u32 = 1 << 16;

/// The entries of a FAT that aren't zero, in portions with where they start in bytes.
pub(super) fn portions<'a>(
    geometry: &Geometry,
    allocation: &'a Allocation,
) -> impl Iterator<Item = (u64, Vec<u8>)> + use<'a> {
    let (fat_type, media) = (geometry.fat_type, geometry.drive.media);
    let end = FIRST_CLUSTER + allocation.used();
    let mut ends = allocation.ends.iter().copied().peekable();
    (0..end).step_by(PORTION as usize).map(move |start| {
        let numbers = start..end.min(start + PORTION);
        let entries = numbers.map(|number| match number {
            0 => FAT32_MASK & !0xFF | u32::from(media),
            1 => FAT32_MASK,
            _ if ends.next_if_eq(&number).is_some() => FAT32_MASK,
            _ => number + 1,
        });
        let offset = u64::from(start) * fat_type.bits() / 8;
        (offset, packed(fat_type, entries))
    })
}

/// Entries side by side, from the lowest bits on.
fn packed(fat_type: FatType, entries: impl Iterator<Item = u32>) -> Vec<u8> {
    match fat_type {
        FatType::Fat32 => entries.flat_map(u32::to_le_bytes).collect(),
        FatType::Fat16 => entries
            .flat_map(|entry| (entry as u16).to_le_bytes())
            .collect(),
        FatType::Fat12 => {
            let entries: Vec<_> = entries.map(|entry| entry & 0xFFF).collect();
            let pairs = entries.chunks(2).flat_map(|pair| {
                let both = pair[0] | pair.get(1).unwrap_or(&0) << 12;
                let [low, middle, high, _] = both.to_le_bytes();
                [low, middle, high]
            });
            pairs.collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_twelve_bits_share_bytes() {
        let packed = |entries: &[u32]| packed(FatType::Fat12, entries.iter().copied());
        assert_eq!(packed(&[0xFF8, FAT32_MASK, 3]), [0xF8, 0xFF, 0xFF, 3, 0, 0]);
        assert_eq!(packed(&[0x123, 0x456]), [0x23, 0x61, 0x45]);
    }

    #[test]
    fn other_entries_are_whole_bytes() {
        let of = |fat_type| packed(fat_type, [FAT32_MASK, 0x1_0203].into_iter());
        assert_eq!(of(FatType::Fat16), [0xFF, 0xFF, 3, 2]);
        assert_eq!(of(FatType::Fat32), [0xFF, 0xFF, 0xFF, 0xF, 3, 2, 1, 0]);
    }
}
