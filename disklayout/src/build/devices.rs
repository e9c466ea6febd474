//! What is written to: the disk, its partitions, and all that lies between them and filesystems.

use std::ops::Range;
use std::sync::Arc;

use super::nowhere::Nowhere;
use crate::disk::{Coming, Disk, Window, check_range, merged};
use crate::error::{Error, Result};
use crate::layout::{DiskPlan, GroupPlan, HashesPlan, Held};
use crate::place::Place;
use crate::units::Bytes;
use crate::volume::luks::Encrypted;
use crate::volume::verity::{self, Hashed};
use crate::volume::{Joined, Part, lvm};

/// Something that can be written to, from any thread.
pub(super) type Area<'a> = Arc<dyn Disk + Send + 'a>;

/// All of them, each behind those that it lies on; the first is the whole disk.
#[derive(Debug)]
pub(super) struct Devices<'a> {
    all: Vec<Device<'a>>,
}

/// Something that is written to.
#[derive(Debug)]
pub(super) struct Device<'a> {
    /// What it is called in errors.
    pub(super) place: Place,
    pub(super) area: Area<'a>,
    /// What is in it; nothing is said of the whole disk.
    pub(super) held: Option<&'a Held>,
    layer: Layer<'a>,
}

/// How a device lies on others, by their positions in the list.
#[derive(Debug)]
enum Layer<'a> {
    Disk,
    /// On another disk.
    Elsewhere,
    Joined {
        on: Vec<usize>,
        joined: Arc<Joined<'a>>,
    },
    Encrypted {
        on: usize,
        encrypted: Arc<Encrypted<'a>>,
        all: bool,
    },
    Hashed {
        on: usize,
        hashed: Arc<Hashed<'a>>,
    },
}

impl<'a> Devices<'a> {
    /// Those of `plan` on `disk`.
    pub(super) fn of(plan: &'a DiskPlan, disk: &'a dyn Disk) -> Result<Self> {
        let mut devices = Self { all: Vec::new() };
        devices.add(
            "disk".into(),
            Arc::new(Window::whole(disk)),
            None,
            Layer::Disk,
        );
        let mut members = Members::default();
        for partition in &plan.partitions {
            let number = partition.record.number;
            let range = partition.record.range;
            let offset = range.offset(plan.sector_size);
            let place = Place::from(format!("partition {number}"));
            let held = &partition.holds;
            let on = devices.window(&place, 0, offset, range.size(plan.sector_size), held)?;
            let on = match hashes_of(plan, number) {
                Some(hashes) => devices.hashed(on, hashes),
                None => on,
            };
            devices.add_held(on, held, &mut members)?;
        }
        devices.add_groups(plan, &mut members)?;
        Ok(devices)
    }

    fn add(
        &mut self,
        place: Place,
        area: Area<'a>,
        held: Option<&'a Held>,
        layer: Layer<'a>,
    ) -> usize {
        self.all.push(Device {
            place,
            area,
            held,
            layer,
        });
        self.all.len() - 1
    }

    fn window(
        &mut self,
        place: &Place,
        on: usize,
        offset: Bytes,
        len: Bytes,
        held: &'a Held,
    ) -> Result<usize> {
        let below = Arc::clone(&self.all[on].area);
        check_range(below.len(), offset.get(), len.get())
            .map_err(|error| Error::io(place, "can't reach its sectors", error))?;
        let whole = Part {
            end: len.get(),
            turn: len.get(),
            on: vec![(0, offset.get())],
        };
        Ok(self.joined(place.clone(), &[on], vec![whole], Some(held)))
    }

    /// Parts of the devices `on` as one.
    fn joined(
        &mut self,
        place: Place,
        on: &[usize],
        parts: Vec<Part>,
        held: Option<&'a Held>,
    ) -> usize {
        let disks = on.iter().map(|on| Arc::clone(&self.all[*on].area));
        let joined = Arc::new(Joined::new(disks.collect(), parts));
        let layer = Layer::Joined {
            on: on.to_vec(),
            joined: Arc::clone(&joined),
        };
        self.add(place, joined, held, layer)
    }

    /// What is in device `on`, and in that.
    fn add_held(&mut self, on: usize, held: &'a Held, members: &mut Members) -> Result<()> {
        match held {
            Held::Encrypted(plan) => {
                let place = self.all[on].place.clone();
                let offset = plan.luks.data_offset();
                let data = self.window(&place, on, offset, plan.len, held)?;
                // It is no device of its own to anybody above.
                self.all[data].held = None;
                let area = Arc::clone(&self.all[data].area);
                let encrypted = Encrypted::new(area, plan.sector_size, plan.luks.cipher());
                let encrypted = Arc::new(encrypted);
                let layer = Layer::Encrypted {
                    on: data,
                    encrypted: Arc::clone(&encrypted),
                    all: plan.encrypts_zeroes,
                };
                let inner = self.add(place, encrypted, Some(&plan.holds), layer);
                self.add_held(inner, &plan.holds, members)
            }
            Held::Member(member) => {
                members.found.push((member.group, member.index, on));
                Ok(())
            }
            Held::Nothing | Held::Filesystem(_) | Held::Bytes(_) | Held::Hashes(_) => Ok(()),
        }
    }

    /// The volumes of all groups, each when all its parts are there.
    fn add_groups(&mut self, plan: &'a DiskPlan, members: &mut Members) -> Result<()> {
        let mut left: Vec<_> = (0..plan.groups.len()).collect();
        for (index, group) in plan.groups.iter().enumerate() {
            for at in &group.elsewhere {
                let device = self.elsewhere(&group.lvm.members()[*at]);
                members.found.push((index, *at, device));
            }
        }
        while !left.is_empty() {
            let ready =
                |index: &usize| members.of(*index).len() == plan.groups[*index].lvm.members().len();
            let Some(at) = left.iter().position(ready) else {
                let message = "a part of a group of volumes is missing in the plan";
                return Err(Error::invalid("disk", message));
            };
            let index = left.remove(at);
            let on = members.of(index);
            self.add_group(&plan.groups[index], &on, members)?;
        }
        Ok(())
    }

    fn elsewhere(&mut self, member: &lvm::MemberPlan) -> usize {
        let area = Arc::new(Nowhere::new(member.size.get()));
        self.add(member.place.clone(), area, None, Layer::Elsewhere)
    }

    fn add_group(
        &mut self,
        group: &'a GroupPlan,
        on: &[usize],
        members: &mut Members,
    ) -> Result<()> {
        for (volume, held) in group.lvm.volumes().iter().zip(&group.volumes) {
            let place = Place::from(format!("volume {}", volume.name));
            let device = self.joined(place, on, parts(volume), Some(held));
            self.add_held(device, held, members)?;
        }
        Ok(())
    }

    /// Device `on`, hashed. What was in it is in this one now.
    fn hashed(&mut self, on: usize, hashes: &HashesPlan) -> usize {
        let device = &mut self.all[on];
        let (place, held) = (device.place.clone(), device.held.take());
        let verity = &hashes.verity;
        let area = Arc::clone(&device.area);
        let hashed = Arc::new(Hashed::new(
            area,
            verity.data_block(),
            verity::Leaves::new(verity),
        ));
        let layer = Layer::Hashed {
            on,
            hashed: Arc::clone(&hashed),
        };
        self.add(place, hashed, held, layer)
    }

    /// All of them but the whole disk, with their positions.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Device<'a>)> {
        self.all.iter().enumerate().skip(1)
    }

    /// Device number `index`.
    pub(super) fn get(&self, index: usize) -> &Device<'a> {
        &self.all[index]
    }

    /// Whether what is written to a device is encrypted somewhere below.
    pub(super) fn is_encrypted(&self, index: usize) -> bool {
        match &self.all[index].layer {
            Layer::Disk | Layer::Elsewhere => false,
            Layer::Encrypted { .. } => true,
            Layer::Hashed { on, .. } => self.is_encrypted(*on),
            Layer::Joined { on, .. } => on.iter().any(|on| self.is_encrypted(*on)),
        }
    }

    /// Whether all of a device is encrypted, whatever is in it.
    pub(super) fn encrypts_all(&self, index: usize) -> bool {
        matches!(self.all[index].layer, Layer::Encrypted { all: true, .. })
    }

    /// Whether every byte of a device is read.
    pub(super) fn is_hashed(&self, index: usize) -> bool {
        matches!(self.all[index].layer, Layer::Hashed { .. })
    }

    /// Where a device begins on the disk.
    pub(super) fn start(&self, index: usize) -> u64 {
        let (mut index, mut at) = (index, 0);
        loop {
            match &self.all[index].layer {
                Layer::Disk => return at,
                Layer::Elsewhere => return 0,
                Layer::Encrypted { on, .. } | Layer::Hashed { on, .. } => index = *on,
                Layer::Joined { on, joined } => match joined.places(at..at + 1).next() {
                    Some(place) => (index, at) = (on[place.disk], place.bytes.start),
                    None => return at,
                },
            }
        }
    }

    /// Tells all layers what comes to each device, and what then comes to the whole disk.
    pub(super) fn prepare(&self, mut coming: Vec<Stretches>) -> Result<Stretches> {
        for (index, device) in self.all.iter().enumerate().rev() {
            let own = std::mem::take(&mut coming[index]).merged();
            let told = own.coming();
            let failed = |error| Error::io(&device.place, "can't make room for the data", error);
            match &device.layer {
                Layer::Disk => return Ok(own),
                Layer::Elsewhere => {}
                Layer::Encrypted { on, encrypted, .. } => {
                    let data = encrypted.prepare(&told).map_err(failed)?;
                    coming[*on].data.extend(data);
                }
                Layer::Hashed { on, hashed } => {
                    let data = hashed.prepare(&told).map_err(failed)?;
                    coming[*on].add(Stretches { data, ..own });
                }
                Layer::Joined { on, joined } => {
                    let mut add = |ranges: &[Range<u64>], is_data: bool| {
                        let places = ranges.iter().flat_map(|range| joined.places(range.clone()));
                        for place in places {
                            let to = &mut coming[on[place.disk]];
                            let to = if is_data {
                                &mut to.data
                            } else {
                                &mut to.zeroes
                            };
                            to.push(place.bytes);
                        }
                    };
                    add(&own.data, true);
                    add(&own.zeroes, false);
                }
            }
        }
        Ok(Stretches::default())
    }

    /// Nothing, for each of them.
    pub(super) fn nothing(&self) -> Vec<Stretches> {
        self.all.iter().map(|_| Stretches::default()).collect()
    }

    /// Writes what only layers know of.
    pub(super) fn write_zeroes(&self) -> Result<()> {
        for device in self.all.iter().rev() {
            if let Layer::Encrypted { encrypted, .. } = &device.layer {
                let written = encrypted.write_zeroes();
                written.map_err(|error| Error::io(&device.place, "can't encrypt zeroes", error))?;
            }
        }
        Ok(())
    }

    /// The hashes of the partition of this number.
    pub(super) fn leaves(&self, number: u32) -> Option<&verity::Leaves> {
        let place = Place::from(format!("partition {number}"));
        self.all.iter().find_map(|device| match &device.layer {
            Layer::Hashed { hashed, .. } if device.place == place => Some(hashed.leaves()),
            _ => None,
        })
    }
}

/// What comes to a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretches {
    pub(super) data: Vec<Range<u64>>,
    pub(super) zeroes: Vec<Range<u64>>,
}

impl Stretches {
    pub(super) fn add(&mut self, other: Self) {
        self.data.extend(other.data);
        self.zeroes.extend(other.zeroes);
    }

    fn merged(self) -> Self {
        Self {
            data: merged(self.data),
            zeroes: merged(self.zeroes),
        }
    }

    pub(super) fn coming(&self) -> Coming<'_> {
        Coming {
            data: &self.data,
            zeroes: &self.zeroes,
        }
    }
}

/// Which device is which part of which group.
#[derive(Debug, Default)]
struct Members {
    found: Vec<(usize, usize, usize)>,
}

impl Members {
    /// The devices of a group's parts, in their order.
    fn of(&self, group: usize) -> Vec<usize> {
        let own = self.found.iter().filter(|(of, _, _)| *of == group);
        let mut own: Vec<_> = own.map(|(_, index, device)| (*index, *device)).collect();
        own.sort_unstable();
        own.into_iter().map(|(_, device)| device).collect()
    }
}

/// The hash tree of the partition of this number, if there is one.
fn hashes_of(plan: &DiskPlan, number: u32) -> Option<&HashesPlan> {
    plan.partitions.iter().find_map(|one| match &one.holds {
        Held::Hashes(hashes) if hashes.of == number => Some(hashes),
        _ => None,
    })
}

/// Where the bytes of a volume are on the parts of its group.
fn parts(volume: &lvm::Volume) -> Vec<Part> {
    let segments = volume.segments.iter();
    let parts = segments.map(|segment| {
        let areas = segment.areas.iter();
        Part {
            end: segment.start.get() + segment.size.get(),
            turn: segment.stripe_size.unwrap_or(segment.size).get(),
            on: areas.map(|area| (area.member, area.offset.get())).collect(),
        }
    });
    parts.collect()
}
