//! The superblock, or one of its copies.

use zerocopy::IntoBytes;

use crate::error::{Error, Result};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::btrfs::checksum::Checksum;
use crate::inspect::fs::btrfs::features::{INCOMPAT_KNOWN, METADATA_UUID, names};
use crate::inspect::fs::btrfs::format::{
    MAGIC, MAGIC_OFFSET, SUPER_COPIES, SUPER_OFFSET, SuperBlock,
};

pub(super) const PLACE: &str = "superblock";

/// Sizes of nodes.
const NODE: std::ops::RangeInclusive<u32> = 4096..=65536;

/// The superblock at `at`, and what is wrong with it, if one is there.
pub(super) fn at(area: &Area<'_>, at: u64) -> Result<Option<(SuperBlock, Option<Error>)>> {
    if area.probe(at + MAGIC_OFFSET)? != Some(MAGIC) {
        return Ok(None);
    }
    let raw: SuperBlock = area.structure(PLACE, at)?;
    let fault = verify(&raw, at).err();
    Ok(Some((raw, fault)))
}

/// The first copy that is sound, and where it is.
pub(super) fn copy(area: &Area<'_>) -> Option<(SuperBlock, u64)> {
    SUPER_COPIES.into_iter().find_map(|place| {
        let (raw, fault) = at(area, place).ok()??;
        fault.is_none().then_some((raw, place))
    })
}

/// The superblock where it should be, and what is wrong with it, if one is there.
pub(super) fn primary(area: &Area<'_>) -> Result<Option<(SuperBlock, Option<Error>)>> {
    at(area, SUPER_OFFSET)
}

fn verify(raw: &SuperBlock, at: u64) -> Result<()> {
    Checksum::new(raw.csum_type.get()).check(PLACE, raw.as_bytes())?;
    if raw.bytenr.get() == at {
        return Ok(());
    }
    let message = format!("it says that it is in byte {}", raw.bytenr);
    Err(Error::corrupt(PLACE, message))
}

impl SuperBlock {
    /// Whether files can be read, as far as the superblock tells.
    pub(super) fn check(&self) -> Result<()> {
        let unknown = self.incompat_flags.get() & !INCOMPAT_KNOWN;
        if unknown != 0 {
            let message = format!("unknown features: {}", names(unknown, 0).join(", "));
            return Err(Error::unsupported(PLACE, message));
        }
        let devices = self.num_devices.get();
        if devices != 1 {
            let message = format!("it is spread over {devices} devices");
            return Err(Error::unsupported(PLACE, message));
        }
        let (node, sector) = (self.nodesize.get(), self.sectorsize.get());
        if !NODE.contains(&node) || !node.is_power_of_two() {
            return Err(Error::corrupt(PLACE, format!("nodes of {node} bytes")));
        }
        if !NODE.contains(&sector) || !sector.is_power_of_two() {
            return Err(Error::corrupt(PLACE, format!("sectors of {sector} bytes")));
        }
        Ok(())
    }

    /// What nodes have as the UUID of their filesystem: another one where that was changed.
    pub(super) fn uuid(&self) -> [u8; 16] {
        match self.incompat_flags.get() & METADATA_UUID {
            0 => self.fsid,
            _ => self.metadata_uuid,
        }
    }
}
