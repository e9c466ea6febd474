//! Sizes that follow from the content, through all that lies between a partition and a filesystem.

use crate::error::{Error, Result};
use crate::layout::filling::{Drafter, Filling, Slot};
use crate::layout::groups::Groups;
use crate::layout::hashes;
use crate::layout::placed::Placed;
use crate::layout::size::{self, Room};
use crate::layout::spec::{Holds, LogicalVolume, VolumeGroup, VolumeSize};
use crate::place::Field;
use crate::units::{Bytes, SectorSize};
use crate::volume::{luks, lvm};

/// Tells sizes. Trees that it is asked for become drafts.
#[derive(Debug)]
pub(super) struct Sizes<'s, 'a> {
    pub(super) drafter: &'s Drafter<'a>,
    pub(super) groups: &'s Groups<'a>,
    pub(super) placed: &'s [Placed<'a>],
    pub(super) fillings: &'s mut [Filling<'a>],
}

impl<'s, 'a> Sizes<'s, 'a> {
    /// The size of what goes into a partition.
    pub(super) fn of_partition(&mut self, one: &Placed<'a>, room: Room) -> Result<Bytes> {
        let slot = self.drafter.in_partition(one, None);
        self.of_holds(&slot, &one.spec.holds, room)
    }

    /// The size of a logical volume as lvm counts it, of this slot, which
    /// is read in sectors of this size.
    pub(super) fn of_volume(
        &mut self,
        group: &'a VolumeGroup,
        volume: &'a LogicalVolume,
        slot: (usize, SectorSize),
        room: Room,
    ) -> Result<lvm::VolumeSize> {
        match volume.size {
            VolumeSize::Given(size) => Ok(size),
            VolumeSize::Content => {
                let slot = self.drafter.in_volume(group, volume, slot);
                let size = self.of_holds(&slot, &volume.holds, room)?;
                Ok(lvm::VolumeSize::Bytes(size))
            }
        }
    }

    fn of_holds(&mut self, slot: &Slot<'a>, holds: &Holds, room: Room) -> Result<Bytes> {
        match holds {
            Holds::Encrypted(outer) => {
                let luks = luks::plan(outer.luks.clone())?;
                let inner = self.of_holds(slot, &outer.holds, room)?;
                let inner = size::round_up(inner, outer.sector_size(None).get());
                let all = inner.get().saturating_add(luks.data_offset().get());
                Ok(Bytes::new(all))
            }
            Holds::Member(member) => {
                let index = self.groups.index(&member.group, slot.place)?;
                self.of_group(index, slot, room)
            }
            Holds::Hashes(tree) => {
                let of = hashes::of(self.placed, tree, slot)?;
                Ok(hashes::verity(self.drafter, of, tree, slot)?.hash_len())
            }
            Holds::Nothing | Holds::Filesystem(_) | Holds::Bytes(_) => self.of_filling(slot, room),
        }
    }

    fn of_filling(&mut self, slot: &Slot<'a>, room: Room) -> Result<Bytes> {
        let filling = &mut self.fillings[slot.index];
        let draft = match std::mem::replace(filling, Filling::Nothing) {
            Filling::Tree(tree) => self.drafter.draft(slot, tree)?,
            Filling::Draft(draft) => draft,
            Filling::Nothing => return Ok(Bytes::new(self.drafter.sector.get())),
            Filling::Bytes(content) => {
                let size = Bytes::new(content.len().max(1));
                *filling = Filling::Bytes(content);
                return Ok(size);
            }
        };
        let size = size::smallest(draft.as_ref(), room);
        *filling = Filling::Draft(draft);
        size
    }

    /// The size of the only part of a group.
    fn of_group(&mut self, index: usize, slot: &Slot<'_>, room: Room) -> Result<Bytes> {
        let group = &self.groups.specs[index];
        if self.groups.members(index) > 1 {
            let message = format!(
                "the group '{}' has other parts, so that this one's size doesn't follow from its \
                 volumes; give it one",
                group.name
            );
            return Err(Error::unsupported(slot.place.field(Field::End), message));
        }
        let extent = group.extent_size.get();
        let mut extents: u64 = 0;
        for (volume, slot) in group.volumes.iter().zip(self.groups.first_slot(index)..) {
            let slot = (slot, self.groups.sector(index));
            let size = self.of_volume(group, volume, slot, room)?;
            let own = match size {
                lvm::VolumeSize::Bytes(size) => size.get().div_ceil(extent),
                lvm::VolumeSize::Extents(extents) => extents,
                lvm::VolumeSize::PercentOfGroup(_)
                | lvm::VolumeSize::PercentOfFree(_)
                | lvm::VolumeSize::PercentOfMembers(_) => {
                    let message = "it is a part of the group, whose size follows from its volumes; \
                                   give a number of bytes or extents";
                    return Err(Error::invalid(volume.place.field(Field::Size), message));
                }
            };
            extents = extents.saturating_add(own.max(1));
        }
        let request = lvm::Request {
            extent_size: group.extent_size,
            ..lvm::Request::new(&group.place, &group.name, self.drafter.identity.clone())
        };
        request.smallest_member(extents)?.ok_or_else(|| {
            let message = format!("volumes of {extents} extents exceed every disk");
            Error::does_not_fit(slot.place, message)
        })
    }
}
