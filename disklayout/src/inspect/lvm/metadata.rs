//! What metadata says of a volume group.

use crate::error::{Error, Result};
use crate::inspect::lvm::config::Section;
use crate::inspect::lvm::fields::{bytes, id, number};
use crate::inspect::lvm::physical::{self, PhysicalVolume};
use crate::inspect::lvm::segments::{Context, Mapping, Segment};
use crate::units::Bytes;
use crate::volume::lvm::format::Id;

const PLACE: &str = "LVM metadata";

/// How many pairs of volumes with common extents are told.
const TOLD_MAX: usize = 16;

/// A volume group, as one copy of its metadata has it.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The group's name.
    pub name: String,
    /// Its UUID.
    pub id: Id,
    /// How often it was changed: the copy with the highest one counts.
    pub seqno: u64,
    /// What an extent holds.
    pub extent_size: Bytes,
    /// Its physical volumes.
    pub members: Vec<PhysicalVolume>,
    /// Its logical volumes, those among it that are parts of others.
    pub volumes: Vec<LogicalVolume>,
    /// What is wrong with single logical volumes.
    pub warnings: Vec<String>,
}

/// A logical volume.
#[derive(Clone, Debug)]
pub struct LogicalVolume {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub id: Id,
    /// Whether it is one that people use, and no part of another.
    pub is_visible: bool,
    /// Words that others know it by.
    pub tags: Vec<String>,
    /// Its size.
    pub size: Bytes,
    /// Where its bytes are, without gaps.
    pub segments: Vec<Segment>,
}

impl Metadata {
    /// What `text` says.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let root = Section::parse(text)?;
        let contents = root.text("contents");
        if contents != Some("Text Format Volume Group") || root.number("version") != Some(1) {
            let message = "it isn't version 1 of the text of a volume group";
            return Err(Error::unsupported(PLACE, message));
        }
        let Some((name, group)) = root.sections().next() else {
            return Err(Error::corrupt(PLACE, "there is no volume group in it"));
        };
        let place = format!("volume group '{name}'");
        let extent_size = bytes(&place, group, "extent_size")?;
        if extent_size.get() == 0 {
            return Err(Error::corrupt(place, "its extents hold nothing"));
        }
        let mut found = Self {
            name: name.to_owned(),
            id: id(&place, group)?,
            seqno: number(&place, group, "seqno")?,
            extent_size,
            members: physical::all(group)?,
            volumes: Vec::new(),
            warnings: Vec::new(),
        };
        found.add_volumes(group);
        found.tell_overlaps();
        Ok(found)
    }

    /// One that makes no sense is left out, and told.
    fn add_volumes(&mut self, group: &Section) {
        let numbered = self.members.iter().enumerate();
        let context = Context {
            extent_size: self.extent_size.get(),
            members: &self.members,
            numbers: numbered
                .map(|(number, member)| (member.name.as_str(), number))
                .collect(),
        };
        let all = group.section("logical_volumes");
        for (name, section) in all.into_iter().flat_map(Section::sections) {
            match volume(&context, name, section) {
                Ok(volume) => self.volumes.push(volume),
                Err(error) => self.warnings.push(error.to_string()),
            }
        }
    }

    /// No extent belongs to two volumes.
    fn tell_overlaps(&mut self) {
        let mut areas = Vec::new();
        for volume in &self.volumes {
            for segment in &volume.segments {
                if let Mapping::Striped { areas: found, .. } = &segment.mapping {
                    areas.extend(found.iter().map(|area| (*area, &volume.name)));
                }
            }
        }
        areas.sort_by_key(|(area, _)| (area.member, area.offset));
        let overlaps = areas.windows(2).filter_map(|pair| {
            let [(one, name), (next, other)] = pair else {
                return None;
            };
            let end = one.offset.get() + one.size.get();
            let is_shared = one.member == next.member && next.offset.get() < end;
            is_shared
                .then(|| format!("logical volumes '{name}' and '{other}' have extents in common"))
        });
        let overlaps: Vec<_> = overlaps.take(TOLD_MAX).collect();
        self.warnings.extend(overlaps);
    }
}

fn volume(context: &Context<'_>, name: &str, section: &Section) -> Result<LogicalVolume> {
    let place = format!("logical volume '{name}'");
    let segments = context.segments(&place, section)?;
    let last = segments.last();
    Ok(LogicalVolume {
        name: name.to_owned(),
        id: id(&place, section)?,
        is_visible: section.texts("status").contains(&"VISIBLE"),
        tags: section
            .texts("tags")
            .into_iter()
            .map(str::to_owned)
            .collect(),
        size: last.map_or(Bytes::default(), |last| {
            Bytes::new(last.start.get() + last.size.get())
        }),
        segments,
    })
}
