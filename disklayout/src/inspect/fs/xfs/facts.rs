//! What the superblock and the log say of the filesystem.

use crate::inspect::fs::facts::{Facts, State, text, uuid};
use crate::inspect::fs::xfs::features::{INCOMPAT_NEEDSREPAIR, VERSION_ASCII_CI, all};
use crate::inspect::fs::xfs::{Xfs, log};

pub(super) fn facts(xfs: &Xfs<'_>) -> Facts {
    let superblock = &xfs.superblock;
    let raw = &superblock.raw;
    let mut facts = Facts {
        label: text(&raw.sb_fname).map(|label| label.trim_end().to_owned()),
        uuid: uuid(raw.sb_uuid),
        block_size: Some(superblock.block_size),
        blocks: Some(superblock.blocks),
        size: superblock.blocks.checked_mul(superblock.block_size),
        features: features(xfs),
        ..Facts::new("xfs")
    };
    // Otherwise it is on another device.
    if raw.sb_logstart.get() != 0 {
        let blocks = u64::from(raw.sb_logblocks.get());
        facts.journal = blocks.checked_mul(superblock.block_size);
    }
    if !superblock.is_copy {
        facts.free_blocks = Some(raw.sb_fdblocks.get());
        facts.inodes = Some(raw.sb_icount.get());
        facts.free_inodes = Some(raw.sb_ifree.get());
        if raw.sb_inprogress != 0 {
            facts.warn("it was not made to its end");
        }
    }
    state(xfs, &mut facts);
    facts
}

fn features(xfs: &Xfs<'_>) -> Vec<String> {
    let raw = &xfs.superblock.raw;
    let mut features = match xfs.superblock.is_sealed {
        true => all(
            raw.sb_features_incompat.get(),
            raw.sb_features_ro_compat.get(),
        ),
        false if xfs.superblock.has_types => vec!["ftype".to_owned()],
        false => Vec::new(),
    };
    if raw.sb_versionnum.get() & VERSION_ASCII_CI != 0 {
        features.push("ascii-ci".to_owned());
    }
    features
}

fn state(xfs: &Xfs<'_>, facts: &mut Facts) {
    match log::is_clean(xfs) {
        Ok(None) => {}
        Ok(Some(true)) => facts.state = Some(State::Clean),
        Ok(Some(false)) => {
            facts.state = Some(State::NeedsRecovery);
            facts.warn("the log was not replayed: files may be as they were before");
        }
        Err(error) => facts.warn(error.to_string()),
    }
    let superblock = &xfs.superblock;
    if superblock.is_sealed && superblock.raw.sb_features_incompat.get() & INCOMPAT_NEEDSREPAIR != 0
    {
        facts.state = Some(State::Errors);
        facts.warn("it has to be repaired by xfs_repair before anybody writes to it");
    }
}
