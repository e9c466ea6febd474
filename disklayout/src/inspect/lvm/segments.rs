//! Where the bytes of a logical volume are.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::inspect::lvm::config::{Section, Value};
use crate::inspect::lvm::physical::PhysicalVolume;
use crate::units::Bytes;
use crate::volume::lvm::format::SECTOR;

/// A stretch of a logical volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins in the volume.
    pub start: Bytes,
    /// How many bytes of the volume it has.
    pub size: Bytes,
    /// Where these are.
    pub mapping: Mapping,
}

/// Where the bytes of a segment are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// In one area after the other, `stripe_size` in each, and again from the first; with one area it is
    /// linear.
    Striped {
        /// Bytes that go to one area before it is the next one's turn.
        stripe_size: Bytes,
        /// At least one, all of the same size.
        areas: Vec<Area>,
    },
    /// In a way that isn't followed, by the name that LVM has for it: `thin-pool`, `raid1`.
    Other(String),
}

/// A part of a physical volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Which of the group's physical volumes it is on, in the order of the metadata.
    pub member: usize,
    /// Where it begins, from the start of its disk.
    pub offset: Bytes,
    /// How many bytes it has.
    pub size: Bytes,
}

/// What segments refer to.
pub(super) struct Context<'a> {
    pub(super) extent_size: u64,
    pub(super) members: &'a [PhysicalVolume],
    /// The number of a physical volume, by its name in the metadata.
    pub(super) numbers: HashMap<&'a str, usize>,
}

impl Context<'_> {
    /// The segments of a volume called `place`, which follow one another.
    pub(super) fn segments(&self, place: &str, volume: &Section) -> Result<Vec<Segment>> {
        let mut found = Vec::new();
        for (name, section) in volume.sections() {
            if name.starts_with("segment") {
                found.push(self.segment(place, section)?);
            }
        }
        found.sort_by_key(|segment: &Segment| segment.start);
        let counted = volume.number("segment_count");
        if counted != Some(found.len() as u64) {
            let message = format!("it has {} segments, which isn't what it says", found.len());
            return Err(Error::corrupt(place, message));
        }
        let mut end = 0;
        for segment in &found {
            if segment.start.get() != end {
                let message = format!(
                    "a segment begins at {} instead of {end}",
                    segment.start.get()
                );
                return Err(Error::corrupt(place, message));
            }
            end += segment.size.get();
        }
        Ok(found)
    }

    fn segment(&self, place: &str, section: &Section) -> Result<Segment> {
        let bytes = |name: &str| {
            let extents = section.number(name);
            let bytes = extents.and_then(|extents| extents.checked_mul(self.extent_size));
            // Two of them have a sum, too.
            bytes
                .filter(|bytes| *bytes <= u64::MAX / 4)
                .ok_or_else(|| Error::corrupt(place, format!("a segment has no usable {name}")))
        };
        let (start, size) = (bytes("start_extent")?, bytes("extent_count")?);
        if size == 0 {
            return Err(Error::corrupt(place, "a segment has no extents"));
        }
        let kind = section.text("type").unwrap_or("without a type");
        Ok(Segment {
            start: Bytes::new(start),
            size: Bytes::new(size),
            mapping: match kind {
                "striped" | "linear" => self.striped(place, section, size)?,
                _ => Mapping::Other(kind.to_owned()),
            },
        })
    }

    fn striped(&self, place: &str, section: &Section, size: u64) -> Result<Mapping> {
        let wrong = |what: &str| Error::corrupt(place, format!("a segment has {what}"));
        let Some(Value::List(stripes)) = section.value("stripes") else {
            return Err(wrong("no stripes"));
        };
        let (pairs, rest) = stripes.as_chunks::<2>();
        let count = pairs.len() as u64;
        if count == 0 || !rest.is_empty() || section.number("stripe_count") != Some(count) {
            return Err(wrong("other stripes than it says"));
        }
        let each = size / count;
        if each * count != size || !each.is_multiple_of(self.extent_size) {
            return Err(wrong("a number of extents that its stripes don't divide"));
        }
        let stripe_size = match count {
            1 => Some(each),
            _ => section
                .number("stripe_size")
                .and_then(|sectors| sectors.checked_mul(SECTOR)),
        };
        let Some(stripe_size) = stripe_size.filter(|size| *size > 0 && each.is_multiple_of(*size))
        else {
            return Err(wrong("stripes of an impossible size"));
        };
        let mut areas = Vec::new();
        for pair in pairs {
            let [Value::Text(name), Value::Number(first)] = pair else {
                return Err(wrong("stripes that aren't pairs of a name and a number"));
            };
            let Some(member) = self.numbers.get(name.as_str()) else {
                return Ok(Mapping::Other(format!("striped over '{name}'")));
            };
            areas.push(self.area(place, *member, *first, each)?);
        }
        Ok(Mapping::Striped {
            stripe_size: Bytes::new(stripe_size),
            areas,
        })
    }

    /// The area of `size` from extent number `first` of a physical volume.
    fn area(&self, place: &str, member: usize, first: i64, size: u64) -> Result<Area> {
        let volume = &self.members[member];
        let extents = size / self.extent_size;
        let first = u64::try_from(first).ok().filter(|first| {
            let end = first.checked_add(extents);
            end.is_some_and(|end| end <= volume.extents)
        });
        let offset = first
            .and_then(|first| first.checked_mul(self.extent_size))
            .and_then(|offset| offset.checked_add(volume.pe_start.get()))
            .filter(|offset| offset.checked_add(size).is_some());
        match offset {
            Some(offset) => Ok(Area {
                member,
                offset: Bytes::new(offset),
                size: Bytes::new(size),
            }),
            None => {
                let (name, all) = (&volume.name, volume.extents);
                let message = format!("a segment leaves '{name}', which has {all} extents");
                Err(Error::corrupt(place, message))
            }
        }
    }
}
