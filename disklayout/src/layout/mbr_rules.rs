//! What an MBR allows: four entries, one of which may hold logical partitions; 32-bit numbers.

use crate::error::{Error, Result};
use crate::layout::placed::Placed;
use crate::layout::sectors::Sectors;
use crate::layout::space::{Owner, Space};
use crate::layout::spec::Partition;
use crate::place::{Field, Place};
use crate::table::mbr::{FIRST_LOGICAL, PRIMARY_MAX, boot_record};
use crate::table::{Entry, Flag, Role, types};
use crate::units::{Bytes, Lba, LbaRange, SectorSize};

/// The largest number of a partition, as in parted: programs stop following a chain somewhere.
const NUMBER_MAX: u32 = 64;

/// The largest sector number and the largest number of sectors: 2 TiB less one sector of 512
/// bytes.
pub(super) const FIELD_MAX: u64 = u32::MAX as u64;

const LAST_START: Lba = Lba::new(FIELD_MAX);

const FURTHER: &str = "a GPT goes further";

/// The number of one more partition, if the table has room for it.
pub(super) fn admit(
    part: &Partition,
    range: LbaRange,
    placed: &[Placed<'_>],
    sectors: &Sectors,
) -> Result<u32> {
    check_start(part, range)?;
    let number = match part.role {
        Role::Primary | Role::Extended => admit_entry(part, range, placed, sectors.usable),
        Role::Logical => admit_logical(part, range, placed),
    }?;
    check_length(part, range, sectors.size)?;
    Ok(number)
}

fn check_start(part: &Partition, range: LbaRange) -> Result<()> {
    let start = range.first().get();
    if start <= FIELD_MAX {
        return Ok(());
    }
    let message = format!(
        "start {start} is more than an MBR can record; the largest legal start is {FIELD_MAX}; \
         {FURTHER}"
    );
    Err(Error::does_not_fit(part.place.field(Field::Start), message))
}

/// Refuses more sectors than an entry can record.
pub(super) fn check_length(part: &Partition, range: LbaRange, sector: SectorSize) -> Result<()> {
    let sectors = range.sectors();
    if sectors <= FIELD_MAX {
        return Ok(());
    }
    let most = Lba::new(range.first().get() + (FIELD_MAX - 1));
    let legal = LbaRange::new(range.first(), most).unwrap_or(range);
    let message = format!(
        "{sectors} sectors are more than the {FIELD_MAX} ({}) that an MBR can record; the \
         largest legal {}; {FURTHER}",
        Bytes::new((FIELD_MAX + 1) * sector.get()),
        part.end.shown(legal)
    );
    Err(Error::does_not_fit(part.end_place(), message))
}

/// Admits a partition to one of the four entries of the table itself.
fn admit_entry(
    part: &Partition,
    range: LbaRange,
    placed: &[Placed<'_>],
    disk: LbaRange,
) -> Result<u32> {
    let mut space = Space::new("the disk".to_owned(), disk).starting_up_to(LAST_START);
    let mut number = 1;
    for other in placed.iter().filter(|other| other.role != Role::Logical) {
        if part.role == Role::Extended && other.role == Role::Extended {
            let message = format!(
                "there is an extended partition already, number {}, and an MBR holds only one; put \
                 its logical partitions into that one",
                other.number
            );
            return Err(Error::invalid(part.place.field(Field::Role), message));
        }
        space.take(owner(other), other.range);
        number += 1;
    }
    if number > PRIMARY_MAX {
        let message = format!(
            "an MBR holds {PRIMARY_MAX} primary partitions and this is one more; make one of them \
             extended and this one logical in it, or use a GPT"
        );
        return Err(Error::does_not_fit(part.place.field(Field::Role), message));
    }
    space.check(part, range, 0)?;
    Ok(number as u32)
}

fn owner(other: &Placed<'_>) -> Owner {
    match other.role {
        Role::Extended => Owner::Extended(other.number),
        Role::Primary | Role::Logical => Owner::Partition(other.number),
    }
}

/// Admits a partition to the chain inside the extended one.
fn admit_logical(part: &Partition, range: LbaRange, placed: &[Placed<'_>]) -> Result<u32> {
    let extended = placed.iter().find(|other| other.role == Role::Extended);
    let Some(extended) = extended else {
        let message = "a logical partition needs an extended one before it in the list; \
                       without one make it primary";
        return Err(Error::invalid(part.place.field(Field::Role), message));
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
             partitions"
        );
        return Err(Error::does_not_fit(part.place.field(Field::Role), message));
    }
    let lead = u64::from(number > FIRST_LOGICAL);
    space.check(part, range, lead)?;
    Ok(number)
}

/// What the table says of each partition.
pub(super) fn entries(placed: &[Placed<'_>]) -> Result<Vec<Entry>> {
    let mut active: Option<u32> = None;
    let entries = placed.iter().map(|one| {
        check_keys(one.spec)?;
        let entry = entry(one.spec, one.role)?;
        if let Some(place) = boot(one.spec) {
            check_active(&place, one, active.replace(one.number))?;
        }
        Ok(entry)
    });
    entries.collect()
}

/// Refuses what only a GPT records.
fn check_keys(part: &Partition) -> Result<()> {
    let refuse = |field, message: &str| Err(Error::unsupported(part.place.field(field), message));
    if part.name.is_some() {
        let message = "an MBR has no names for partitions; the filesystem has a label, and a \
                       GPT has names";
        return refuse(Field::Name, message);
    }
    if part.guid.is_some() {
        let message = "an MBR has no GUIDs for partitions, they are known by the disk signature and \
                       their number; a GPT has GUIDs";
        return refuse(Field::Guid, message);
    }
    for (index, flag) in part.flags.iter().enumerate() {
        if *flag != Flag::Boot {
            let message = format!("an MBR has no flag '{flag}', only 'boot'; a GPT has it");
            return refuse(Field::Flag(index), &message);
        }
    }
    Ok(())
}

/// Where a partition is said to be the one that is started.
pub(super) fn boot(part: &Partition) -> Option<Place> {
    let index = part.flags.iter().position(|flag| *flag == Flag::Boot)?;
    Some(part.place.field(Field::Flag(index)))
}

/// Refuses to start a logical partition, and a second one beside the `other`.
pub(super) fn check_active(place: &Place, one: &Placed<'_>, other: Option<u32>) -> Result<()> {
    let message = match (other, one.role) {
        (_, Role::Logical) => {
            "a logical partition isn't started by the code in an MBR, only a primary one".to_owned()
        }
        (Some(other), _) => {
            format!("one partition can be started, and partition {other} has this flag already")
        }
        (None, _) => return Ok(()),
    };
    Err(Error::invalid(place, message))
}

/// What the table says of a partition: the filesystem never changes it.
fn entry(part: &Partition, role: Role) -> Result<Entry> {
    let kind = match (role, part.kind.given()) {
        (Role::Extended, None) => types::MBR_EXTENDED,
        (Role::Extended, Some(field)) => {
            let message = "the type of an extended partition is fixed; leave it out";
            return Err(Error::invalid(part.place.field(field), message));
        }
        (Role::Primary | Role::Logical, _) => part.kind.byte(&part.place, types::MBR_LINUX)?,
    };
    let active = boot(part).is_some();
    Ok(Entry::Mbr { kind, active })
}
