//! What the superblock, the bitmaps and the journal say of the filesystem.

use crate::fs::ext::format::EXT4_VALID_FS;
use crate::inspect::fs::ext::Ext;
use crate::inspect::fs::ext::features::{
    COMPAT_HAS_JOURNAL, INCOMPAT_JOURNAL_DEV, INCOMPAT_RECOVER, names,
};
use crate::inspect::fs::facts::{Facts, State, text, time, uuid};

pub(super) const JOURNAL_DEVICE: &str = "jbd";

const ERROR_FS: u16 = 2;

/// Features that ext2 and ext3 don't have, without those that any kernel since 2.6 reads over.
const EXT4_INCOMPAT: u32 = !(0x2 | 0x4 | 0x8 | 0x10);
const EXT4_RO_COMPAT: u32 = !(0x1 | 0x2 | 0x4);

pub(super) fn facts(ext: &Ext<'_>) -> Facts {
    let superblock = &ext.superblock;
    let raw = &superblock.raw;
    let kind = kind(ext);
    let mut facts = Facts {
        label: text(&raw.s_volume_name),
        uuid: uuid(raw.s_uuid),
        features: names(
            raw.s_feature_compat.get(),
            raw.s_feature_incompat.get(),
            raw.s_feature_ro_compat.get(),
        ),
        block_size: Some(superblock.block_size),
        created: when(raw.s_mkfs_time.get(), raw.s_mkfs_time_hi),
        ..Facts::new(kind)
    };
    if kind == JOURNAL_DEVICE {
        return facts;
    }
    facts.size = superblock.told.checked_mul(superblock.block_size);
    facts.blocks = Some(superblock.told);
    facts.inodes = Some(superblock.inodes.into());
    facts.mounted = when(raw.s_mtime.get(), raw.s_mtime_hi);
    facts.written = when(raw.s_wtime.get(), raw.s_wtime_hi);
    facts.last_mounted = text(&raw.s_last_mounted);
    facts.state = Some(state(ext));
    if facts.state == Some(State::NeedsRecovery) {
        facts.warn("the journal was not replayed: files may be as they were before");
    }
    free(ext, &mut facts);
    journal(ext, &mut facts);
    facts
}

fn when(low: u32, high: u8) -> Option<crate::identity::Timestamp> {
    time(i64::from(low) | (i64::from(high) << 32))
}

/// As blkid tells them apart.
fn kind(ext: &Ext<'_>) -> &'static str {
    let superblock = &ext.superblock;
    let raw = &superblock.raw;
    if superblock.incompat(INCOMPAT_JOURNAL_DEV) {
        JOURNAL_DEVICE
    } else if superblock.incompat(EXT4_INCOMPAT)
        || raw.s_feature_ro_compat.get() & EXT4_RO_COMPAT != 0
    {
        "ext4"
    } else if raw.s_feature_compat.get() & COMPAT_HAS_JOURNAL != 0 {
        "ext3"
    } else {
        "ext2"
    }
}

fn state(ext: &Ext<'_>) -> State {
    let state = ext.superblock.raw.s_state.get();
    if state & ERROR_FS != 0 {
        State::Errors
    } else if ext.superblock.incompat(INCOMPAT_RECOVER) {
        State::NeedsRecovery
    } else if state & EXT4_VALID_FS != 0 {
        State::Clean
    } else {
        State::Dirty
    }
}

/// What the bitmaps say. Where they contradict the descriptors, the superblock is all there is.
fn free(ext: &Ext<'_>, facts: &mut Facts) {
    let raw = &ext.superblock.raw;
    let (low, high) = (
        raw.s_free_blocks_count_lo.get(),
        raw.s_free_blocks_count_hi.get(),
    );
    let told = u64::from(low) | (u64::from(high) << 32);
    let told_inodes = raw.s_free_inodes_count.get().into();
    facts.free_blocks = Some(told);
    facts.free_inodes = Some(told_inodes);
    if ext.superblock.is_cut() {
        // Some of the bitmaps are missing.
        return;
    }
    match ext.count_free() {
        Ok(free) => {
            let blocks = free.clusters.saturating_mul(ext.superblock.cluster);
            // Copies of the superblock are not kept up to date.
            let is_kept = !ext.superblock.is_backup;
            if is_kept && (blocks != told || free.inodes != told_inodes) {
                let inodes = free.inodes;
                facts.warn(format!(
                    "the superblock tells of {told} blocks and {told_inodes} inodes free, the \
                     bitmaps of {blocks} and {inodes}"
                ));
            }
            facts.free_blocks = Some(blocks);
            facts.free_inodes = Some(free.inodes);
        }
        Err(error) => facts.warn(error.to_string()),
    }
}

fn journal(ext: &Ext<'_>, facts: &mut Facts) {
    let raw = &ext.superblock.raw;
    let number = raw.s_journal_inum.get();
    if raw.s_feature_compat.get() & COMPAT_HAS_JOURNAL == 0 || number == 0 {
        return;
    }
    match ext.inode(number) {
        Ok(inode) => facts.journal = Some(inode.size()),
        Err(error) => facts.warn(format!("the journal: {error}")),
    }
}
