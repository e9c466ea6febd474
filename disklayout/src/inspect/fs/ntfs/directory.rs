//! Directories: the root of an index, and the blocks of it that its bitmap says are in use. They
//! are read one after the other, not in the order of the tree.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::ntfs::format::{
    AT_INDEX_ALLOCATION, AT_INDEX_ROOT, FileName, I30, INDEX_ENTRY_LAST, IndexBlock, IndexEntry,
    IndexHeader, IndexRoot, REFERENCE_NUMBER,
};
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::ntfs::Ntfs;
use crate::inspect::fs::ntfs::attributes::units;
use crate::inspect::fs::ntfs::file::{File, NAME_DOS};
use crate::inspect::fs::ntfs::record::index_block;

const AT_BITMAP: u32 = 0xB0;
/// Records below this one are the filesystem's own.
const FIRST_USER: u64 = 16;
const ENTRY: usize = size_of::<IndexEntry>();

/// Blocks of an index are powers of two up to this.
const BLOCK_MAX: u32 = 1 << 16;
/// More would be an index of more than 64 million names.
const BITMAP_MAX: u64 = 1 << 20;

pub(super) fn list(ntfs: &Ntfs<'_>, file: &File, listing: &mut Listing<'_>) -> Result<()> {
    let place = format!("directory of {}", file.place());
    let wrong = |what: &str| Error::corrupt(&*place, what);
    let root = file.resident(AT_INDEX_ROOT, &I30);
    let root = root.filter(|_| file.is_directory());
    let root = root.ok_or_else(|| wrong("it has no index of names"))?;
    let (head, rest) = IndexRoot::read_from_prefix(root).map_err(|_| wrong("its index is cut"))?;
    listing.charge(&place, rest.len() as u64)?;
    node(ntfs, &place, rest, listing)?;
    let size = head.index_block_size.get();
    let Some(blocks) = file.value(ntfs, AT_INDEX_ALLOCATION, &I30)? else {
        return Ok(());
    };
    if !size.is_power_of_two() || !(512..=BLOCK_MAX).contains(&size) {
        return Err(wrong("its index has blocks of an odd size"));
    }
    let bitmap = file.value(ntfs, AT_BITMAP, &I30)?;
    let bitmap = bitmap.ok_or_else(|| wrong("its index has no bitmap"))?;
    let bitmap = bitmap.all(&ntfs.area, &place, BITMAP_MAX)?;
    for number in 0..blocks.len() / u64::from(size) {
        let byte = bitmap.get((number / 8) as usize).copied().unwrap_or(0);
        if byte >> (number % 8) & 1 == 0 {
            continue;
        }
        let place = format!("block {number} of the {place}");
        listing.charge(&place, size.into())?;
        let mut bytes = vec![0; size as usize];
        blocks.fill(&ntfs.area, &place, number * u64::from(size), &mut bytes)?;
        let bytes = index_block(&place, bytes)?;
        node(ntfs, &place, &bytes[size_of::<IndexBlock>()..], listing)?;
    }
    Ok(())
}

/// The entries of a node, whose header `bytes` begin with.
fn node(ntfs: &Ntfs<'_>, place: &str, bytes: &[u8], listing: &mut Listing<'_>) -> Result<()> {
    let wrong = || Error::corrupt(place, "its entries exceed their room");
    let (header, _) = IndexHeader::read_from_prefix(bytes).map_err(|_| wrong())?;
    let range = header.entries_offset.get() as usize..header.index_length.get() as usize;
    let mut rest = bytes.get(range).ok_or_else(wrong)?;
    loop {
        let (entry, behind) = IndexEntry::read_from_prefix(rest).map_err(|_| wrong())?;
        if entry.flags.get() & INDEX_ENTRY_LAST != 0 {
            return Ok(());
        }
        let length = usize::from(entry.length.get());
        let key = behind.get(..usize::from(entry.key_length.get()));
        let key = key.filter(|_| length >= ENTRY).ok_or_else(wrong)?;
        name(ntfs, place, entry.indexed_file.get(), key, listing)?;
        rest = rest.get(length..).ok_or_else(wrong)?;
    }
}

fn name(
    ntfs: &Ntfs<'_>,
    place: &str,
    reference: u64,
    key: &[u8],
    listing: &mut Listing<'_>,
) -> Result<()> {
    let wrong = || Error::corrupt(place, "a name exceeds its entry");
    let (name, rest) = FileName::read_from_prefix(key).map_err(|_| wrong())?;
    let units = units(rest, name.file_name_length.into()).ok_or_else(wrong)?;
    let number = reference & REFERENCE_NUMBER;
    if name.file_name_type == NAME_DOS || number < FIRST_USER {
        return Ok(());
    }
    let file = ntfs.file(number)?;
    let (used, sequence) = (file.record.header.sequence_number.get(), reference >> 48);
    if u64::from(used) != sequence {
        let message = format!(
            "a name leads to use {sequence} of {}, now at {used}",
            file.place()
        );
        return Err(Error::corrupt(place, message));
    }
    let name = String::from_utf16_lossy(&units);
    listing.push(place, name.into_bytes(), file.node()?)
}
