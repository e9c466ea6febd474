//! Both copies of a GPT, wherever they are, and which of them counts.

use zerocopy::FromZeros;

use crate::error::{Error, Result};
use crate::inspect::findings::Findings;
use crate::inspect::gpt::copy::Copy;
use crate::inspect::gpt::{BACKUP, PRIMARY, entries, protective};
use crate::inspect::table::Sectors;
use crate::table::format::{BootRecord, GPT_ENTRY_BYTES, GPT_ENTRY_COUNT, GptEntry, GptHeader};
use crate::units::Lba;

const HEADER: Lba = Lba::new(1);

/// Where the entries follow a header that is where it belongs.
const ENTRIES: Lba = Lba::new(2);

/// What is there of both copies.
#[derive(Debug)]
pub(super) struct Copies<'a> {
    disk: Sectors<'a>,
    /// The last sector of the disk.
    last: Lba,
    pub(super) primary: Result<Copy>,
    backup: Result<Copy>,
}

impl<'a> Copies<'a> {
    /// Looks for the backup at the end, where the primary one says it is, and where the disk ended
    /// when its boot record was written.
    pub(super) fn read(disk: Sectors<'a>, record: Option<&BootRecord>, last: Lba) -> Self {
        let primary = Copy::read(disk, PRIMARY, HEADER);
        let named = primary
            .as_ref()
            .ok()
            .map(|copy| copy.header.alternate_lba.get());
        let is_sure = primary.as_ref().is_ok_and(|copy| copy.has_header);
        let mut places = vec![Some(last.get()), named, record.and_then(protective::end)];
        if is_sure {
            places.swap(0, 1);
        }
        let places = places.into_iter().flatten().map(Lba::new);
        let backup = backup(disk, places.filter(|at| (ENTRIES..=last).contains(at)));
        let backup =
            backup.unwrap_or_else(|| Err(Error::corrupt(BACKUP, "there is no place for it")));
        let mut copies = Self {
            disk,
            last,
            primary,
            backup,
        };
        copies.join();
        copies
    }

    /// Where the table says that the disk ends.
    pub(super) fn end(&self) -> u64 {
        let last = self.last.get();
        match (&self.primary, &self.backup) {
            (Ok(primary), _) if primary.has_header => primary.header.alternate_lba.get(),
            (_, Ok(backup)) if backup.has_header => backup.at.get(),
            _ => last,
        }
    }

    /// A header whose own entries are damaged may fit those of the other copy.
    fn join(&mut self) {
        let disk = self.disk;
        let end = self.end().min(self.last.get());
        let copies = [&mut self.primary, &mut self.backup].map(|copy| copy.as_mut().ok());
        let [primary, backup] = copies;
        if [&primary, &backup]
            .iter()
            .any(|copy| copy.as_ref().is_some_and(|copy| copy.is_sealed()))
        {
            return;
        }
        for copy in [primary, backup].into_iter().flatten() {
            let before_end = Lba::new(end.saturating_sub(copy.entry_sectors(disk)));
            for at in [ENTRIES, before_end] {
                let mut entries = vec![0; copy.entries.len()];
                let found = disk.read_bytes(at, copy.place, &mut entries);
                if copy.has_header && found.is_ok() && copy.fits(&entries) {
                    copy.entries = entries;
                    copy.has_entries = true;
                    let message = format!("the entries at sector {at} are read instead");
                    copy.faults.push(Error::corrupt(copy.place, message));
                    break;
                }
            }
        }
    }

    /// Tells what is wrong with either, and between them.
    pub(super) fn compare(&mut self, findings: &mut Findings) {
        self.tell_faults(findings);
        if let (Ok(primary), Ok(backup)) = (&self.primary, &self.backup)
            && primary.is_sealed()
            && backup.is_sealed()
            && (primary.entries != backup.entries
                || shared(&primary.header) != shared(&backup.header))
        {
            findings.add(BACKUP, "it differs from the primary one");
        }
    }

    fn tell_faults(&mut self, findings: &mut Findings) {
        let last = self.last.get();
        let named = match &mut self.primary {
            Ok(primary) => {
                primary
                    .faults
                    .drain(..)
                    .for_each(|fault| findings.push(fault));
                primary
                    .has_header
                    .then(|| primary.header.alternate_lba.get())
            }
            Err(error) => {
                findings.push(again(error));
                None
            }
        };
        let backup_at = self.backup.as_ref().ok().map(|backup| backup.at.get());
        match (named, backup_at) {
            (Some(named), None) if named > last => {
                findings.add(
                    BACKUP,
                    format!(
                        "it belongs into sector {named}, but there are only {} sectors: the end of \
                         the disk is missing",
                        last + 1
                    ),
                );
                return;
            }
            (Some(named), at) if named != last && at != Some(named) => findings.add(
                PRIMARY,
                format!("its header names sectors 1 and {named} instead of 1 and {last}"),
            ),
            (_, Some(at)) if at != last => findings.add(
                BACKUP,
                format!(
                    "it is in sector {at}, not in the last one, {last}: the disk has grown since"
                ),
            ),
            _ => {}
        }
        match &mut self.backup {
            Ok(backup) => {
                backup
                    .faults
                    .drain(..)
                    .for_each(|fault| findings.push(fault));
                let alternate = backup.header.alternate_lba.get();
                if alternate != HEADER.get() {
                    findings.add(
                        BACKUP,
                        format!(
                            "its header says that the other one is in sector {alternate}, not 1"
                        ),
                    );
                }
            }
            Err(error) => findings.push(again(error)),
        }
    }

    /// The copy that counts, and whether it is one that can be relied on.
    pub(super) fn choose(self, findings: &mut Findings) -> Result<(Copy, bool)> {
        let disk = self.disk;
        let is_sealed = |copy: &Result<Copy>| copy.as_ref().is_ok_and(Copy::is_sealed);
        if is_sealed(&self.primary) {
            return self.primary.map(|copy| (copy, true));
        }
        if is_sealed(&self.backup) {
            findings.add(BACKUP, "it is read in place of the primary one");
            return self.backup.map(|copy| (copy, true));
        }
        let guessed = guess(disk, [&self.primary, &self.backup]);
        for copy in [self.primary, self.backup, guessed].into_iter().flatten() {
            if entries::has_any(disk, &copy) {
                let message = "no copy is in order: what makes sense in this one is shown";
                findings.add(copy.place, message);
                return Ok((copy, false));
            }
        }
        Err(Error::corrupt(PRIMARY, "there is no copy that can be read"))
    }
}

/// The first one that is in order, else the first one that can be read.
fn backup(disk: Sectors<'_>, places: impl Iterator<Item = Lba>) -> Option<Result<Copy>> {
    let mut found: Option<Result<Copy>> = None;
    for at in places {
        let copy = Copy::read(disk, BACKUP, at);
        if copy.as_ref().is_ok_and(Copy::is_sealed) {
            return Some(copy);
        }
        if found
            .as_ref()
            .is_none_or(|found| found.is_err() && copy.is_ok())
        {
            found = Some(copy);
        }
    }
    found
}

/// Entries as all programs place them, behind a header that is lost.
fn guess(disk: Sectors<'_>, known: [&Result<Copy>; 2]) -> Result<Copy> {
    let mut header = known
        .into_iter()
        .flatten()
        .map(|copy| copy.header)
        .next()
        .unwrap_or_else(GptHeader::new_zeroed);
    header.number_of_partition_entries.set(GPT_ENTRY_COUNT);
    header
        .size_of_partition_entry
        .set(size_of::<GptEntry>() as u32);
    let mut entries = vec![0; GPT_ENTRY_BYTES as usize];
    disk.read_bytes(ENTRIES, PRIMARY, &mut entries)?;
    Ok(Copy {
        place: "entries of the primary GPT",
        at: HEADER,
        header,
        entries,
        has_header: false,
        has_entries: false,
        faults: Vec::new(),
    })
}

/// An error to be told twice.
fn again(error: &Error) -> Error {
    Error::new(error.kind(), error.place(), error.message())
}

/// What both headers have in common.
fn shared(header: &GptHeader) -> (u64, u64, [u8; 16], u32, u32, u32) {
    (
        header.first_usable_lba.get(),
        header.last_usable_lba.get(),
        header.disk_guid,
        header.number_of_partition_entries.get(),
        header.size_of_partition_entry.get(),
        header.partition_entry_array_crc32.get(),
    )
}
