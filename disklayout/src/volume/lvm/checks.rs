//! What LVM doesn't take, whatever the sizes.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::place::Field;
use crate::volume::lvm::format::MDA_HEADER_SIZE;
use crate::volume::lvm::geometry::Geometry;
use crate::volume::lvm::plan::Plan;
use crate::volume::lvm::request::{Member, Request};
use crate::volume::lvm::{names, text};

/// Refuses names, tags and texts that LVM doesn't take, and groups that it doesn't make.
pub(super) fn check(request: &Request) -> Result<()> {
    names::check_group(&request.place, &request.name)?;
    let place = request.place.choice("creation_host");
    text::check_host(&place, &request.creation_host)?;
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

/// Refuses UUIDs that stand for two things.
pub(super) fn check_unique(plan: &Plan) -> Result<()> {
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
pub(super) fn check_text(plan: &Plan) -> Result<()> {
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
