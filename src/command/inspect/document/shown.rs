//! What lies between partitions and filesystems, for programs.

use std::cell::Cell;

use disklayout::inspect::{luks, lvm};
use serde_json::{Value, json};

use super::filesystem;
use crate::command::inspect::devices::{Container, Devices, Group, HashTree, Layer, Member, State};
use crate::command::inspect::{Options, hexadecimal};

/// Devices that are shown, and whether all that was asked for could be read.
pub(super) struct Shown<'a> {
    devices: &'a Devices<'a>,
    options: &'a Options,
    is_sound: Cell<bool>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(devices: &'a Devices<'_>, options: &'a Options) -> Self {
        Self {
            devices,
            options,
            is_sound: Cell::new(true),
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        self.is_sound.get()
    }

    fn fail_unless(&self, is_right: bool) {
        self.is_sound.set(self.is_sound.get() && is_right);
    }

    /// Adds what is in a device to `value`.
    pub(super) fn add(&self, value: &mut Value, number: usize) {
        let device = &self.devices.all[number];
        value["filesystem"] = match device.filesystem() {
            Ok(Some(found)) => {
                let (object, is_sound) = filesystem(found, self.options);
                self.fail_unless(is_sound);
                object
            }
            Ok(None) => Value::Null,
            Err(error) => {
                self.fail_unless(!self.devices.is_chosen);
                json!({ "error": error })
            }
        };
        for key in ["luks", "lvm", "verity"] {
            value[key] = Value::Null;
        }
        let (key, layer) = match &device.layer {
            Layer::None => return,
            Layer::Luks(found) => ("luks", found.as_ref().map(|it| self.container(it))),
            Layer::Lvm(found) => ("lvm", found.as_ref().map(|it| self.member(it))),
            Layer::Verity(found) => ("verity", found.as_ref().map(|it| self.tree(it, number))),
        };
        value[key] = layer.unwrap_or_else(|error| {
            self.fail_unless(!self.devices.is_chosen);
            json!({ "error": error })
        });
    }

    fn container(&self, Container { luks, state }: &Container<'_>) -> Value {
        let mut value = facts(luks);
        match state {
            State::Locked => {}
            State::Failed(why) => {
                self.fail_unless(false);
                value["error"] = json!(why);
            }
            State::Opened { key, slot, device } => {
                value["opened"] = json!({
                    "key_file": self.devices.key(*key).to_string_lossy(),
                    "slot": slot,
                    "size": self.devices.all[*device].len(),
                });
                self.add(&mut value, *device);
            }
        }
        value
    }

    fn member(&self, member: &Member) -> Value {
        let group = member.group.map(|(group, _)| &self.devices.groups[group]);
        let group = group.map(|found| &found.group);
        json!({
            "uuid": member.id,
            "size": member.size,
            "group": group.map(|group| &group.name),
            "group_uuid": group.map(|group| group.id.to_string()),
            "part": member.group.map(|(_, place)| place),
            "spare": member.is_spare,
            "warnings": member.warnings,
        })
    }

    fn tree(&self, tree: &HashTree, number: usize) -> Value {
        let superblock = &tree.superblock;
        let mut value = json!({
            "algorithm": superblock.algorithm,
            "hash_type": superblock.hash_type,
            "uuid": superblock.uuid.to_string(),
            "salt": hexadecimal(&superblock.salt),
            "data_blocks": superblock.data_blocks,
            "data_block_size": superblock.data_block_size,
            "hash_block_size": superblock.hash_block_size,
            "root_hash": tree.root.as_deref().map(hexadecimal),
            "data": tree.data.and_then(|data| self.devices.partition(data)),
            "uuids_match": tree.has_uuids,
            "verified": null,
            "mismatch": null,
            "error": tree.error,
        });
        if self.options.verify {
            match self.devices.verify(number) {
                Some(Ok(mismatch)) => {
                    self.fail_unless(mismatch.is_none());
                    value["verified"] = json!(mismatch.is_none());
                    value["mismatch"] = json!(mismatch.map(|it| it.to_string()));
                }
                Some(Err(error)) => {
                    self.fail_unless(false);
                    value["error"] = json!(error);
                }
                None => self.fail_unless(false),
            }
        }
        value
    }

    /// The groups of which something was asked for.
    pub(super) fn groups(&self) -> Vec<Value> {
        let numbered = self.devices.groups.iter().enumerate();
        let wanted = numbered.filter(|(number, _)| self.devices.is_group_wanted(*number));
        wanted.map(|(_, found)| self.group(found)).collect()
    }

    fn group(&self, found: &Group<'_>) -> Value {
        let group = &found.group;
        let members = group.members.iter().zip(&found.members);
        let volumes = group.volumes.iter().zip(&found.volumes);
        let volumes = volumes.filter_map(|(volume, device)| self.volume(volume, *device));
        json!({
            "name": group.name,
            "uuid": group.id.to_string(),
            "seqno": group.seqno,
            "extent_size": group.extent_size.get(),
            "physical_volumes": members
                .map(|(member, device)| self.physical_volume(&member.volume, *device))
                .collect::<Vec<_>>(),
            "volumes": volumes.collect::<Vec<_>>(),
            "warnings": group.warnings,
        })
    }

    fn physical_volume(&self, volume: &lvm::PhysicalVolume, device: Option<usize>) -> Value {
        json!({
            "name": volume.name,
            "uuid": volume.id.to_string(),
            "size": volume.size.get(),
            "device": volume.device_hint,
            "extents": volume.extents,
            "extents_start": volume.pe_start.get(),
            "missing": device.is_none(),
            "partition": device.and_then(|device| self.devices.partition(device)),
        })
    }

    /// A volume, if it was asked for. A part of others is where the whole image is.
    fn volume(&self, volume: &lvm::LogicalVolume, device: Option<usize>) -> Option<Value> {
        let is_wanted = device.map_or(self.options.volume.is_none(), |device| {
            self.devices.all[device].is_wanted
        });
        let mut value = json!({
            "name": volume.name,
            "uuid": volume.id.to_string(),
            "size": volume.size.get(),
            "visible": volume.is_visible,
            "tags": volume.tags,
            "segments": volume.segments.iter().map(segment).collect::<Vec<_>>(),
            "filesystem": null,
            "luks": null,
            "lvm": null,
            "verity": null,
        });
        if let Some(device) = device.filter(|_| is_wanted) {
            self.add(&mut value, device);
        }
        is_wanted.then_some(value)
    }
}

/// What a container tells, in which nothing is known.
fn facts(luks: &luks::Luks<'_>) -> Value {
    let facts = luks.facts();
    let slots = facts.slots.iter();
    let slots = slots.map(|slot| json!({ "number": slot.number, "kdf": slot.kdf }));
    json!({
        "version": facts.version,
        "header_offset": facts.header_offset.get(),
        "uuid": facts.uuid.map(|uuid| uuid.to_string()),
        "label": facts.label,
        "subsystem": facts.subsystem,
        "flags": facts.flags,
        "cipher": facts.cipher,
        "key_bits": facts.key_bits,
        "sector_size": facts.sector_size,
        "data_offset": facts.data_offset.get(),
        "data_size": facts.data_len.map(|len| len.get()),
        "slots": slots.collect::<Vec<_>>(),
        "warnings": luks.warnings(),
        "opened": null,
        "filesystem": null,
        "luks": null,
        "lvm": null,
        "verity": null,
    })
}

fn segment(segment: &lvm::Segment) -> Value {
    let mut value = json!({
        "start": segment.start.get(),
        "size": segment.size.get(),
        "type": "",
        "stripe_size": null,
        "areas": [],
    });
    match &segment.mapping {
        lvm::Mapping::Other(kind) => value["type"] = json!(kind),
        lvm::Mapping::Striped { stripe_size, areas } => {
            let is_linear = areas.len() == 1;
            value["type"] = json!(if is_linear { "linear" } else { "striped" });
            value["stripe_size"] = json!((!is_linear).then(|| stripe_size.get()));
            let areas = areas.iter().map(|area| {
                json!({
                    "part": area.member,
                    "offset": area.offset.get(),
                    "size": area.size.get(),
                })
            });
            value["areas"] = areas.collect();
        }
    }
    value
}
