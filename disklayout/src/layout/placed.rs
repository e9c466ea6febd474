//! A partition whose number and sectors are decided.

use crate::identity::Identity;
use crate::layout::spec::Partition;
use crate::table::Role;
use crate::units::LbaRange;

/// A partition whose number and sectors are decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    /// Its index in the description.
    pub(super) index: usize,
    pub(super) spec: &'a Partition,
    pub(super) number: u32,
    /// What it is in the table; what was asked for means something to an MBR only.
    pub(super) role: Role,
    pub(super) range: LbaRange,
}

impl Placed<'_> {
    /// What its identifiers derive from.
    pub(super) fn identity(&self, disk: &Identity) -> Identity {
        disk.child(&format!("partition {}", self.number))
    }
}
