//! The superblock.

use uuid::Uuid;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromZeros, IntoBytes};

use super::allocate::Allocation;
use super::checksum::Crc;
use super::format::*;
use super::geometry::Geometry;
use super::parameters::Parameters;
use crate::identity::Timestamp;

/// What tells this filesystem from others.
#[derive(Clone, Debug)]
pub(super) struct Volume {
    pub uuid: Uuid,
    pub hash_seed: Uuid,
    pub label: [u8; 16],
    pub created: Timestamp,
}

/// The journal's inode.
#[derive(Debug)]
pub(super) struct Journal {
    pub size: u64,
    pub i_block: [u8; I_BLOCK_BYTES],
}

/// The primary superblock, without its checksum.
pub(super) fn superblock(
    parameters: &Parameters,
    geometry: &Geometry,
    allocation: &Allocation,
    volume: &Volume,
    journal: Option<&Journal>,
) -> SuperBlock {
    let mut it = SuperBlock::new_zeroed();
    set_counts(&mut it, geometry, allocation);
    set_shape(&mut it, parameters, geometry);
    set_identity(&mut it, volume);
    set_checksums(&mut it, geometry, volume);
    if let Some(journal) = journal {
        set_journal(&mut it, journal);
    }
    it.s_last_mounted = parameters.last_mounted;
    it.s_magic = U16::new(EXT4_SUPER_MAGIC);
    it.s_state = U16::new(EXT4_VALID_FS);
    it.s_errors = U16::new(EXT4_ERRORS_CONTINUE);
    // Minus one: never checked for having been mounted often.
    it.s_max_mnt_count = U16::new(u16::MAX);
    it.s_rev_level = U32::new(EXT4_DYNAMIC_REV);
    it.s_default_mount_opts = U32::new(EXT4_DEFM_XATTR_USER | EXT4_DEFM_ACL);
    it.s_def_hash_version = DX_HASH_HALF_MD4;
    it.s_flags = U32::new(EXT2_FLAGS_SIGNED_HASH);
    it
}

fn set_counts(it: &mut SuperBlock, geometry: &Geometry, allocation: &Allocation) {
    let used = u64::from(allocation.highest_inode());
    it.s_inodes_count = U32::new(geometry.inodes() as u32);
    it.s_free_inodes_count = U32::new((geometry.inodes() - used) as u32);
    (it.s_blocks_count_lo, it.s_blocks_count_hi) = halves(geometry.blocks);
    (it.s_r_blocks_count_lo, it.s_r_blocks_count_hi) = halves(geometry.reserved_blocks);
    (it.s_free_blocks_count_lo, it.s_free_blocks_count_hi) = halves(allocation.free.blocks());
    it.s_overhead_clusters = U32::new(geometry.overhead_blocks() as u32);
}

fn halves(count: u64) -> (U32, U32) {
    (U32::new(count as u32), U32::new((count >> 32) as u32))
}

fn set_shape(it: &mut SuperBlock, parameters: &Parameters, geometry: &Geometry) {
    let features = geometry.features;
    it.s_feature_compat = U32::new(features.compat);
    it.s_feature_incompat = U32::new(features.incompat);
    it.s_feature_ro_compat = U32::new(features.ro_compat);
    it.s_first_data_block = U32::new(geometry.first_data_block);
    // Stored as the power of two above 1024.
    it.s_log_block_size = U32::new(geometry.block_size.ilog2() - 10);
    it.s_log_cluster_size = it.s_log_block_size;
    it.s_blocks_per_group = U32::new(geometry.blocks_per_group);
    it.s_clusters_per_group = it.s_blocks_per_group;
    it.s_inodes_per_group = U32::new(geometry.inodes_per_group);
    it.s_first_ino = U32::new(EXT4_GOOD_OLD_FIRST_INO);
    it.s_inode_size = U16::new(geometry.inode_size as u16);
    it.s_min_extra_isize = U16::new(parameters.extra_isize());
    it.s_want_extra_isize = it.s_min_extra_isize;
    it.s_reserved_gdt_blocks = U16::new(geometry.reserved_gdt_blocks as u16);
    it.s_log_groups_per_flex = geometry.log_groups_per_flex;
    if features.has_64bit() {
        it.s_desc_size = U16::new(geometry.desc_size() as u16);
    }
}

fn set_checksums(it: &mut SuperBlock, geometry: &Geometry, volume: &Volume) {
    if geometry.features.has_metadata_csum() {
        it.s_checksum_type = EXT4_CRC32C_CHKSUM;
    }
    if geometry.features.has_csum_seed() {
        it.s_checksum_seed = U32::new(Crc::of_filesystem(volume.uuid).get());
    }
}

fn set_identity(it: &mut SuperBlock, volume: &Volume) {
    it.s_uuid = volume.uuid.into_bytes();
    it.s_hash_seed = volume.hash_seed.into_bytes();
    it.s_volume_name = volume.label;
    let seconds = volume.created.seconds;
    let (low, high) = (U32::new(seconds as u32), (seconds >> 32) as u8);
    (it.s_mkfs_time, it.s_mkfs_time_hi) = (low, high);
    (it.s_wtime, it.s_wtime_hi) = (low, high);
    (it.s_lastcheck, it.s_lastcheck_hi) = (low, high);
}

/// The journal's inode and a copy of where its blocks are, should the inode be lost.
fn set_journal(it: &mut SuperBlock, journal: &Journal) {
    it.s_journal_inum = U32::new(EXT4_JOURNAL_INO);
    it.s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
    let (blocks, size) = it.s_jnl_blocks.split_at_mut(15);
    blocks.as_mut_bytes().copy_from_slice(&journal.i_block);
    size.copy_from_slice(&[
        U32::new((journal.size >> 32) as u32),
        U32::new(journal.size as u32),
    ]);
}

/// The bytes of the superblock as `group` stores it.
pub(super) fn bytes_for_group(superblock: &SuperBlock, group: u32) -> Vec<u8> {
    let mut it = superblock.clone();
    // Too small for all groups of the largest filesystems.
    it.s_block_group_nr = U16::new(u16::try_from(group).unwrap_or(u16::MAX));
    if group > 0 {
        // A copy is only ever used on a damaged filesystem.
        it.s_state = U16::ZERO;
    }
    if it.s_checksum_type == EXT4_CRC32C_CHKSUM {
        let covered = std::mem::offset_of!(SuperBlock, s_checksum);
        it.s_checksum = U32::new(Crc::START.update(&it.as_bytes()[..covered]).get());
    }
    it.as_bytes().to_vec()
}
