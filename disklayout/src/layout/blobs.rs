//! Bytes beside the partitions: where they are, and that nothing else is there.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::layout::placed::Placed;
use crate::layout::plan::RawBytes;
use crate::layout::space::{overlapping, stretch};
use crate::layout::spec::{Blob, Disk};
use crate::layout::{areas, bare_rules};
use crate::place::Field;
use crate::table::{Kind, Role};
use crate::units::{Bytes, SectorSize};

/// Something on the disk, with its first byte and the one behind its last.
struct Taken {
    name: String,
    range: Range<u64>,
}

/// The blobs of a disk of `size` bytes in ascending order.
///
/// # Errors
/// `InvalidSpec` where one of them overlaps a partition, the table or another one; `DoesNotFit`
/// where one reaches behind the end of the disk.
pub(super) fn place(disk: &Disk, size: Bytes, placed: &[Placed<'_>]) -> Result<Vec<RawBytes>> {
    let mut taken = of_table(disk.table.kind(), size, disk.sector_size);
    taken.extend(placed.iter().map(|one| of_partition(one, disk.sector_size)));
    let mut blobs: Vec<RawBytes> = Vec::with_capacity(disk.blobs.len());
    for blob in &disk.blobs {
        let range = range(blob, size)?;
        check_free(blob, &range, &taken)?;
        taken.push(Taken {
            name: format!("the bytes of {}", blob.place),
            range,
        });
        blobs.push(blob.into());
    }
    blobs.sort_by_key(|blob| blob.offset);
    Ok(blobs)
}

/// What belongs to the table. The boot code in front of an MBR doesn't.
fn of_table(kind: Kind, size: Bytes, sector: SectorSize) -> Vec<Taken> {
    let names = ["the partition table", "the backup of the partition table"];
    let areas = areas::of_table(kind, size, sector).into_iter().zip(names);
    let taken = areas.map(|(range, name)| Taken {
        name: name.to_owned(),
        range,
    });
    taken.collect()
}

fn of_partition(one: &Placed<'_>, sector: SectorSize) -> Taken {
    let name = match one.role {
        Role::Extended => format!("extended partition {}", one.number),
        _ if one.number == bare_rules::NUMBER => "what has the whole disk".to_owned(),
        Role::Primary | Role::Logical => format!("partition {}", one.number),
    };
    let start = one.range.offset(sector).get();
    let range = start..start + one.range.size(sector).get();
    Taken { name, range }
}

fn range(blob: &Blob, size: Bytes) -> Result<Range<u64>> {
    let (start, len) = (blob.offset.get(), blob.content.len());
    if len == 0 {
        let message = "there are no bytes in it";
        return Err(Error::invalid(blob.place.field(Field::Source), message));
    }
    match start.checked_add(len) {
        Some(end) if end <= size.get() => Ok(start..end),
        _ => {
            let message = format!(
                "{len} bytes from byte {start} on reach behind the end of the disk, which has {} \
                 bytes",
                size.get()
            );
            Err(Error::does_not_fit(blob.place.field(Field::Start), message))
        }
    }
}

fn check_free(blob: &Blob, range: &Range<u64>, taken: &[Taken]) -> Result<()> {
    let overlaps = |other: &&Taken| range.start < other.range.end && other.range.start < range.end;
    let Some(other) = taken.iter().find(overlaps) else {
        return Ok(());
    };
    let message = format!(
        "{} {} ({})",
        overlapping("byte", range.start, range.end - 1),
        other.name,
        stretch("byte", other.range.start, other.range.end - 1)
    );
    Err(Error::invalid(blob.place.field(Field::Start), message))
}
