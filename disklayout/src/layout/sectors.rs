//! The sectors of a disk: those that its table leaves to partitions, and how many sizes and
//! percentages are.

use crate::error::{Error, Result};
use crate::layout::size::{ALIGNMENT, DiskSize};
use crate::layout::spec::{Disk, Length};
use crate::place::{Field, Place};
use crate::table::Kind;
use crate::units::{Bytes, LbaRange, SectorSize};

/// What a disk is taken for while its size isn't known: larger than any that there is.
const LARGE_ENOUGH: Bytes = Bytes::new(1 << 60);

/// The sectors of a disk and those that its table leaves to partitions.
#[derive(Debug)]
pub(super) struct Sectors {
    /// That of the disk.
    pub(super) place: Place,
    pub(super) usable: LbaRange,
    pub(super) size: SectorSize,
    pub(super) total: u64,
    pub(super) kind: Kind,
    /// Whether the real size isn't known yet.
    pub(super) is_open: bool,
}

impl Sectors {
    pub(super) fn of(spec: &Disk) -> Result<Self> {
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
            return Err(Error::invalid(spec.place.field(Field::Size), message));
        }
        let total = size / sector.get();
        let usable = kind.usable(total, sector).ok_or_else(|| {
            let least = kind.fewest_sectors(sector) * sector.get();
            let message = format!(
                "{size} bytes are too few for {kind} and a partition; the least is {least}"
            );
            Error::does_not_fit(spec.place.field(Field::Size), message)
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

    /// `value`, unless the size of the disk, of which it is what it `is`, isn't known yet.
    pub(super) fn closed(&self, place: &Place, is: &str, value: u64) -> Result<u64> {
        if !self.is_open {
            return Ok(value);
        }
        let message = format!(
            "{is} of the disk, whose size follows from the content; give the number of \
             the sector"
        );
        Err(Error::invalid(place, message))
    }

    /// So many hundredths of the disk in sectors, rounded down to 1 MiB.
    pub(super) fn percent(&self, place: &Place, percent: u8) -> Result<u64> {
        let total = self.closed(place, &format!("{percent}% is a part"), self.total)?;
        let bytes = u128::from(total) * u128::from(self.size.get()) * u128::from(percent) / 100;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX) / ALIGNMENT * ALIGNMENT;
        Ok(bytes / self.size.get())
    }

    /// A length, which is at least one sector.
    pub(super) fn length(&self, place: &Place, length: Length) -> Result<u64> {
        let sectors = match length {
            Length::Sectors(sectors) => sectors,
            Length::Bytes(bytes) => self.in_sectors(place, bytes)?,
        };
        match sectors {
            0 => Err(Error::invalid(place, "it needs one sector at least")),
            sectors => Ok(sectors),
        }
    }

    /// How many sectors `bytes` are.
    pub(super) fn in_sectors(&self, place: &Place, bytes: Bytes) -> Result<u64> {
        let sector = self.size.get();
        if bytes.get().is_multiple_of(sector) {
            return Ok(bytes.get() / sector);
        }
        let above = bytes.get().div_ceil(sector).saturating_mul(sector);
        let message = format!(
            "{bytes} are no whole number of sectors of {sector} bytes; the next are {}",
            Bytes::new(above)
        );
        Err(Error::invalid(place, message))
    }
}
