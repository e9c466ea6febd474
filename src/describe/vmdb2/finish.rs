//! The system that the steps have said.

use std::collections::BTreeMap;
use std::sync::Arc;

use disklayout::layout::DiskSize;
use disklayout::layout::spec::{
    Disk, DiskTable, Encrypted, End, Filesystem, Holds, Kinds, LogicalVolume, Partition, Start,
    VolumeGroup,
};
use disklayout::table::{Kind as Table, Role};
use disklayout::tree::FileTree;
use disklayout::volume::luks;
use disklayout::{Bytes, Naming, Place, SectorSize, Timestamp};

use super::builder::Builder;
use super::device::{Container, Device, Group, Held, Logical, Origin, Part};
use super::names::Names;
use crate::config::Document;
use crate::describe::identifiers;
use crate::image::Keys;
use crate::system::{Action, Grub, Location, Opened, Step, System, Volume};

impl Builder<'_> {
    /// The system, and the format of its image where a step says one. `None` where none makes it.
    pub(super) fn finish(mut self, document: Arc<Document>) -> Option<(System, Option<String>)> {
        if !self.keeps_resolv_conf && self.devices.iter().any(|it| it.mounted_at.is_some()) {
            let action = Action::Remove("/etc/resolv.conf".to_owned());
            self.add("remove /etc/resolv.conf".to_owned(), None, action);
        }
        self.add_farewells();
        let finished = Finished {
            names: self.names(document),
            time: self.settings.time,
            devices: &self.devices,
            groups: &self.groups,
        };
        let mut disk = Disk {
            place: finished.place(&self.image_path),
            size: DiskSize::Fixed(Bytes::new(self.size?)),
            multiple: Bytes::new(1),
            sector_size: SectorSize::B512,
            table: match self.table {
                Some(Table::Gpt) => DiskTable::GPT,
                Some(_) => DiskTable::MBR,
                None => DiskTable::None,
            },
            partitions: finished.partitions(),
            blobs: Vec::new(),
            groups: finished.volume_groups(),
            others: Vec::new(),
            kept_table: Vec::new(),
        };
        identifiers::identify_partitions(&mut disk, &self.identity);
        identifiers::identify_groups(&mut disk, &self.identity);
        let (containers, keys) = finished.keys();
        let slots = finished.slots();
        let of_devices = (0..self.devices.len()).map(|index| {
            let slot = self.slot(index);
            slots.iter().position(|it| *it == slot)
        });
        let of_devices: Vec<_> = of_devices.collect();
        let steps = self.steps.into_iter();
        let steps = steps.map(|step| Step {
            action: counted(step.action, &of_devices, &containers),
            ..step
        });
        let system = System {
            disk,
            volumes: slots.iter().map(|it| finished.volume(*it)).collect(),
            keys,
            steps: steps.collect(),
        };
        Some((system, self.format))
    }

    /// The partition or the logical volume that a device is, or is in.
    pub(super) fn slot(&self, index: usize) -> usize {
        let mut index = index;
        while let Origin::Opened(outer) = self.devices[index].origin {
            index = outer;
        }
        index
    }

    /// What the library's objects are called.
    fn names(&self, document: Arc<Document>) -> Arc<dyn Naming> {
        let made = self.devices.iter().enumerate();
        let made = made.filter_map(|(index, device)| {
            let slot = &self.devices[self.slot(index)];
            Some((slot.path.clone(), device.filesystem()?.path.clone()))
        });
        Arc::new(Names {
            document,
            table: self.table_path.clone(),
            filesystems: made.collect(),
        })
    }
}

/// What is known when all steps are read.
struct Finished<'b> {
    names: Arc<dyn Naming>,
    time: Timestamp,
    devices: &'b [Device],
    groups: &'b [Group],
}

impl Finished<'_> {
    fn place(&self, path: &str) -> Place {
        Place::new(path, Arc::clone(&self.names))
    }

    /// The devices that are the disk's slots, in its order: partitions, then the volumes of each group.
    fn slots(&self) -> Vec<usize> {
        let ranked = self.devices.iter().enumerate().filter_map(|(index, it)| {
            let rank = match &it.origin {
                Origin::Partition(_) => 0,
                Origin::Logical(logical) => logical.group + 1,
                Origin::Opened(_) => return None,
            };
            Some((rank, index))
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, index)| index).collect()
    }

    /// The containers in a slot, from the outermost in.
    fn containers(&self, slot: usize) -> impl Iterator<Item = (usize, &Container)> {
        let mut index = slot;
        std::iter::from_fn(move || {
            let holder = index;
            let container = self.devices[holder].container()?;
            index = container.opened;
            Some((holder, container))
        })
    }

    /// The keys of each container, in the order of the disk; and which one a device holds.
    fn keys(&self) -> (BTreeMap<usize, usize>, Vec<Keys>) {
        let slots = self.slots().into_iter();
        let all: Vec<_> = slots.flat_map(|it| self.containers(it)).collect();
        let holders = all.iter().map(|(holder, _)| *holder).zip(0..);
        let keys = all.iter().map(|(_, it)| Keys {
            place: self.place(&it.path),
            keys: vec![it.key.clone()],
            seed: None,
        });
        (holders.collect(), keys.collect())
    }

    fn partitions(&self) -> Vec<Partition> {
        let partitions = self.devices.iter().enumerate();
        let partitions = partitions.filter_map(|(index, device)| {
            let part = device.partition()?;
            Some(part.spec(self.place(&device.path), self.holds(index)))
        });
        partitions.collect()
    }

    fn volume_groups(&self) -> Vec<VolumeGroup> {
        let groups = self.groups.iter().enumerate();
        let groups = groups.map(|(index, group)| VolumeGroup {
            volumes: self.logical_volumes(index),
            ..VolumeGroup::new(self.place(&group.path), &group.name)
        });
        groups.collect()
    }

    fn logical_volumes(&self, group: usize) -> Vec<LogicalVolume> {
        let volumes = self.devices.iter().enumerate();
        let volumes = volumes.filter_map(|(index, device)| match &device.origin {
            Origin::Logical(logical) if logical.group == group => Some(LogicalVolume {
                place: self.place(&device.path),
                name: device.tag.clone(),
                uuid: None,
                size: logical.size,
                stripes: None,
                tags: Vec::new(),
                holds: self.holds(index),
            }),
            Origin::Partition(_) | Origin::Logical(_) | Origin::Opened(_) => None,
        });
        volumes.collect()
    }

    /// What a device holds.
    fn holds(&self, index: usize) -> Holds {
        match &self.devices[index].holds {
            Held::Nothing => Holds::Nothing,
            Held::Filesystem(made) => Holds::from(Filesystem {
                tree: FileTree::new(self.time),
                ..made.spec.clone()
            }),
            Held::Member(member) => Holds::Member(member.clone()),
            Held::Container(container) => Holds::Encrypted(Box::new(Encrypted {
                luks: luks::Request {
                    uuid: Some(container.uuid),
                    // Whoever gives it keys gives it these too.
                    ..luks::Request::new(
                        self.place(&container.path),
                        luks::Version::Luks2,
                        luks::Secrets::new([0; 32]),
                    )
                },
                // As cryptsetup has it on loop devices.
                sector_size: Some(SectorSize::B512),
                encrypts_zeroes: false,
                holds: self.holds(container.opened),
            })),
        }
    }

    /// What is to be known of a slot.
    fn volume(&self, slot: usize) -> Volume {
        let device = &self.devices[slot];
        let container = self.containers(slot).last().map(|(_, it)| it);
        let inner = container.map_or(device, |it| &self.devices[it.opened]);
        Volume {
            tag: device.tag.clone(),
            location: match &device.origin {
                Origin::Logical(Logical { group, .. }) => Location::Logical {
                    group: self.groups[*group].name.clone(),
                    name: device.tag.clone(),
                },
                Origin::Partition(part) => Location::Partition(part.number),
                Origin::Opened(_) => Location::Partition(0),
            },
            opened: container.map(|it| Opened {
                name: inner.tag.clone(),
                uuid: it.uuid.to_string(),
            }),
            uuid: inner
                .filesystem()
                .map_or_else(String::new, |it| it.uuid.clone()),
            mounted_at: inner.mounted_at.clone(),
        }
    }
}

/// The same action, with devices counted as the disk counts what they are in.
fn counted(action: Action, slots: &[Option<usize>], containers: &BTreeMap<usize, usize>) -> Action {
    let slot = |index: usize| slots.get(index).copied().flatten().unwrap_or_default();
    match action {
        Action::Grub(grub) => Action::Grub(Grub {
            root: slot(grub.root),
            esp: grub.esp.map(slot),
            ..grub
        }),
        Action::FindKey(index) => {
            Action::FindKey(containers.get(&index).copied().unwrap_or_default())
        }
        other => other,
    }
}

impl Part {
    /// The partition that is described.
    fn spec(&self, place: Place, holds: Holds) -> Partition {
        // That of an extended one isn't for anybody to choose.
        let kind = match self.role {
            Role::Extended => Kinds::default(),
            _ => Kinds::from(self.kind),
        };
        Partition {
            role: self.role,
            start: Start::Sector(self.first.cast_signed()),
            end: End::Sector(self.last.cast_signed()),
            kind,
            name: self.name.clone(),
            flags: self.flags.clone(),
            ..Partition::new(place, holds)
        }
    }
}
