//! A volume group in which everything is decided.

use std::collections::HashSet;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::place::{Field, Place};
use crate::units::Bytes;
use crate::volume::lvm::allocate::{Run, Space};
use crate::volume::lvm::demand::{self, Failure, check_stripes, count};
use crate::volume::lvm::format::{MDA_HEADER_SIZE, SECTOR};
use crate::volume::lvm::geometry::Geometry;
use crate::volume::lvm::request::{Member, Request, VolumeRequest};
use crate::volume::lvm::{Id, names, text};

/// LVM counts a group's extents in 32 bits.
const EXTENTS_MAX: u64 = u32::MAX as u64;

/// How often a group is tried with more extents, when the smallest one that would do is looked for. One
/// with shares of nearly everything may need some hundred.
const TRIES: usize = 4096;

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

/// Decides everything about a group.
///
/// # Errors
/// `InvalidSpec` when a name, a tag, a UUID or a number isn't one that LVM takes, `DoesNotFit` when a
/// physical volume has no extent or a logical one takes more than there are. Then [`Error::needed`] is
/// the size that the last physical volume, or the one that the error is about, would have to have, where
/// that would do.
pub fn plan(request: Request) -> Result<Plan> {
    check(&request)?;
    let geometry = Geometry::new(&request)?;
    let sizes = request.members.iter().map(|member| member.size.get());
    let extents: Vec<u64> = sizes.map(|size| geometry.extents(size)).collect();
    let placed = placed(&request, &geometry, &extents);
    let (runs, space) =
        placed.map_err(|failure| with_needed(&request, &geometry, extents.clone(), failure))?;
    let volumes = request.volumes.iter().zip(runs);
    let mut plan = Plan {
        volumes: volumes
            .map(|(volume, runs)| self::volume(volume, &runs, &request, &geometry))
            .collect(),
        members: members(&request, &geometry, &extents, &space),
        uuid: request
            .uuid
            .unwrap_or_else(|| Id::new(&request.identity, "volume group")),
        text: Vec::new(),
        geometry,
        name: request.name,
        place: request.place,
    };
    check_unique(&plan)?;
    plan.text = text::text(&plan, &request.creation_host, &request.identity);
    check_text(&plan)?;
    Ok(plan)
}

fn check(request: &Request) -> Result<()> {
    names::check_group(&request.place, &request.name)?;
    text::check_line(
        &request.place.choice("creation_host"),
        &request.creation_host,
    )?;
    if request.members.is_empty() {
        let message = format!("volume group '{}' has no physical volumes", request.name);
        return Err(Error::invalid(request.place.clone(), message));
    }
    for member in &request.members {
        text::check_line(&member.place, &member.device_hint)?;
    }
    check_sectors(&request.members)?;
    let mut taken = HashSet::new();
    for volume in &request.volumes {
        names::check_volume(&volume.place, &request.name, &volume.name)?;
        for tag in &volume.tags {
            names::check_tag(&volume.place.choice("tags"), tag)?;
        }
        if !taken.insert(&volume.name) {
            let message = format!(
                "volume group '{}' has two logical volumes called '{}'",
                request.name, volume.name
            );
            return Err(Error::invalid(volume.place.field(Field::Name), message));
        }
    }
    Ok(())
}

/// `devices/allow_mixed_block_sizes` is 0 unless somebody changes it: LVM makes no such groups.
fn check_sectors(members: &[Member]) -> Result<()> {
    let first = &members[0];
    let Some(other) = members
        .iter()
        .find(|member| member.sector_size != first.sector_size)
    else {
        return Ok(());
    };
    let message = format!(
        "its disk has sectors of {} bytes, that of {} has {}: LVM puts them into no group together",
        other.sector_size.get(),
        first.place,
        first.sector_size.get()
    );
    Err(Error::invalid(other.place.clone(), message))
}

/// The runs of each volume, and what is free then.
fn placed(
    request: &Request,
    geometry: &Geometry,
    extents: &[u64],
) -> Result<(Vec<Vec<Run>>, Space), Failure> {
    check_extents(request, geometry, extents)?;
    let mut space = Space::new(extents);
    let mut placed = Vec::new();
    for volume in &request.volumes {
        check_stripes(volume, extents.len(), geometry.extent_size)?;
        placed.push(runs(volume, geometry.extent_size, &mut space)?);
    }
    Ok((placed, space))
}

fn runs(volume: &VolumeRequest, extent_size: u64, space: &mut Space) -> Result<Vec<Run>, Failure> {
    let demand = demand::demand(volume, extent_size, space)?;
    let stripes = count(volume);
    let each = demand.extents / u64::from(stripes);
    let runs = space.take(each, stripes as usize);
    let found: u64 = runs.iter().map(|run| run.extents).sum();
    match found {
        0 if space.free() == 0 => Err(demand::nothing(volume, space)),
        _ if found == each || (demand.is_share && found > 0) => Ok(runs),
        _ => Err(demand::too_narrow(volume, demand.extents)),
    }
}

/// Refuses physical volumes without an extent, and more extents than LVM counts.
fn check_extents(request: &Request, geometry: &Geometry, extents: &[u64]) -> Result<(), Failure> {
    let last = request.members.len() - 1;
    for (number, (member, _)) in request
        .members
        .iter()
        .zip(extents)
        .enumerate()
        .filter(|(_, (_, extents))| **extents == 0)
    {
        let error = without_extents(member, geometry);
        let missing = (number == last).then_some(1);
        return Err(Failure { error, missing });
    }
    let all = extents
        .iter()
        .try_fold(0_u64, |all, more| all.checked_add(*more));
    let is_possible = |all: &u64| {
        let bytes = all.checked_mul(geometry.extent_size);
        *all <= EXTENTS_MAX && bytes.is_some_and(|bytes| i64::try_from(bytes).is_ok())
    };
    if all.as_ref().is_some_and(is_possible) {
        return Ok(());
    }
    let message = format!(
        "volume group '{}' has more than {EXTENTS_MAX} extents or 8 EiB: give larger extents than {}, or \
         smaller physical volumes",
        request.name, request.extent_size
    );
    Err(Error::invalid(request.place.choice("extent_size"), message).into())
}

fn without_extents(member: &Member, geometry: &Geometry) -> Error {
    let message = format!(
        "{} is too small for a physical volume: {} go to LVM, and an extent has {}",
        member.size,
        Bytes::new(geometry.pe_start),
        Bytes::new(geometry.extent_size)
    );
    let error = Error::does_not_fit(member.place.field(Field::Size), message);
    match geometry.smallest_member(1) {
        Some(needed) => error.needing(needed),
        None => error,
    }
}

/// The error with the size that the last physical volume would have to have, if there is one. Whatever
/// is missing at one size is missing at every smaller one.
fn with_needed(
    request: &Request,
    geometry: &Geometry,
    mut extents: Vec<u64>,
    failure: Failure,
) -> Error {
    let Failure { error, mut missing } = failure;
    for _ in 0..TRIES {
        let (Some(more), Some(last)) = (missing, extents.last_mut()) else {
            break;
        };
        *last = last.saturating_add(more);
        let size = geometry.smallest_member(*last);
        missing = match placed(request, geometry, &extents) {
            Ok(_) => return size.into_iter().fold(error, Error::needing),
            Err(failure) => failure.missing,
        };
    }
    error
}

fn members(
    request: &Request,
    geometry: &Geometry,
    extents: &[u64],
    space: &Space,
) -> Vec<MemberPlan> {
    let members = request.members.iter().zip(extents).enumerate();
    let planned = members.map(|(number, (member, extents))| MemberPlan {
        place: member.place.clone(),
        uuid: member
            .uuid
            .unwrap_or_else(|| Id::new(&request.identity, &format!("physical volume {number}"))),
        size: Bytes::new(member.size.get() / SECTOR * SECTOR),
        device_hint: member.device_hint.clone(),
        pe_start: Bytes::new(geometry.pe_start),
        extents: *extents,
        free: extents - space.taken(number),
    });
    planned.collect()
}

fn volume(volume: &VolumeRequest, runs: &[Run], request: &Request, geometry: &Geometry) -> Volume {
    let mut tags: Vec<String> = Vec::new();
    for tag in &volume.tags {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    let stripe_size = demand::stripe_size(volume, geometry.extent_size);
    let mut segments = Vec::new();
    let mut size = 0;
    for run in runs {
        let segment = segment(run, size, stripe_size, geometry);
        size += segment.size.get();
        segments.push(segment);
    }
    Volume {
        place: volume.place.clone(),
        name: volume.name.clone(),
        uuid: volume.uuid.unwrap_or_else(|| {
            Id::new(
                &request.identity,
                &format!("logical volume {}", volume.name),
            )
        }),
        tags,
        size: Bytes::new(size),
        segments,
    }
}

fn segment(run: &Run, start: u64, stripe_size: Option<Bytes>, geometry: &Geometry) -> Segment {
    let size = run.extents * geometry.extent_size;
    let areas = run.places.iter().map(|(member, first)| Area {
        member: *member,
        offset: Bytes::new(geometry.pe_start + first * geometry.extent_size),
        size: Bytes::new(size),
    });
    Segment {
        start: Bytes::new(start),
        size: Bytes::new(size * run.places.len() as u64),
        stripe_size,
        areas: areas.collect(),
    }
}

/// Refuses UUIDs that stand for two things.
fn check_unique(plan: &Plan) -> Result<()> {
    let group = std::iter::once((&plan.place, plan.uuid));
    let members = plan
        .members
        .iter()
        .map(|member| (&member.place, member.uuid));
    let volumes = plan
        .volumes
        .iter()
        .map(|volume| (&volume.place, volume.uuid));
    let mut taken = HashSet::new();
    let mut all = group.chain(members).chain(volumes);
    match all.find(|(_, uuid)| !taken.insert(*uuid)) {
        None => Ok(()),
        Some((place, uuid)) => {
            let message = format!("UUID {uuid} is that of something else in the group too");
            Err(Error::invalid(place.field(Field::Uuid), message))
        }
    }
}

/// LVM writes a new text before it gives up the old one: two have to fit.
fn check_text(plan: &Plan) -> Result<()> {
    let (len, most) = (plan.text.len() as u64, text_max(&plan.geometry));
    if len <= most {
        return Ok(());
    }
    let message = format!(
        "what LVM records of '{}' takes {len} bytes, but metadata areas hold {most}: give fewer volumes \
         and tags, or a larger data_alignment",
        plan.name
    );
    Err(Error::invalid(plan.place.clone(), message))
}

const fn text_max(geometry: &Geometry) -> u64 {
    (geometry.mda_size() - MDA_HEADER_SIZE) / 2 - MDA_HEADER_SIZE
}
