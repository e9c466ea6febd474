//! What a GPT allows: 128 partitions that don't overlap.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::layout::placed::Placed;
use crate::layout::space::{Owner, Space};
use crate::layout::spec::Partition;
use crate::place::Field;
use crate::table::format::GPT_ENTRY_COUNT;
use crate::table::{Entry, Flag, Hybrid, types};
use crate::units::LbaRange;

/// The number of one more partition, if the table has room for it.
pub(super) fn admit(
    part: &Partition,
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
        return Err(Error::does_not_fit(&part.place, message));
    }
    space.check(part, range, 0)?;
    Ok(number)
}

/// How many UTF-16 units a name has at most.
const NAME_MAX: usize = 36;

/// What the table says of each partition. `hybrid` has what the MBR says, by their numbers.
pub(super) fn entries(
    placed: &[Placed<'_>],
    hybrid: &BTreeMap<u32, Hybrid>,
    identity: &Identity,
) -> Result<Vec<Entry>> {
    let mut guids = BTreeMap::new();
    let entries = placed.iter().map(|one| {
        let part = one.spec;
        let hybrid = hybrid.get(&one.number).copied();
        if hybrid.is_none() {
            check_keys(part)?;
        }
        let guid = match part.guid {
            Some(guid) => guid,
            None => one.identity(identity).uuid("partition guid"),
        };
        if let Some(other) = guids.insert(guid, one.number) {
            let message = format!("partition {other} has the GUID {guid} already");
            return Err(Error::invalid(part.place.field(Field::Guid), message));
        }
        Ok(Entry::Gpt {
            kind: part.kind.guid(types::GPT_LINUX),
            guid,
            name: name(part)?,
            attributes: attributes(part),
            hybrid,
        })
    });
    entries.collect()
}

/// Refuses what only an MBR records of a partition that doesn't stand in one.
fn check_keys(part: &Partition) -> Result<()> {
    part.kind.refuse_byte(&part.place)?;
    let Some(index) = part.flags.iter().position(|flag| *flag == Flag::Boot) else {
        return Ok(());
    };
    let message = "only an MBR marks a partition as the one that is started; in a GPT the firmware \
                   looks for the type 'esp', boot loaders of a BIOS for the flag 'legacy-boot'";
    let place = part.place.field(Field::Flag(index));
    Err(Error::unsupported(place, message))
}

fn name(part: &Partition) -> Result<String> {
    let Some(name) = &part.name else {
        // parted takes the role for the name, where it is told no other.
        return Ok(part.role.as_str().to_owned());
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

fn attributes(part: &Partition) -> u64 {
    let bits = part.flags.iter().filter_map(|flag| match flag {
        Flag::Bit(bit) => Some(1_u64 << bit),
        Flag::Boot => None,
    });
    bits.fold(0, |all, bit| all | bit)
}
