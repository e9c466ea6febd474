//! Where GRUB goes, as far as the disk and its volumes tell: decided, or refused, before there is a
//! tree.

use disklayout::layout::spec::{End, Filesystem, Holds, Kinds, Partition, Start};
use disklayout::table::types::{PartitionType, named};
use disklayout::table::{Kind, Role};
use disklayout::{Error, Field, Lba, LbaRange, Place, Result, SectorSize};

use super::bios::Room;
use super::filesystems::{self, Filesystem as Readable};
use super::layers::{self, Layers};
use crate::system::{Firmware, Grub, Location, System};

/// Where GRUB's files are in a tree.
pub(super) const DIRECTORY: &str = "/boot/grub";

/// What it does when it has started.
pub(super) const CONFIGURATION: &str = "/boot/grub/grub.cfg";

/// What is decided before there is a tree.
#[derive(Debug)]
pub(super) struct Plan {
    /// The filesystem that has GRUB's files.
    pub(super) home: Home,
    /// What starts it.
    pub(super) start: Starter,
}

/// The filesystem that has GRUB's files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Home {
    /// What it is in, as GRUB calls it: `,msdos1` on the disk that GRUB was started from, or a logical
    /// volume of whichever disk, `lvmid/UUID/UUID`.
    pub(super) drive: String,
    /// What lies between that and its filesystem.
    pub(super) layers: Layers,
    /// Its UUID.
    pub(super) uuid: String,
    /// How GRUB reads it.
    pub(super) filesystem: &'static Readable,
    /// Where in it the files are: `/boot/grub`, or `/grub` where it is mounted at /boot.
    pub(super) path: String,
}

impl Home {
    /// How many sectors core.img has at least that reads it.
    fn core_sectors(&self) -> u64 {
        match self.layers.modules.contains(&layers::LVM) {
            true => self.filesystem.core_sectors_on_lvm,
            false => self.filesystem.core_sectors,
        }
    }
}

/// What starts GRUB.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Starter {
    /// The first sector of the disk, and the sectors that have room for what that starts.
    Bios(Room),
    /// A program on the EFI system partition, which is mounted here.
    Uefi(String),
}

impl Plan {
    /// Decides where GRUB goes.
    ///
    /// # Errors
    /// `InvalidSpec`, `DoesNotFit` or `Unsupported` where it can't be installed.
    pub(super) fn new(grub: &Grub, system: &System) -> Result<Self> {
        check_parameters(grub.kernel_parameters.as_deref().unwrap_or_default())?;
        check_table(system)?;
        let home = home(grub, system)?;
        let start = match grub.firmware {
            Firmware::Bios => Starter::Bios(room(system, &home)?),
            Firmware::Uefi => Starter::Uefi(esp(grub, system)?),
        };
        Ok(Self { home, start })
    }
}

/// Refuses parameters that would end the line that they stand on.
fn check_parameters(parameters: &[String]) -> Result<()> {
    let is_broken = |parameter: &&String| parameter.chars().any(char::is_control);
    match parameters.iter().find(is_broken) {
        None => Ok(()),
        Some(parameter) => Err(Error::invalid(
            "the parameters of the kernel",
            format!("'{}' has a control character", parameter.escape_debug()),
        )),
    }
}

/// Refuses a disk without partitions: there is no room for what firmware starts.
fn check_table(system: &System) -> Result<()> {
    let disk = &system.disk;
    match disk.table.kind() {
        Kind::Mbr | Kind::Gpt => Ok(()),
        Kind::None => Err(Error::unsupported(
            disk.place.field(Field::Table),
            "GRUB can't be started from a disk without a partition table: give it one",
        )),
    }
}

/// What GRUB's scripts call a kind of table.
pub(super) const fn partition_map(kind: Kind) -> &'static str {
    match kind {
        Kind::None => "",
        Kind::Mbr => "msdos",
        Kind::Gpt => "gpt",
    }
}

/// The filesystem that has GRUB's files.
fn home(grub: &Grub, system: &System) -> Result<Home> {
    let nowhere = || {
        let message = "none of its filesystems is mounted at /, where GRUB's files would be";
        Error::invalid(&system.disk.place, message)
    };
    let (root, _) = mounted_around(system, "/").ok_or_else(nowhere)?;
    let (index, mounted_at) = mounted_around(system, DIRECTORY).ok_or_else(nowhere)?;
    let (volume, place) = (&system.volumes[index], system.place(index));
    if grub.root != index && grub.root != root {
        let (asked, tag) = (&system.volumes[grub.root].tag, &volume.tag);
        let message = format!("GRUB's files are in '{tag}', so they can't be in '{asked}'");
        return Err(Error::invalid(place, message));
    }
    check_uuid(system, root, "the root filesystem is on it")?;
    check_uuid(system, index, "GRUB's files are on it")?;
    let layers = Layers::around(system, index);
    check_not_encrypted(system, index, &layers)?;
    let map = partition_map(system.disk.table.kind());
    let drive = layers::drive(system, volume);
    Ok(Home {
        drive: drive.unwrap_or_else(|| format!(",{}", partition(map, &volume.location))),
        layers,
        uuid: volume.uuid.clone(),
        filesystem: readable(system.holds(index), place)?,
        path: DIRECTORY[mounted_at.trim_end_matches('/').len()..].to_owned(),
    })
}

/// Refuses a volume that GRUB would have to open.
fn check_not_encrypted(system: &System, index: usize, layers: &Layers) -> Result<()> {
    if !layers.are_encrypted() {
        return Ok(());
    }
    let message = format!(
        "GRUB's files are on '{}', which is encrypted, and GRUB opens nothing here, as GRUB 2.06 derives no \
         keys by Argon2id: have a filesystem of its own at /boot that isn't encrypted",
        system.volumes[index].tag
    );
    Err(Error::unsupported(system.place(index), message))
}

/// Refuses a volume that is looked for at a start and has no UUID.
fn check_uuid(system: &System, index: usize, reason: &str) -> Result<()> {
    if !system.volumes[index].uuid.is_empty() {
        return Ok(());
    }
    let message = format!("{reason}, and it has no UUID that it could be found by");
    let place = system.place(index).field(Field::Format);
    Err(Error::unsupported(place, message))
}

/// The volume that has the files of a directory, and where it is mounted.
fn mounted_around<'a>(system: &'a System, path: &str) -> Option<(usize, &'a str)> {
    let volumes = system.volumes.iter().enumerate();
    let mounted =
        volumes.filter_map(|(index, volume)| Some((index, volume.mounted_at.as_deref()?)));
    let around = mounted.filter(|(_, at)| {
        let below = path.strip_prefix(at.trim_end_matches('/'));
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    around.max_by_key(|(_, at)| at.len())
}

/// What GRUB calls a partition; `map` is the kind of its table. Empty for what is no partition.
pub(super) fn partition(map: &str, location: &Location) -> String {
    match location {
        Location::Partition(number) => format!("{map}{number}"),
        Location::Logical { .. } => String::new(),
    }
}

/// How GRUB reads what is in a partition or a volume.
fn readable(holds: &Holds, place: &Place) -> Result<&'static Readable> {
    let Holds::Filesystem(filesystem) = holds else {
        let message = "GRUB's files are on it, but it holds no filesystem";
        return Err(Error::invalid(place.field(Field::Format), message));
    };
    let Some(readable) = filesystems::of_format(&filesystem.format) else {
        let message = format!(
            "GRUB doesn't read {}, which its own files are on; it reads {}",
            filesystem.format,
            filesystems::names()
        );
        return Err(Error::unsupported(place.field(Field::Format), message));
    };
    check_features(place, filesystem)?;
    Ok(readable)
}

fn check_features(place: &Place, filesystem: &Filesystem) -> Result<()> {
    const FEATURES: &str = "features";
    let features = filesystem.options.get(FEATURES).unwrap_or_default();
    match filesystems::unreadable(features) {
        None => Ok(()),
        Some(feature) => Err(Error::unsupported(
            place.choice(FEATURES),
            format!("GRUB reads no filesystem with {feature}, and its own files are on this one"),
        )),
    }
}

/// The sectors that core.img goes to when a BIOS starts it.
fn room(system: &System, home: &Home) -> Result<Room> {
    let disk = &system.disk;
    if disk.sector_size != SectorSize::B512 {
        let message = format!(
            "GRUB is started by a BIOS from sectors of 512 bytes only, and these have {}",
            disk.sector_size.get()
        );
        return Err(Error::unsupported(
            disk.place.field(Field::SectorSize),
            message,
        ));
    }
    let room = match disk.table.kind() {
        Kind::Mbr => gap(system)?,
        Kind::Gpt | Kind::None => boot_partition(system)?,
    };
    room.check(home.core_sectors())?;
    Ok(room)
}

/// The sectors between an MBR and what comes first behind it.
fn gap(system: &System) -> Result<Room> {
    let disk = &system.disk;
    let logical = |partition: &&Partition| partition.role != Role::Logical;
    let mut starts = Vec::new();
    for partition in disk.partitions.iter().filter(logical) {
        starts.push((
            first_sector(partition)?,
            partition.place.field(Field::Start),
        ));
    }
    let blobs = disk.blobs.iter();
    starts.extend(blobs.map(|blob| {
        let start = blob.offset.get() / SectorSize::B512.get();
        (start, blob.place.field(Field::Start))
    }));
    let first = starts.into_iter().min_by_key(|(start, _)| *start);
    let (end, place) = first.ok_or_else(|| {
        Error::invalid(
            &disk.place,
            "a disk without partitions has no GRUB to start",
        )
    })?;
    Ok(Room {
        first: Lba::new(1),
        sectors: end.saturating_sub(1),
        place,
        is_gap: true,
    })
}

/// The sectors of the BIOS boot partition of a GPT.
fn boot_partition(system: &System) -> Result<Room> {
    let (kind, mut partitions) = (system.disk.table.kind(), system.disk.partitions.iter());
    let Some(partition) = partitions.find(|one| is_type(one, kind, "bios-boot")) else {
        let message = "GRUB for a BIOS needs a partition of the type bios-boot on a GPT, of 1 MiB: \
             add one, or give the disk an MBR";
        return Err(Error::invalid(
            system.disk.place.field(Field::Table),
            message,
        ));
    };
    if !matches!(partition.holds, Holds::Nothing) {
        let message = "GRUB's core.img takes the place of what a partition of the type bios-boot \
             holds: leave it empty";
        return Err(Error::invalid(
            partition.place.field(Field::Format),
            message,
        ));
    }
    let range = sectors(partition)?;
    Ok(Room {
        first: range.first(),
        sectors: range.sectors(),
        place: partition.place.clone(),
        is_gap: false,
    })
}

/// Where the EFI system partition is mounted.
fn esp(grub: &Grub, system: &System) -> Result<String> {
    let Some(index) = grub.esp else {
        let message = "GRUB for UEFI needs an EFI system partition: a partition of the type esp \
             with a filesystem of vfat";
        return Err(Error::invalid(&system.disk.place, message));
    };
    let volume = &system.volumes[index];
    let Some(partition) = system.disk.partitions.get(index) else {
        let message = "firmware reads no logical volumes: have a partition of the type esp";
        return Err(Error::unsupported(system.place(index), message));
    };
    let format = match &partition.holds {
        Holds::Filesystem(filesystem) => Some(filesystem.format.as_str()),
        Holds::Encrypted(_) => Some("what is encrypted"),
        _ => None,
    };
    let is_fat = format
        .and_then(filesystems::of_format)
        .is_some_and(|readable| readable.name == "fat");
    if !is_fat {
        let message = format!(
            "UEFI reads FAT alone, so that an EFI system partition can't hold {}: make it vfat",
            format.unwrap_or("nothing")
        );
        return Err(Error::invalid(
            partition.place.field(Field::Format),
            message,
        ));
    }
    if !is_type(partition, system.disk.table.kind(), "esp") {
        let message = "UEFI looks for partitions of the type esp: give it to this one";
        return Err(Error::invalid(
            partition.place.field(Field::TypeGuid),
            message,
        ));
    }
    volume.mounted_at.clone().ok_or_else(|| {
        let message = "the EFI system partition isn't mounted: mount it at /boot/efi";
        Error::invalid(&partition.place, message)
    })
}

/// Whether a partition was given the type with this name. One kind of table takes what only the
/// other was given.
fn is_type(partition: &Partition, table: Kind, name: &str) -> bool {
    let (Kinds { gpt, mbr }, Some(wanted)) = (partition.kind, named(name)) else {
        return false;
    };
    let given = match table {
        Kind::Mbr => mbr.or(gpt),
        Kind::Gpt | Kind::None => gpt.or(mbr),
    };
    given.is_some_and(|kind| match kind {
        PartitionType::Guid(guid) => guid == wanted.guid,
        PartitionType::Named(kind) => kind.guid == wanted.guid,
        PartitionType::Byte(byte) => Some(byte) == wanted.byte,
    })
}

/// The first sector of a partition, which is decided in a system that is assembled.
fn first_sector(partition: &Partition) -> Result<u64> {
    let first = match partition.start {
        Start::Sector(first) => u64::try_from(first).ok(),
        _ => None,
    };
    first.ok_or_else(|| undecided(partition))
}

/// The sectors of a partition whose end is decided too.
fn sectors(partition: &Partition) -> Result<LbaRange> {
    let first = first_sector(partition)?;
    let last = match partition.end {
        End::Sector(last) => u64::try_from(last).ok(),
        _ => None,
    };
    let range = last.and_then(|last| LbaRange::new(Lba::new(first), Lba::new(last)));
    range.ok_or_else(|| undecided(partition))
}

fn undecided(partition: &Partition) -> Error {
    let message = "its sectors aren't decided, so GRUB has no place";
    Error::invalid(&partition.place, message)
}
