//! What a disk without a partition table allows: one filesystem, of which no table says anything.

use crate::error::{Error, Result};
use crate::layout::placed::Placed;
use crate::layout::spec::Partition;
use crate::place::Field;
use crate::table::{Entry, Role};

/// What stands for the number of the only one.
pub(super) const NUMBER: u32 = 0;

/// Refuses any but the only one.
pub(super) fn admit(part: &Partition, placed: &[Placed<'_>]) -> Result<()> {
    if !placed.is_empty() {
        let message = "a disk without a partition table has one filesystem; this is one more";
        return Err(Error::does_not_fit(&part.place, message));
    }
    if part.role != Role::Primary {
        let message = "only a partition table has extended and logical partitions; leave it out";
        return Err(Error::invalid(part.place.field(Field::Role), message));
    }
    Ok(())
}

/// Refuses what only a table records.
pub(super) fn entry(one: &Placed<'_>) -> Result<Entry> {
    let part = one.spec;
    let given = [
        part.align.map(|_| Field::Align),
        part.name.as_ref().map(|_| Field::Name),
        part.guid.map(|_| Field::Guid),
        part.kind.given(),
        (!part.flags.is_empty()).then_some(Field::Flag(0)),
    ];
    match given.into_iter().flatten().next() {
        None => Ok(Entry::None),
        Some(field) => {
            let message = "without a partition table there is nowhere to record this; leave it out";
            Err(Error::unsupported(part.place.field(field), message))
        }
    }
}
