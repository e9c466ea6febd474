//! Gives every partition its number and its sectors.

use crate::error::Result;
use crate::layout::placed::Placed;
use crate::layout::sectors::Sectors;
use crate::layout::spec::{Disk, Partition};
use crate::layout::{bare_rules, fit, gpt_rules, mbr_rules};
use crate::table::{Kind, Role};

/// Gives every partition its number and its sectors, in the order of the numbers.
pub(super) fn place_all<'a>(disk: &'a Disk, sectors: &Sectors) -> Result<Vec<Placed<'a>>> {
    let kind = disk.table.kind();
    let mut placed = Vec::with_capacity(disk.partitions.len());
    for (index, part) in disk.partitions.iter().enumerate() {
        placed.push(place(index, part, kind, &placed, sectors)?);
    }
    if kind != Kind::None {
        fit::extend(&mut placed, sectors)?;
    }
    placed.sort_by_key(|one| one.number);
    Ok(placed)
}

fn place<'a>(
    index: usize,
    spec: &'a Partition,
    kind: Kind,
    placed: &[Placed<'_>],
    sectors: &Sectors,
) -> Result<Placed<'a>> {
    if kind == Kind::None {
        bare_rules::admit(spec, placed)?;
    }
    let range = sectors.bounds(spec, placed)?;
    let (role, number) = match kind {
        Kind::None => (Role::Primary, bare_rules::NUMBER),
        Kind::Mbr => (spec.role, mbr_rules::admit(spec, range, placed, sectors)?),
        Kind::Gpt => {
            let number = gpt_rules::admit(spec, range, placed, sectors.usable)?;
            (Role::Primary, number)
        }
    };
    Ok(Placed {
        index,
        spec,
        number,
        role,
        range,
    })
}
