//! Which devices were asked for.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::{Devices, Origin};
use crate::command::inspect::Options;

/// What is between the names of a group and of its volume.
const SLASH: char = '/';

impl Devices<'_> {
    /// Marks what was asked for: what is the partition or the volume, or on it.
    ///
    /// # Errors
    /// When there is no such volume, or several.
    pub(super) fn choose(&mut self, options: &Options) -> Result<()> {
        let volume = options.volume.as_deref();
        let volume = volume.map(|name| self.volume(name)).transpose()?;
        let is_part = |on: &BTreeSet<usize>| {
            options.part.is_none_or(|part| {
                on.iter()
                    .any(|below| self.all[*below].origin == Origin::Part(part))
            })
        };
        let is_wanted =
            |on: &BTreeSet<usize>| is_part(on) && volume.is_none_or(|volume| on.contains(&volume));
        let wanted: Vec<_> = self.all.iter().map(|it| is_wanted(&it.on)).collect();
        if !wanted.contains(&true) {
            bail!("the volume isn't on this partition");
        }
        for (device, wanted) in self.all.iter_mut().zip(wanted) {
            device.is_wanted = wanted;
        }
        self.is_chosen = options.part.is_some() || volume.is_some();
        Ok(())
    }

    /// The logical volume called `name`, or `group/name`.
    fn volume(&self, wanted: &str) -> Result<usize> {
        let (in_group, name) = match wanted.rsplit_once(SLASH) {
            Some((group, name)) => (Some(group), name),
            None => (None, wanted),
        };
        let mut found = Vec::new();
        for group in &self.groups {
            let named = group.group.volumes.iter().zip(&group.volumes);
            let named = named.filter(|(volume, _)| volume.name == name);
            if in_group.is_none_or(|wanted| wanted == group.group.name) {
                found.extend(named.filter_map(|(_, device)| *device));
            }
        }
        match found[..] {
            [device] => Ok(device),
            [] => bail!("there is no logical volume '{wanted}'{}", self.known()),
            _ => bail!(
                "there are several logical volumes '{wanted}'{}",
                self.known()
            ),
        }
    }

    /// What volumes can be chosen, for errors.
    fn known(&self) -> String {
        let logical = (0..self.all.len())
            .filter(|device| matches!(self.all[*device].origin, Origin::Logical(..)));
        let names: Vec<_> = logical.filter_map(|device| self.name(device)).collect();
        match names.is_empty() {
            true => String::new(),
            false => format!("; there are {}", names.join(", ")),
        }
    }

    /// Whether something of a group was asked for.
    pub(in crate::command::inspect) fn is_group_wanted(&self, group: usize) -> bool {
        let group = &self.groups[group];
        let mut devices = group.members.iter().chain(&group.volumes).flatten();
        devices.any(|device| self.all[*device].is_wanted)
    }
}
