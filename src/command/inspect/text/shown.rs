//! Devices, with what lies between them and filesystems.

use std::io::Write;

use anyhow::Result;
use disklayout::Bytes;
use disklayout::inspect::luks;
use disklayout::table::Role;

use super::{filesystem, write_warnings};
use crate::command::inspect::devices::{Container, Devices, HashTree, Layer, Member, State};
use crate::command::inspect::{Options, hexadecimal};
use crate::printable::printable;

/// Where devices are shown, and whether all that was asked for could be read.
pub(super) struct Shown<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) devices: &'a Devices<'a>,
    pub(super) options: &'a Options,
    pub(super) is_sound: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn new(
        out: &'a mut dyn Write,
        devices: &'a Devices<'_>,
        options: &'a Options,
    ) -> Self {
        Self {
            out,
            devices,
            options,
            is_sound: true,
        }
    }

    /// What is in a partition or the whole image.
    pub(super) fn write_part(&mut self, number: usize) -> Result<()> {
        let Some(volume) = self.devices.all[number].part() else {
            return Ok(());
        };
        let place = self.place(number);
        write_warnings(self.out, &place, &volume.warnings)?;
        match &volume.partition {
            Some(partition) if partition.role == Role::Extended => Ok(()),
            _ => self.write_device(number),
        }
    }

    /// What every line about a device begins with.
    fn place(&self, number: usize) -> String {
        let name = self.devices.name(number);
        let name = name.map(|name| printable(&name).into_owned());
        name.map_or_else(String::new, |name| format!("{name}: "))
    }

    /// What is in a device.
    pub(super) fn write_device(&mut self, number: usize) -> Result<()> {
        let devices = self.devices;
        let device = &devices.all[number];
        let place = self.place(number);
        let is_tree = matches!(device.layer, Layer::Verity(_));
        match device.filesystem() {
            Ok(Some(found)) => {
                let lines = filesystem::lines(found.facts());
                for (index, line) in lines.iter().enumerate() {
                    let start = if index == 0 { &place } else { "    " };
                    writeln!(self.out, "  {start}{}", printable(line))?;
                }
                if self.options.tree && found.has_files() {
                    self.is_sound &= filesystem::write_tree(self.out, found)?;
                }
            }
            Ok(None) if is_tree => writeln!(self.out, "  {place}hash tree of dm-verity")?,
            Ok(None) => writeln!(self.out, "  {place}no filesystem recognised")?,
            Err(error) => {
                writeln!(self.out, "  {place}error: {}", printable(&error))?;
                self.is_sound &= !devices.is_chosen;
            }
        }
        match &device.layer {
            Layer::None => Ok(()),
            Layer::Luks(Ok(container)) => self.write_container(container),
            Layer::Lvm(Ok(member)) => self.write_member(member),
            Layer::Verity(Ok(tree)) => self.write_tree(tree, number),
            Layer::Luks(Err(error)) | Layer::Lvm(Err(error)) | Layer::Verity(Err(error)) => {
                self.is_sound &= !devices.is_chosen;
                self.write_line(&format!("error: {error}"))
            }
        }
    }

    /// A line below that which a device begins with.
    fn write_line(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.out, "    {}", printable(line))?)
    }

    fn write_lines(&mut self, lines: &[String]) -> Result<()> {
        lines.iter().try_for_each(|line| self.write_line(line))
    }

    fn write_warnings(&mut self, warnings: &[String]) -> Result<()> {
        let lines = warnings.iter().map(|warning| format!("warning: {warning}"));
        self.write_lines(&lines.collect::<Vec<_>>())
    }

    fn write_container(&mut self, Container { luks, state }: &Container<'_>) -> Result<()> {
        self.write_lines(&container_lines(luks.facts()))?;
        self.write_warnings(luks.warnings())?;
        match state {
            State::Locked => self.write_line("locked"),
            State::Failed(why) => {
                self.is_sound = false;
                self.write_line(&format!("error: {why}"))
            }
            State::Opened { key, slot, device } => {
                let key = self.devices.key(*key).display();
                self.write_line(&format!("opened by '{key}', which is in key slot {slot}"))?;
                self.write_device(*device)
            }
        }
    }

    fn write_member(&mut self, member: &Member) -> Result<()> {
        let group = member.group.map(|(group, place)| {
            let group = &self.devices.groups[group].group;
            (place + 1, group.members.len(), &group.name)
        });
        let mut line = match group {
            Some((place, count, name)) => {
                format!(
                    "physical volume {place} of {count} in the group '{name}', {}",
                    member.id
                )
            }
            None => format!("physical volume {} of no group", member.id),
        };
        if member.is_spare {
            line += ", which isn't used: another one has the same UUID";
        }
        self.write_line(&line)?;
        // Those of others are told with their groups.
        match group.is_some() && !member.is_spare {
            true => Ok(()),
            false => self.write_warnings(&member.warnings),
        }
    }

    fn write_tree(&mut self, tree: &HashTree, number: usize) -> Result<()> {
        self.write_lines(&tree_lines(tree))?;
        if let Some(root) = &tree.root {
            self.write_line(&format!("root hash {}", hexadecimal(root)))?;
        }
        if let Some(error) = &tree.error {
            self.write_line(&format!("error: {error}"))?;
        }
        if let Some(data) = tree.data.and_then(|data| self.devices.name(data)) {
            let matching = match tree.has_uuids {
                Some(true) => ", the UUIDs match",
                Some(false) => ", the UUIDs aren't the halves of the root hash",
                None => "",
            };
            self.write_line(&format!("of {data}{matching}"))?;
        }
        if !self.options.verify {
            return Ok(());
        }
        let verdict = self.devices.verify(number);
        self.is_sound &= matches!(verdict, Some(Ok(None)));
        match verdict {
            Some(Ok(None)) => self.write_line("verified: all data is what was hashed"),
            Some(Ok(Some(mismatch))) => self.write_line(&format!("error: {mismatch}")),
            Some(Err(error)) => self.write_line(&format!("error: {error}")),
            None => Ok(()),
        }
    }
}

/// What a container tells.
fn container_lines(facts: &luks::Facts) -> Vec<String> {
    let mut first = vec![format!("LUKS {}", facts.version)];
    first.extend(facts.label.as_ref().map(|label| format!("label '{label}'")));
    let subsystem = facts.subsystem.as_ref();
    first.extend(subsystem.map(|name| format!("subsystem '{name}'")));
    if !facts.cipher.is_empty() {
        first.push(format!(
            "{} with a key of {} bits",
            facts.cipher, facts.key_bits
        ));
    }
    first.push(format!("sectors of {} bytes", facts.sector_size));
    first.push(format!("data from {}", facts.data_offset));
    first.extend(facts.flags.iter().cloned());
    let slots = facts.slots.iter();
    let slots = slots.map(|slot| format!("key slot {}: {}", slot.number, slot.kdf));
    std::iter::once(first.join(", ")).chain(slots).collect()
}

/// What a superblock of dm-verity tells.
fn tree_lines(HashTree { superblock, .. }: &HashTree) -> Vec<String> {
    let hash_block = superblock.hash_block_size;
    let salt = match superblock.salt.is_empty() {
        true => "no salt".to_owned(),
        false => format!("salt {}", hexadecimal(&superblock.salt)),
    };
    let data = format!(
        "{} blocks of {} bytes, {}",
        superblock.data_blocks,
        superblock.data_block_size,
        Bytes::new(superblock.data_len())
    );
    let tree = format!(
        "{}, blocks of the tree {hash_block} bytes",
        superblock.algorithm
    );
    vec![format!("{}, {tree}, {data}", superblock.uuid), salt]
}
