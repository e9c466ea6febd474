//! Reads images back.

use std::io;

use uuid::Uuid;
use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use crate::container::read::{Find, Held, Read, Stretch, damaged};
use crate::disk::Disk;

/// Tables have this many entries at most.
const ENTRIES_MAX: u64 = 2047;

/// The disk in `file`, if that is an image.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let mut signature = [0; 8];
    let len = file.len().min(8) as usize;
    file.read_at(&mut signature[..len], 0)?;
    if signature != FILE_TYPE {
        return Ok(None);
    }
    check_header(file)?;
    let regions = regions(file)?;
    let region = |guid: Uuid| {
        let found = regions
            .iter()
            .find(|entry| entry.guid == guid.to_bytes_le());
        found.ok_or_else(|| damaged(format!("the VHDX has no region {guid}")))
    };
    let metadata = Metadata::of(file, region(METADATA_REGION)?.offset.get())?;
    let table = Table::of(file, region(BAT)?, &metadata)?;
    Ok(Some(Box::new(Read::new(file, metadata.size, table))))
}

/// Makes sure that one of the headers is sound, and that nothing is left in the log of the newer.
fn check_header(file: &dyn Disk) -> io::Result<()> {
    let headers = HEADERS.iter().filter_map(|at| header(file, *at));
    let header = headers.max_by_key(|header| header.sequence.get());
    let header = header.ok_or_else(|| damaged("the VHDX has no sound header"))?;
    if header.version.get() != VERSION {
        let message = format!("it is version {} of VHDX", header.version.get());
        return Err(unsupported(message));
    }
    if header.log != [0; 16] {
        let message = "its log has to be replayed: use 'qemu-img check -r all' first";
        return Err(unsupported(message.to_owned()));
    }
    Ok(())
}

/// The header at `at`, if it is sound.
fn header(file: &dyn Disk, at: u64) -> Option<Header> {
    let mut header = Header::new_zeroed();
    file.read_at(header.as_mut_bytes(), at).ok()?;
    let sum = header.checksum.get();
    header.checksum.set(0);
    let is_sound = header.signature == HEADER && crc32c::crc32c(header.as_bytes()) == sum;
    is_sound.then_some(header)
}

/// The entries of the first region table that is sound.
fn regions(file: &dyn Disk) -> io::Result<Vec<RegionEntry>> {
    let found = REGIONS.iter().find_map(|at| {
        let mut bytes = vec![0; TABLE_LEN as usize];
        file.read_at(&mut bytes, *at).ok()?;
        let mut header = RegionHeader::new_zeroed();
        header.as_mut_bytes().copy_from_slice(&bytes[..16]);
        bytes[4..8].fill(0);
        let is_sound =
            header.signature == REGION && crc32c::crc32c(&bytes) == header.checksum.get();
        let count = u64::from(header.count.get()).min(ENTRIES_MAX);
        is_sound.then(|| entries(&bytes[16..], count))
    });
    found.ok_or_else(|| damaged("the VHDX has no sound region table"))
}

fn entries<T: FromZeros + IntoBytes + zerocopy::FromBytes>(bytes: &[u8], count: u64) -> Vec<T> {
    let whole = bytes.chunks_exact(size_of::<T>()).take(count as usize);
    whole
        .map(|bytes| {
            let mut entry = T::new_zeroed();
            entry.as_mut_bytes().copy_from_slice(bytes);
            entry
        })
        .collect()
}

/// What of the metadata counts.
#[derive(Debug)]
struct Metadata {
    size: u64,
    block: u64,
    sector: u64,
}

impl Metadata {
    fn of(file: &dyn Disk, region: u64) -> io::Result<Self> {
        let mut bytes = vec![0; TABLE_LEN as usize];
        file.read_at(&mut bytes, region)
            .map_err(|_| damaged("the metadata of the VHDX is outside of the file"))?;
        let mut header = MetadataHeader::new_zeroed();
        header.as_mut_bytes().copy_from_slice(&bytes[..32]);
        if header.signature != METADATA {
            return Err(damaged("the VHDX has no metadata"));
        }
        let count = u64::from(header.count.get()).min(ENTRIES_MAX);
        let items: Vec<MetadataEntry> = entries(&bytes[32..], count);
        let number = |item: Uuid, len: usize| {
            let found = items.iter().find(|entry| entry.item == item.to_bytes_le());
            let entry = found.ok_or_else(|| damaged(format!("the VHDX doesn't tell {item}")))?;
            let mut value = [0; 8];
            file.read_at(
                &mut value[..len],
                region.saturating_add(entry.offset.get().into()),
            )?;
            Ok::<_, io::Error>(u64::from_le_bytes(value))
        };
        let parameters = number(FILE_PARAMETERS, 8)?;
        if (parameters >> 32) as u32 & HAS_PARENT != 0 {
            let message = "it is a differencing VHDX, which needs the image that it differs from";
            return Err(unsupported(message.to_owned()));
        }
        let metadata = Self {
            size: number(DISK_SIZE, 8)?,
            block: parameters & u64::from(u32::MAX),
            sector: number(LOGICAL_SECTOR, 4)?,
        };
        metadata.check()?;
        Ok(metadata)
    }

    fn check(&self) -> io::Result<()> {
        let Self { block, sector, .. } = self;
        let fits = block.is_power_of_two() && (MIB..=256 * MIB).contains(block);
        match fits && [512, 4096].contains(sector) {
            true => Ok(()),
            false => Err(damaged(format!(
                "the VHDX has blocks of {block} bytes and sectors of {sector}"
            ))),
        }
    }
}

/// Where the blocks are.
#[derive(Debug)]
struct Table {
    offset: u64,
    block: u64,
    ratio: u64,
}

impl Table {
    fn of(file: &dyn Disk, region: &RegionEntry, metadata: &Metadata) -> io::Result<Self> {
        let ratio = chunk_ratio(metadata.sector, metadata.block);
        let blocks = metadata.size.div_ceil(metadata.block);
        let needed = (blocks + blocks.saturating_sub(1) / ratio) * 8;
        let offset = region.offset.get();
        let is_there = offset
            .checked_add(needed)
            .is_some_and(|end| end <= file.len());
        if !is_there || needed > region.length.get().into() {
            return Err(damaged(
                "the block allocation table of the VHDX ends too early",
            ));
        }
        Ok(Self {
            offset,
            block: metadata.block,
            ratio,
        })
    }
}

impl Find for Table {
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch> {
        let number = offset / self.block;
        let start = number * self.block;
        let mut entry = [0; 8];
        let at = number + number / self.ratio;
        file.read_at(&mut entry, self.offset + at * 8)?;
        let entry = u64::from_le_bytes(entry);
        let held = match entry & STATE {
            FULL => Held::At(entry / MIB * MIB),
            PARTIAL => {
                return Err(damaged(format!(
                    "the block at {start} is there in part only"
                )));
            }
            _ => Held::Nothing,
        };
        Ok(Stretch {
            range: start..start + self.block,
            held,
        })
    }
}

fn unsupported(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, message)
}
