//! What `dib-block-device getval` tells of a configuration.

use std::path::PathBuf;

use super::mount::{written, written_swap};
use super::nodes::Nodes;
use super::order;
use crate::describe::identifiers::mounted_as;
use crate::system::{Volume, mapper_path};

/// What elements and disk-image-create ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The label of the root filesystem: `root-label`.
    pub root_label: String,
    /// Its type: `root-fstype`.
    pub root_fstype: String,
    /// The label of the filesystem at `/boot`, or nothing: `boot-label`.
    pub boot_label: String,
    /// All mount points in the order of the configuration, those of swap as they are given:
    /// `mount-points`.
    pub mount_points: Vec<String>,
    /// What becomes a block device, in the order in which it is made: `image-block-devices`.
    pub devices: Vec<Device>,
}

/// What becomes a block device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What the configuration calls it.
    pub name: String,
    /// What it is.
    pub kind: DeviceKind,
}

/// What a block device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// An image.
    Image,
    /// A partition of the image with this name. Its number is that of the volume with its tag.
    Partition(String),
    /// A logical volume, at this path.
    Logical(String),
}

impl Values {
    /// Those of these nodes, which have a root.
    pub(super) fn of(nodes: &Nodes) -> Self {
        let at = |point: &str| {
            let mount = nodes.mounts.iter().find(|mount| mount.point == point)?;
            nodes.filesystem(&mount.base.name)
        };
        let (root, boot) = (at("/"), at("/boot"));
        let points = nodes.mounts.iter().map(|mount| mount.point.clone());
        Self {
            root_label: root.map(|it| it.label.clone()).unwrap_or_default(),
            root_fstype: root.map(|it| it.kind.clone()).unwrap_or_default(),
            boot_label: boot.map(|it| it.label.clone()).unwrap_or_default(),
            mount_points: points.collect(),
            devices: devices(nodes),
        }
    }

    /// What `getval` prints for a symbol; `None` for those that depend on where the image is, or that
    /// aren't known: `image-path`, `image-block-device`, `image-block-devices`.
    pub fn get(&self, symbol: &str) -> Option<String> {
        match symbol {
            "root-label" => Some(self.root_label.clone()),
            "root-fstype" => Some(self.root_fstype.clone()),
            "boot-label" => Some(self.boot_label.clone()),
            "mount-points" => Some(self.mount_points.join("|")),
            _ => None,
        }
    }

    /// What `getval` prints for `image-block-devices`, where the files of images are as `file` has it: each
    /// device with its path, partitions by their numbers in `volumes`, if those are laid out.
    pub fn block_devices<'a>(
        &self,
        volumes: impl Iterator<Item = &'a Volume> + Clone,
        file: impl Fn(&str) -> PathBuf,
    ) -> String {
        let number = |name: &str| {
            let volume = volumes.clone().find(|it| it.tag == name);
            let number = volume.and_then(|it| it.location.number());
            number
                .map(|number| format!("p{number}"))
                .unwrap_or_default()
        };
        let devices = self.devices.iter().map(|Device { name, kind }| {
            let path = match kind {
                DeviceKind::Image => file(name).display().to_string(),
                DeviceKind::Partition(image) => {
                    format!("{}{}", file(image).display(), number(name))
                }
                DeviceKind::Logical(path) => path.clone(),
            };
            format!(" [{name}]={path} ")
        });
        devices.collect()
    }
}

/// Images, partitions and logical volumes.
fn devices(nodes: &Nodes) -> Vec<Device> {
    let images = nodes.images.iter().map(|image| Device {
        name: image.name.clone(),
        kind: DeviceKind::Image,
    });
    let parts = nodes.tables.iter().flat_map(|table| {
        table.parts.iter().map(|part| Device {
            name: part.name.clone(),
            kind: DeviceKind::Partition(table.base.name.clone()),
        })
    });
    let logical = nodes.logical().map(|volume| Device {
        name: volume.name.clone(),
        kind: DeviceKind::Logical(mapper_path(&volume.base.name, &volume.name)),
    });
    images.chain(parts).chain(logical).collect()
}

/// The lines of fstab in the order in which filesystems are mounted. Swap stands where the word that it
/// has for a mount point is sorted.
pub(super) fn fstab(nodes: &Nodes) -> Vec<String> {
    let lines = order::sorted(nodes).into_iter().filter_map(|mount| {
        let line = nodes
            .lines
            .iter()
            .find(|line| line.base.name == mount.name)?;
        let made = nodes.filesystem(&mount.base.name)?;
        Some(match made.is_swap() {
            true => written_swap(&made.label),
            false => written(&made.label, &mount.point, mounted_as(&made.kind), line),
        })
    });
    lines.collect()
}
