//! What the superblock says of the filesystem.

use crate::inspect::fs::btrfs::checksum::Checksum;
use crate::inspect::fs::btrfs::features::names;
use crate::inspect::fs::btrfs::format::{SUPER_FLAG_ERROR, SuperBlock};
use crate::inspect::fs::facts::{Facts, State, text, uuid};

pub(super) fn facts(raw: &SuperBlock) -> Facts {
    let block_size = u64::from(raw.sectorsize.get());
    let (total, used) = (raw.total_bytes.get(), raw.bytes_used.get());
    let blocks = |bytes: u64| bytes.checked_div(block_size);
    let mut facts = Facts {
        label: text(&raw.label).map(|label| label.trim_end().to_owned()),
        uuid: uuid(raw.fsid),
        block_size: Some(block_size),
        // Of several devices each has a part.
        size: Some(total).filter(|_| raw.num_devices.get() == 1),
        blocks: blocks(total),
        // What is allocated twice counts once: this is no more than a hint.
        free_blocks: total.checked_sub(used).and_then(blocks),
        features: names(raw.incompat_flags.get(), raw.compat_ro_flags.get()),
        state: Some(State::Clean),
        ..Facts::new("btrfs")
    };
    if let Some(kind) = Checksum::new(raw.csum_type.get()).unknown() {
        facts.warn(format!("checksums by {kind} aren't verified here"));
    }
    if raw.log_root.get() != 0 {
        facts.state = Some(State::NeedsRecovery);
        facts.warn("the log tree was not replayed: files may be as they were before");
    }
    if raw.flags.get() & SUPER_FLAG_ERROR != 0 {
        facts.state = Some(State::Errors);
    }
    facts
}
