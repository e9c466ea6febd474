//! Disks of the size that they have, as the library plans them.

use std::sync::Arc;

use disklayout::layout::DiskSize;
use disklayout::layout::spec::{
    Disk, DiskTable, End, Filesystem, Holds, Kinds, LogicalVolume, Member, Partition, Start,
    VolumeGroup, VolumeSize,
};
use disklayout::table::{Flag, Kind, Role};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Identity, Naming, Place};

use super::image::{self, Raw};
use super::lvm::{Group, Logical, Volumes};
use super::mkfs::Made;
use super::nodes::Nodes;
use super::partitioning::Table;
use super::placed::{Placed, Room};
use super::{Image, Settings, gpt, mbr};
use crate::config::Findings;
use crate::describe::identifiers;
use crate::system::{Location, Volume};

/// What disks are made of.
#[derive(Debug)]
pub(super) struct Maker<'c> {
    pub(super) nodes: &'c Nodes,
    pub(super) settings: &'c Settings,
    pub(super) names: Arc<dyn Naming>,
}

impl Maker<'_> {
    /// The image `raw` with so many bytes, unless it has a size of its own.
    pub(super) fn image(&self, raw: &Raw, size: Bytes, findings: &mut Findings) -> Option<Image> {
        let size = raw.size.unwrap_or(size.get());
        image::check_size(raw, size, findings)?;
        let identity = self.identity(raw);
        let room = Room {
            size,
            sector: raw.sector.get(),
        };
        let table = self.nodes.table_on(&raw.name);
        let parts = match table {
            Some(table) => self.partitions(table, room, &identity, findings)?,
            None => self.bare(raw, &identity, findings)?,
        };
        let (partitions, mut known): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let groups = self.groups(raw, &identity, findings)?;
        let (groups, of_groups): (Vec<_>, Vec<_>) = groups.into_iter().unzip();
        known.extend(of_groups.into_iter().flatten());
        let mut disk = Disk {
            place: self.place(&raw.place.path),
            size: DiskSize::Fixed(Bytes::new(size)),
            multiple: Bytes::new(1),
            sector_size: raw.sector,
            table: match table.map(|table| table.kind) {
                Some(Kind::Gpt) => DiskTable::GPT,
                Some(_) => DiskTable::MBR,
                None => DiskTable::None,
            },
            partitions,
            blobs: Vec::new(),
            groups,
            others: Vec::new(),
            kept_table: Vec::new(),
        };
        identifiers::identify_partitions(&mut disk, &identity);
        identifiers::identify_groups(&mut disk, &identity);
        Some(Image {
            name: raw.name.clone(),
            directory: raw.directory.clone(),
            disk,
            volumes: known,
        })
    }

    /// What UUIDs derive from: those of one image don't depend on which others there are.
    fn identity(&self, raw: &Raw) -> Identity {
        let Settings {
            image_name, time, ..
        } = self.settings;
        Identity::new(image_name, *time).child(&format!("image {}", raw.name))
    }

    fn place(&self, path: &str) -> Place {
        Place::new(path, Arc::clone(&self.names))
    }

    /// The partitions of a table.
    fn partitions(
        &self,
        table: &Table,
        room: Room,
        identity: &Identity,
        findings: &mut Findings,
    ) -> Option<Vec<(Partition, Volume)>> {
        let placed = match table.kind {
            Kind::Gpt => gpt::place(table, room),
            _ => mbr::place(table, room),
        };
        let placed = match placed {
            Ok(placed) => placed,
            Err((place, message)) => return findings.refuse(&place, message),
        };
        let made = placed
            .iter()
            .map(|one| self.partition(one, table, identity, findings));
        made.collect()
    }

    fn partition(
        &self,
        one: &Placed<'_>,
        table: &Table,
        identity: &Identity,
        findings: &mut Findings,
    ) -> Option<(Partition, Volume)> {
        let part = one.part;
        let tag = part.map(|part| part.name.as_str()).unwrap_or_default();
        let location = Location::Partition(one.number);
        let (holds, volume) = self.holds(tag, location, identity, findings)?;
        let path = part.map_or(&table.place.path, |part| &part.place.path);
        let last = one.first + one.sectors - 1;
        let partition = Partition {
            role: one.role,
            start: Start::Sector(one.first.cast_signed()),
            end: End::Sector(last.cast_signed()),
            // That of an extended one isn't for anybody to choose.
            kind: part.map_or_else(Kinds::default, |part| Kinds::from(part.kind)),
            name: part
                .filter(|_| table.kind == Kind::Gpt)
                .map(|part| part.name.clone()),
            flags: match part.is_some_and(|part| part.is_active) {
                true => vec![Flag::Boot],
                false => Vec::new(),
            },
            ..Partition::new(self.place(path), holds)
        };
        Some((partition, volume))
    }

    /// What an image without a table has, if it has anything.
    fn bare(
        &self,
        raw: &Raw,
        identity: &Identity,
        findings: &mut Findings,
    ) -> Option<Vec<(Partition, Volume)>> {
        let made = self.nodes.filesystem_in(&raw.name);
        let location = Location::Partition(0);
        let (holds, volume) = self.holds(&raw.name, location, identity, findings)?;
        if matches!(holds, Holds::Nothing) {
            let message = format!(
                "the image '{}' is empty: have a partition table or a filesystem in it",
                raw.name
            );
            return findings.refuse(&raw.place, message);
        }
        let place = self.place(&made.map_or(&raw.place, |made| &made.place).path);
        let partition = Partition {
            role: Role::Primary,
            ..Partition::new(place, holds)
        };
        Some(vec![(partition, volume)])
    }

    /// The groups on an image, each with what is to be known of its volumes.
    fn groups(
        &self,
        raw: &Raw,
        identity: &Identity,
        findings: &mut Findings,
    ) -> Option<Vec<(VolumeGroup, Vec<Volume>)>> {
        let own = self.nodes.groups().filter(|(volumes, group)| {
            let mut members = volumes.members_of(group);
            let image = members.find_map(|it| self.nodes.image_of(&it.base.name));
            image.is_some_and(|image| image.name == raw.name)
        });
        let made = own.map(|(volumes, group)| self.group(volumes, group, identity, findings));
        made.collect()
    }

    fn group(
        &self,
        volumes: &Volumes,
        group: &Group,
        identity: &Identity,
        findings: &mut Findings,
    ) -> Option<(VolumeGroup, Vec<Volume>)> {
        let each = volumes.volumes_of(&group.name);
        let each = each.map(|logical| self.logical(logical, identity, findings));
        let (volumes, known) = each.collect::<Option<Vec<_>>>()?.into_iter().unzip();
        let group = VolumeGroup {
            place: self.place(&group.place.path),
            name: group.name.clone(),
            uuid: None,
            seed: None,
            extent_size: group.extent_size,
            volumes,
        };
        Some((group, known))
    }

    fn logical(
        &self,
        logical: &Logical,
        identity: &Identity,
        findings: &mut Findings,
    ) -> Option<(LogicalVolume, Volume)> {
        let location = Location::Logical {
            group: logical.base.name.clone(),
            name: logical.name.clone(),
        };
        let (holds, known) = self.holds(&logical.name, location, identity, findings)?;
        let volume = LogicalVolume {
            place: self.place(&logical.place.path),
            name: logical.name.clone(),
            uuid: None,
            size: VolumeSize::Given(logical.size),
            stripes: logical.stripes,
            tags: logical.tags.clone(),
            holds,
        };
        Some((volume, known))
    }

    /// What is in an image, a partition or a logical volume with this name, and what is to be known of it.
    fn holds(
        &self,
        tag: &str,
        location: Location,
        identity: &Identity,
        findings: &mut Findings,
    ) -> Option<(Holds, Volume)> {
        let mut volume = Volume {
            tag: tag.to_owned(),
            location,
            opened: None,
            uuid: String::new(),
            mounted_at: None,
        };
        if let Some((group, order)) = self.nodes.group_on(tag) {
            let group = group.name.clone();
            return Some((Holds::Member(Member { group, order }), volume));
        }
        let Some(made) = self.nodes.filesystem_in(tag) else {
            return Some((Holds::Nothing, volume));
        };
        let (filesystem, uuid) = self.filesystem(made, identity, findings)?;
        volume.uuid = uuid;
        let mount = self.nodes.mount_of(&made.name).filter(|_| !made.is_swap());
        volume.mounted_at = mount.map(|mount| mount.point.clone());
        Some((Holds::from(filesystem), volume))
    }

    /// An empty filesystem, and what it is known by.
    fn filesystem(
        &self,
        made: &Made,
        identity: &Identity,
        findings: &mut Findings,
    ) -> Option<(Filesystem, String)> {
        let tree = FileTree::new(self.settings.time);
        let mut filesystem = Filesystem::new(&made.kind, tree);
        filesystem.label = Some(made.label.clone());
        filesystem.uuid = made.uuid;
        filesystem.options = made.options.clone();
        filesystem.misfits = self.settings.misfits;
        let identity = identity.child(&format!("filesystem {}", made.name));
        match identifiers::identify(&mut filesystem, &identity) {
            Some(uuid) => Some((filesystem, uuid)),
            None => {
                let message = "the value of '-i' in 'opts' is no number of eight digits";
                findings.refuse(&made.place, message)
            }
        }
    }
}
