//! Where partitions start and end: from what a description says to sectors, as libguestfs reads
//! sector bounds: negative ends count from the end of the disk.

use crate::error::{Error, Result};
use crate::layout::placed::Placed;
use crate::layout::size::{ALIGNMENT, DiskSize};
use crate::layout::spec::{Disk, End, Length, Partition, Start};
use crate::place::{Field, Place};
use crate::table::{Kind, Role};
use crate::units::{Bytes, Lba, LbaRange, SectorSize};

/// What a disk is taken for while its size isn't known: larger than any that there is.
const LARGE_ENOUGH: Bytes = Bytes::new(1 << 60);

/// The sectors of a disk and those that its table leaves to partitions.
#[derive(Debug)]
pub(super) struct Sectors {
    /// That of the disk.
    place: Place,
    pub(super) usable: LbaRange,
    pub(super) size: SectorSize,
    total: u64,
    kind: Kind,
    /// Whether the real size isn't known yet.
    pub(super) is_open: bool,
}

/// A bound as it was given, and the sector that it means.
struct Bound {
    shown: String,
    sector: u64,
}

impl Sectors {
    pub(super) fn of(spec: &Disk) -> Result<Self> {
        let place = || spec.place.field(Field::Size);
        let size = match spec.size {
            DiskSize::Fixed(size) => size,
            DiskSize::Smallest(_) => LARGE_ENOUGH,
        };
        let (size, sector, kind) = (size.get(), spec.sector_size, spec.table.kind());
        if !size.is_multiple_of(sector.get()) {
            let below = size / sector.get() * sector.get();
            let message = format!(
                "{size} bytes are not a multiple of {}; the next smaller is {below}",
                sector.get()
            );
            return Err(Error::invalid(place(), message));
        }
        let total = size / sector.get();
        let usable = kind.usable(total, sector).ok_or_else(|| {
            let least = kind.fewest_sectors(sector) * sector.get();
            let message = format!(
                "{size} bytes are too few for {kind} and a partition; the least is {least}"
            );
            Error::does_not_fit(place(), message)
        })?;
        Ok(Self {
            place: spec.place.clone(),
            usable,
            size: sector,
            total,
            kind,
            is_open: matches!(spec.size, DiskSize::Smallest(_)),
        })
    }

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
        let place = || part.place.field(Field::Start);
        let (least, most) = (self.usable.first(), self.usable.last());
        let bound = match part.start {
            Start::Sector(start) => Bound {
                shown: format!("start {start}"),
                sector: self.counted(part, start)?,
            },
            Start::Bytes(bytes) => {
                let sector = self.in_sectors(&place(), bytes)?;
                Bound {
                    shown: format!("start {bytes} (sector {sector})"),
                    sector,
                }
            }
            Start::Percent(percent) => {
                let sector = self.percent(&place(), percent)?;
                Bound {
                    shown: format!("start {percent}% (sector {sector})"),
                    sector,
                }
            }
            Start::Next => {
                let sector = self.next(part, placed)?;
                Bound {
                    shown: format!("the next sector, {sector},"),
                    sector,
                }
            }
        };
        let bound = self.aligned(part, bound)?;
        let (shown, first) = (bound.shown, bound.sector);
        if first < least.get() {
            let message = format!(
                "{shown} belongs to the partition table; the smallest legal start is {least}"
            );
            return Err(Error::does_not_fit(place(), message));
        }
        if first > most.get() {
            let why = self.why_beyond(first);
            return Err(match part.start {
                Start::Next => {
                    let message = format!("{shown} {why}; nothing is left for {}", part.place);
                    Error::does_not_fit(self.place.field(Field::Size), message)
                }
                _ => {
                    let message = format!("{shown} {why}; the largest legal start is {most}");
                    Error::does_not_fit(place(), message)
                }
            });
        }
        Ok(first)
    }

    /// A start that counts sectors.
    fn counted(&self, part: &Partition, start: i64) -> Result<u64> {
        u64::try_from(start).map_err(|_| {
            let message = match self.total.checked_add_signed(start) {
                Some(meant) => {
                    format!("counted from the start of the disk the same sector is {meant}")
                }
                None => format!("the smallest legal start is {}", self.usable.first()),
            };
            let message = format!("start {start} is negative, which only an end may be; {message}");
            Error::invalid(part.place.field(Field::Start), message)
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
        let place = part.place.field(Field::Align);
        let unit = self.length(&place, align)?;
        let aligned = bound.sector.checked_next_multiple_of(unit);
        let sector = aligned.unwrap_or(u64::MAX);
        Ok(if sector == bound.sector {
            bound
        } else {
            Bound {
                shown: format!(
                    "{}, rounded up to {sector},",
                    bound.shown.trim_end_matches(',')
                ),
                sector,
            }
        })
    }

    /// The sector behind the partition before this one in the list, of those on the same level.
    fn next(&self, part: &Partition, placed: &[Placed<'_>]) -> Result<u64> {
        let is_logical = part.role == Role::Logical && self.kind == Kind::Mbr;
        let beside = placed
            .iter()
            .rev()
            .find(|one| (one.role == Role::Logical) == is_logical);
        let Some(before) = beside else {
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
        let place = part.end_place();
        let (total, most) = (self.total, self.usable.last().get());
        let before = |shown: String| {
            let message = format!(
                "{shown} comes before the start of the disk, which has {total} sectors; the \
                 smallest legal end is {first}"
            );
            Error::invalid(&place, message)
        };
        // What is given as a boundary is the sector behind the last one.
        let behind = |shown: String, boundary: Option<u64>| match boundary {
            Some(sector @ 1..) => Ok(Bound {
                shown: format!("{shown} (sector {})", sector - 1),
                sector: sector - 1,
            }),
            Some(0) | None => Err(before(shown)),
        };
        let bound = match part.end {
            End::Sector(end) => {
                let last = match u64::try_from(end) {
                    Ok(end) => Some(end),
                    Err(_) => self
                        .closed(&place, &format!("end {end}"), "counts from the end", total)?
                        .checked_add_signed(end),
                };
                Bound {
                    shown: self.shown_end(end),
                    sector: last.ok_or_else(|| before(format!("end {end}")))?,
                }
            }
            End::Bytes(bytes) => {
                let boundary = self.in_sectors(&place, bytes)?;
                behind(format!("end {bytes}"), Some(boundary))?
            }
            End::BytesLeft(bytes) => {
                let shown = format!("end -{bytes}");
                let total = self.closed(&place, &shown, "counts from the end", total)?;
                let left = self.in_sectors(&place, bytes)?;
                behind(shown, total.checked_sub(left))?
            }
            End::Percent(100..) => {
                let last = self.closed(&place, &"end 100%", "is the end", most)?;
                Bound {
                    shown: format!("end 100% (sector {last})"),
                    sector: last,
                }
            }
            End::Percent(percent) => {
                let boundary = self.percent(&place, percent)?;
                behind(format!("end {percent}%"), Some(boundary))?
            }
            End::Size(length) => {
                let sectors = self.length(&place, length)?;
                self.after(first, sectors, &before)?
            }
            End::SizePercent(percent) => {
                let sectors = self.percent(&place, percent)?;
                if sectors == 0 {
                    let message = format!("{percent}% of the disk are less than 1 MiB");
                    return Err(Error::does_not_fit(place, message));
                }
                self.after(first, sectors, &before)?
            }
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
        };
        if bound.sector > most {
            let message = format!(
                "{} {}; the largest legal end is -{} (sector {most})",
                bound.shown,
                self.why_beyond(bound.sector),
                total - most,
            );
            return Err(Error::does_not_fit(place, message));
        }
        Ok(bound)
    }

    /// The end of what has so many sectors from `first` on.
    fn after(&self, first: u64, sectors: u64, before: &dyn Fn(String) -> Error) -> Result<Bound> {
        let last = first.saturating_add(sectors).checked_sub(1);
        let sector = last.ok_or_else(|| before("its end".to_owned()))?;
        Ok(Bound {
            shown: format!("its end, sector {sector},"),
            sector,
        })
    }

    /// `value`, unless the size of the disk isn't known yet.
    fn closed<T>(
        &self,
        place: &Place,
        shown: &dyn std::fmt::Display,
        what: &str,
        value: T,
    ) -> Result<T> {
        if !self.is_open {
            return Ok(value);
        }
        let message = format!(
            "{shown} {what} of the disk, whose size follows from the content; give the number of \
             the sector"
        );
        Err(Error::invalid(place, message))
    }

    /// So many hundredths of the disk in sectors, rounded down to 1 MiB.
    fn percent(&self, place: &Place, percent: u8) -> Result<u64> {
        let shown = format!("{percent}%");
        let total = self.closed(place, &shown, "is a part", self.total)?;
        let bytes = u128::from(total) * u128::from(self.size.get()) * u128::from(percent) / 100;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX) / ALIGNMENT * ALIGNMENT;
        Ok(bytes / self.size.get())
    }

    /// A length, which is at least one sector.
    fn length(&self, place: &Place, length: Length) -> Result<u64> {
        match length {
            Length::Sectors(0) => Err(Error::invalid(place, "it needs one sector at least")),
            Length::Sectors(sectors) => Ok(sectors),
            Length::Bytes(bytes) => self.in_sectors(place, bytes),
        }
    }

    /// How many sectors `bytes` are.
    fn in_sectors(&self, place: &Place, bytes: Bytes) -> Result<u64> {
        let sector = self.size.get();
        if bytes.get().is_multiple_of(sector) {
            return Ok(bytes.get() / sector);
        }
        let above = bytes.get().div_ceil(sector) * sector;
        let message = format!(
            "{bytes} are no whole number of sectors of {sector} bytes; the next are {}",
            Bytes::new(above)
        );
        Err(Error::invalid(place, message))
    }

    /// Why a sector beyond the last usable one can't be had.
    fn why_beyond(&self, sector: u64) -> String {
        if sector < self.total {
            "belongs to the backup of the partition table".to_owned()
        } else {
            format!("lies outside the disk, which has {} sectors", self.total)
        }
    }

    /// A negative end together with the sector that it means.
    fn shown_end(&self, end: i64) -> String {
        match self.total.checked_add_signed(end) {
            Some(sector) if end < 0 => format!("end {end} (sector {sector})"),
            _ => format!("end {end}"),
        }
    }
}
