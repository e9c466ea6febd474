//! What an MBR allows: four entries, one of which may hold logical partitions; 32-bit numbers.

use crate::error::{Error, Result};
use crate::layout::flags::Flag;
use crate::layout::kinds::Wish;
use crate::layout::plan::{EntryPlan, Role};
use crate::layout::space::{Owner, Space};
use crate::layout::spec::{PartitionSpec, Placed};
use crate::place::{Field, Place};
use crate::table::mbr::{FIRST_LOGICAL, PRIMARY_MAX, boot_record};
use crate::table::types;
use crate::units::{Bytes, Lba, LbaRange, SectorSize};

/// The largest number of a partition, as in parted: programs stop following a chain somewhere.
const NUMBER_MAX: u32 = 64;

/// The largest sector number and the largest number of sectors: 2 TiB less one sector of 512
/// bytes.
pub(super) const FIELD_MAX: u64 = u32::MAX as u64;

const LAST_START: Lba = Lba::new(FIELD_MAX);

const FURTHER: &str = "a GPT goes further ('gpt' in labels)";

/// The number of one more partition, if the table has room for it.
pub(super) fn admit(
    place: &Place,
    role: Role,
    range: LbaRange,
    placed: &[Placed<'_>],
    (disk, sector): (LbaRange, SectorSize),
) -> Result<u32> {
    check_start(place, range)?;
    let number = match role {
        Role::Primary | Role::Extended => admit_entry(place, role, range, placed, disk),
        Role::Logical => admit_logical(place, range, placed),
    }?;
    check_length(place, range, sector)?;
    Ok(number)
}

fn check_start(place: &Place, range: LbaRange) -> Result<()> {
    let start = range.first().get();
    if start <= FIELD_MAX {
        return Ok(());
    }
    let message = format!(
        "start {start} is more than an MBR can record; the largest legal start is {FIELD_MAX}; \
         {FURTHER}"
    );
    Err(Error::does_not_fit(place.field(Field::Start), message))
}

pub(super) fn check_length(place: &Place, range: LbaRange, sector: SectorSize) -> Result<()> {
    let (start, sectors) = (range.first().get(), range.sectors());
    if sectors <= FIELD_MAX {
        return Ok(());
    }
    let most = start + (FIELD_MAX - 1);
    let message = format!(
        "{sectors} sectors are more than the {FIELD_MAX} ({}) that an MBR can record; the \
         largest legal end is {most}; {FURTHER}",
        reach(sector)
    );
    Err(Error::does_not_fit(place.field(Field::End), message))
}

/// Admits a partition to one of the four entries of the table itself.
fn admit_entry(
    place: &Place,
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
            return Err(Error::invalid(place.field(Field::Role), message));
        }
        space.take(owner(other), other.range);
        number += 1;
    }
    if number > PRIMARY_MAX {
        let message = format!(
            "an MBR holds {PRIMARY_MAX} primary partitions and this is one more; make one of them \
             extended ('e') and this one logical ('l') in it, or use a GPT ('gpt' in labels)"
        );
        return Err(Error::does_not_fit(place.field(Field::Role), message));
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
fn admit_logical(place: &Place, range: LbaRange, placed: &[Placed<'_>]) -> Result<u32> {
    let extended = placed.iter().find(|other| other.role == Role::Extended);
    let Some(extended) = extended else {
        let message = "a logical partition needs an extended one ('e') before it in the list; \
                       without one make it primary ('p')";
        return Err(Error::invalid(place.field(Field::Role), message));
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
        return Err(Error::does_not_fit(place.field(Field::Role), message));
    }
    let lead = u64::from(number > FIRST_LOGICAL);
    space.check(place, range, lead)?;
    Ok(number)
}

/// About how much of a disk an MBR can record.
pub(super) fn reach(sector: SectorSize) -> Bytes {
    Bytes::new((FIELD_MAX + 1) * sector.get())
}

/// What the table says of each partition.
pub(super) fn entries(placed: &[Placed<'_>]) -> Result<Vec<EntryPlan>> {
    let mut active: Option<u32> = None;
    let entries = placed.iter().map(|one| {
        check_keys(one.spec)?;
        let entry = entry(one.spec, one.role)?;
        if let Some(place) = boot(one.spec) {
            check_active(&Place::from(&place), one, active.replace(one.number))?;
        }
        Ok(entry)
    });
    entries.collect()
}

/// Refuses what only a GPT records.
fn check_keys(part: &PartitionSpec) -> Result<()> {
    let refuse = |key: &str, message: &str| {
        let place = format!("{}.{key}", part.place);
        Err(Error::unsupported(place, message))
    };
    if part.name.is_some() {
        let message = "an MBR has no names for partitions; the filesystem has a 'label', and a \
                       GPT ('gpt' in labels) has names";
        return refuse("name", message);
    }
    if part.uuid.is_some() {
        let message = "an MBR has no GUIDs for partitions, they are known by the 'disk_id' and \
                       their number; a GPT ('gpt' in labels) has GUIDs";
        return refuse("uuid", message);
    }
    for (index, flag) in part.flags.iter().enumerate() {
        if *flag != Flag::Boot {
            let message =
                format!("an MBR has no flag '{flag}', only 'boot'; a GPT ('gpt' in labels) has it");
            return refuse(&format!("flags[{index}]"), &message);
        }
    }
    Ok(())
}

/// Where a partition is said to be the one that is started.
pub(super) fn boot(part: &PartitionSpec) -> Option<String> {
    let index = part.flags.iter().position(|flag| *flag == Flag::Boot)?;
    Some(format!("{}.flags[{index}]", part.place))
}

fn check_active(place: &Place, one: &Placed<'_>, other: Option<u32>) -> Result<()> {
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
fn entry(part: &PartitionSpec, role: Role) -> Result<EntryPlan> {
    let kind = match role {
        Role::Extended => {
            let given = [
                part.gpt_type.is_some().then_some("gpt_type"),
                part.mbr_type.is_some().then_some("mbr_type"),
            ];
            if let Some(key) = given.into_iter().flatten().next() {
                let message = "the type of an extended partition is fixed; leave it out";
                return Err(Error::invalid(format!("{}.{key}", part.place), message));
            }
            types::MBR_EXTENDED
        }
        Role::Primary | Role::Logical => Wish::of(part).byte(types::MBR_LINUX)?,
    };
    let active = boot(part).is_some();
    Ok(EntryPlan::Mbr { kind, active })
}
