//! Hash trees of partitions, which stand in other partitions.

use crate::error::{Error, Result};
use crate::layout::filling::{Drafter, Slot};
use crate::layout::placed::Placed;
use crate::layout::spec::Hashes;
use crate::volume::verity;

/// The partition whose hashes these are.
pub(super) fn of<'p, 'a>(
    placed: &'p [Placed<'a>],
    hashes: &Hashes,
    slot: &Slot<'_>,
) -> Result<&'p Placed<'a>> {
    placed
        .iter()
        .find(|one| one.index == hashes.of)
        .ok_or_else(|| {
            let message = "there is no such partition whose hashes these could be";
            Error::invalid(slot.place, message)
        })
}

/// The hash tree of the partition `of`.
pub(super) fn verity(
    drafter: &Drafter<'_>,
    of: &Placed<'_>,
    hashes: &Hashes,
    slot: &Slot<'_>,
) -> Result<verity::Plan> {
    let len = of.range.size(drafter.sector);
    let identity = of.identity(drafter.identity);
    let mut request = verity::Request::new(slot.place, len, &identity);
    if let Some(block) = hashes.block {
        (request.data_block, request.hash_block) = (block, block);
    }
    if let Some(salt) = &hashes.salt {
        request.salt.clone_from(salt);
    }
    request.uuid = hashes.uuid.unwrap_or(request.uuid);
    verity::plan(request)
}
