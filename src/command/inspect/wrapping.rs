//! Files that are images in formats which nobody reads here, and others that are no images.

use anyhow::{Context as _, Result};
use disklayout::disk::Disk;
use disklayout::magic::{self, Kind};

/// What files end in.
const TRAILERS: &[(&[u8], &str)] = &[(b"koly", "an Apple disk image")];

/// Bytes of the trailer of a disk image: those of VHD and of Apple are as long.
const TRAILER: u64 = 512;

/// What `disk` is, where that is known and it is no disk byte for byte.
pub(super) fn format(disk: &dyn Disk) -> Result<Option<&'static str>> {
    let mut start = vec![0; disk.len().min(magic::LEN as u64) as usize];
    disk.read_at(&mut start, 0).context("can't read it")?;
    let foreign = [Kind::Archive, Kind::Compressed, Kind::Container];
    let found = magic::of(&start).filter(|it| foreign.contains(&it.kind) && !it.is_short());
    if let Some(found) = found {
        return Ok(Some(found.what));
    }
    let end = disk.len().saturating_sub(TRAILER);
    for (magic, name) in TRAILERS {
        if has(disk, end, magic)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn has(disk: &dyn Disk, at: u64, magic: &[u8]) -> Result<bool> {
    let mut bytes = vec![0; magic.len()];
    if at + magic.len() as u64 <= disk.len() {
        disk.read_at(&mut bytes, at).context("can't read it")?;
    }
    Ok(bytes == *magic)
}
