//! What a GPT allows: 128 partitions that don't overlap.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::layout::plan::{EntryPlan, Role};
use crate::layout::space::{Owner, Space};
use crate::layout::spec::Placed;
use crate::table::format::GPT_ENTRY_COUNT;
use crate::table::types;
use crate::units::LbaRange;

/// The number of one more partition, if the table has room for it.
pub(super) fn admit(
    place: &str,
    range: LbaRange,
    placed: &[Placed<'_>],
    disk: LbaRange,
) -> Result<u32> {
    let mut space = Space::new("the disk".to_owned(), disk);
    let mut number = 1;
    for other in placed {
        space.take(Owner::Partition(other.number), other.range);
        number = number.max(other.number + 1);
    }
    if number > GPT_ENTRY_COUNT {
        let message = format!("a GPT holds {GPT_ENTRY_COUNT} partitions; this is one more");
        return Err(Error::does_not_fit(place, message));
    }
    space.check(place, range, 0)?;
    Ok(number)
}

/// The entry of a partition. Its name is the word for a role that only an MBR knows: libguestfs
/// hands that word to parted, which takes it for the name.
pub(super) fn entry(asked: Role, kind: Option<Uuid>, identity: &Identity) -> EntryPlan {
    let name = match asked {
        Role::Primary => "primary",
        Role::Extended => "extended",
        Role::Logical => "logical",
    };
    EntryPlan::Gpt {
        kind: kind.unwrap_or(types::GPT_LINUX),
        guid: identity.uuid("partition guid"),
        name: name.to_owned(),
    }
}
