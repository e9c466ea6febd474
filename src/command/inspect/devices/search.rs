//! Finds devices, from the partitions inwards.

use std::collections::BTreeSet;

use disklayout::ErrorKind;
use disklayout::disk::{Disk, Window};
use disklayout::inspect::{Volume, fs, luks, lvm};

use super::arena::{Arena, MOST, Opened};
use super::layer::{Layer, State};
use super::{Device, Devices, Group, Held, Origin};
use crate::command::inspect::keys::Key;
use crate::command::inspect::number;

/// How many containers and groups may be on each other: an image may say that one is in itself.
const DEEPEST: usize = 8;

/// Devices that are looked into, one after the other.
pub(super) struct Search<'a> {
    arena: &'a Arena<'a>,
    devices: Devices<'a>,
    /// How many were looked into.
    looked: usize,
}

impl<'a> Search<'a> {
    pub(super) fn new(arena: &'a Arena<'a>, keys: &'a [Key]) -> Self {
        Self {
            arena,
            devices: Devices {
                all: Vec::new(),
                groups: Vec::new(),
                is_chosen: false,
                has_table: false,
                keys,
            },
            looked: 0,
        }
    }

    /// All devices on `volumes`, which are in `windows`.
    pub(super) fn run(
        mut self,
        volumes: &'a [Volume<'a>],
        windows: &'a [Option<Window<'a>>],
    ) -> Devices<'a> {
        for (volume, window) in volumes.iter().zip(windows) {
            let disk = window.as_ref().map(|window| window as &dyn Disk);
            let origin = Origin::Part(number(volume));
            self.add(origin, disk, Held::Part(volume), &BTreeSet::new());
        }
        loop {
            self.open_containers();
            if !self.join_groups() {
                return self.devices;
            }
        }
    }

    /// Adds what is on the devices `on`.
    fn add(
        &mut self,
        origin: Origin,
        disk: Option<&'a dyn Disk>,
        held: Held<'a>,
        on: &BTreeSet<usize>,
    ) -> usize {
        let number = self.devices.all.len();
        let mut device = Device {
            origin,
            disk,
            held,
            layer: Layer::None,
            depth: self.depth(on),
            on: on.iter().copied().chain([number]).collect(),
            is_wanted: true,
        };
        if let Some(disk) = disk {
            device.layer = Layer::read(disk, &device.filesystem());
        }
        self.devices.all.push(device);
        number
    }

    /// How deep something is that is on these devices.
    fn depth(&self, on: &BTreeSet<usize>) -> usize {
        let depths = on.iter().map(|below| self.devices.all[*below].depth);
        depths.max().map_or(0, |deepest| deepest + 1)
    }

    /// Adds a disk that was opened on the devices `on`.
    fn add_opened(
        &mut self,
        origin: Origin,
        opened: Opened<'a>,
        on: &BTreeSet<usize>,
    ) -> Result<usize, String> {
        if self.depth(on) > DEEPEST {
            return Err(format!(
                "it is in {DEEPEST} others, which is as deep as anything is looked into"
            ));
        }
        let disk = self.arena.keep(opened).ok_or_else(|| {
            format!("there are {MOST} containers and volumes before it, and no more are opened")
        })?;
        let found = fs::filesystem(disk).map_err(|error| error.to_string());
        let found = found.map(|it| it.map(Box::new));
        Ok(self.add(origin, Some(disk), Held::Own(found), on))
    }

    /// Opens all containers that weren't looked into, and those in them.
    fn open_containers(&mut self) {
        while let Some(device) = self.devices.all.get(self.looked) {
            let number = self.looked;
            self.looked += 1;
            let Layer::Luks(Ok(container)) = &device.layer else {
                continue;
            };
            if self.devices.keys.is_empty() {
                continue;
            }
            let on = device.on.clone();
            let state = match open(&container.luks, self.devices.keys) {
                Err(why) => State::Failed(why),
                Ok((key, unlocked)) => {
                    let slot = unlocked.slot();
                    let opened = Opened::Container(unlocked);
                    match self.add_opened(Origin::Opened(number), opened, &on) {
                        Ok(device) => State::Opened { key, slot, device },
                        Err(why) => State::Failed(why),
                    }
                }
            };
            if let Layer::Luks(Ok(container)) = &mut self.devices.all[number].layer {
                container.state = state;
            }
        }
    }

    /// Puts physical volumes together that are in no group, first those of groups that are complete; whether
    /// there were any. Only when nothing else is left to be opened a group is taken as incomplete.
    fn join_groups(&mut self) -> bool {
        self.mark_spares();
        let pending = self.devices.pending();
        let disks = pending.iter().filter_map(|it| self.devices.all[*it].disk);
        let members = disks.filter_map(|disk| lvm::member(disk).ok().flatten());
        let (mut groups, _) = lvm::groups(members.collect());
        let is_complete =
            |group: &lvm::Group<'_>| group.members.iter().all(|member| member.disk.is_some());
        if groups.iter().any(is_complete) {
            groups.retain(is_complete);
        }
        let is_any = !groups.is_empty();
        for group in groups {
            self.add_group(group, &pending);
        }
        is_any
    }

    /// Physical volumes with the UUID of one that is in its group.
    fn mark_spares(&mut self) {
        for number in self.devices.pending() {
            let groups = &self.devices.groups;
            let Some(member) = self.devices.all[number].layer.member_mut() else {
                continue;
            };
            let numbered = groups.iter().enumerate();
            member.group = numbered
                .filter_map(|(group, found)| Some((group, place(&found.group, &member.id)?)))
                .next();
            member.is_spare = member.group.is_some();
        }
    }

    fn add_group(&mut self, group: lvm::Group<'a>, pending: &[usize]) {
        let number = self.devices.groups.len();
        let mut members = vec![None; group.members.len()];
        for device in pending {
            let layer = &mut self.devices.all[*device].layer;
            let Some(member) = layer.member_mut() else {
                continue;
            };
            if let Some(place) = place(&group, &member.id) {
                member.group = Some((number, place));
                member.is_spare = members[place].is_some();
                members[place].get_or_insert(*device);
            }
        }
        let below = members.iter().flatten();
        let on = below.flat_map(|device| self.devices.all[*device].on.iter().copied());
        let on: BTreeSet<_> = on.collect();
        let mut volumes = Vec::new();
        for (place, volume) in group.volumes.iter().enumerate() {
            let device = volume.is_visible.then(|| {
                let origin = Origin::Logical(number, place);
                let opened = group.open(volume).map_err(|error| error.to_string());
                let added =
                    opened.and_then(|disk| self.add_opened(origin, Opened::Volume(disk), &on));
                added.unwrap_or_else(|why| self.add(origin, None, Held::Own(Err(why)), &on))
            });
            volumes.push(device);
        }
        self.devices.groups.push(Group {
            group,
            members,
            volumes,
        });
    }
}

impl Devices<'_> {
    /// Physical volumes that are in no group.
    fn pending(&self) -> Vec<usize> {
        let is_pending = |device: &Device<'_>| match &device.layer {
            Layer::Lvm(Ok(member)) => member.group.is_none(),
            _ => false,
        };
        let numbered = self.all.iter().enumerate();
        numbered
            .filter(|(_, device)| is_pending(device))
            .map(|(number, _)| number)
            .collect()
    }
}

/// Which of the physical volumes of `group` has this UUID.
fn place(group: &lvm::Group<'_>, id: &str) -> Option<usize> {
    let mut ids = group.members.iter().map(|member| member.volume.id);
    ids.position(|known| known.to_string() == id)
}

/// Tries the keys in their order; why none of them opens the container.
fn open<'a>(luks: &luks::Luks<'a>, keys: &[Key]) -> Result<(usize, luks::Unlocked<'a>), String> {
    let mut last = String::new();
    for (number, key) in keys.iter().enumerate() {
        match luks.unlock(&key.passphrase) {
            Ok(unlocked) => return Ok((number, unlocked)),
            Err(error) if error.kind() != ErrorKind::InvalidSpec => return Err(error.to_string()),
            Err(error) => last = error.message().to_owned(),
        }
    }
    match keys.len() {
        0 | 1 => Err(last),
        count => Err(format!(
            "none of the {count} keys opens it: with the last one, {last}"
        )),
    }
}
