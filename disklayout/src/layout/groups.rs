//! Groups of volumes, their parts and their slots, as a description has them.

use crate::error::{Error, Result};
use crate::layout::spec::{Disk, Holds, Member, VolumeGroup};
use crate::place::{Field, Place};
use crate::units::{Bytes, SectorSize};

/// The groups of a disk.
#[derive(Clone, Debug)]
pub(super) struct Groups<'a> {
    pub(super) specs: &'a [VolumeGroup],
    /// The parts of each, in their order.
    parts: Vec<Vec<Part<'a>>>,
    /// The slot of the first volume of each.
    first_slots: Vec<usize>,
    /// What each is read and written in: what the largest sectors of its parts are.
    sectors: Vec<SectorSize>,
}

/// A part of a group that is on another disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elsewhere<'a> {
    pub(super) place: &'a Place,
    pub(super) member: &'a Member,
    pub(super) size: Bytes,
    /// What it is read and written in.
    pub(super) sector_size: SectorSize,
}

/// A part of a group.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    /// On this disk, in this slot.
    Slot(usize),
    /// On another one.
    Elsewhere(Elsewhere<'a>),
}

impl<'a> Groups<'a> {
    /// Those of `disk`, which have these parts on others.
    ///
    /// # Errors
    /// `InvalidSpec` where two have the same name, one has no part, or a part is of none of them.
    pub(super) fn of(disk: &'a Disk, elsewhere: Vec<Elsewhere<'a>>) -> Result<Self> {
        let specs = disk.groups.as_slice();
        for (index, group) in specs.iter().enumerate() {
            if specs[..index].iter().any(|other| other.name == group.name) {
                let message = format!("another group is called '{}' already", group.name);
                return Err(Error::invalid(group.place.field(Field::Name), message));
            }
        }
        let mut groups = Self {
            specs,
            parts: vec![Vec::new(); specs.len()],
            first_slots: Vec::new(),
            sectors: vec![disk.sector_size; specs.len()],
        };
        let mut slot = disk.partitions.len();
        for group in specs {
            groups.first_slots.push(slot);
            slot += group.volumes.len();
        }
        groups.find_parts(disk, elsewhere)?;
        groups.find_sectors(disk);
        Ok(groups)
    }

    fn find_parts(&mut self, disk: &'a Disk, elsewhere: Vec<Elsewhere<'a>>) -> Result<()> {
        let is_own = |one: &Elsewhere<'_>| {
            let mut specs = self.specs.iter();
            specs.any(|group| group.name == one.member.group)
        };
        let elsewhere = elsewhere.into_iter().filter(is_own);
        let elsewhere = elsewhere.map(|one| (one.place, one.member, Part::Elsewhere(one)));
        let slots = disk.slot_places().zip(disk.slots()).enumerate();
        let slots = slots.filter_map(|(slot, (place, holds))| match holds {
            Holds::Member(member) => Some((place, member, Part::Slot(slot))),
            _ => None,
        });
        let mut found: Vec<(&Member, Part<'a>)> = Vec::new();
        for (place, member, part) in elsewhere.chain(slots) {
            self.index(&member.group, place)?;
            found.push((member, part));
        }
        // Equal ones stay as they are.
        found.sort_by_key(|(member, _)| member.order);
        for (group, parts) in self.specs.iter().zip(&mut self.parts) {
            let own = found
                .iter()
                .filter(|(member, _)| member.group == group.name);
            parts.extend(own.map(|(_, part)| *part));
        }
        let is_here = |part: &Part<'_>| matches!(part, Part::Slot(_));
        let without = self
            .parts
            .iter()
            .position(|parts| !parts.iter().any(is_here));
        match without.map(|index| &self.specs[index]) {
            None => Ok(()),
            Some(group) => {
                let message = format!(
                    "no partition is a part of the group '{}'; let one hold it",
                    group.name
                );
                Err(Error::invalid(&group.place, message))
            }
        }
    }

    /// A group may have parts in volumes of others.
    fn find_sectors(&mut self, disk: &Disk) {
        for (parts, own) in self.parts.iter().zip(&mut self.sectors) {
            for part in parts {
                if let Part::Elsewhere(one) = part {
                    *own = (*own).max(one.sector_size);
                }
            }
        }
        for _ in 0..self.specs.len() {
            for partition in &disk.partitions {
                self.add_sector(&partition.holds, disk.sector_size);
            }
            for (index, group) in self.specs.iter().enumerate() {
                for volume in &group.volumes {
                    self.add_sector(&volume.holds, self.sectors[index]);
                }
            }
        }
    }

    fn add_sector(&mut self, holds: &Holds, sector: SectorSize) {
        let Holds::Member(member) = holds.innermost() else {
            return;
        };
        let is_own = |group: &VolumeGroup| group.name == member.group;
        if let Some(index) = self.specs.iter().position(is_own) {
            let own = &mut self.sectors[index];
            *own = (*own).max(holds.sector_size(sector, None));
        }
    }

    /// What the group is read and written in.
    pub(super) fn sector(&self, index: usize) -> SectorSize {
        self.sectors[index]
    }

    /// The index of the group called `name`, which is asked for at `place`.
    pub(super) fn index(&self, name: &str, place: &Place) -> Result<usize> {
        let found = self.specs.iter().position(|group| group.name == name);
        found.ok_or_else(|| {
            let names: Vec<_> = self.specs.iter().map(|group| &*group.name).collect();
            let there = match names.as_slice() {
                [] => "there is none".to_owned(),
                names => format!("there are {}", names.join(", ")),
            };
            let message = format!("there is no group of volumes called '{name}'; {there}");
            Error::invalid(place.field(Field::Group), message)
        })
    }

    /// How many parts the group has.
    pub(super) fn members(&self, index: usize) -> usize {
        self.parts[index].len()
    }

    /// Which part of the group `index` is in this slot.
    pub(super) fn position(&self, index: usize, slot: usize) -> usize {
        let is_there = |part: &Part<'_>| matches!(part, Part::Slot(own) if *own == slot);
        let found = self.parts[index].iter().position(is_there);
        found.unwrap_or(self.parts[index].len())
    }

    /// The parts of the group that are on other disks, each with which part it is.
    pub(super) fn elsewhere(&self, index: usize) -> impl Iterator<Item = (usize, Elsewhere<'a>)> {
        let parts = self.parts[index].iter().enumerate();
        parts.filter_map(|(position, part)| match part {
            Part::Elsewhere(one) => Some((position, *one)),
            Part::Slot(_) => None,
        })
    }

    /// The slot of the first volume of a group.
    pub(super) fn first_slot(&self, index: usize) -> usize {
        self.first_slots[index]
    }
}
