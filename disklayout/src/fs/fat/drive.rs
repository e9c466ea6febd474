//! The drive that a filesystem is told to be on, as mkfs.fat 4.2 chooses it by the size.
//!
//! Floppies have the numbers of their formats. Hard disks have the heads and sectors of the SD
//! Association's "File System Specification", version 3.00, appendix C.2, and beyond 4032 MiB the
//! most that a BIOS takes. Only firmware of old reads them.

use super::format::MEDIA_FIXED;

/// What depends on the kind of drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drive {
    pub media: u8,
    /// The number that a BIOS gives the first drive of the kind.
    pub number: u8,
    pub heads: u16,
    pub sectors_per_track: u16,
    /// What FAT12 and FAT16 begin with; clusters are made larger where there would be too many.
    pub sectors_per_cluster: u32,
    pub root_entries: u32,
}

/// KiB, media, sectors in a track, sectors in a cluster, entries of the root directory.
#[rustfmt::skip]
const FLOPPIES: [(u64, u8, u16, u32, u32); 5] = [
    ( 360, 0xFD,  9, 2, 112),
    ( 720, 0xF9,  9, 2, 112),
    (1200, 0xF9, 15, 1, 224),
    (1440, 0xF0, 18, 1, 224),
    (2880, 0xF0, 36, 2, 224),
];

/// The most sectors, heads, sectors in a track.
const DISKS: [(u64, u16, u16); 10] = [
    (4096, 2, 16),
    (8192, 2, 32),
    (32_768, 2, 32),
    (65_536, 4, 32),
    (262_144, 8, 32),
    (524_288, 16, 32),
    (1_032_192, 16, 63),
    (2_064_384, 32, 63),
    (4_128_768, 64, 63),
    (8_257_536, 128, 63),
];

/// What there is beyond the last of them.
const LARGE_DISK: (u16, u16) = (255, 63);

impl Drive {
    /// The floppy of this size in bytes, if there is one.
    pub(super) fn floppy(size: u64) -> Option<Self> {
        let mut all = FLOPPIES.iter();
        let (_, media, sectors_per_track, sectors_per_cluster, root_entries) =
            *all.find(|(kib, ..)| *kib == size / 1024)?;
        Some(Self {
            media,
            number: 0,
            heads: 2,
            sectors_per_track,
            sectors_per_cluster,
            root_entries,
        })
    }

    /// A disk of so many sectors.
    pub(super) fn disk(sectors: u64) -> Self {
        let class = DISKS.iter().find(|(most, ..)| sectors <= *most);
        let (heads, sectors_per_track) = class.map_or(LARGE_DISK, |(_, heads, per)| (*heads, *per));
        Self {
            media: MEDIA_FIXED,
            number: 0x80,
            heads,
            sectors_per_track,
            sectors_per_cluster: 4,
            root_entries: 512,
        }
    }
}

/// The sizes of floppies in bytes, ascending.
pub(super) fn floppy_sizes() -> impl Iterator<Item = u64> {
    FLOPPIES.iter().map(|(kib, ..)| kib * 1024)
}

/// The first number of sectors of every class of disks but the first.
pub(super) fn disk_bounds() -> impl Iterator<Item = u64> {
    DISKS.iter().map(|(most, ..)| most + 1)
}
