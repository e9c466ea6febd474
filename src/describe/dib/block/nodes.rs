//! The nodes of a configuration: everything that has a name that others stand on, and what they are.

use std::collections::BTreeMap;

use super::Settings;
use super::entry::{Base, Planned};
use super::image::{self, Raw};
use super::lvm::{self, Group, Logical, Volumes};
use super::mkfs::{self, Made};
use super::mount::{self, Line, Mount};
use super::partitioning::{self, Table};
use super::plugin::Plugin;
use crate::config::{Findings, Place};

/// All of them, each kind in the order of the configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    pub(super) images: Vec<Raw>,
    pub(super) tables: Vec<Table>,
    /// Volumes of LVM, by the entries that make them.
    pub(super) volumes: Vec<Volumes>,
    pub(super) filesystems: Vec<Made>,
    pub(super) mounts: Vec<Mount>,
    pub(super) lines: Vec<Line>,
    /// What every name is of, and where it stands.
    names: BTreeMap<String, (Kind, Place)>,
    /// All names in the order of the configuration.
    pub(super) all: Vec<String>,
}

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Partition,
    /// An entry that makes volumes.
    Volumes,
    Member,
    Group,
    Logical,
    Filesystem,
    Mount,
    Line,
}

impl Kind {
    const fn shown(self) -> &'static str {
        match self {
            Self::Image => "an image",
            Self::Partition => "a partition",
            Self::Volumes => "an entry of LVM",
            Self::Member => "a physical volume",
            Self::Group => "a group of volumes",
            Self::Logical => "a logical volume",
            Self::Filesystem => "a filesystem",
            Self::Mount => "a mount",
            Self::Line => "a line of fstab",
        }
    }
}

/// Reads the nodes of all entries. Names are unique, and everything stands on what it can stand on.
/// `None` when anything is wrong with them.
pub(super) fn read(
    entries: &[Planned<'_>],
    settings: &Settings,
    findings: &mut Findings,
) -> Option<Nodes> {
    let mut nodes = Nodes::default();
    for planned in entries {
        // Names are known even of what can't be read, so that nothing else is said to be missing.
        nodes.name_all(planned, findings);
        nodes.add(planned, settings, findings);
    }
    nodes.check_bases(findings);
    for planned in entries.iter().filter(|it| it.plugin == Plugin::Lvm) {
        let volumes = lvm::read(&planned.entry, &nodes, findings);
        nodes.volumes.extend(volumes);
    }
    findings.errors.is_empty().then_some(nodes)
}

impl Nodes {
    fn name_all(&mut self, planned: &Planned<'_>, findings: &mut Findings) {
        let entry = &planned.entry;
        let place = match entry.object.optional("name") {
            Some(name) => name.place().clone(),
            None => entry.place().clone(),
        };
        let kind = match planned.plugin {
            // A table has no name that anything stands on: its partitions have.
            Plugin::Partitioning => {
                for partition in &planned.partitions {
                    let place = partition.object.place_of("name");
                    self.name(&partition.name, Kind::Partition, place, findings);
                }
                return;
            }
            Plugin::LocalLoop => Kind::Image,
            Plugin::Lvm => {
                for (name, kind, place) in lvm::names(entry) {
                    self.name(&name, kind, place, findings);
                }
                Kind::Volumes
            }
            Plugin::Mkfs => Kind::Filesystem,
            Plugin::Mount => Kind::Mount,
            Plugin::Fstab => Kind::Line,
        };
        self.name(&entry.name, kind, place, findings);
    }

    fn name(&mut self, name: &str, kind: Kind, place: Place, findings: &mut Findings) {
        if let Some((other, first)) = self.names.get(name) {
            let message = format!(
                "the name '{name}' is that of {} already, at {first}: give each another one",
                other.shown()
            );
            findings.refuse::<()>(&place, message);
            return;
        }
        self.names.insert(name.to_owned(), (kind, place));
        self.all.push(name.to_owned());
    }

    fn add(&mut self, planned: &Planned<'_>, settings: &Settings, findings: &mut Findings) {
        let entry = &planned.entry;
        match planned.plugin {
            Plugin::LocalLoop => self.images.extend(image::read(entry, settings, findings)),
            Plugin::Partitioning => self.tables.extend(partitioning::read(planned, findings)),
            // Read when all names are known.
            Plugin::Lvm => {}
            Plugin::Mkfs => {
                let made = mkfs::read(entry, settings, findings);
                self.filesystems.extend(made);
            }
            Plugin::Mount => self.mounts.extend(mount::read(entry, findings)),
            Plugin::Fstab => self.lines.extend(mount::read_line(entry, findings)),
        }
    }

    fn check_bases(&self, findings: &mut Findings) {
        use Kind::{Filesystem, Image, Logical, Partition};
        for table in &self.tables {
            self.check_base(&table.base, "a partition table", &[Image], findings);
        }
        for made in &self.filesystems {
            let kinds = [Image, Partition, Logical];
            self.check_base(&made.base, "a filesystem", &kinds, findings);
        }
        for mount in &self.mounts {
            self.check_base(&mount.base, "a mount", &[Filesystem], findings);
        }
        for line in &self.lines {
            self.check_base(&line.base, "a line of fstab", &[Kind::Mount], findings);
        }
    }

    /// Refuses a base that isn't there, or that is none of `kinds`, which `what` stands on.
    pub(super) fn check_base(
        &self,
        base: &Base,
        what: &str,
        kinds: &[Kind],
        findings: &mut Findings,
    ) {
        let shown: Vec<_> = kinds.iter().map(|kind| kind.shown()).collect();
        let shown = shown.join(" or ");
        let name = &base.name;
        let message = match self.names.get(name) {
            Some((kind, _)) if kinds.contains(kind) => return,
            Some((kind, _)) => {
                format!("{what} stands on {shown}; '{name}' is {}", kind.shown())
            }
            None => {
                let fitting = self
                    .all
                    .iter()
                    .filter(|it| kinds.contains(&self.names[*it].0));
                let fitting: Vec<_> = fitting.map(String::as_str).collect();
                let there = match fitting.is_empty() {
                    true => "there is none".to_owned(),
                    false => format!("there are {}", fitting.join(", ")),
                };
                format!("nothing is called '{name}'; {what} stands on {shown}; {there}")
            }
        };
        findings.refuse::<()>(&base.place, message);
    }

    /// The filesystem with this name.
    pub(super) fn filesystem(&self, name: &str) -> Option<&Made> {
        self.filesystems.iter().find(|made| made.name == name)
    }

    /// The filesystem that is in the image, the partition or the logical volume with this name.
    pub(super) fn filesystem_in(&self, name: &str) -> Option<&Made> {
        self.filesystems.iter().find(|made| made.base.name == name)
    }

    /// Where the filesystem with this name is mounted.
    pub(super) fn mount_of(&self, name: &str) -> Option<&Mount> {
        self.mounts.iter().find(|mount| mount.base.name == name)
    }

    /// The table on the image with this name.
    pub(super) fn table_on(&self, image: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.base.name == image)
    }

    /// The image that has this name, or a partition with it.
    pub(super) fn image_of(&self, name: &str) -> Option<&Raw> {
        let has = |table: &&Table| table.parts.iter().any(|part| part.name == name);
        let table = self.tables.iter().find(has);
        let name = table.map_or(name, |table| &table.base.name);
        self.images.iter().find(|image| image.name == name)
    }

    /// All groups of volumes, each with what else its entry makes.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&Volumes, &Group)> {
        self.volumes
            .iter()
            .flat_map(|volumes| volumes.groups.iter().map(move |group| (volumes, group)))
    }

    /// The group that the physical volume on an image or a partition with this name is a part of, and
    /// which of its parts.
    pub(super) fn group_on(&self, name: &str) -> Option<(&Group, usize)> {
        self.volumes
            .iter()
            .find_map(|volumes| volumes.group_on(name))
    }

    /// All logical volumes.
    pub(super) fn logical(&self) -> impl Iterator<Item = &Logical> {
        self.volumes.iter().flat_map(|volumes| &volumes.volumes)
    }
}
