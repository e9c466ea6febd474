//! Parts of groups that are on other disks.

use crate::error::{Error, Result};
use crate::layout::groups::Elsewhere;
use crate::layout::placing::place_all;
use crate::layout::sectors::Sectors;
use crate::layout::size::DiskSize;
use crate::layout::spec::{Disk, Holds};
use crate::place::Field;
use crate::units::Bytes;

/// The parts that are in partitions of the other disks of `disk`, encrypted or not, in their order.
///
/// # Errors
/// `InvalidSpec` or `DoesNotFit` for a disk whose size isn't given or whose partitions have no place on it.
pub(super) fn on_others(disk: &Disk) -> Result<Vec<Elsewhere<'_>>> {
    let mut all = Vec::new();
    for other in &disk.others {
        let DiskSize::Fixed(_) = other.size else {
            let message = "the volumes on it lie on other disks too, so that its size doesn't follow from \
                           them; give it one";
            return Err(Error::unsupported(other.place.field(Field::Size), message));
        };
        for one in place_all(other, &Sectors::of(other)?)? {
            let size = one.range.size(other.sector_size);
            let holds = &one.spec.holds;
            if let Holds::Member(member) = holds.innermost() {
                all.push(Elsewhere {
                    place: &one.spec.place,
                    member,
                    size: inside(holds, size)?,
                    sector_size: holds.sector_size(other.sector_size, Some(size)),
                });
            }
        }
    }
    Ok(all)
}

/// How much of `size` bytes is left below all that encrypts it.
fn inside(holds: &Holds, size: Bytes) -> Result<Bytes> {
    match holds {
        Holds::Encrypted(outer) => inside(&outer.holds, outer.container(size)?.data_len(size)?),
        _ => Ok(size),
    }
}
