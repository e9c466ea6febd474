//! Reads hosted sparse extents back, streams among them.

use std::io;
use std::ops::Range;

use flate2::{Decompress, FlushDecompress};
use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use crate::container::read::{Find, Held, Read, Stretch, damaged};
use crate::disk::Disk;

/// Grains of this size at most are believed, in sectors.
const GRAIN_MAX: u64 = 1 << 15;

/// What a file begins with that is the descriptor alone.
const TEXT: &[u8] = b"# Disk DescriptorFile";

/// The disk in `file`, if that is an image.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let mut header = Header::new_zeroed();
    let len = file.len().min(SECTOR) as usize;
    file.read_at(&mut header.as_mut_bytes()[..len], 0)?;
    if header.as_bytes().starts_with(TEXT) {
        let message = "it is a descriptor whose data is in other files";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    if header.magic != MAGIC {
        return Ok(None);
    }
    if header.directory.get() == AT_END {
        header = footer(file)?;
    }
    let size = header.capacity.get().checked_mul(SECTOR);
    let size = size.ok_or_else(|| damaged("it says that it is larger than any disk"))?;
    refuse_parent(file, &header)?;
    Ok(Some(Box::new(Read::new(
        file,
        size,
        Grains::of(file, &header)?,
    ))))
}

/// The header at the end of a stream, in front of the last marker.
fn footer(file: &dyn Disk) -> io::Result<Header> {
    let mut footer = Header::new_zeroed();
    let at = file.len().checked_sub(2 * SECTOR);
    let at = at.ok_or_else(|| damaged("the file ends before its footer"))?;
    file.read_at(footer.as_mut_bytes(), at)?;
    match footer.magic == MAGIC && footer.directory.get() != AT_END {
        true => Ok(footer),
        false => Err(damaged("it has no footer: it isn't complete")),
    }
}

/// Refuses an image of what differs from another one.
fn refuse_parent(file: &dyn Disk, header: &Header) -> io::Result<()> {
    let len = header.descriptor_size.get().min(DESCRIPTOR_LEN) * SECTOR;
    let offset = header.descriptor_offset.get().saturating_mul(SECTOR);
    if offset == 0 {
        return Ok(());
    }
    let mut text = vec![0; len as usize];
    file.read_at(&mut text, offset)
        .map_err(|_| damaged("the descriptor is outside of the file"))?;
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(|line| line.trim().to_ascii_lowercase());
    let parent = lines.find_map(|line| line.strip_prefix("parentcid=").map(str::to_owned));
    match parent.as_deref() {
        None | Some("ffffffff") => Ok(()),
        Some(_) => {
            let message = "it holds differences only, which needs the image that it differs from";
            Err(io::Error::new(io::ErrorKind::Unsupported, message))
        }
    }
}

/// Where the grains are.
#[derive(Debug)]
struct Grains {
    /// Where the grain directory is.
    directory: u64,
    grain: u64,
    /// Entries of a grain table.
    entries: u64,
    is_compressed: bool,
    has_zeroed: bool,
}

impl Grains {
    fn of(file: &dyn Disk, header: &Header) -> io::Result<Self> {
        let (grain, entries) = (
            header.grain_size.get(),
            u64::from(header.entries_per_table.get()),
        );
        if !grain.is_power_of_two() || grain > GRAIN_MAX || entries == 0 {
            let message = format!("it has grains of {grain} sectors, {entries} in a table");
            return Err(damaged(message));
        }
        let tables = header.capacity.get().div_ceil(grain).div_ceil(entries);
        let directory = header.directory.get().saturating_mul(SECTOR);
        if directory.saturating_add(tables.saturating_mul(4)) > file.len() {
            return Err(damaged("the grain directory is outside of the file"));
        }
        let flags = header.flags.get();
        let is_compressed = flags & FLAG_COMPRESSED != 0;
        if is_compressed && header.compression.get() != DEFLATE {
            let message = format!("it is compressed by method {}", header.compression.get());
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        Ok(Self {
            directory,
            grain: grain * SECTOR,
            entries,
            is_compressed,
            has_zeroed: flags & FLAG_ZEROED != 0,
        })
    }

    /// The sector of a grain; nothing where it isn't there.
    fn place(&self, file: &dyn Disk, grain: u64) -> io::Result<Option<u64>> {
        let table = entry(file, self.directory + grain / self.entries * 4)?;
        if table == 0 {
            return Ok(None);
        }
        let within = grain % self.entries * 4;
        match entry(file, u64::from(table) * SECTOR + within)? {
            0 => Ok(None),
            ZEROED if self.has_zeroed => Ok(None),
            sector => Ok(Some(u64::from(sector) * SECTOR)),
        }
    }
}

fn entry(file: &dyn Disk, offset: u64) -> io::Result<u32> {
    let mut bytes = [0; 4];
    file.read_at(&mut bytes, offset)
        .map_err(|_| damaged(format!("a table at {offset} is outside of the file")))?;
    Ok(u32::from_le_bytes(bytes))
}

impl Find for Grains {
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch> {
        let grain = offset / self.grain;
        let start = grain * self.grain;
        let held = match self.place(file, grain)? {
            None => Held::Nothing,
            Some(_) if self.is_compressed => Held::Packed,
            Some(place) => Held::At(place),
        };
        Ok(Stretch {
            range: start..start.saturating_add(self.grain),
            held,
        })
    }

    fn unpack(&self, file: &dyn Disk, stretch: &Range<u64>) -> io::Result<Vec<u8>> {
        let failed = || damaged(format!("the grain at {} can't be unpacked", stretch.start));
        let place = self.place(file, stretch.start / self.grain)?;
        let place = place.ok_or_else(failed)?;
        let mut marker = Marker::new_zeroed();
        file.read_at(marker.as_mut_bytes(), place)?;
        let len = u64::from(marker.size.get());
        if marker.value.get() != stretch.start / SECTOR || len > 2 * self.grain {
            return Err(failed());
        }
        let mut packed = vec![0; len as usize];
        file.read_at(&mut packed, place + MARKER_LEN)?;
        let mut bytes = Vec::with_capacity(self.grain as usize);
        let mut state = Decompress::new(true);
        state
            .decompress_vec(&packed, &mut bytes, FlushDecompress::Finish)
            .map_err(|_| failed())?;
        Ok(bytes)
    }
}
