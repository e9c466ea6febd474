//! The two headers, and whether the log has to be replayed.

use std::io;

use zerocopy::IntoBytes;

use super::structure;
use crate::container::read::{damaged, unsupported};
use crate::container::vhdx::format::*;
use crate::disk::Disk;

/// What the log is written in.
const LOG_SECTOR: u64 = 4096;
/// Where a log entry has the GUID of its log.
const ENTRY_GUID: usize = 32;

/// The header that counts: the sound one with the larger sequence number (section 2.2.2). Two with the
/// same number are the same.
pub(super) fn current(file: &dyn Disk) -> io::Result<Header> {
    let mut current: Option<Header> = None;
    for offset in HEADERS {
        let header: Header = structure(file, offset, "a header")?;
        let is_newer = |than: Header| header.sequence.get() > than.sequence.get();
        if is_sound(&header) && current.is_none_or(is_newer) {
            current = Some(header);
        }
    }
    let current = current.ok_or_else(|| damaged("neither header is sound"))?;
    match current.version.get() {
        VERSION => Ok(current),
        other => Err(unsupported(format!("version {other} isn't known"))),
    }
}

fn is_sound(header: &Header) -> bool {
    let sum = checksum(header.as_bytes());
    header.signature == HEADER_SIGNATURE && sum == header.checksum.get()
}

/// Refuses an image whose log has entries: what they say isn't where it belongs yet (section 2.3.3).
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] when it does.
pub(super) fn check_log(file: &dyn Disk, header: &Header) -> io::Result<()> {
    if header.log == [0; 16] {
        return Ok(());
    }
    let start = header.log_offset.get();
    let end = start.checked_add(header.log_length.get().into());
    let end = end
        .filter(|end| *end <= file.len())
        .ok_or_else(|| damaged("the log is outside of the file"))?;
    let mut at = file.next_data(start);
    while at.saturating_add(LOG_SECTOR) <= end {
        // A hole ends anywhere.
        at -= (at - start) % LOG_SECTOR;
        let mut entry = [0; ENTRY_GUID + 16];
        file.read_at(&mut entry, at)?;
        if entry.starts_with(&LOG_SIGNATURE) && entry[ENTRY_GUID..] == header.log {
            return Err(unsupported(
                "who wrote to it last hasn't completed that: its log has to be replayed first, \
                 as 'qemu-img check -r all' does",
            ));
        }
        at = file.next_data(at + LOG_SECTOR);
    }
    Ok(())
}
