//! What partitions and volumes hold when their sizes are decided: from the outermost layer in, groups
//! of volumes when all their parts are there.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::layout::content::Sizes;
use crate::layout::filling::{Drafter, Filling, Slot};
use crate::layout::groups::Groups;
use crate::layout::hashes;
use crate::layout::placed::Placed;
use crate::layout::plan::{EncryptedPlan, GroupPlan, HashesPlan, Held, Member, RawBytes};
use crate::layout::size::Room;
use crate::layout::spec::{Encrypted, Hashes, Holds, LogicalVolume, VolumeGroup, VolumeSize};
use crate::place::{Field, Place};
use crate::table::Role;
use crate::tree::{Content, FileTree};
use crate::units::Bytes;
use crate::volume::lvm;

/// Decides what is in partitions and volumes.
#[derive(Debug)]
pub(super) struct Holder<'p, 'a> {
    pub(super) drafter: &'p Drafter<'a>,
    pub(super) groups: Groups<'a>,
    pub(super) placed: &'p [Placed<'a>],
    pub(super) fillings: &'p mut [Filling<'a>],
    /// What stays free of what is as small as its content allows.
    room: Room,
    /// The parts that are known, by the group's index and then which of them they are.
    members: BTreeMap<(usize, usize), lvm::Member>,
}

impl<'p, 'a> Holder<'p, 'a> {
    pub(super) fn new(
        drafter: &'p Drafter<'a>,
        groups: Groups<'a>,
        placed: &'p [Placed<'a>],
        fillings: &'p mut [Filling<'a>],
        room: Room,
    ) -> Self {
        let mut holder = Self {
            room,
            drafter,
            groups,
            placed,
            fillings,
            members: BTreeMap::new(),
        };
        for group in 0..holder.groups.specs.len() {
            let elsewhere: Vec<_> = holder.groups.elsewhere(group).collect();
            for (index, one) in elsewhere {
                holder.add_member((group, index), one.place, one.size);
            }
        }
        holder
    }

    fn add_member(&mut self, (group, index): (usize, usize), place: &Place, size: Bytes) {
        let member = lvm::Member {
            sector_size: self.groups.sector(group),
            ..lvm::Member::new(place, size, format!("/dev/disk{index}"))
        };
        self.members.insert((group, index), member);
    }

    /// The parts of a group that are known, in their order.
    fn members(&self, group: usize) -> impl Iterator<Item = &lvm::Member> {
        let own = self.members.range((group, 0)..(group + 1, 0));
        own.map(|(_, member)| member)
    }

    /// What is in a partition that has its sectors.
    pub(super) fn partition(&mut self, one: &Placed<'a>) -> Result<Held> {
        let size = one.range.size(self.drafter.sector);
        let slot = self.drafter.in_partition(one, Some(size));
        if one.role == Role::Extended {
            return self.extended(&slot);
        }
        self.hold(&slot, &one.spec.holds, size)
    }

    /// What is in all groups. Every partition has been told.
    pub(super) fn all_groups(&mut self) -> Result<Vec<GroupPlan>> {
        let specs = self.groups.specs;
        let mut plans: Vec<Option<GroupPlan>> = specs.iter().map(|_| None).collect();
        loop {
            let ready = |index: &usize| {
                let known = self.members(*index).count();
                plans[*index].is_none() && known == self.groups.members(*index)
            };
            let Some(index) = (0..specs.len()).find(ready) else {
                break;
            };
            plans[index] = Some(self.group(index)?);
        }
        // What is left over waits for parts that are in itself.
        let left = plans.iter().position(Option::is_none);
        match left.map(|index| &specs[index]) {
            None => Ok(plans.into_iter().flatten().collect()),
            Some(group) => {
                let message = format!(
                    "the group '{}' has a part of itself in one of its own volumes; put that part \
                     elsewhere",
                    group.name
                );
                Err(Error::invalid(&group.place, message))
            }
        }
    }

    fn group(&mut self, index: usize) -> Result<GroupPlan> {
        let spec = &self.groups.specs[index];
        let sector = self.groups.sector(index);
        let volumes = spec.volumes.iter().zip(self.groups.first_slot(index)..);
        let volumes: Vec<_> = volumes.collect();
        let mut asked = Vec::with_capacity(volumes.len());
        for (volume, slot) in &volumes {
            let room = self.room;
            let mut sizes = self.sizes();
            asked.push(sizes.of_volume(spec, volume, (*slot, sector), room)?);
        }
        let lvm = self.logical(index, &asked)?;
        let mut held = Vec::with_capacity(volumes.len());
        for (((volume, slot), asked), planned) in volumes.iter().zip(asked).zip(lvm.volumes()) {
            let slot = self.drafter.in_volume(spec, volume, (*slot, sector));
            // What is as small as it can be doesn't fit into every larger size.
            let size = match (volume.size, asked) {
                (VolumeSize::Content, lvm::VolumeSize::Bytes(size)) => size,
                _ => planned.size,
            };
            let one = self.hold(&slot, &volume.holds, size);
            held.push(one.map_err(|error| told(error, spec, volume))?);
        }
        Ok(GroupPlan {
            lvm,
            volumes: held,
            elsewhere: self.groups.elsewhere(index).map(|(at, _)| at).collect(),
        })
    }

    /// The group with volumes of these sizes.
    fn logical(&self, index: usize, sizes: &[lvm::VolumeSize]) -> Result<lvm::Plan> {
        let spec = &self.groups.specs[index];
        let volumes = spec.volumes.iter().zip(sizes);
        let volumes = volumes.map(|(volume, size)| lvm::VolumeRequest {
            uuid: volume.uuid,
            stripes: volume.stripes,
            tags: volume.tags.clone(),
            ..lvm::VolumeRequest::new(&volume.place, &volume.name, *size)
        });
        let identity = spec.identity_on(self.drafter.identity);
        lvm::plan(lvm::Request {
            uuid: spec.uuid,
            extent_size: spec.extent_size,
            volumes: volumes.collect(),
            members: self.members(index).cloned().collect(),
            ..lvm::Request::new(&spec.place, &spec.name, identity)
        })
    }

    /// What is in `size` bytes, which `holds` tells.
    fn hold(&mut self, slot: &Slot<'a>, holds: &Holds, size: Bytes) -> Result<Held> {
        match holds {
            Holds::Encrypted(outer) => self.encrypted(slot, outer, size),
            Holds::Member(member) => {
                let group = self.groups.index(&member.group, slot.place)?;
                let index = self.groups.position(group, slot.index);
                self.add_member((group, index), slot.place, size);
                Ok(Held::Member(Member { group, index }))
            }
            Holds::Hashes(hashes) => self.hashes(slot, hashes, size),
            Holds::Nothing | Holds::Filesystem(_) | Holds::Bytes(_) => self.filled(slot, size),
        }
    }

    /// What tells sizes that follow from the content.
    fn sizes(&mut self) -> Sizes<'_, 'a> {
        Sizes {
            drafter: self.drafter,
            groups: &self.groups,
            placed: self.placed,
            fillings: self.fillings,
        }
    }

    fn encrypted(&mut self, slot: &Slot<'a>, outer: &Encrypted, size: Bytes) -> Result<Held> {
        let luks = outer.container(size)?;
        let len = luks.data_len(size)?;
        let front = luks.data_offset().get();
        let holds = self.hold(slot, &outer.holds, len).map_err(|error| {
            match (error.kind(), error.needed()) {
                (ErrorKind::DoesNotFit, Some(needed)) => {
                    error.needing(Bytes::new(needed.get().saturating_add(front)))
                }
                _ => error,
            }
        });
        Ok(Held::Encrypted(Box::new(EncryptedPlan {
            luks,
            version: outer.luks.version,
            sector_size: outer.sector_size(Some(size)),
            len,
            encrypts_zeroes: outer.encrypts_zeroes,
            holds: holds?,
        })))
    }

    fn hashes(&self, slot: &Slot<'a>, tree: &Hashes, size: Bytes) -> Result<Held> {
        let of = hashes::of(self.placed, tree, slot)?;
        let verity = hashes::verity(self.drafter, of, tree, slot)?;
        let len = verity.hash_len();
        if len > size {
            let message = format!(
                "the hash tree of partition {} has {} bytes and doesn't fit into {} bytes ({size})",
                of.number,
                len.get(),
                size.get()
            );
            return Err(Error::does_not_fit(slot.place, message).needing(len));
        }
        let of = of.number;
        Ok(Held::Hashes(HashesPlan { of, verity }))
    }

    /// What was taken out of the description.
    fn filled(&mut self, slot: &Slot<'a>, size: Bytes) -> Result<Held> {
        match std::mem::replace(&mut self.fillings[slot.index], Filling::Nothing) {
            Filling::Nothing => Ok(Held::Nothing),
            Filling::Bytes(content) => raw(slot, content, size),
            Filling::Tree(tree) => {
                let draft = self.drafter.draft(slot, tree)?;
                Ok(Held::Filesystem(draft.at(size)?))
            }
            Filling::Draft(draft) => Ok(Held::Filesystem(draft.at(size)?)),
        }
    }

    /// An extended partition has no filesystem, whatever is chosen for it.
    fn extended(&mut self, slot: &Slot<'a>) -> Result<Held> {
        let filling = std::mem::replace(&mut self.fillings[slot.index], Filling::Nothing);
        let (field, message) = match (filling, slot.holds) {
            (Filling::Tree(tree), _) if tree.entries(FileTree::ROOT).next().is_some() => (
                Field::Content,
                "an extended partition holds no files; put them into one of its logical partitions",
            ),
            (Filling::Bytes(_), _) => (
                Field::Source,
                "an extended partition holds logical ones and no bytes of its own",
            ),
            (_, Holds::Member(_) | Holds::Hashes(_)) => (
                Field::Format,
                "an extended partition holds logical ones; put this into one of them",
            ),
            _ => return Ok(Held::Nothing),
        };
        Err(Error::invalid(slot.place.field(field), message))
    }
}

fn raw(slot: &Slot<'_>, content: Content, size: Bytes) -> Result<Held> {
    let len = Bytes::new(content.len());
    if len > size {
        let message = format!(
            "{} bytes don't fit into {} bytes ({size})",
            len.get(),
            size.get()
        );
        return Err(Error::does_not_fit(slot.place, message).needing(len));
    }
    Ok(Held::Bytes(RawBytes {
        place: slot.place.clone(),
        offset: Bytes::new(0),
        content,
    }))
}

/// The same error. If only the size is wrong, it is that of the volume, and tells what would do.
fn told(error: Error, group: &VolumeGroup, volume: &LogicalVolume) -> Error {
    let (Some(needed), ErrorKind::DoesNotFit) = (error.needed(), error.kind()) else {
        return error;
    };
    let extent = group.extent_size.get();
    let extents = needed.get().div_ceil(extent);
    let message = format!(
        "{}; the smallest legal size of '{}' is {} bytes, {extents} extents",
        error.message(),
        volume.name,
        extents.saturating_mul(extent),
    );
    Error::does_not_fit(volume.place.field(Field::Size), message)
}
