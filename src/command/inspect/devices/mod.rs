//! What can hold a filesystem: partitions, what is in containers that are open, logical volumes.
//!
//! Each is a device with a number. Devices are found from the partitions inwards, and what is below
//! one has a smaller number.

mod arena;
mod layer;
mod search;
mod trees;
mod wanted;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use disklayout::disk::{Disk, Window};
use disklayout::inspect::fs::Filesystem;
use disklayout::inspect::{Image, Volume, lvm};
use disklayout::table::Role;
use disklayout::{Bytes, SectorSize};

pub(super) use self::layer::{Container, Layer, Member, State};
pub(super) use self::trees::HashTree;
use super::keys::Key;
use super::{Found, Options, number};
use arena::Arena;

/// Where a device comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is the partition with this number, or the whole image, which has 0.
    Part(u32),
    /// It is what the container in this device holds.
    Opened(usize),
    /// It is the logical volume of this number in the group of that number.
    Logical(usize, usize),
}

/// What was read of the filesystem in a device.
#[derive(Debug)]
enum Held<'a> {
    /// It was read with the partition.
    Part(&'a Volume<'a>),
    Own(Result<Option<Box<Filesystem<'a>>>, String>),
}

/// Something that can hold a filesystem.
#[derive(Debug)]
pub(super) struct Device<'a> {
    pub origin: Origin,
    /// Its bytes, where they can be reached.
    disk: Option<&'a dyn Disk>,
    held: Held<'a>,
    /// What lies between it and filesystems.
    pub layer: Layer<'a>,
    /// All devices that it is on, and itself.
    on: BTreeSet<usize>,
    /// How many containers and groups are between it and the image.
    depth: usize,
    /// Whether it was asked for.
    pub is_wanted: bool,
}

impl<'a> Device<'a> {
    /// The filesystem in it, or why it can't be told.
    pub(super) fn filesystem(&self) -> Result<Option<&Filesystem<'a>>, String> {
        match &self.held {
            Held::Part(volume) => match &volume.filesystem {
                Ok(found) => Ok(found.as_ref()),
                Err(error) => Err(error.to_string()),
            },
            Held::Own(Ok(found)) => Ok(found.as_deref()),
            Held::Own(Err(error)) => Err(error.clone()),
        }
    }

    /// The partition, or whole image, that it is.
    pub(super) fn part(&self) -> Option<&'a Volume<'a>> {
        match &self.held {
            Held::Part(volume) => Some(volume),
            Held::Own(_) => None,
        }
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> Option<u64> {
        self.disk.map(|disk| disk.len())
    }
}

/// A group of logical volumes.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub group: lvm::Group<'a>,
    /// The devices of its physical volumes, unless they are missing.
    pub members: Vec<Option<usize>>,
    /// The devices of its logical volumes; parts of others have none.
    pub volumes: Vec<Option<usize>>,
}

/// All devices of an image.
#[derive(Debug)]
pub(super) struct Devices<'a> {
    pub all: Vec<Device<'a>>,
    pub groups: Vec<Group<'a>>,
    /// Whether anything was asked for by its name.
    pub is_chosen: bool,
    has_table: bool,
    keys: &'a [Key],
}

/// Finds the devices of an image, and does something with them.
///
/// # Errors
/// When there is nothing that was asked for, or that the keys could open; and what `tell` says.
pub(super) fn with<T>(
    found: &Found<'_>,
    options: &Options,
    keys: &[Key],
    tell: impl FnOnce(&Devices<'_>) -> Result<T>,
) -> Result<T> {
    let image = &found.image;
    let windows: Vec<_> = image
        .volumes
        .iter()
        .map(|volume| window(found.disk, image, volume))
        .collect();
    let arena = Arena::new();
    let mut devices = search::Search::new(&arena, keys).run(&image.volumes, &windows);
    devices.has_table = image.table.is_some();
    devices.choose(options)?;
    devices.find_data();
    let is_container = |device: &Device<'_>| matches!(device.layer, Layer::Luks(_));
    if !keys.is_empty() && !devices.all.iter().any(is_container) {
        bail!("there is no container of LUKS that a key could open");
    }
    tell(&devices)
}

/// As much of a partition as there is on the disk.
fn window<'a>(disk: &'a dyn Disk, image: &Image<'_>, volume: &Volume<'_>) -> Option<Window<'a>> {
    let Some(partition) = &volume.partition else {
        return Some(Window::whole(disk));
    };
    if partition.role == Role::Extended {
        return None;
    }
    let table = image.table.as_ref();
    let sector = table.map_or(SectorSize::default(), |table| table.sector_size);
    let start = partition.range.offset(sector).get();
    let there = disk.len().checked_sub(start)?;
    let len = partition.range.size(sector).get().min(there);
    Window::new(disk, Bytes::new(start), Bytes::new(len)).ok()
}

impl<'a> Devices<'a> {
    /// What a device is called, unless it is all there is.
    pub(super) fn name(&self, device: usize) -> Option<String> {
        match self.all[device].origin {
            Origin::Part(0) => self.has_table.then(|| "whole image".to_owned()),
            Origin::Part(number) => Some(format!("partition {number}")),
            Origin::Opened(container) => Some(match self.name(container) {
                Some(name) => format!("{name}, opened"),
                None => "opened".to_owned(),
            }),
            Origin::Logical(group, volume) => {
                let group = &self.groups[group].group;
                let name = &group.volumes[volume].name;
                Some(format!("volume {}/{name}", group.name))
            }
        }
    }

    /// The partitions and the whole image, in the order of the table.
    pub(super) fn parts(&self) -> impl Iterator<Item = usize> {
        let numbered = self.all.iter().enumerate();
        numbered
            .filter(|(_, device)| device.part().is_some())
            .map(|(number, _)| number)
    }

    /// The number of the partition that a device is on first.
    pub(super) fn partition(&self, device: usize) -> Option<u32> {
        let first = *self.all[device].on.first()?;
        self.all[first].part().map(number)
    }

    /// The path of a file of keys.
    pub(super) fn key(&self, key: usize) -> &'a std::path::Path {
        &self.keys[key].path
    }
}
