//! Systems that GRUB is installed for, and images of them.

use std::fs::File;
use std::path::Path;

use createhdds::system::{Firmware, Grub, Location, System, Volume};
use disklayout::disk::SparseFile;
use disklayout::fs::{Registry, Unwatched};
use disklayout::layout::spec::{Disk, DiskTable, End, Filesystem, Holds, Partition, Start};
use disklayout::layout::{DiskSize, plan};
use disklayout::source::{Exclude, Rules, add_directory};
use disklayout::table::types::PartitionType;
use disklayout::tree::FileTree;
use disklayout::{Bytes, Identity, SectorSize, Timestamp, Zeroes, build};
use uuid::Uuid;

use super::tree::Tree;

const TIME: Timestamp = Timestamp::from_seconds(946_684_800);

/// The size of all of the disks.
pub(super) const SIZE: u64 = 192 * Bytes::MIB;

/// The UUID of the first of the volumes; of others the last digit is more.
pub(super) const ROOT: &str = "9bee886e-e761-46a7-9898-29c500798490";

pub(super) const MBR: DiskTable = DiskTable::Mbr {
    signature: Some(0xA471_69AB),
};

pub(super) const GPT: DiskTable = DiskTable::Gpt {
    guid: None,
    hybrid: Vec::new(),
};

/// A partition of so many MiB: its type, the format of its filesystem, if any, and where that is
/// mounted.
pub(super) type Part = (u64, &'static str, &'static str, &'static str);

/// A disk of these partitions, the first one 1 MiB behind its start.
pub(super) fn system(table: DiskTable, parts: &[Part]) -> System {
    let (mut partitions, mut volumes, mut start) = (Vec::new(), Vec::new(), 2048);
    let root = Uuid::parse_str(ROOT).unwrap();
    for (index, (size, kind, format, at)) in parts.iter().enumerate() {
        let number = index as u32 + 1;
        let uuid = Uuid::from_u128(root.as_u128() + index as u128);
        let holds = match *format {
            "" => Holds::Nothing,
            format => Holds::from(Filesystem {
                uuid: (format != "vfat").then_some(uuid),
                ..Filesystem::new(format, FileTree::new(TIME))
            }),
        };
        let sectors = (size * Bytes::MIB / 512) as i64;
        partitions.push(Partition {
            start: Start::Sector(start),
            end: End::Sector(start + sectors - 1),
            kind: PartitionType::parse(kind).unwrap().into(),
            ..Partition::new(format!("partition {number}"), holds)
        });
        start += sectors;
        volumes.push(Volume {
            tag: format!("tag{number}"),
            location: Location::Partition(number),
            opened: None,
            uuid: match *format {
                "" => String::new(),
                "vfat" => "6987-937D".to_owned(),
                _ => uuid.to_string(),
            },
            mounted_at: (!at.is_empty()).then(|| (*at).to_owned()),
        });
    }
    let disk = Disk {
        place: "disk".into(),
        size: DiskSize::Fixed(Bytes::new(SIZE)),
        multiple: Bytes::new(1),
        sector_size: SectorSize::B512,
        table,
        partitions,
        groups: Vec::new(),
        others: Vec::new(),
        kept_table: Vec::new(),
        blobs: Vec::new(),
    };
    System {
        disk,
        volumes,
        keys: Vec::new(),
        steps: Vec::new(),
    }
}

/// GRUB with a serial console, for a tree in the volume `root`.
pub(super) fn grub(firmware: Firmware, root: usize, esp: Option<usize>) -> Grub {
    Grub {
        firmware,
        root,
        esp,
        serial: true,
        quiet: false,
        timeout: Some(0),
        kernel_parameters: Some(vec!["net.ifnames=0".to_owned(), "rw".to_owned()]),
        installs_packages: false,
    }
}

/// An empty image file.
pub(super) fn image(path: &Path) -> SparseFile {
    let options = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path);
    SparseFile::create(options.unwrap(), SIZE).unwrap()
}

/// Writes the table and the filesystems of `system` with what is below `/boot` of the tree.
pub(super) fn pack(system: &System, tree: &Tree, image: &SparseFile) {
    let mut disk = system.disk.clone();
    for (partition, volume) in disk.partitions.iter_mut().zip(&system.volumes) {
        let (Holds::Filesystem(filesystem), Some(at)) = (&mut partition.holds, &volume.mounted_at)
        else {
            continue;
        };
        let (from, target) = match at.as_str() {
            "/" => ("/boot", "/boot"),
            at => (at, "/"),
        };
        let others = system
            .volumes
            .iter()
            .filter_map(|it| it.mounted_at.as_ref());
        let below = others.filter_map(|it| it.strip_prefix(from)?.strip_prefix('/'));
        let excluded =
            below.map(|path| Exclude::parse("t", format!("{path}/*").as_bytes()).unwrap());
        let rules = Rules {
            target: target.into(),
            excluded: excluded.collect(),
            lossy: filesystem.format == "vfat",
            ..Rules::default()
        };
        add_directory(&mut filesystem.tree, "t", &tree.path(from), &rules).unwrap();
    }
    let identity = Identity::new("image", TIME);
    let plan = plan(disk, &identity, &Registry::native()).unwrap();
    build(&plan, Zeroes::Needed, image, &Unwatched).unwrap();
}
