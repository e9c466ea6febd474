//! Gives a volume the serial number and the times that it should have.
//!
//! mkntfs takes the serial number from a random generator, which `-T` seeds alike for every volume,
//! and the programs that write files take times from the clock. What is left of earlier contents in records and index blocks holds such
//! times too, so it is cleared. Nothing else differs between two volumes made alike.

use std::collections::HashMap;

use disklayout::disk::Disk;
use disklayout::fs::ntfs::format::{
    AT_DATA, AT_FILE_NAME, AT_STANDARD_INFORMATION, FileName, Times,
};
use disklayout::tree::{FileTree, NodeKind};
use disklayout::{Error, Identity, Place, Result, Timestamp};
use zerocopy::little_endian::I64;

use super::lookup::Lookup;
use super::record::{Record, Value};
use super::time::nt_time;
use super::volume::Volume;

/// Refuses times that NTFS can't hold.
///
/// # Errors
/// `InvalidSpec` at `place` for times before 1601 or after about 30828.
pub(super) fn check_times(place: &Place, tree: &FileTree, identity: &Identity) -> Result<()> {
    let times = tree.nodes().map(|(_, node)| node.attributes.mtime);
    for time in times.chain([identity.time()]) {
        times_of(place, time)?;
    }
    Ok(())
}

/// Sets the serial number of the NTFS volume on `disk` and every time in it: those of the tree's
/// files and directories to their own, all others to that of `identity`. What is left of earlier
/// contents is cleared, so that volumes made alike are alike to the byte.
///
/// # Errors
/// `Corrupt` when the volume makes no sense or its files aren't those of the tree, `Io`.
pub(super) fn stamp(disk: &dyn Disk, tree: &FileTree, identity: &Identity) -> Result<()> {
    let volume = Volume::open(disk)?;
    let mut lookup = Lookup::default();
    let mut records = volume.records().collect::<Result<Vec<_>>>()?;
    for record in &records {
        lookup.add(record)?;
    }
    let numbers = lookup.tree(tree)?;
    check_sizes(&records, tree, &numbers)?;
    let clock = Clock::new(tree, &numbers, identity)?;
    for record in &mut records {
        stamp_record(&volume, record, &clock)?;
    }
    volume.set_serial_number(identity.number("volume serial"))
}

/// Which times each record's file has.
struct Clock {
    default: Times,
    by_record: HashMap<u64, Times>,
}

impl Clock {
    fn new(tree: &FileTree, numbers: &[u64], identity: &Identity) -> Result<Self> {
        let place = "the NTFS volume";
        let own = tree.nodes().map(|(id, node)| {
            let times = times_of(&Place::from(place), node.attributes.mtime)?;
            Ok((numbers[id.index()], times))
        });
        Ok(Self {
            by_record: own.collect::<Result<_>>()?,
            default: times_of(&Place::from(place), identity.time())?,
        })
    }

    fn times(&self, record: u64) -> Times {
        *self.by_record.get(&record).unwrap_or(&self.default)
    }
}

fn times_of(place: &Place, time: Timestamp) -> Result<Times> {
    let ticks = nt_time(time).ok_or_else(|| {
        let seconds = time.seconds;
        let message =
            format!("{seconds} seconds since 1970 is no time of NTFS, which starts in 1601");
        Error::invalid(place, message)
    })?;
    let ticks = I64::new(ticks);
    Ok(Times {
        creation: ticks,
        last_data_change: ticks,
        last_mft_change: ticks,
        last_access: ticks,
    })
}

fn stamp_record(volume: &Volume<'_>, record: &mut Record, clock: &Clock) -> Result<()> {
    let before = record.bytes.clone();
    record.clear_slack();
    if record.is_in_use() {
        stamp_attributes(record, clock.times(record.base()))?;
        volume.visit_index(record, &mut |entry, name| name.times = clock.times(entry))?;
    }
    match record.bytes == before {
        true => Ok(()),
        false => volume.write_record(record),
    }
}

fn stamp_attributes(record: &mut Record, times: Times) -> Result<()> {
    for value in record.resident_values(AT_STANDARD_INFORMATION)? {
        if let Some(field) = record.at_mut::<Times>(value.start) {
            *field = times;
        }
    }
    for value in record.resident_values(AT_FILE_NAME)? {
        if let Some(name) = record.at_mut::<FileName>(value.start) {
            name.times = times;
        }
    }
    Ok(())
}

/// Compares the sizes of the files in the volume with those of the tree.
fn check_sizes(records: &[Record], tree: &FileTree, numbers: &[u64]) -> Result<()> {
    let mut sizes = HashMap::new();
    for record in records.iter().filter(|record| record.is_in_use()) {
        if let Some(size) = data_size(record)? {
            sizes.insert(record.base(), size);
        }
    }
    for (id, node) in tree.nodes() {
        let NodeKind::File(content) = &node.kind else {
            continue;
        };
        let number = numbers[id.index()];
        let size = sizes.get(&number).copied();
        if size != Some(content.len()) {
            let message = format!(
                "record {number} holds {size:?} bytes of a file of {}",
                content.len()
            );
            return Err(Error::corrupt("the NTFS volume", message));
        }
    }
    Ok(())
}

/// The size of the unnamed data; `None` where there is none or only its continuation.
fn data_size(record: &Record) -> Result<Option<u64>> {
    let attributes = record.attributes()?.into_iter();
    let mut data = attributes.filter(|a| a.kind == AT_DATA && a.name.is_empty());
    Ok(data.find_map(|attribute| match attribute.value {
        Value::Resident(value) => Some(value.len() as u64),
        Value::NonResident {
            lowest_vcn: 0,
            data_size,
            ..
        } => Some(data_size),
        Value::NonResident { .. } => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::directory::Directories;
    use super::*;
    use disklayout::ErrorKind;
    use disklayout::disk::MemDisk;
    use disklayout::tree::{Attributes, Content};

    #[test]
    fn what_is_no_volume_is_refused() {
        let tree = FileTree::new(Timestamp::default());
        let identity = Identity::new("disk", Timestamp::default());
        let disk = MemDisk::new(1 << 20);
        let error = stamp(&disk, &tree, &identity).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let error = Directories::default().make(&disk, b"/dir").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let error = stamp(&MemDisk::new(0x53), &tree, &identity).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
    }

    #[test]
    fn times_before_1601_are_refused_when_planning() {
        let identity = Identity::new("disk", Timestamp::default());
        let mut tree = FileTree::new(Timestamp::default());
        check_times(&"guestfs[0]".into(), &tree, &identity).unwrap();
        let attributes = Attributes::file(Timestamp::from_seconds(-20_000_000_000));
        tree.put_file("f", b"/file", Content::inline(b""), attributes)
            .unwrap();
        let error = check_times(&"guestfs[0]".into(), &tree, &identity).unwrap_err();
        assert_eq!(error.place(), "guestfs[0]");
    }
}
