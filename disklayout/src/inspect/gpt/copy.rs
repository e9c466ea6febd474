//! One of the two copies of a GPT: its header and the entries that it leads to.

use zerocopy::IntoBytes;

use crate::error::{Error, Result};
use crate::inspect::table::Sectors;
use crate::table::format::{GPT_REVISION, GPT_SIGNATURE, GptEntry, GptHeader};
use crate::units::Lba;

/// More entries than any program makes; a limit on what a damaged header makes us read.
const ENTRY_COUNT_MAX: u32 = 4096;

/// The largest entry that is read, in bytes.
const ENTRY_SIZE_MAX: u32 = 1024;

/// A copy that can be read, right or not.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) place: &'static str,
    pub(super) at: Lba,
    pub(super) header: GptHeader,
    pub(super) entries: Vec<u8>,
    /// Whether the header has the right checksum and is where it says.
    pub(super) has_header: bool,
    /// Whether the entries have the checksum that the header tells.
    pub(super) has_entries: bool,
    /// What isn't as it should be.
    pub(super) faults: Vec<Error>,
}

impl Copy {
    /// Reads the copy whose header is at `at`.
    ///
    /// # Errors
    /// `Corrupt` when there is no header, or it leads to no entries; `Io` when they can't be read.
    pub(super) fn read(disk: Sectors<'_>, place: &'static str, at: Lba) -> Result<Self> {
        let header: GptHeader = disk.read(at, place)?;
        if header.signature != GPT_SIGNATURE {
            return Err(Error::corrupt(place, no_header(at)));
        }
        let mut faults = Vec::new();
        let has_header = check_header(disk, place, (at, &header), &mut faults)?;
        let entries = match read_entries(disk, place, &header) {
            Ok(entries) => entries,
            // What is wrong with the header comes first.
            Err(error) => return Err(faults.into_iter().next().unwrap_or(error)),
        };
        let mut copy = Self {
            place,
            at,
            header,
            entries,
            has_header,
            has_entries: true,
            faults,
        };
        copy.check_entries(disk);
        Ok(copy)
    }

    /// Whether both checksums say that nothing has changed.
    pub(super) const fn is_sealed(&self) -> bool {
        self.has_header && self.has_entries
    }

    pub(super) const fn entry_size(&self) -> usize {
        self.header.size_of_partition_entry.get() as usize
    }

    /// Whether `entries` have the checksum that this header tells.
    pub(super) fn fits(&self, entries: &[u8]) -> bool {
        self.header.partition_entry_array_crc32.get() == crc32fast::hash(entries)
    }

    /// The sectors that the entries take.
    pub(super) const fn entry_sectors(&self, disk: Sectors<'_>) -> u64 {
        (self.entries.len() as u64).div_ceil(disk.size.get())
    }

    fn check_entries(&mut self, disk: Sectors<'_>) {
        let at = self.header.partition_entry_lba.get();
        let end = at + self.entry_sectors(disk);
        let (first, last) = (
            self.header.first_usable_lba.get(),
            self.header.last_usable_lba.get(),
        );
        let is_clear = (at > 1 && end <= first) || (at > last && end < disk.count());
        if !is_clear {
            let message = format!("its entries at sectors {at} to {} overlap others", end - 1);
            self.faults.push(Error::corrupt(self.place, message));
        }
        let size = self.entry_size();
        if size != size_of::<GptEntry>() {
            let message = format!("its entries have {size} bytes instead of 128");
            self.faults.push(Error::corrupt(self.place, message));
        }
        let stored = self.header.partition_entry_array_crc32.get();
        let computed = crc32fast::hash(&self.entries);
        if stored != computed {
            self.has_entries = false;
            let message =
                format!("its entries have the checksum {computed:08X} instead of {stored:08X}");
            self.faults.push(Error::corrupt(self.place, message));
        }
    }
}

fn no_header(at: Lba) -> String {
    format!("no header of revision 1.0 at sector {at}")
}

/// Whether the header has the right checksum and is where it says.
fn check_header(
    disk: Sectors<'_>,
    place: &str,
    (at, header): (Lba, &GptHeader),
    faults: &mut Vec<Error>,
) -> Result<bool> {
    let mut fault = |message: String| faults.push(Error::corrupt(place, message));
    if header.revision.get() != GPT_REVISION {
        fault(no_header(at));
    }
    let size = header.header_size.get();
    if size as usize != size_of::<GptHeader>() {
        fault(format!("its header has {size} bytes instead of 92"));
    }
    let can_be = size as usize >= size_of::<GptHeader>() && u64::from(size) <= disk.size.get();
    let mut bytes = vec![
        0;
        if can_be {
            size as usize
        } else {
            size_of::<GptHeader>()
        }
    ];
    disk.read_bytes(at, place, &mut bytes)?;
    let mut blank = *header;
    blank.header_crc32.set(0);
    bytes[..size_of::<GptHeader>()].copy_from_slice(blank.as_bytes());
    let (stored, computed) = (header.header_crc32.get(), crc32fast::hash(&bytes));
    if stored != computed {
        fault(format!(
            "its header has the checksum {stored:08X} instead of {computed:08X}"
        ));
    }
    let mine = header.my_lba.get();
    if mine != at.get() {
        fault(format!(
            "its header says that it is in sector {mine}, not in sector {at}"
        ));
    }
    Ok(can_be && stored == computed && mine == at.get())
}

/// Reads all entries.
fn read_entries(disk: Sectors<'_>, place: &str, header: &GptHeader) -> Result<Vec<u8>> {
    let count = header.number_of_partition_entries.get();
    let size = header.size_of_partition_entry.get();
    let is_known =
        size.is_multiple_of(size_of::<GptEntry>() as u32) && (1..=ENTRY_SIZE_MAX).contains(&size);
    if !is_known || count > ENTRY_COUNT_MAX {
        let message = format!("{count} entries of {size} bytes are not supported");
        return Err(Error::corrupt(place, message));
    }
    let mut bytes = vec![0; count as usize * size as usize];
    let at = Lba::new(header.partition_entry_lba.get());
    disk.read_bytes(at, place, &mut bytes)?;
    Ok(bytes)
}
