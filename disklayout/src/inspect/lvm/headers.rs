//! The label of a physical volume, and the headers of its metadata areas.

use std::ops::Range;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::inspect::lvm::reads::{bytes, check, structure};
use crate::units::Bytes;
use crate::volume::lvm::format::{
    DiskLocation, Id, LABEL_ID, LABEL_SCAN_SECTORS, LABEL_TYPE, LOCATION_IGNORED, LabelHeader,
    MDA_HEADER_SIZE, MDA_MAGIC, MDA_VERSION, MdaHeader, PvHeader, RawLocation, SECTOR,
};

const LABEL: &str = "LVM label";
const AREA: &str = "LVM metadata area";

/// Where the first metadata area usually is.
const USUAL_AREA: u64 = 4096;

/// The longest text that is read. LVM's areas have 1 MiB unless somebody asks for more.
const TEXT_MAX: u64 = 8 << 20;

/// What a label tells.
#[derive(Debug)]
pub(super) struct Label {
    pub(super) id: Id,
    pub(super) size: Bytes,
    /// Where its metadata areas are, in bytes from the start of the disk.
    pub(super) areas: Vec<Range<u64>>,
}

/// The label of `disk`: the first one in its first sectors.
pub(super) fn label(disk: &dyn Disk) -> Result<Option<Label>> {
    let scanned = disk.len().min(LABEL_SCAN_SECTORS * SECTOR);
    let start = bytes(disk, LABEL, 0, scanned as usize)?;
    let sectors = start.chunks_exact(SECTOR as usize);
    for (number, sector) in (0..).zip(sectors) {
        if sector.starts_with(&LABEL_ID) {
            return in_sector(number, sector).map(Some);
        }
    }
    // Without its label, LVM doesn't know it either.
    let magic = USUAL_AREA + size_of::<u32>() as u64;
    let area = bytes(disk, AREA, magic, MDA_MAGIC.len());
    match area {
        Ok(area) if area == MDA_MAGIC => Err(Error::corrupt(
            LABEL,
            "there is none, but a metadata area of LVM is behind its place",
        )),
        _ => Ok(None),
    }
}

fn in_sector(number: u64, sector: &[u8]) -> Result<Label> {
    let (header, _) = structure::<LabelHeader>(LABEL, sector)?;
    let recorded = header.sector_xl.get();
    if recorded != number {
        let message = format!("it is in sector {number}, but says that it is in {recorded}");
        return Err(Error::corrupt(LABEL, message));
    }
    let sealed = std::mem::offset_of!(LabelHeader, offset_xl);
    check(LABEL, header.crc_xl.get(), &[&sector[sealed..]])?;
    if header.kind != LABEL_TYPE {
        let kind = header.kind.escape_ascii();
        return Err(Error::unsupported(LABEL, format!("it is of type '{kind}'")));
    }
    let offset = header.offset_xl.get() as usize;
    let Some(behind) = sector
        .get(offset..)
        .filter(|_| offset >= size_of::<LabelHeader>())
    else {
        let message = format!("its header is at {offset}, which is outside its sector");
        return Err(Error::corrupt(LABEL, message));
    };
    physical_volume(behind)
}

fn physical_volume(bytes: &[u8]) -> Result<Label> {
    let (header, lists) = structure::<PvHeader>(LABEL, bytes)?;
    let Some(id) = Id::from_letters(header.pv_uuid) else {
        let found = header.pv_uuid.escape_ascii();
        return Err(Error::corrupt(LABEL, format!("'{found}' is no UUID")));
    };
    let (_, behind) = list(lists)?;
    let (areas, _) = list(behind)?;
    let range = |place: DiskLocation| {
        let (offset, size) = (place.offset.get(), place.size.get());
        let end = offset.checked_add(size);
        end.map(|end| offset..end)
            .ok_or_else(|| Error::corrupt(LABEL, "a metadata area is larger than any disk"))
    };
    Ok(Label {
        id,
        size: Bytes::new(header.device_size_xl.get()),
        areas: areas.into_iter().map(range).collect::<Result<_>>()?,
    })
}

/// Places up to an empty one, and what is behind it.
fn list(mut bytes: &[u8]) -> Result<(Vec<DiskLocation>, &[u8])> {
    let mut places = Vec::new();
    loop {
        let (place, behind) = structure::<DiskLocation>(LABEL, bytes)?;
        bytes = behind;
        if place.offset.get() == 0 {
            return Ok((places, bytes));
        }
        places.push(place);
    }
}

/// The text that is committed in the metadata area `area`; `None` where there is none, or where nobody
/// keeps it up to date.
pub(super) fn text(disk: &dyn Disk, area: &Range<u64>) -> Result<Option<String>> {
    let sector = bytes(disk, AREA, area.start, MDA_HEADER_SIZE as usize)?;
    let (header, behind) = structure::<MdaHeader>(AREA, &sector)?;
    if header.magic != MDA_MAGIC {
        return Err(Error::corrupt(AREA, "it doesn't begin as one"));
    }
    check(
        AREA,
        header.checksum_xl.get(),
        &[&sector[size_of::<u32>()..]],
    )?;
    let version = header.version.get();
    if version != MDA_VERSION {
        return Err(Error::unsupported(
            AREA,
            format!("it is of version {version}"),
        ));
    }
    let size = area.end - area.start;
    if header.start.get() != area.start || header.size.get() != size {
        return Err(Error::corrupt(
            AREA,
            format!(
                "it says that it has {} bytes at {}, the label {size} at {}",
                header.size.get(),
                header.start.get(),
                area.start
            ),
        ));
    }
    let (location, _) = structure::<RawLocation>(AREA, behind)?;
    let is_ignored = location.flags.get() & LOCATION_IGNORED != 0;
    match location.offset.get() {
        0 => Ok(None),
        _ if is_ignored => Ok(None),
        _ => committed(disk, area, &location).map(Some),
    }
}

/// A text of the ring that begins behind the area's header.
fn committed(disk: &dyn Disk, area: &Range<u64>, location: &RawLocation) -> Result<String> {
    let (offset, len) = (location.offset.get(), location.size.get());
    let size = area.end - area.start;
    let ring = size.saturating_sub(MDA_HEADER_SIZE);
    if !(MDA_HEADER_SIZE..size).contains(&offset) || len == 0 || len > ring {
        let message = format!("{len} bytes of metadata at {offset} aren't inside it");
        return Err(Error::corrupt(AREA, message));
    }
    if len > TEXT_MAX {
        let message = format!("its metadata has {len} bytes; {TEXT_MAX} are the most that is read");
        return Err(Error::unsupported(AREA, message));
    }
    let first = len.min(size - offset);
    let mut text = bytes(disk, AREA, area.start + offset, first as usize)?;
    let rest = (len - first) as usize;
    text.extend(bytes(disk, AREA, area.start + MDA_HEADER_SIZE, rest)?);
    check("LVM metadata", location.checksum.get(), &[&text])?;
    text.pop_if(|byte| *byte == 0);
    String::from_utf8(text).map_err(|_| Error::corrupt("LVM metadata", "it isn't text"))
}
