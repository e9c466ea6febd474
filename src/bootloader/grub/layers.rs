//! What lies between a filesystem and the partitions that it is on: logical volumes and encryption.

use disklayout::layout::spec::{Disk, Holds, VolumeGroup};
use disklayout::volume::luks::Version;

use crate::system::{Location, System, Volume};

/// What GRUB calls a logical volume: its module, and what grub-probe says.
pub(super) const LVM: &str = "lvm";

/// The same for what is encrypted, beside the module for the version of its header.
const ENCRYPTED: &str = "cryptodisk";

/// What lies around a filesystem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layers {
    /// The modules that read it, beside those of tables and filesystems: each once, from the partitions in.
    pub(super) modules: Vec<&'static str>,
    /// The UUIDs of all containers that are opened for it, without hyphens.
    pub(super) containers: Vec<String>,
    /// How many partitions it is on.
    pub(super) partitions: usize,
}

impl Layers {
    /// What lies around what is in the volume at `index`.
    pub(super) fn around(system: &System, index: usize) -> Self {
        let mut layers = Self::default();
        layers.add(system, index, system.disk.groups.len());
        layers
    }

    /// Whether anything of it is encrypted.
    pub(super) fn are_encrypted(&self) -> bool {
        self.modules.contains(&ENCRYPTED)
    }

    /// Adds those around a volume, which is in no more than so many groups.
    fn add(&mut self, system: &System, index: usize, groups: usize) {
        let Some((group, holds)) = slot(&system.disk, index) else {
            return;
        };
        match (group, groups.checked_sub(1)) {
            (None, _) => self.partitions += 1,
            (Some(group), Some(rest)) => {
                for member in members(&system.disk, &group.name) {
                    self.add(system, member, rest);
                }
                self.add_module(LVM);
            }
            // A group in itself, which is refused when it is planned.
            (Some(_), None) => {}
        }
        if let Holds::Encrypted(outer) = holds {
            self.add_module(ENCRYPTED);
            self.add_module(header(outer.luks.version));
        }
        let opened = system.volumes.get(index).and_then(|it| it.opened.as_ref());
        let uuid = opened.map(|opened| opened.uuid.replace('-', ""));
        self.containers.extend(uuid);
    }

    fn add_module(&mut self, module: &'static str) {
        if !self.modules.contains(&module) {
            self.modules.push(module);
        }
    }
}

const fn header(version: Version) -> &'static str {
    match version {
        Version::Luks1 => "luks",
        Version::Luks2 => "luks2",
    }
}

/// What the volume at `index` holds, encrypted or not, and the group that it is in, if it is in one.
fn slot(disk: &Disk, index: usize) -> Option<(Option<&VolumeGroup>, &Holds)> {
    let partitions = disk.partitions.iter().map(|one| (None, &one.holds));
    let volumes = disk.groups.iter().flat_map(|group| {
        let volumes = group.volumes.iter();
        volumes.map(move |volume| (Some(group), &volume.holds))
    });
    partitions.chain(volumes).nth(index)
}

/// The volumes that are parts of a group.
fn members(disk: &Disk, group: &str) -> impl Iterator<Item = usize> {
    let is_member =
        move |holds: &Holds| matches!(holds, Holds::Member(member) if member.group == group);
    let all = disk.slots().enumerate();
    all.filter_map(move |(index, holds)| is_member(holds).then_some(index))
}

/// What GRUB calls what a volume's filesystem is in, whatever disk the machine starts from: `lvmid/UUID/UUID`,
/// `cryptouuid/UUID`. `None` for a partition, whose disk has a number that only the machine knows.
pub(super) fn drive(system: &System, volume: &Volume) -> Option<String> {
    if let Some(opened) = &volume.opened {
        return Some(format!("cryptouuid/{}", opened.uuid.replace('-', "")));
    }
    let Location::Logical { group, name } = &volume.location else {
        return None;
    };
    let group = system.disk.groups.iter().find(|it| it.name == *group)?;
    let logical = group.volumes.iter().find(|it| it.name == *name)?;
    Some(match (group.uuid, logical.uuid) {
        (Some(group), Some(logical)) => format!("lvmid/{group}/{logical}"),
        // Without their UUIDs it knows them by their names.
        _ => format!("lvm/{}", volume.mapper_name()?),
    })
}
