//! Filesystems of which only the superblock is read.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned, little_endian as le};

use crate::error::Result;
use crate::inspect::fs::Filesystem;
use crate::inspect::fs::area::Area;
use crate::inspect::fs::facts::{Facts, State, time, uuid};

const PLACE: &str = "superblock";

fn found(area: Area<'_>, facts: Facts) -> Result<Option<Filesystem<'_>>> {
    Ok(Some(Filesystem::without_files(area, facts)))
}

macro_rules! on_disk {
    ($($(#[$doc:meta])* struct $name:ident: $size:literal { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        struct $name { $($field: $type,)* }
        const _: () = assert!(size_of::<$name>() == $size);
    )*};
}

on_disk! {
    /// `struct f2fs_super_block` up to its name: Linux, `include/linux/f2fs_fs.h`.
    struct F2fs: 1148 {
        magic: le::U32,
        versions: [le::U16; 2],
        log_sectorsize: le::U32,
        log_sectors_per_block: le::U32,
        log_blocksize: le::U32,
        log_blocks_per_seg: le::U32,
        segs_per_sec: le::U32,
        secs_per_zone: le::U32,
        checksum_offset: le::U32,
        block_count: le::U64,
        counts_and_places: [le::U32; 13],
        inos: [le::U32; 3],
        uuid: [u8; 16],
        volume_name: [le::U16; 512],
    }

    /// `struct squashfs_super_block`: "Squashfs Binary Format", section 2.
    struct Squashfs: 96 {
        magic: le::U32,
        inodes: le::U32,
        mkfs_time: le::U32,
        block_size: le::U32,
        fragments: le::U32,
        compression: le::U16,
        block_log: le::U16,
        flags: le::U16,
        no_ids: le::U16,
        s_major: le::U16,
        s_minor: le::U16,
        root_inode: le::U64,
        bytes_used: le::U64,
        tables: [le::U64; 6],
    }
}

pub(super) fn f2fs(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    f2fs_at(area, 1024)
}

/// The copy is in the second block.
pub(super) fn f2fs_backup(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    const AT: u64 = 4096 + 1024;
    let found = f2fs_at(area, AT)?;
    Ok(found.map(|found| found.of_copy(PLACE, AT)))
}

fn f2fs_at(area: Area<'_>, at: u64) -> Result<Option<Filesystem<'_>>> {
    if area.probe(at)? != Some(0xF2F5_2010_u32.to_le_bytes()) {
        return Ok(None);
    }
    let raw: F2fs = area.structure(PLACE, at)?;
    let block_size = 1_u64.checked_shl(raw.log_blocksize.get());
    let units = raw.volume_name.iter().map(|unit| unit.get());
    let units: Vec<_> = units.take_while(|unit| *unit != 0).collect();
    let label = String::from_utf16_lossy(&units);
    let [major, minor] = raw.versions;
    found(
        area,
        Facts {
            label: Some(label).filter(|label| !label.is_empty()),
            uuid: uuid(raw.uuid),
            variant: Some(format!("{major}.{minor}")),
            block_size,
            blocks: Some(raw.block_count.get()),
            size: block_size.and_then(|size| raw.block_count.get().checked_mul(size)),
            ..Facts::new("f2fs")
        },
    )
}

pub(super) fn squashfs(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    const COMPRESSIONS: [&str; 6] = ["gzip", "lzma", "lzo", "xz", "lz4", "zstd"];
    if area.probe(0)? != Some(*b"hsqs") {
        return Ok(None);
    }
    let raw: Squashfs = area.structure(PLACE, 0)?;
    let compression = usize::from(raw.compression.get()).wrapping_sub(1);
    let mut facts = Facts {
        variant: Some(format!("{}.{}", raw.s_major, raw.s_minor)),
        block_size: Some(raw.block_size.get().into()),
        size: Some(raw.bytes_used.get()),
        inodes: Some(raw.inodes.get().into()),
        created: time(raw.mkfs_time.get().into()),
        state: Some(State::Clean),
        ..Facts::new("squashfs")
    };
    let name = COMPRESSIONS.get(compression);
    facts.features.extend(name.map(|name| (*name).to_owned()));
    found(area, facts)
}
