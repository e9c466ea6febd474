//! The boot sector, and what it says of the volume.

use crate::error::{Error, Result};
use crate::fs::fat::format::{
    BootSector16, BootSector32, BootSectorHead, BootSectorTail, FAT16_MIN_CLUSTERS, SIGNATURE,
};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::clusters::{self, Clusters};

const PLACE: &str = "boot sector";

/// How wide the entries of the FAT are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Fat12,
    Fat16,
    Fat32,
}

/// Where everything is, in bytes.
#[derive(Debug)]
pub(super) struct Volume {
    pub(super) width: Width,
    pub(super) size: u64,
    pub(super) fat: u64,
    /// The root directory of FAT12 and FAT16.
    pub(super) root: u64,
    pub(super) root_len: u64,
    /// The root directory's first cluster on FAT32, else 0.
    pub(super) root_cluster: u32,
    /// Those that there are.
    pub(super) clusters: Clusters,
    /// How many there should be.
    pub(super) told: u32,
    pub(super) tail: BootSectorTail,
    /// Where the FSInfo sector is.
    pub(super) fs_info: Option<u64>,
}

impl Volume {
    /// `None` when the sector in byte `at` isn't the first of a FAT volume. Nothing in it is a magic: what blkid and
    /// the kernel require has to be there.
    pub(super) fn recognise(area: &Area<'_>, at: u64) -> Result<Option<Self>> {
        if area.probe::<512>(at)?.is_none() {
            return Ok(None);
        }
        let boot: BootSector16 = area.structure(PLACE, at)?;
        let head = &boot.head;
        let is_jump = matches!(head.BS_jmpBoot, [0xEB, _, 0x90] | [0xE9, _, _]);
        let sector = head.BPB_BytsPerSec.get();
        let is_fat = is_jump
            && boot.signature.get() == SIGNATURE
            && matches!(sector, 512 | 1024 | 2048 | 4096)
            && head.BPB_SecPerClus.is_power_of_two()
            && head.BPB_RsvdSecCnt.get() > 0
            && matches!(head.BPB_NumFATs, 1 | 2)
            && (head.BPB_Media == 0xF0 || head.BPB_Media >= 0xF8);
        if !is_fat {
            return Ok(None);
        }
        let wide: BootSector32 = area.structure(PLACE, at)?;
        Self::lay_out(area, &boot, &wide).map(Some)
    }

    fn lay_out(area: &Area<'_>, boot: &BootSector16, wide: &BootSector32) -> Result<Self> {
        let head = &boot.head;
        let sector = u64::from(head.BPB_BytsPerSec.get());
        let either = |short: u16, long: u32| match short {
            0 => u64::from(long),
            short => u64::from(short),
        };
        let total = either(head.BPB_TotSec16.get(), head.BPB_TotSec32.get()) * sector;
        let is_wide = head.BPB_FATSz16.get() == 0;
        let fat_len = either(head.BPB_FATSz16.get(), wide.BPB_FATSz32.get()) * sector;
        let fat = u64::from(head.BPB_RsvdSecCnt.get()) * sector;
        let root = fat + fat_len * u64::from(head.BPB_NumFATs);
        let root_len = (u64::from(head.BPB_RootEntCnt.get()) * 32).next_multiple_of(sector);
        let heap = root + root_len;
        let cluster = u64::from(head.BPB_SecPerClus) * sector;
        let clusters = total.saturating_sub(heap) / cluster;
        let fail = |message: String| Err(Error::corrupt(PLACE, message));
        if clusters == 0 || clusters >= 0x0FFF_FFF5 {
            return fail(format!("{clusters} clusters"));
        }
        let clusters = clusters as u32;
        let width = width(is_wide, clusters);
        let needed = bytes_of_fat(width, clusters);
        if fat_len < needed {
            return fail(format!(
                "a FAT of {fat_len} bytes for {clusters} clusters, which need {needed}"
            ));
        }
        let there = area.len().saturating_sub(heap) / cluster;
        let is_fat32 = width == Width::Fat32;
        let info = u64::from(wide.BPB_FSInfo.get()) * sector;
        Ok(Self {
            width,
            size: total,
            fat: fat
                + if is_fat32 {
                    active(head, wide, fat_len)
                } else {
                    0
                },
            root,
            root_len,
            root_cluster: if is_fat32 { wide.BPB_RootClus.get() } else { 0 },
            clusters: Clusters {
                start: heap,
                size: cluster,
                count: u32::try_from(there).map_or(clusters, |there| clusters.min(there)),
            },
            told: clusters,
            tail: if is_fat32 { wide.tail } else { boot.tail },
            fs_info: (is_fat32 && (1..fat).contains(&info)).then_some(info),
        })
    }
}

/// `BPB_ExtFlags` may say that only one FAT is kept.
fn active(head: &BootSectorHead, wide: &BootSector32, fat_len: u64) -> u64 {
    let flags = wide.BPB_ExtFlags.get();
    let only = u64::from(flags & 0xF);
    let is_one = flags & 0x80 != 0 && only < u64::from(head.BPB_NumFATs);
    if is_one { only * fat_len } else { 0 }
}

fn width(is_wide: bool, clusters: u32) -> Width {
    if is_wide {
        // As Linux has it: the size of the FAT decides, for there are such volumes that are small.
        Width::Fat32
    } else if clusters < FAT16_MIN_CLUSTERS {
        Width::Fat12
    } else {
        Width::Fat16
    }
}

fn bytes_of_fat(width: Width, clusters: u32) -> u64 {
    let entries = u64::from(clusters) + u64::from(clusters::FIRST);
    match width {
        Width::Fat12 => (entries * 3).div_ceil(2),
        Width::Fat16 => entries * 2,
        Width::Fat32 => entries * 4,
    }
}
