//! GPT partitions that stand in the MBR too, as `sgdisk --hybrid` makes them: the protective entry
//! first, then up to three others.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::layout::mbr_rules::{FIELD_MAX, boot, check_active};
use crate::layout::placed::Placed;
use crate::place::{Field, Place};
use crate::table::{Hybrid, types};

/// Entries of an MBR beside the protective one.
const MOST: usize = 3;

/// The entries of the MBR by the numbers of their partitions.
pub(super) fn entries(
    disk: &Place,
    numbers: &[i64],
    placed: &[Placed<'_>],
) -> Result<BTreeMap<u32, Hybrid>> {
    let mut entries = BTreeMap::new();
    let mut active = None;
    for (index, number) in numbers.iter().enumerate() {
        let place = disk.field(Field::Hybrid(index));
        if index >= MOST {
            let message = "an MBR has three entries beside the protective one; this is one more";
            return Err(Error::does_not_fit(place, message));
        }
        let one = find(&place, *number, placed)?;
        check_reach(&place, one)?;
        if let Some(place) = boot(one.spec) {
            check_active(&place, one, active.replace(one.number))?;
        }
        let hybrid = Hybrid {
            // The protective entry is number 1.
            number: index as u8 + 2,
            kind: one.spec.kind.byte(&one.spec.place, types::MBR_LINUX)?,
            active: boot(one.spec).is_some(),
        };
        if entries.insert(one.number, hybrid).is_some() {
            let message = format!("partition {number} is in the list already");
            return Err(Error::invalid(place, message));
        }
    }
    Ok(entries)
}

fn find<'a, 'b>(place: &Place, number: i64, placed: &'a [Placed<'b>]) -> Result<&'a Placed<'b>> {
    let found = placed.iter().find(|one| i64::from(one.number) == number);
    found.ok_or_else(|| {
        let message = match placed.len() {
            0 => format!("partition {number} doesn't exist; the disk has no partitions"),
            most => format!("partition {number} doesn't exist; there are 1 to {most}"),
        };
        Error::invalid(place, message)
    })
}

fn check_reach(place: &Place, one: &Placed<'_>) -> Result<()> {
    let (first, sectors) = (one.range.first().get(), one.range.sectors());
    if first <= FIELD_MAX && sectors <= FIELD_MAX {
        return Ok(());
    }
    let message = format!(
        "partition {} has {sectors} sectors from {first} on, more than an MBR can record",
        one.number
    );
    Err(Error::does_not_fit(place, message))
}
