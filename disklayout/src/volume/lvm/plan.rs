//! A volume group in which everything is decided.

use std::ops::Range;

use crate::error::Result;
use crate::place::Place;
use crate::units::Bytes;
use crate::volume::lvm::Id;
use crate::volume::lvm::geometry::Geometry;
use crate::volume::lvm::request::Request;

/// A volume group that is ready to be written.
#[derive(Debug)]
pub struct Plan {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) uuid: Id,
    pub(super) geometry: Geometry,
    pub(super) members: Vec<MemberPlan>,
    pub(super) volumes: Vec<Volume>,
    /// The metadata, with the NUL at its end.
    pub(super) text: Vec<u8>,
}

/// A physical volume that is planned.
#[derive(Clone, Debug)]
pub struct MemberPlan {
    /// Where in the description its disk is.
    pub place: Place,
    /// Its UUID.
    pub uuid: Id,
    /// What LVM takes of its disk: whole sectors of 512 bytes.
    pub size: Bytes,
    /// What is recorded as its device.
    pub device_hint: String,
    /// Where its first extent begins, from the start of its disk.
    pub pe_start: Bytes,
    /// How many extents it has.
    pub extents: u64,
    /// How many of them no logical volume has.
    pub free: u64,
}

/// A logical volume that is planned.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Where in the description it stands.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: Id,
    /// Words that others know it by, each once.
    pub tags: Vec<String>,
    /// Its size, a multiple of an extent's.
    pub size: Bytes,
    /// Where its bytes are, in their order and without gaps.
    pub segments: Vec<Segment>,
}

/// Where some of a logical volume's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins in the volume.
    pub start: Bytes,
    /// How many bytes of the volume are in it.
    pub size: Bytes,
    /// How many bytes go to one area before it is the next one's turn; none where there is one area.
    pub stripe_size: Option<Bytes>,
    /// The areas that its bytes are in, all of one size.
    pub areas: Vec<Area>,
}

/// A stretch of a physical volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Which one of the group's physical volumes, counted from 0.
    pub member: usize,
    /// From the start of its disk.
    pub offset: Bytes,
    /// Its length.
    pub size: Bytes,
}

impl Plan {
    /// The group's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The group's UUID.
    pub const fn uuid(&self) -> Id {
        self.uuid
    }

    /// What an extent holds.
    pub const fn extent_size(&self) -> Bytes {
        Bytes::new(self.geometry.extent_size)
    }

    /// Its physical volumes.
    pub fn members(&self) -> &[MemberPlan] {
        &self.members
    }

    /// Its logical volumes.
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }

    /// The size of the smallest disk or partition with so many extents in this group; `None` where that
    /// is more than any has.
    pub fn smallest_member(&self, extents: u64) -> Option<Bytes> {
        self.geometry.smallest_member(extents)
    }

    /// What label and metadata have of every physical volume, in bytes from the start of its disk. It
    /// reads as zero where nothing is written.
    pub const fn metadata_extent(&self) -> Range<u64> {
        0..self.geometry.pe_start
    }

    /// What nobody has of a physical volume: free extents, and what is too small for one at the end.
    pub fn unused(&self, member: usize) -> Range<u64> {
        let member = &self.members[member];
        let taken = (member.extents - member.free) * self.geometry.extent_size;
        self.geometry.pe_start + taken..member.size.get()
    }
}

impl Request {
    /// The size of the smallest disk or partition with so many extents in this group; `None` where that
    /// is more than any has.
    ///
    /// # Errors
    /// `InvalidSpec` when extents of this size or data at this place can't be.
    pub fn smallest_member(&self, extents: u64) -> Result<Option<Bytes>> {
        Ok(Geometry::new(self)?.smallest_member(extents))
    }
}
