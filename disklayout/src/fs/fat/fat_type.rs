//! FAT12, FAT16 and FAT32.

use std::ops::RangeInclusive;

use super::format::{FAT16_MIN_CLUSTERS, FAT32_MIN_CLUSTERS};

/// Microsoft advises to keep off the limit, which some have miscounted; mkfs.fat does by two.
const FAT16_LEAST_CLUSTERS: u32 = FAT16_MIN_CLUSTERS + 2;
/// Numbers from 0x0FFFFFF7 on have other meanings.
const FAT32_MOST_CLUSTERS: u32 = 0x0FFF_FFF5;

/// Which of the three it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FatType {
    Fat12,
    Fat16,
    Fat32,
}

impl FatType {
    pub(super) const ALL: [Self; 3] = [Self::Fat12, Self::Fat16, Self::Fat32];

    /// The type that only this name asks for.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.kind() == name)
    }

    /// As a description spells it.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Fat12 => "fat12",
            Self::Fat16 => "fat16",
            Self::Fat32 => "fat32",
        }
    }

    /// As people write it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fat12 => "FAT12",
            Self::Fat16 => "FAT16",
            Self::Fat32 => "FAT32",
        }
    }

    /// Bits of an entry of the FAT.
    pub(super) const fn bits(self) -> u64 {
        match self {
            Self::Fat12 => 12,
            Self::Fat16 => 16,
            Self::Fat32 => 32,
        }
    }

    pub(super) const fn clusters(self) -> RangeInclusive<u32> {
        match self {
            Self::Fat12 => 1..=FAT16_MIN_CLUSTERS - 1,
            Self::Fat16 => FAT16_LEAST_CLUSTERS..=FAT32_MIN_CLUSTERS - 1,
            Self::Fat32 => FAT32_MIN_CLUSTERS..=FAT32_MOST_CLUSTERS,
        }
    }
}
