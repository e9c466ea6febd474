//! The partition that ends with its content, and the disk that ends with this partition.

use super::request;
use crate::error::{Error, Result};
use crate::fs::Registry;
use crate::identity::Identity;
use crate::layout::label::Label;
use crate::layout::mbr_rules;
use crate::layout::size::{self, ALIGNMENT, DiskSize, Room};
use crate::layout::spec::{DiskSpec, End, PartitionSpec, Placed};
use crate::tree::FileTree;
use crate::units::{Bytes, Lba, LbaRange, SECTOR_SIZE};

/// What a disk is taken for while its size isn't known: larger than any that there is.
pub(super) const LARGE_ENOUGH: Bytes = Bytes::new(1 << 60);

/// Refuses a description in which something follows from the content that can't.
pub(super) fn check(spec: &DiskSpec, label: Label) -> Result<()> {
    let is_auto = |part: &&PartitionSpec| part.end == End::Auto;
    let follows = matches!(spec.size, DiskSize::Smallest(_));
    let Some(auto) = spec.partitions.iter().find(is_auto) else {
        let message = "the size can follow from the content of the last partition only; let that \
                       partition's end be 'auto', or give a size";
        let place = format!("{}.size", spec.place);
        return if follows {
            Err(Error::invalid(place, message))
        } else {
            Ok(())
        };
    };
    for part in &spec.partitions {
        let message = if part.end == End::Auto && part.place != auto.place {
            "only one partition may end with its content; give this one an end".to_owned()
        } else if part.start > auto.start {
            format!(
                "only the last partition may end with its content, but {} starts later, at {}",
                part.place, part.start
            )
        } else {
            continue;
        };
        let wrong = if part.end == End::Auto { part } else { auto };
        return Err(Error::invalid(format!("{}.end", wrong.place), message));
    }
    let is_primary = matches!(auto.prlogex.as_str(), "p" | "primary");
    if label == Label::Mbr && !is_primary {
        let message = "only a primary partition may end with its content; give this one an end";
        return Err(Error::unsupported(format!("{}.end", auto.place), message));
    }
    if follows { check_ends(spec) } else { Ok(()) }
}

/// No end can be counted from the end of a disk whose size isn't known.
fn check_ends(spec: &DiskSpec) -> Result<()> {
    let mut ends = spec.partitions.iter().map(|part| (part, part.end));
    let negative = ends.find_map(|(part, end)| match end {
        End::Sector(end @ ..0) => Some((part, end)),
        _ => None,
    });
    let Some((part, end)) = negative else {
        return Ok(());
    };
    let message = format!(
        "end {end} counts from the end of the disk, whose size follows from the content; give the \
         number of the sector"
    );
    Err(Error::invalid(format!("{}.end", part.place), message))
}

/// Gives the partition that ends with its content its sectors, with `room` left in it, and tells
/// the size of the disk.
pub(super) fn fit(
    content: &mut [(Placed<'_>, FileTree)],
    room: Room,
    label: Label,
    identity: &Identity,
    registry: &Registry,
) -> Result<Bytes> {
    let mut end = 0;
    for (one, tree) in content {
        if one.spec.end == End::Auto {
            let kept = std::mem::replace(tree, FileTree::new(identity.time()));
            let request = request(one, kept, identity);
            let size = size::smallest(registry, &request, room)?;
            *tree = request.tree;
            one.range = range(one, size)?;
            if label == Label::Mbr {
                mbr_rules::check_length(&one.spec.place, one.range)?;
            }
        }
        end = end.max(one.range.last().get() + 1);
    }
    let all = (end + label.sectors_after()).saturating_mul(SECTOR_SIZE);
    Ok(size::round_up(Bytes::new(all), ALIGNMENT))
}

/// The sectors of a partition whose filesystem has `size`.
fn range(one: &Placed<'_>, size: Bytes) -> Result<LbaRange> {
    let first = one.range.first();
    let last = first.get().saturating_add(size.whole_sectors());
    LbaRange::new(first, Lba::new(last.saturating_sub(1))).ok_or_else(|| {
        let message = format!("a filesystem of {size} exceeds every disk");
        Error::does_not_fit(format!("{}.end", one.spec.place), message)
    })
}
