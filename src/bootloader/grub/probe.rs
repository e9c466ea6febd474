//! What is asked while GRUB's configuration is made, and who answers.
//!
//! grub-mkconfig has grub-probe look at the devices that the tree is on. A tree that is assembled is
//! on none of its own, so that a script which knows the disk that is made answers instead. Answers
//! are those that grub-probe gives of an image on a loop device; hints of where firmware will see the
//! disk are left out then too. os-prober, which looks for systems on all disks of the host, finds none.

use anyhow::Result;

use disklayout::layout::spec::{DiskTable, Holds, Partition};

use super::filesystems;
use super::plan::partition_map;
use crate::bootloader::{StandIn, Tree};
use crate::system::{System, Volume as Known};

/// What answers, below the facts.
const ANSWERS: &str = include_str!("probe.sh");

/// Where grub-probe is.
const PROBES: [&str; 2] = ["/usr/sbin/grub-probe", "/usr/bin/grub-probe"];

/// What looks for other systems on the disks of the host.
const PROBERS: [&str; 2] = ["/usr/bin/os-prober", "/usr/bin/linux-boot-prober"];

/// What answers for them.
const NOTHING: &str = "#!/bin/sh\n# No other systems are on the disk that is made.\nexit 0\n";

/// What is known of a filesystem of the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Volume {
    /// Where it is mounted in the tree.
    pub(super) mounted_at: Option<String>,
    /// Its UUID.
    pub(super) uuid: String,
    /// What GRUB calls its format, where GRUB reads it.
    pub(super) filesystem: Option<&'static str>,
    /// Its label; empty without one.
    pub(super) label: String,
    /// The UUID of its partition as the kernel has it, where it is decided.
    pub(super) partuuid: Option<String>,
    /// Its partition as GRUB calls it: `gpt2`.
    pub(super) partition: String,
}

/// All filesystems of a disk that have a UUID.
pub(super) fn volumes(system: &System) -> Vec<Volume> {
    let all = system.disk.partitions.iter().zip(&system.volumes);
    let known = all.filter(|(_, volume)| !volume.uuid.is_empty());
    known
        .map(|(partition, volume)| of_partition(partition, volume, &system.disk.table))
        .collect()
}

fn of_partition(partition: &Partition, volume: &Known, table: &DiskTable) -> Volume {
    let filesystem = match &partition.holds {
        Holds::Filesystem(filesystem) => Some(filesystem),
        Holds::Nothing | Holds::Bytes(_) => None,
    };
    let readable = filesystem.and_then(|it| filesystems::of_format(&it.format));
    let partuuid = match table {
        DiskTable::None => None,
        DiskTable::Mbr { signature } => {
            signature.map(|signature| format!("{signature:08x}-{:02x}", volume.number))
        }
        DiskTable::Gpt { .. } => partition.guid.map(|guid| guid.hyphenated().to_string()),
    };
    Volume {
        mounted_at: volume.mounted_at.clone(),
        uuid: volume.uuid.clone(),
        filesystem: readable.map(|it| it.name),
        label: filesystem
            .and_then(|it| it.label.clone())
            .unwrap_or_default(),
        partuuid,
        partition: format!("{}{}", partition_map(table.kind()), volume.number),
    }
}

/// What takes the place of files of the tree and of devices while GRUB's configuration is made.
///
/// # Errors
/// Where the tree can't be read.
pub(super) fn stand_ins(tree: &Tree, map: &str, volumes: &[Volume]) -> Result<Vec<StandIn>> {
    let stand_in = |path: &str, contents: &str, permissions| StandIn {
        path: path.to_owned(),
        contents: contents.into(),
        permissions,
    };
    let mut found = Vec::new();
    for (paths, contents) in [
        (PROBES, script(map, volumes)),
        (PROBERS, NOTHING.to_owned()),
    ] {
        for path in paths {
            if tree.has_file(path)? {
                found.push(stand_in(path, &contents, 0o755));
            }
        }
    }
    // Scripts look whether they are there before they name them.
    let devices = volumes.iter().flat_map(Volume::devices);
    found.extend(devices.map(|path| stand_in(&path, "", 0o644)));
    Ok(found)
}

impl Volume {
    /// The paths by which it is known as a device.
    fn devices(&self) -> impl Iterator<Item = String> {
        let by = |what, id: &str| format!("/dev/disk/by-{what}/{id}");
        let partition = self.partuuid.iter().map(move |id| by("partuuid", id));
        [by("uuid", &self.uuid)].into_iter().chain(partition)
    }
}

/// The script that answers for grub-probe.
pub(super) fn script(map: &str, volumes: &[Volume]) -> String {
    let mut mounted: Vec<_> = volumes
        .iter()
        .filter(|it| it.mounted_at.is_some())
        .collect();
    // The first that is around a path is the one that has it.
    mounted.sort_by_key(|it| std::cmp::Reverse(it.mounted_at.as_ref().map(String::len)));
    let paths = mounted.iter().map(|volume| {
        let at = volume.mounted_at.as_deref().unwrap_or_default();
        let at = at.trim_end_matches('/');
        match at {
            "" => case("/*", volume),
            at => case(&format!("{0} | {0}/*", quoted(at)), volume),
        }
    });
    let devices = volumes.iter().map(|volume| {
        let devices: Vec<_> = volume.devices().map(|path| quoted(&path)).collect();
        case(&devices.join(" | "), volume)
    });
    let function = |name: &str, cases: String| {
        format!("{name}() {{\n    case $1 in\n{cases}        *) return 1 ;;\n    esac\n}}\n\n")
    };
    [
        "#!/bin/sh\n# Answers for grub-probe: what is known of the disk that is made.\n\n"
            .to_owned(),
        format!("map={}\n\n", quoted(map)),
        function("of_path", paths.collect()),
        function("of_device", devices.collect()),
        ANSWERS.to_owned(),
    ]
    .concat()
}

/// A case of a shell's: what is known of a filesystem where `patterns` match.
fn case(patterns: &str, volume: &Volume) -> String {
    let facts = [
        ("uuid", volume.uuid.as_str()),
        ("fs", volume.filesystem.unwrap_or_default()),
        ("label", &volume.label),
        ("partuuid", volume.partuuid.as_deref().unwrap_or_default()),
        ("partition", &volume.partition),
    ];
    let facts = facts.map(|(name, value)| format!("{name}={}", quoted(value)));
    format!("        {patterns}) {} ;;\n", facts.join(" "))
}

/// `text` as one word of a shell's that means nothing else.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
