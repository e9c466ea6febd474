//! What is left out of a filesystem, or only newer programs read: a sentence for each.

use super::defaults::JOURNAL_FROM;
use super::demand::Demand;
use super::geometry::Geometry;
use super::parameters::Parameters;
use crate::units::Bytes;

/// What is told of a planned filesystem.
pub(super) fn of(parameters: &Parameters, geometry: &Geometry, demand: &Demand) -> Vec<String> {
    let (asked, made) = (parameters.features, geometry.features);
    let name = parameters.flavor.name();
    let mut warnings = Vec::new();
    if asked.has_journal() && !made.has_journal() {
        let least = Bytes::new(JOURNAL_FROM * u64::from(geometry.block_size));
        warnings.push(format!(
            "left out the journal of {name}: {} blocks of {} bytes are too few for one, from \
             {least} on there is one; ask for no journal (journal none) if that is meant",
            geometry.blocks, geometry.block_size
        ));
    }
    if asked.has_resize_inode() && !made.has_resize_inode() {
        warnings.push(format!(
            "left out the feature resize_inode of {name}, which ends at {} blocks",
            u32::MAX
        ));
    }
    if made.has_ea_inode() && !asked.has_ea_inode() {
        warnings.push(format!(
            "added the feature ea_inode for {} values of extended attributes that fit into no \
             block: Linux 4.13 and newer read it, GRUB and others don't",
            demand.values.list.len()
        ));
    }
    warnings
}
