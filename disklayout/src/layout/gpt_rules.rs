//! What a GPT allows: 128 partitions that don't overlap.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::layout::flags::Flag;
use crate::layout::kinds::Wish;
use crate::layout::plan::{EntryPlan, Hybrid, Role};
use crate::layout::space::{Owner, Space};
use crate::layout::spec::{PartitionSpec, Placed};
use crate::place::{Field, Place};
use crate::table::format::GPT_ENTRY_COUNT;
use crate::table::types;
use crate::units::LbaRange;

/// The number of one more partition, if the table has room for it.
pub(super) fn admit(
    place: &Place,
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

/// How many UTF-16 units a name has at most.
const NAME_MAX: usize = 36;

/// What the table says of each partition. `hybrid` has what the MBR says, by their numbers.
pub(super) fn entries(
    placed: &[Placed<'_>],
    hybrid: &BTreeMap<u32, Hybrid>,
    identity: impl Fn(&Placed<'_>) -> Identity,
) -> Result<Vec<EntryPlan>> {
    let mut guids = BTreeMap::new();
    let entries = placed.iter().map(|one| {
        let part = one.spec;
        let hybrid = hybrid.get(&one.number).copied();
        if hybrid.is_none() {
            check_keys(part)?;
        }
        let guid = match part.uuid {
            Some(guid) => guid,
            None => identity(one).uuid("partition guid"),
        };
        if let Some(other) = guids.insert(guid, one.number) {
            let message = format!("partition {other} has the GUID {guid} already");
            return Err(Error::invalid(part.place.field(Field::Guid), message));
        }
        Ok(EntryPlan::Gpt {
            kind: Wish::of(part).guid(types::GPT_LINUX)?,
            guid,
            name: name(part, one.asked)?,
            attributes: attributes(part),
            hybrid,
        })
    });
    entries.collect()
}

/// The entry of a partition of which nothing is said.
pub(super) fn plain_entry(kind: Uuid, identity: &Identity) -> EntryPlan {
    EntryPlan::Gpt {
        kind,
        guid: identity.uuid("partition guid"),
        name: Role::Primary.as_str().to_owned(),
        attributes: 0,
        hybrid: None,
    }
}

/// Refuses what only an MBR records of a partition that doesn't stand in one.
fn check_keys(part: &PartitionSpec) -> Result<()> {
    Wish::of(part).refuse_byte()?;
    let Some(index) = part.flags.iter().position(|flag| *flag == Flag::Boot) else {
        return Ok(());
    };
    let message = "only an MBR marks a partition as the one that is started; in a GPT the firmware \
                   looks for the type 'esp', boot loaders of a BIOS for the flag 'legacy-boot'";
    let place = format!("{}.flags[{index}]", part.place);
    Err(Error::unsupported(place, message))
}

fn name(part: &PartitionSpec, asked: Role) -> Result<String> {
    let Some(name) = &part.name else {
        // libguestfs hands the role to parted, which takes it for the name.
        return Ok(asked.as_str().to_owned());
    };
    let refuse = |message: String| Err(Error::invalid(part.place.field(Field::Name), message));
    let units = name.encode_utf16().count();
    if units > NAME_MAX {
        return refuse(format!(
            "'{name}' takes {units} UTF-16 units; a GPT holds {NAME_MAX} at most"
        ));
    }
    if name.contains('\0') {
        return refuse(format!("'{}' contains a NUL", name.escape_default()));
    }
    Ok(name.clone())
}

fn attributes(part: &PartitionSpec) -> u64 {
    let bits = part.flags.iter().filter_map(|flag| match flag {
        Flag::Bit(bit) => Some(1_u64 << bit),
        Flag::Boot => None,
    });
    bits.fold(0, |all, bit| all | bit)
}
