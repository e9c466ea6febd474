//! Where partitions start and end: from what a description says to sectors, as libguestfs reads
//! sector bounds: negative ends count from the end of the disk.

use std::fmt;

use crate::error::{Error, Result};
use crate::layout::placed::Placed;
use crate::layout::sectors::Sectors;
use crate::layout::size::ALIGNMENT;
use crate::layout::spec::{End, Length, Partition, Start};
use crate::place::{Field, Place};
use crate::table::{Kind, Role};
use crate::units::{Bytes, Lba, LbaRange};

/// A bound as it was given, and the sector that it means.
struct Bound {
    shown: String,
    sector: u64,
}

impl Bound {
    /// One that was given in another unit than sectors.
    fn meaning(shown: impl fmt::Display, sector: u64) -> Self {
        Self {
            shown: format!("{shown} (sector {sector})"),
            sector,
        }
    }
}

impl Sectors {
    /// The sectors of a partition beside those that were placed before it. One that ends with what
    /// is left has a single sector yet, unless it is the extended one.
    pub(super) fn bounds(&self, part: &Partition, placed: &[Placed<'_>]) -> Result<LbaRange> {
        if self.kind == Kind::None {
            return self.whole(part);
        }
        let first = self.start(part, placed)?;
        let last = self.end(part, first)?;
        LbaRange::new(Lba::new(first), Lba::new(last.sector)).ok_or_else(|| {
            let message = format!(
                "{} comes before start {first}; the smallest legal end is {first}",
                last.shown
            );
            Error::invalid(part.end_place(), message)
        })
    }

    /// All sectors of a disk without a table. Bounds that say the same are legal.
    fn whole(&self, part: &Partition) -> Result<LbaRange> {
        let refuse = |field| {
            let message = "without a partition table what it holds has the whole disk; leave this \
                           out";
            Err(Error::invalid(part.place.field(field), message))
        };
        match (part.start, part.end) {
            (Start::Next | Start::Sector(0), End::Auto | End::Sector(-1)) => Ok(self.usable),
            (Start::Next | Start::Sector(0), end) => refuse(end.field()),
            _ => refuse(Field::Start),
        }
    }

    fn start(&self, part: &Partition, placed: &[Placed<'_>]) -> Result<u64> {
        let bound = self.aligned(part, self.asked_start(part, placed)?)?;
        let (shown, first) = (bound.shown, bound.sector);
        let (least, most) = (self.usable.first().get(), self.usable.last().get());
        if (least..=most).contains(&first) {
            return Ok(first);
        }
        let (place, why, way_out) = if first < least {
            let legal = format!("the smallest legal start is {least}");
            let why = "belongs to the partition table".to_owned();
            (part.place.field(Field::Start), why, legal)
        } else if part.start == Start::Next {
            let nothing = format!("nothing is left for {}", part.place);
            (
                self.place.field(Field::Size),
                self.why_beyond(first),
                nothing,
            )
        } else {
            let legal = format!("the largest legal start is {most}");
            (
                part.place.field(Field::Start),
                self.why_beyond(first),
                legal,
            )
        };
        Err(Error::does_not_fit(
            place,
            format!("{shown} {why}; {way_out}"),
        ))
    }

    /// The start that was asked for, wherever that is.
    fn asked_start(&self, part: &Partition, placed: &[Placed<'_>]) -> Result<Bound> {
        let place = part.place.field(Field::Start);
        Ok(match part.start {
            Start::Sector(start) => Bound {
                shown: format!("start {start}"),
                sector: self.counted(&place, start)?,
            },
            Start::Bytes(bytes) => {
                let sector = self.in_sectors(&place, bytes)?;
                Bound::meaning(format_args!("start {bytes}"), sector)
            }
            Start::Percent(percent) => {
                let sector = self.percent(&place, percent)?;
                Bound::meaning(format_args!("start {percent}%"), sector)
            }
            Start::Next => {
                let sector = self.next(part, placed)?;
                Bound {
                    shown: format!("the next sector, {sector},"),
                    sector,
                }
            }
        })
    }

    /// A start that counts sectors.
    fn counted(&self, place: &Place, start: i64) -> Result<u64> {
        u64::try_from(start).map_err(|_| {
            let message = match self.total.checked_add_signed(start) {
                Some(meant) if !self.is_open => {
                    format!("counted from the start of the disk the same sector is {meant}")
                }
                _ => format!("the smallest legal start is {}", self.usable.first()),
            };
            let message = format!("start {start} is negative, which only an end may be; {message}");
            Error::invalid(place, message)
        })
    }

    /// The start rounded up to a multiple of what is asked for.
    fn aligned(&self, part: &Partition, bound: Bound) -> Result<Bound> {
        let usual = match part.start {
            Start::Next => Some(Length::Bytes(Bytes::new(ALIGNMENT))),
            Start::Sector(_) | Start::Bytes(_) | Start::Percent(_) => None,
        };
        let Some(align) = part.align.or(usual) else {
            return Ok(bound);
        };
        let unit = self.length(&part.place.field(Field::Align), align)?;
        let aligned = bound.sector.checked_next_multiple_of(unit);
        let sector = aligned.unwrap_or(u64::MAX);
        if sector == bound.sector {
            return Ok(bound);
        }
        let shown = bound.shown.trim_end_matches(',');
        Ok(Bound {
            shown: format!("{shown}, rounded up to {sector},"),
            sector,
        })
    }

    /// The sector behind the partition before this one in the list, of those on the same level.
    fn next(&self, part: &Partition, placed: &[Placed<'_>]) -> Result<u64> {
        let is_logical = part.role == Role::Logical && self.kind == Kind::Mbr;
        let mut beside = placed.iter().rev();
        let Some(before) = beside.find(|one| (one.role == Role::Logical) == is_logical) else {
            let around = placed.iter().find(|one| one.role == Role::Extended);
            // Its first sector is kept for the boot record.
            let around = around.filter(|_| is_logical);
            let first = around.map(|one| one.range.first().get() + 1);
            return Ok(first.unwrap_or(self.usable.first().get()));
        };
        if before.spec.end == End::Auto {
            let message = format!(
                "it follows partition {}, which takes all that is left; give that one a size",
                before.number
            );
            return Err(Error::invalid(part.place.field(Field::Start), message));
        }
        // A logical partition has a boot record in front of it.
        Ok(before.range.last().get() + 1 + u64::from(is_logical))
    }

    fn end(&self, part: &Partition, first: u64) -> Result<Bound> {
        let bound = self.asked_end(part, first)?;
        let most = self.usable.last();
        if bound.sector <= most.get() {
            return Ok(bound);
        }
        let legal = match LbaRange::new(Lba::new(first), most) {
            Some(range) if part.end.field() == Field::Length => part.end.shown(range),
            _ => format!("end is -{} (sector {most})", self.total - most.get()),
        };
        let why = self.why_beyond(bound.sector);
        let message = format!("{} {why}; the largest legal {legal}", bound.shown);
        Err(Error::does_not_fit(part.end_place(), message))
    }

    /// The end that was asked for, wherever that is.
    fn asked_end(&self, part: &Partition, first: u64) -> Result<Bound> {
        let place = part.end_place();
        let most = self.usable.last().get();
        Ok(match part.end {
            End::Sector(end) => self.counted_end(&place, end, first)?,
            End::Bytes(bytes) => {
                let boundary = self.in_sectors(&place, bytes)?;
                self.before(&place, format!("end {bytes}"), boundary, first)?
            }
            End::BytesLeft(bytes) => {
                let shown = format!("end -{bytes}");
                let total =
                    self.closed(&place, &format!("{shown} counts from the end"), self.total)?;
                let boundary = total.saturating_sub(self.in_sectors(&place, bytes)?);
                self.before(&place, shown, boundary, first)?
            }
            End::Percent(100..) => {
                let last = self.closed(&place, "end 100% is the end", most)?;
                Bound::meaning("end 100%", last)
            }
            End::Percent(percent) => {
                let boundary = self.percent(&place, percent)?;
                self.before(&place, format!("end {percent}%"), boundary, first)?
            }
            End::Size(length) => after(first, self.length(&place, length)?),
            End::SizePercent(percent) => after(first, self.size_percent(&place, percent)?),
            End::Auto if part.role == Role::Extended && self.kind == Kind::Mbr && !self.is_open => {
                Bound {
                    shown: format!("the last sector, {most},"),
                    sector: most,
                }
            }
            End::Auto => Bound {
                shown: format!("sector {first}"),
                sector: first,
            },
        })
    }

    /// An end that counts sectors, from the end of the disk where it is negative.
    fn counted_end(&self, place: &Place, end: i64, first: u64) -> Result<Bound> {
        let shown = format!("end {end}");
        if let Ok(sector) = u64::try_from(end) {
            return Ok(Bound { shown, sector });
        }
        let total = self.closed(place, &format!("{shown} counts from the end"), self.total)?;
        let boundary = (total + 1).saturating_add_signed(end);
        self.before(place, shown, boundary, first)
    }

    /// The end of what has the sectors before `boundary`.
    fn before(&self, place: &Place, shown: String, boundary: u64, first: u64) -> Result<Bound> {
        let last = boundary.checked_sub(1).ok_or_else(|| {
            let message = format!(
                "{shown} comes before the start of the disk, which has {} sectors; the smallest \
                 legal end is {first}",
                self.total
            );
            Error::invalid(place, message)
        })?;
        Ok(Bound::meaning(shown, last))
    }

    /// So many hundredths of the disk in sectors, one at least.
    fn size_percent(&self, place: &Place, percent: u8) -> Result<u64> {
        match self.percent(place, percent)? {
            0 => {
                let message = format!("{percent}% of the disk are less than 1 MiB");
                Err(Error::does_not_fit(place, message))
            }
            sectors => Ok(sectors),
        }
    }

    /// Why a sector beyond the last usable one can't be had.
    fn why_beyond(&self, sector: u64) -> String {
        if sector < self.total {
            "belongs to the backup of the partition table".to_owned()
        } else {
            format!("lies outside the disk, which has {} sectors", self.total)
        }
    }
}

/// The end of what has so many sectors, one at least, from `first` on.
fn after(first: u64, sectors: u64) -> Bound {
    let sector = first.saturating_add(sectors - 1);
    Bound {
        shown: format!("its end, sector {sector},"),
        sector,
    }
}
