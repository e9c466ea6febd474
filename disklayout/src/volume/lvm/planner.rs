//! Makes a plan of what is asked for.

use crate::error::Result;
use crate::units::Bytes;
use crate::volume::lvm::allocate::{Run, Space};
use crate::volume::lvm::checks::{check, check_text, check_unique};
use crate::volume::lvm::format::SECTOR;
use crate::volume::lvm::geometry::Geometry;
use crate::volume::lvm::placing::{placed, with_needed};
use crate::volume::lvm::plan::{Area, MemberPlan, Plan, Segment, Volume};
use crate::volume::lvm::request::{Request, VolumeRequest};
use crate::volume::lvm::{Id, demand, text};

/// Decides everything about a group.
///
/// # Errors
/// `InvalidSpec` when a name, a tag, a UUID or a number isn't one that LVM takes, `DoesNotFit` when a
/// physical volume has no extent or a logical one takes more than there are. Then [`needed`](crate::Error::needed) is
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
