//! Directories: sets of entries of 32 bytes each.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::exfat::format::{
    ALLOCATION_BITMAP, AllocationBitmapEntry, BENIGN, DIRECTORY, DIRECTORY_MAX, END_OF_DIRECTORY,
    ENTRY_SIZE, FILE, FILE_NAME, FileEntry, FileNameEntry, IN_USE, LABEL_MAX, NAME_IN_ENTRY,
    NO_FAT_CHAIN, SECONDARY, SET_CHECKSUM, STREAM_EXTENSION, StreamExtensionEntry, VOLUME_LABEL,
    VolumeLabelEntry,
};
use crate::identity::Timestamp;
use crate::inspect::fs::Reader;
use crate::inspect::fs::exfat::Exfat;
use crate::inspect::fs::fat::days;
use crate::inspect::fs::listing::{Budget, Listing};
use crate::inspect::fs::node::{Node, NodeKind, Place};

const OFFSET_VALID: u8 = 0x80;

/// The entries up to the end of a directory, each with a number that no other one has.
fn entries(
    exfat: &Exfat<'_>,
    directory: &Node,
    listing: &mut Listing<'_>,
) -> Result<Vec<(u64, Bytes)>> {
    let place = directory.place();
    if directory.size > DIRECTORY_MAX {
        let message = format!("a directory of {} bytes", directory.size);
        return Err(Error::corrupt(place, message));
    }
    let data = exfat.clusters_of(directory)?;
    let mut found = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let mut bytes = vec![0; exfat.volume.clusters.size.min(data.len() - at) as usize];
        listing.charge(&place, bytes.len() as u64)?;
        data.fill(&exfat.area, &place, at, &mut bytes)?;
        for (index, entry) in (0..).zip(bytes.as_chunks::<ENTRY_SIZE>().0) {
            if entry[0] == END_OF_DIRECTORY {
                return Ok(found);
            }
            let offset = at + index * ENTRY_SIZE as u64;
            found.push((data.position(offset).unwrap_or(offset), *entry));
        }
        at += bytes.len() as u64;
    }
    Ok(found)
}

type Bytes = [u8; ENTRY_SIZE];

pub(super) fn list(exfat: &Exfat<'_>, directory: &Node, listing: &mut Listing<'_>) -> Result<()> {
    let place = format!("directory of {}", directory.place());
    let all = entries(exfat, directory, listing)?;
    let mut rest = &all[..];
    while let [(at, first), behind @ ..] = rest {
        rest = behind;
        if first[0] != FILE {
            let is_critical = first[0] & (IN_USE | SECONDARY | BENIGN) == IN_USE;
            // Label, bitmap and up-case table; what isn't in use.
            if is_critical && first[0] > VOLUME_LABEL {
                let message = format!("an entry of the unknown type {:02X}", first[0]);
                return Err(Error::unsupported(place, message));
            }
            continue;
        }
        let count = usize::from(first[1]);
        let Some((set, behind)) = behind.split_at_checked(count) else {
            return Err(Error::corrupt(place, "its last set of entries is cut"));
        };
        rest = behind;
        let set: Vec<_> = set.iter().map(|(_, entry)| entry).collect();
        let (name, node) = file(*at, first, &set)
            .map_err(|message| Error::corrupt(format!("set of entries at byte {at}"), message))?;
        listing.push(&place, name.into_bytes(), node)?;
    }
    Ok(())
}

/// The sum over a set without the sum itself (6.3.3).
fn checksum(first: &Bytes, set: &[&Bytes]) -> u16 {
    let all = std::iter::once(first).chain(set.iter().copied()).flatten();
    all.enumerate()
        .filter(|(index, _)| !SET_CHECKSUM.contains(index))
        .fold(0_u16, |sum, (_, byte)| {
            sum.rotate_right(1).wrapping_add((*byte).into())
        })
}

/// A file of the entries that describe it, or what is wrong with them.
fn file(at: u64, first: &Bytes, set: &[&Bytes]) -> Result<(String, Node), String> {
    let wrong = |what: &str| what.to_owned();
    let entry = FileEntry::read_from_bytes(first).map_err(|_| wrong("it is none"))?;
    let (stored, computed) = (entry.SetChecksum.get(), checksum(first, set));
    if stored != computed {
        return Err(format!(
            "its checksum is {stored:04x} instead of {computed:04x}"
        ));
    }
    let [stream, names @ ..] = set else {
        return Err(wrong("it has one entry only"));
    };
    let stream = StreamExtensionEntry::read_from_bytes(*stream).map_err(|_| wrong("no stream"))?;
    if stream.EntryType != STREAM_EXTENSION {
        return Err(wrong("its second entry is no stream extension"));
    }
    let length = usize::from(stream.NameLength);
    let name = name(names, length).ok_or_else(|| wrong("its name is cut"))?;
    let is_directory = entry.FileAttributes.get() & DIRECTORY != 0;
    let (first, size) = (stream.FirstCluster.get(), stream.DataLength.get());
    if size == 0 && first != 0 || size > 0 && first == 0 {
        return Err(format!("{size} bytes from cluster {first} on"));
    }
    let mut node = match is_directory {
        // A directory without clusters leads nowhere else.
        true if first == 0 => Node::new(at, NodeKind::Directory, 0),
        true => Node::new(first.into(), NodeKind::Directory, size),
        false => Node::new(at, NodeKind::File, size),
    };
    node.place = Place::Clusters {
        first,
        contiguous: stream.GeneralSecondaryFlags & NO_FAT_CHAIN != 0,
        valid: stream.ValidDataLength.get(),
    };
    node.dos_attributes = Some(entry.FileAttributes.get().into());
    node.modified = time(
        entry.LastModifiedTimestamp.get(),
        entry.LastModified10msIncrement,
        entry.LastModifiedUtcOffset,
    );
    Ok((name, node))
}

fn name(entries: &[&Bytes], length: usize) -> Option<String> {
    let mut units = Vec::new();
    for entry in entries.iter().take(length.div_ceil(NAME_IN_ENTRY)) {
        let entry = FileNameEntry::read_from_bytes(*entry).ok()?;
        if entry.EntryType != FILE_NAME {
            return None;
        }
        units.extend(entry.FileName.iter().map(|unit| unit.get()));
    }
    Some(String::from_utf16_lossy(units.get(..length)?))
}

/// Date and time as DOS has them, hundredths of seconds, and quarters of an hour from UTC.
fn time(stamp: u32, hundredths: u8, offset: u8) -> Option<Timestamp> {
    let field = |shift: u32, bits: u32| i64::from((stamp >> shift) & ((1 << bits) - 1));
    let (year, month, day) = (1980 + field(25, 7), field(21, 4), field(16, 5));
    let (hour, minute, second) = (field(11, 5), field(5, 6), field(0, 5) * 2);
    let is_time = hour < 24 && minute < 60 && second < 60 && hundredths < 200;
    if !(1..=12).contains(&month) || day == 0 || !is_time {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    // Seven bits with a sign.
    let quarters = match offset & OFFSET_VALID {
        0 => 0,
        _ => i64::from((offset << 1) as i8 >> 1),
    };
    Some(Timestamp {
        seconds: seconds - quarters * 900 + i64::from(hundredths / 100),
        nanoseconds: u32::from(hundredths % 100) * 10_000_000,
    })
}

/// The label, and the allocation bitmap as a file.
pub(super) fn root_facts(exfat: &Exfat<'_>) -> Result<(Option<String>, Option<Node>)> {
    let mut budget = Budget::new(DIRECTORY_MAX);
    let mut listing = Listing::new(&mut budget);
    let (mut label, mut bitmap) = (None, None);
    for (at, entry) in entries(exfat, &exfat.root()?, &mut listing)? {
        match entry[0] {
            VOLUME_LABEL => label = label.or_else(|| self::label(&entry)),
            ALLOCATION_BITMAP if bitmap.is_none() => bitmap = self::bitmap(at, &entry),
            _ => {}
        }
    }
    Ok((label, bitmap))
}

fn label(entry: &Bytes) -> Option<String> {
    let entry = VolumeLabelEntry::read_from_bytes(entry).ok()?;
    let count = usize::from(entry.CharacterCount).min(LABEL_MAX);
    let units: Vec<_> = entry.VolumeLabel[..count]
        .iter()
        .map(|unit| unit.get())
        .collect();
    (count > 0).then(|| String::from_utf16_lossy(&units))
}

fn bitmap(at: u64, entry: &Bytes) -> Option<Node> {
    let entry = AllocationBitmapEntry::read_from_bytes(entry).ok()?;
    let mut node = Node::new(at, NodeKind::File, entry.DataLength.get());
    node.place = Place::Clusters {
        first: entry.FirstCluster.get(),
        contiguous: false,
        valid: u64::MAX,
    };
    Some(node)
}
