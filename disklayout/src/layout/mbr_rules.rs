//! What an MBR allows: four entries, one of which may hold logical partitions; 32-bit numbers.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::layout::plan::{EntryPlan, Role};
use crate::layout::space::{Owner, Space};
use crate::layout::spec::Placed;
use crate::table::mbr::{FIRST_LOGICAL, PRIMARY_MAX, boot_record};
use crate::table::types;
use crate::units::{Lba, LbaRange};

/// The largest number of a partition, as in parted: programs stop following a chain somewhere.
const NUMBER_MAX: u32 = 64;

/// The largest sector number and the largest number of sectors: 2 TiB less one sector.
pub(super) const FIELD_MAX: u64 = u32::MAX as u64;

const LAST_START: Lba = Lba::new(FIELD_MAX);

const FURTHER: &str = "a GPT goes further ('gpt' in labels)";

/// The number of one more partition, if the table has room for it.
pub(super) fn admit(
    place: &str,
    role: Role,
    range: LbaRange,
    placed: &[Placed<'_>],
    disk: LbaRange,
) -> Result<u32> {
    check_start(place, range)?;
    let number = match role {
        Role::Primary | Role::Extended => admit_entry(place, role, range, placed, disk),
        Role::Logical => admit_logical(place, range, placed),
    }?;
    check_length(place, range)?;
    Ok(number)
}

fn check_start(place: &str, range: LbaRange) -> Result<()> {
    let start = range.first().get();
    if start <= FIELD_MAX {
        return Ok(());
    }
    let message = format!(
        "start {start} is more than an MBR can record; the largest legal start is {FIELD_MAX}; \
         {FURTHER}"
    );
    Err(Error::does_not_fit(format!("{place}.start"), message))
}

pub(super) fn check_length(place: &str, range: LbaRange) -> Result<()> {
    let (start, sectors) = (range.first().get(), range.sectors());
    if sectors <= FIELD_MAX {
        return Ok(());
    }
    let most = start + (FIELD_MAX - 1);
    let message = format!(
        "{sectors} sectors are more than the {FIELD_MAX} (2 TiB) that an MBR can record; the \
         largest legal end is {most}; {FURTHER}"
    );
    Err(Error::does_not_fit(format!("{place}.end"), message))
}

/// Admits a partition to one of the four entries of the table itself.
fn admit_entry(
    place: &str,
    role: Role,
    range: LbaRange,
    placed: &[Placed<'_>],
    disk: LbaRange,
) -> Result<u32> {
    let mut space = Space::new("the disk".to_owned(), disk).starting_up_to(LAST_START);
    let mut number = 1;
    for other in placed.iter().filter(|other| other.role != Role::Logical) {
        if role == Role::Extended && other.role == Role::Extended {
            let message = format!(
                "there is an extended partition already, number {}, and an MBR holds only one; put \
                 its logical partitions ('l') into that one",
                other.number
            );
            return Err(Error::invalid(format!("{place}.type"), message));
        }
        space.take(owner(other), other.range);
        number += 1;
    }
    if number > PRIMARY_MAX {
        let message = format!(
            "an MBR holds {PRIMARY_MAX} primary partitions and this is one more; make one of them \
             extended ('e') and this one logical ('l') in it, or use a GPT ('gpt' in labels)"
        );
        return Err(Error::does_not_fit(format!("{place}.type"), message));
    }
    space.check(place, range, 0)?;
    Ok(number as u32)
}

fn owner(other: &Placed<'_>) -> Owner {
    match other.role {
        Role::Extended => Owner::Extended(other.number),
        Role::Primary | Role::Logical => Owner::Partition(other.number),
    }
}

/// Admits a partition to the chain inside the extended one.
fn admit_logical(place: &str, range: LbaRange, placed: &[Placed<'_>]) -> Result<u32> {
    let extended = placed.iter().find(|other| other.role == Role::Extended);
    let Some(extended) = extended else {
        let message = "a logical partition needs an extended one ('e') before it in the list; \
                       without one make it primary ('p')";
        return Err(Error::invalid(format!("{place}.type"), message));
    };
    let name = format!("extended partition {}", extended.number);
    let mut space = Space::new(name, extended.range).starting_up_to(LAST_START);
    let mut number = FIRST_LOGICAL;
    // The start of the extended partition is kept for the first of the chain in any case.
    space.take_sector(Owner::BootRecord(FIRST_LOGICAL), extended.range.first());
    for other in placed.iter().filter(|other| other.role == Role::Logical) {
        let record = boot_record(extended.range, other.number == FIRST_LOGICAL, other.range);
        space.take_sector(Owner::BootRecord(other.number), record);
        space.take(Owner::Partition(other.number), other.range);
        number += 1;
    }
    if number > NUMBER_MAX {
        let most = NUMBER_MAX - FIRST_LOGICAL + 1;
        let message = format!(
            "an MBR holds {most} logical partitions and this is one more; a GPT holds 128 \
             partitions ('gpt' in labels)"
        );
        return Err(Error::does_not_fit(format!("{place}.type"), message));
    }
    let lead = u64::from(number > FIRST_LOGICAL);
    space.check(place, range, lead)?;
    Ok(number)
}

/// The type of a partition: the filesystem never changes it.
pub(super) fn entry(place: &str, role: Role, guid: Option<Uuid>) -> Result<EntryPlan> {
    let place = || format!("{place}.gpt_type");
    let kind = match (role, guid) {
        (Role::Extended, None) => types::MBR_EXTENDED,
        (Role::Extended, Some(_)) => {
            let message = "the type of an extended partition is fixed; leave it out";
            return Err(Error::invalid(place(), message));
        }
        (Role::Primary | Role::Logical, None) => types::MBR_LINUX,
        (Role::Primary | Role::Logical, Some(guid)) => types::mbr_byte(guid).ok_or_else(|| {
            let message = format!(
                "an MBR has no type for {:X}, only for {}; a GPT ('gpt' in labels) takes every type",
                guid.hyphenated(),
                types::mbr_names()
            );
            Error::unsupported(place(), message)
        })?,
    };
    Ok(EntryPlan::Mbr { kind })
}
