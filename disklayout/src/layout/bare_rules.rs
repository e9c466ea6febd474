//! What a disk without a partition table allows: one filesystem, of which no table says anything.

use crate::error::{Error, Result};
use crate::layout::plan::{EntryPlan, Role};
use crate::layout::spec::Placed;
use crate::place::{Field, Place};

/// What stands for the number of the only one.
pub(super) const NUMBER: u32 = 0;

/// Refuses any but the only one.
pub(super) fn admit(place: &Place, asked: Role, placed: &[Placed<'_>]) -> Result<()> {
    if !placed.is_empty() {
        let message = "a disk without a partition table has one filesystem; this is one more";
        return Err(Error::does_not_fit(place, message));
    }
    if asked != Role::Primary {
        let message = "only a partition table has extended and logical partitions; leave it out";
        return Err(Error::invalid(place.field(Field::Role), message));
    }
    Ok(())
}

/// Refuses what only a table records.
pub(super) fn entry(one: &Placed<'_>) -> Result<EntryPlan> {
    let part = one.spec;
    let keys = [
        ("align", part.align.is_some()),
        ("name", part.name.is_some()),
        ("uuid", part.uuid.is_some()),
        ("gpt_type", part.gpt_type.is_some()),
        ("mbr_type", part.mbr_type.is_some()),
        ("flags", !part.flags.is_empty()),
    ];
    match keys.iter().find(|(_, is_given)| *is_given) {
        None => Ok(EntryPlan::None),
        Some((key, _)) => {
            let message = "without a partition table there is nowhere to record this; leave it out";
            Err(Error::unsupported(format!("{}.{key}", part.place), message))
        }
    }
}
