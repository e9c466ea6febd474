//! The boot regions (3).

use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use super::geometry::Geometry;
use super::upcase::checksum;

/// A boot region; main and backup have the same bytes.
pub(super) fn region(geometry: &Geometry, root: u32, serial_number: u32, used: u32) -> Vec<u8> {
    let sector = geometry.sector_size as usize;
    let mut bytes = vec![0; BOOT_REGION_SECTORS as usize * sector];
    let boot = boot_sector(geometry, root, serial_number, used);
    bytes[..size_of::<BootSector>()].copy_from_slice(boot.as_bytes());
    for number in 1..=EXTENDED_BOOT_SECTORS as usize {
        let end = (number + 1) * sector;
        bytes[end - 4..end].copy_from_slice(&EXTENDED_BOOT_SIGNATURE.to_le_bytes());
    }
    let (counted, sums) = bytes.split_at_mut(BOOT_CHECKSUM_SECTOR as usize * sector);
    let counted = counted.iter().enumerate();
    let counted = counted.filter(|(place, _)| !NOT_IN_BOOT_CHECKSUM.contains(place));
    let sum = checksum(counted.map(|(_, byte)| *byte)).to_le_bytes();
    for place in sums.chunks_exact_mut(sum.len()) {
        place.copy_from_slice(&sum);
    }
    bytes
}

fn boot_sector(geometry: &Geometry, root: u32, serial_number: u32, used: u32) -> BootSector {
    let sector = geometry.sector_size;
    let sectors = |bytes: u64| (bytes / sector) as u32;
    let mut it = BootSector::new_zeroed();
    it.JumpBoot = JUMP_BOOT;
    it.FileSystemName = FILE_SYSTEM_NAME;
    it.PartitionOffset.set(geometry.partition_offset);
    it.VolumeLength.set(geometry.sectors);
    it.FatOffset.set(sectors(geometry.fat));
    it.FatLength.set(sectors(geometry.fat_len));
    it.ClusterHeapOffset.set(sectors(geometry.heap));
    it.ClusterCount.set(geometry.clusters);
    it.FirstClusterOfRootDirectory.set(root);
    it.VolumeSerialNumber.set(serial_number);
    it.FileSystemRevision.set(FILE_SYSTEM_REVISION);
    it.BytesPerSectorShift = sector.trailing_zeros() as u8;
    it.SectorsPerClusterShift = (geometry.cluster_size / sector).trailing_zeros() as u8;
    it.NumberOfFats = 1;
    it.DriveSelect = DRIVE_SELECT;
    it.PercentInUse = (u64::from(used) * 100 / u64::from(geometry.clusters.max(1))) as u8;
    it.BootCode = [HALT; 390];
    it.BootSignature.set(BOOT_SIGNATURE);
    it
}
