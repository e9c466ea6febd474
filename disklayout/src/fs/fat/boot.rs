//! Boot sectors and FSInfo.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromZeros, IntoBytes};

use super::fat_type::FatType;
use super::format::*;
use super::geometry::Geometry;
use super::label;

/// The sectors of FSInfo, of the copy of the boot sector, and what they need before the FATs.
const FSINFO_SECTOR: u32 = 1;
const BACKUP_SECTOR: u32 = 6;
const RESERVED_FOR_BACKUP: u32 = 8;

/// Who formatted it. Some BIOSes boot from names only that they know; `MSWIN4.1` is one
/// (fatgen103, `BS_OEMName`).
const OEM_NAME: [u8; 8] = *b"crehdds ";

/// Boot code: asks the BIOS for the next device (interrupt 18h), and stops should it come back.
const BOOT_CODE: [u8; 5] = [0xCD, 0x18, 0xF4, 0xEB, 0xFD];

/// What is chosen whatever the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Volume {
    pub label: Option<[u8; 11]>,
    pub id: u32,
    pub oem_name: Option<[u8; 8]>,
    pub hidden_sectors: u32,
}

/// The first sectors in which there is something, with their numbers; the boot sector comes last.
pub(super) fn sectors(geometry: &Geometry, volume: &Volume, used: u32) -> Vec<(u32, Vec<u8>)> {
    let boot_sector = boot_sector(geometry, volume);
    let mut sectors = Vec::new();
    if geometry.fat_type == FatType::Fat32 {
        let info = fs_info(geometry, used);
        if let Some(backup) = backup(geometry) {
            sectors.push((backup, boot_sector.clone()));
            sectors.push((backup + FSINFO_SECTOR, info.clone()));
        }
        sectors.push((FSINFO_SECTOR, info));
    }
    sectors.push((0, boot_sector));
    sectors
}

/// The sector of the copy, where there is room for it.
fn backup(geometry: &Geometry) -> Option<u32> {
    (geometry.reserved >= RESERVED_FOR_BACKUP).then_some(BACKUP_SECTOR)
}

fn boot_sector(geometry: &Geometry, volume: &Volume) -> Vec<u8> {
    match geometry.fat_type {
        FatType::Fat32 => boot_sector_32(geometry, volume).as_bytes().to_vec(),
        _ => boot_sector_16(geometry, volume).as_bytes().to_vec(),
    }
}

fn boot_sector_16(geometry: &Geometry, volume: &Volume) -> BootSector16 {
    let mut it = BootSector16::new_zeroed();
    it.head = head(geometry, volume);
    it.head.BS_jmpBoot = jump(size_of_val(&it) - size_of_val(&it.boot_code) - 2);
    it.head.BPB_RootEntCnt = U16::new(geometry.root_entries as u16);
    it.head.BPB_FATSz16 = U16::new(geometry.sectors_per_fat as u16);
    it.tail = tail(geometry, volume);
    it.boot_code[..BOOT_CODE.len()].copy_from_slice(&BOOT_CODE);
    it.signature = U16::new(SIGNATURE);
    it
}

fn boot_sector_32(geometry: &Geometry, volume: &Volume) -> BootSector32 {
    let mut it = BootSector32::new_zeroed();
    it.head = head(geometry, volume);
    it.head.BS_jmpBoot = jump(size_of_val(&it) - size_of_val(&it.boot_code) - 2);
    it.BPB_FATSz32 = U32::new(geometry.sectors_per_fat);
    it.BPB_RootClus = U32::new(FIRST_CLUSTER);
    it.BPB_FSInfo = U16::new(FSINFO_SECTOR as u16);
    it.BPB_BkBootSec = U16::new(backup(geometry).unwrap_or(0) as u16);
    it.tail = tail(geometry, volume);
    it.boot_code[..BOOT_CODE.len()].copy_from_slice(&BOOT_CODE);
    it.signature = U16::new(SIGNATURE);
    it
}

/// A short jump to where the code is.
const fn jump(code: usize) -> [u8; 3] {
    [0xEB, code as u8 - 2, 0x90]
}

fn head(geometry: &Geometry, volume: &Volume) -> BootSectorHead {
    let mut it = BootSectorHead::new_zeroed();
    it.BS_OEMName = volume.oem_name.unwrap_or(OEM_NAME);
    it.BPB_BytsPerSec = U16::new(geometry.sector_size as u16);
    it.BPB_SecPerClus = geometry.sectors_per_cluster as u8;
    it.BPB_RsvdSecCnt = U16::new(geometry.reserved as u16);
    it.BPB_NumFATs = geometry.fats as u8;
    match u16::try_from(geometry.sectors) {
        Ok(sectors) if geometry.fat_type != FatType::Fat32 => {
            it.BPB_TotSec16 = U16::new(sectors);
        }
        _ => it.BPB_TotSec32 = U32::new(geometry.sectors),
    }
    it.BPB_Media = geometry.drive.media;
    it.BPB_SecPerTrk = U16::new(geometry.drive.sectors_per_track);
    it.BPB_NumHeads = U16::new(geometry.drive.heads);
    it.BPB_HiddSec = U32::new(volume.hidden_sectors);
    it
}

fn tail(geometry: &Geometry, volume: &Volume) -> BootSectorTail {
    BootSectorTail {
        BS_DrvNum: geometry.drive.number,
        BS_Reserved1: 0,
        BS_BootSig: EXTENDED_BOOT_SIGNATURE,
        BS_VolID: U32::new(volume.id),
        BS_VolLab: volume.label.unwrap_or(label::NO_NAME),
        BS_FilSysType: label::padded(geometry.fat_type.name().as_bytes()),
    }
}

fn fs_info(geometry: &Geometry, used: u32) -> Vec<u8> {
    let mut it = FsInfo::new_zeroed();
    it.FSI_LeadSig = U32::new(FSI_LEAD_SIG);
    it.FSI_StrucSig = U32::new(FSI_STRUC_SIG);
    it.FSI_Free_Count = U32::new(geometry.clusters - used);
    // The last one that was taken: looking begins behind it.
    it.FSI_Nxt_Free = U32::new(FIRST_CLUSTER + used - 1);
    it.FSI_TrailSig = U32::new(FSI_TRAIL_SIG);
    it.as_bytes().to_vec()
}
