//! Groups of volumes, their parts and their slots, as a description has them.

use crate::error::{Error, Result};
use crate::layout::spec::{Disk, Holds, VolumeGroup};
use crate::place::{Field, Place};
use crate::units::SectorSize;

/// The groups of a disk.
#[derive(Clone, Debug)]
pub(super) struct Groups<'a> {
    pub(super) specs: &'a [VolumeGroup],
    /// How many parts each has.
    members: Vec<usize>,
    /// The slot of the first volume of each.
    first_slots: Vec<usize>,
    /// What each is read and written in: what the largest sectors of its parts are.
    sectors: Vec<SectorSize>,
}

impl<'a> Groups<'a> {
    /// Those of `disk`.
    ///
    /// # Errors
    /// `InvalidSpec` where two have the same name, one has no part, or a part is of none of them.
    pub(super) fn of(disk: &'a Disk) -> Result<Self> {
        let specs = disk.groups.as_slice();
        for (index, group) in specs.iter().enumerate() {
            if specs[..index].iter().any(|other| other.name == group.name) {
                let message = format!("another group is called '{}' already", group.name);
                return Err(Error::invalid(group.place.field(Field::Name), message));
            }
        }
        let mut groups = Self {
            specs,
            members: vec![0; specs.len()],
            first_slots: Vec::new(),
            sectors: vec![disk.sector_size; specs.len()],
        };
        let mut slot = disk.partitions.len();
        for group in specs {
            groups.first_slots.push(slot);
            slot += group.volumes.len();
        }
        groups.count(disk)?;
        groups.find_sectors(disk);
        Ok(groups)
    }

    fn count(&mut self, disk: &Disk) -> Result<()> {
        for (place, holds) in disk.slot_places().zip(disk.slots()) {
            if let Holds::Member(name) = holds {
                let index = self.index(name, place)?;
                self.members[index] += 1;
            }
        }
        let without = self.members.iter().position(|count| *count == 0);
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
        let Holds::Member(name) = holds.innermost() else {
            return;
        };
        if let Some(index) = self.specs.iter().position(|group| group.name == *name) {
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
        self.members[index]
    }

    /// The slot of the first volume of a group.
    pub(super) fn first_slot(&self, index: usize) -> usize {
        self.first_slots[index]
    }
}
