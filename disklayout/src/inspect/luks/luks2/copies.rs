//! The two copies of a header, the newer of which counts.

use zerocopy::{FromZeros, IntoBytes};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::inspect::luks::{PLACE, read_into};
use crate::volume::luks::format::luks2::{
    BINARY_LEN, CHECKSUM, HEADER_SIZES, Header, SECOND_MAGIC, VERSION,
};
use crate::volume::luks::format::metadata::Metadata;
use crate::volume::luks::format::{MAGIC, text};

/// A header that is as it should be.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) at: u64,
    pub(super) binary: Header,
    pub(super) metadata: Metadata,
}

/// A header that was found, or what is wrong with it.
type Found = Result<Copy, String>;

/// The header that counts, and what is wrong with the other one.
pub(super) fn read(disk: &dyn Disk) -> Result<Option<(Copy, Vec<String>)>> {
    let first = copy(disk, 0, MAGIC)?;
    let second = second(disk, first.as_ref())?;
    chosen(first, second)
}

/// The header at `at`, if there is one with this magic.
fn copy(disk: &dyn Disk, at: u64, magic: [u8; 6]) -> Result<Option<Found>> {
    if disk.len() < at + BINARY_LEN {
        return Ok(None);
    }
    let mut binary = Header::new_zeroed();
    read_into(disk, at, binary.as_mut_bytes())?;
    if binary.magic != magic {
        return Ok(None);
    }
    if let Some(fault) = fault(disk, &binary, at) {
        return Ok(Some(Err(fault)));
    }
    let mut json = vec![0; (binary.hdr_size.get() - BINARY_LEN) as usize];
    read_into(disk, at + BINARY_LEN, &mut json)?;
    Ok(Some(parsed(at, binary, &json)))
}

/// What is wrong with the fields of a binary header.
fn fault(disk: &dyn Disk, binary: &Header, at: u64) -> Option<String> {
    let (version, size) = (binary.version.get(), binary.hdr_size.get());
    let algorithm = text(&binary.csum_alg);
    if version != VERSION {
        Some(format!("its version is {version}"))
    } else if !HEADER_SIZES.contains(&size) || at + size > disk.len() {
        Some(format!("its size of {size} bytes can't be"))
    } else if binary.hdr_offset.get() != at || (at > 0 && size != at) {
        let offset = binary.hdr_offset.get();
        Some(format!("it says that it is at {offset}, but is at {at}"))
    } else if algorithm != CHECKSUM {
        let shown = algorithm.escape_debug();
        Some(format!("its checksum is by '{shown}', not by {CHECKSUM}"))
    } else {
        None
    }
}

fn parsed(at: u64, binary: Header, json: &[u8]) -> Found {
    if binary.checksum(json) != binary.csum {
        return Err("its checksum is wrong".to_owned());
    }
    let end = json.iter().position(|byte| *byte == 0);
    let text = &json[..end.unwrap_or(json.len())];
    let metadata = serde_json::from_slice(text);
    Ok(Copy {
        at,
        binary,
        metadata: metadata.map_err(|error| format!("its metadata can't be read: {error}"))?,
    })
}

/// The second header: where the first one says, or at any place that it can have.
fn second(disk: &dyn Disk, first: Option<&Found>) -> Result<Option<Found>> {
    if let Some(Ok(first)) = first {
        return copy(disk, first.binary.hdr_size.get(), SECOND_MAGIC);
    }
    let mut damaged = None;
    for at in HEADER_SIZES {
        match copy(disk, at, SECOND_MAGIC)? {
            Some(Ok(copy)) => return Ok(Some(Ok(copy))),
            found => damaged = damaged.or(found),
        }
    }
    // Without the first one, anything may look like a second.
    Ok(damaged.filter(|_| first.is_some()))
}

/// The copy that counts, and what is wrong with the other one.
fn chosen(first: Option<Found>, second: Option<Found>) -> Result<Option<(Copy, Vec<String>)>> {
    let missing = || "it isn't there".to_owned();
    let used = |copy, other, wrong| {
        let warning = format!("the {other} header can't be used: {wrong}");
        Ok(Some((copy, vec![warning])))
    };
    match (first, second) {
        (Some(Ok(first)), Some(Ok(second))) => Ok(Some(newer(first, second))),
        (Some(Ok(first)), second) => {
            let wrong = second.and_then(Result::err).unwrap_or_else(missing);
            used(first, "second", wrong)
        }
        (first, Some(Ok(second))) => {
            let wrong = first.and_then(Result::err).unwrap_or_else(missing);
            used(second, "first", wrong)
        }
        (Some(Err(first)), second) => {
            let second = second.and_then(Result::err).unwrap_or_else(missing);
            let message =
                format!("neither header can be used: of the first {first}; of the second {second}");
            Err(Error::corrupt(PLACE, message))
        }
        (None, _) => Ok(None),
    }
}

fn newer(first: Copy, second: Copy) -> (Copy, Vec<String>) {
    let [one, other] = [&first, &second].map(|copy| copy.binary.seqid.get());
    let warning = |older, newer| vec![format!("the {older} header is older than the {newer} one")];
    match one.cmp(&other) {
        std::cmp::Ordering::Equal => (first, Vec::new()),
        std::cmp::Ordering::Greater => (first, warning("second", "first")),
        std::cmp::Ordering::Less => (second, warning("first", "second")),
    }
}
