//! Groups of logical volumes.

use anyhow::Result;
use disklayout::inspect::lvm::{self, Mapping, Segment};

use super::shown::Shown;
use super::write_warnings;
use crate::command::inspect::devices::Group;
use crate::printable::printable;

impl Shown<'_> {
    /// The groups of which something was asked for, with their volumes.
    pub(super) fn write_groups(&mut self) -> Result<()> {
        let devices = self.devices;
        for (number, found) in devices.groups.iter().enumerate() {
            if devices.is_group_wanted(number) {
                self.write_group(found)?;
            }
        }
        Ok(())
    }

    fn write_group(&mut self, found: &Group<'_>) -> Result<()> {
        let group = &found.group;
        let name = printable(&group.name);
        let (id, extent) = (group.id, group.extent_size);
        writeln!(self.out, "  group {name}: {id}, extents of {extent}")?;
        write_warnings(self.out, &format!("group {name}: "), &group.warnings)?;
        for (member, device) in group.members.iter().zip(&found.members) {
            let (name, size) = (&member.volume.name, member.volume.size);
            let place = match device {
                Some(device) => self.devices.name(*device).unwrap_or_default(),
                None => "missing".to_owned(),
            };
            let place = if place.is_empty() { "here" } else { &place };
            let line = format!("{name}: {size}, {place}");
            writeln!(self.out, "    {}", printable(&line))?;
        }
        for (volume, device) in group.volumes.iter().zip(&found.volumes) {
            self.write_volume(group, volume, *device)?;
        }
        Ok(())
    }

    /// A logical volume, if it was asked for. A part of others is where the whole image is.
    fn write_volume(
        &mut self,
        group: &lvm::Group<'_>,
        volume: &lvm::LogicalVolume,
        device: Option<usize>,
    ) -> Result<()> {
        let is_wanted = device.map_or(self.options.volume.is_none(), |device| {
            self.devices.all[device].is_wanted
        });
        if !is_wanted {
            return Ok(());
        }
        let mut line = format!(
            "volume {}/{}: {}, {}",
            group.name, volume.name, volume.size, volume.id
        );
        if !volume.is_visible {
            line += ", a part of others";
        }
        if !volume.tags.is_empty() {
            line += &format!(", tags {}", volume.tags.join(" "));
        }
        writeln!(self.out, "  {}", printable(&line))?;
        for segment in &volume.segments {
            let line = segment_line(group, segment);
            writeln!(self.out, "    {}", printable(&line))?;
        }
        device.map_or(Ok(()), |device| self.write_device(device))
    }
}

/// Where the bytes of a segment are.
fn segment_line(group: &lvm::Group<'_>, segment: &Segment) -> String {
    let (start, size) = (segment.start, segment.size);
    let place = match &segment.mapping {
        Mapping::Other(kind) => kind.clone(),
        Mapping::Striped { stripe_size, areas } => {
            let each = areas.iter().map(|area| {
                let name = &group.members[area.member].volume.name;
                format!("{name} from {}", area.offset)
            });
            let each: Vec<_> = each.collect();
            match each.as_slice() {
                [one] => one.clone(),
                all => format!("stripes of {stripe_size} on {}", all.join(", ")),
            }
        }
    };
    format!("{size} from {start}: {place}")
}
