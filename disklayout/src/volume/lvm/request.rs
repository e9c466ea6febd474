//! What is asked of a volume group.

use crate::identity::Identity;
use crate::place::Place;
use crate::units::{Bytes, SectorSize};
use crate::volume::lvm::Id;

/// What is asked of a volume group: its physical volumes, and the logical ones in it.
///
/// Logical volumes are linear or striped; there are no thin pools, RAID, mirrors, caches or snapshots.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where in the description this group is asked for, for errors.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its UUID; derived from the identity when there is none.
    pub uuid: Option<Id>,
    /// What an extent holds: a power of two, from a sector's size to 1 TiB.
    pub extent_size: Bytes,
    /// What the first extent's place on a disk is a multiple of: sectors of 512 bytes. It is the first
    /// multiple from 1 MiB on.
    pub data_alignment: Bytes,
    /// Its physical volumes, in the order in which space is taken.
    pub members: Vec<Member>,
    /// Its logical volumes, in the order in which they are given their space.
    pub volumes: Vec<VolumeRequest>,
    /// What is recorded as the name of the machine that made it.
    pub creation_host: String,
    /// Its UUIDs and its time.
    pub identity: Identity,
}

impl Request {
    /// A group with extents of 4 MiB and nothing in it.
    pub fn new(place: impl Into<Place>, name: impl Into<String>, identity: Identity) -> Self {
        Self {
            place: place.into(),
            name: name.into(),
            uuid: None,
            extent_size: Bytes::new(4 * Bytes::MIB),
            data_alignment: Bytes::new(Bytes::MIB),
            members: Vec::new(),
            volumes: Vec::new(),
            creation_host: "localhost".to_owned(),
            identity,
        }
    }
}

/// A physical volume that is asked for.
#[derive(Clone, Debug)]
pub struct Member {
    /// Where in the description its disk or partition is, for errors.
    pub place: Place,
    /// The size of the disk or of the partition. LVM takes whole sectors of 512 bytes of it.
    pub size: Bytes,
    /// What the sectors of its disk hold.
    pub sector_size: SectorSize,
    /// Its UUID; derived from the identity when there is none.
    pub uuid: Option<Id>,
    /// What is recorded as the device that it was on when the group was made, such as `/dev/sda2`. LVM
    /// finds it by its UUID wherever it is.
    pub device_hint: String,
}

impl Member {
    /// One of `size`, on a disk with sectors of 512 bytes.
    pub fn new(place: impl Into<Place>, size: Bytes, device_hint: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            size,
            sector_size: SectorSize::default(),
            uuid: None,
            device_hint: device_hint.into(),
        }
    }
}

/// A logical volume that is asked for.
#[derive(Clone, Debug)]
pub struct VolumeRequest {
    /// Where in the description it is asked for, for errors.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its UUID; derived from the identity and the name when there is none.
    pub uuid: Option<Id>,
    /// How large it is.
    pub size: VolumeSize,
    /// Over how many physical volumes its data is spread; one after the other without it.
    pub stripes: Option<Stripes>,
    /// Words that others know it by.
    pub tags: Vec<String>,
}

impl VolumeRequest {
    /// A linear one without tags.
    pub fn new(place: impl Into<Place>, name: impl Into<String>, size: VolumeSize) -> Self {
        Self {
            place: place.into(),
            name: name.into(),
            uuid: None,
            size,
            stripes: None,
            tags: Vec::new(),
        }
    }
}

/// How large a logical volume is to be.
///
/// Shares are rounded down to extents, and one that is more than what is free takes all that is free,
/// as lvcreate does. None of them may come to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeSize {
    /// So many bytes, rounded up to extents.
    Bytes(Bytes),
    /// So many extents.
    Extents(u64),
    /// So many hundredths of the group's extents (`%VG`).
    PercentOfGroup(u32),
    /// So many hundredths of what is free when it is its turn (`%FREE`).
    PercentOfFree(u32),
    /// So many hundredths of the extents of the physical volumes, which are all there are (`%PVS`).
    PercentOfMembers(u32),
}

/// How data is spread over several physical volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stripes {
    /// Over how many, 1 to 128. The volume's size is a multiple of so many extents.
    pub count: u32,
    /// How many bytes go to one before it is the next one's turn: a power of two, 4 KiB at least. No
    /// more than an extent is taken.
    pub size: Bytes,
}

impl Stripes {
    /// `count` of the usual 64 KiB.
    pub const fn new(count: u32) -> Self {
        Self {
            count,
            size: Bytes::new(64 * Bytes::KIB),
        }
    }
}
