//! What isn't a filesystem, or isn't read here, but can be told by its magic.

use crate::error::Result;
use crate::inspect::fs::Filesystem;
use crate::inspect::fs::area::Area;
use crate::inspect::fs::facts::{Facts, text};

struct Magic {
    kind: &'static str,
    at: &'static [u64],
    bytes: &'static [u8],
    /// Where a UUID stands as text.
    uuid: Option<(u64, usize)>,
}

const fn magic(kind: &'static str, at: &'static [u64], bytes: &'static [u8]) -> Magic {
    Magic {
        kind,
        at,
        bytes,
        uuid: None,
    }
}

/// Containers, by the names of blkid. LVM looks for its label in the first four sectors; LUKS has
/// its UUID as text at the same place in both versions; MD's version 1 superblocks are at the start
/// or 4 KiB behind it.
const CONTAINERS: &[Magic] = &[
    Magic {
        uuid: Some((168, 40)),
        ..magic("crypto_LUKS", &[0], b"LUKS\xBA\xBE")
    },
    magic("LVM2_member", &[0, 512, 1024, 1536], b"LABELONE"),
    magic(
        "linux_raid_member",
        &[0, 4096],
        &[0xFC, 0x4E, 0x2B, 0xA9, 1, 0, 0, 0],
    ),
    magic("BitLocker", &[3], b"-FVE-FS-"),
    magic("bcache", &[0x1018], BCACHE),
    magic("bcachefs", &[0x1018], BCACHE_FS),
    magic("vdo", &[0], b"dmvdo001"),
    magic("ceph_bluestore", &[0], b"bluestore block "),
    magic("ubi", &[0], b"UBI#\x01"),
    magic("VMFS_volume_member", &[0x10_0000], &[0x0D, 0xD0, 1, 0xC0]),
    // The name of the first entry of a label.
    magic("zfs_member", &[0x4014], b"\0\0\0\x07version"),
    magic("android_boot", &[0], b"ANDROID!"),
];

const BCACHE: &[u8] = &[
    0xC6, 0x85, 0x73, 0xF6, 0x4E, 0x1A, 0x45, 0xCA, 0x82, 0x65, 0xF5, 0x7F, 0x48, 0xBA, 0x6D, 0x81,
];
const BCACHE_FS: &[u8] = &[
    0xC6, 0x85, 0x73, 0xF6, 0x66, 0xCE, 0x90, 0xA9, 0xD9, 0x6A, 0x60, 0xCF, 0x80, 0x3D, 0xF7, 0xEF,
];

/// Behind all that is read, by the names of blkid.
const LAST: &[Magic] = &[
    magic("reiserfs", &[0x1_0034, 0x2034], b"ReIsEr"),
    magic("jfs", &[0x8000], b"JFS1"),
    magic("nilfs2", &[0x400], &[2, 0, 0, 0, 0, 0, 0x34, 0x34]),
    magic("hfsplus", &[0x400], b"H+\0\x04"),
    magic("hfsplus", &[0x400], b"HX\0\x05"),
    magic("apfs", &[0x20], b"NXSB"),
    magic("ReFS", &[3], b"ReFS\0\0\0\0"),
    magic("ocfs2", &[0x400, 0x800, 0x1000, 0x2000], b"OCFSV2"),
    magic("gfs2", &[0x1_0000], &[1, 0x16, 0x19, 0x70, 0, 0, 0, 1]),
    magic("ufs", &[0x255C, 0x1_055C], &[0x54, 0x19, 1, 0]),
    magic("ufs", &[0x255C, 0x1_055C], &[0x19, 1, 0x54, 0x19]),
    magic("befs", &[0x20, 0x220], b"1SFB"),
    magic("ubifs", &[0], &[0x31, 0x18, 0x10, 0x06]),
    magic("cramfs", &[0], &[0x45, 0x3D, 0xCD, 0x28]),
    magic("romfs", &[0], b"-rom1fs-"),
    magic("squashfs3", &[0], b"sqsh"),
    magic("swsuspend", &[0xFF6], b"S1SUSPEND"),
    magic("udf", &[0x8001], b"BEA01"),
];

/// The second header of LUKS 2, at the places that it can have.
const LUKS_BACKUP: Magic = Magic {
    uuid: Some((168, 40)),
    ..magic(
        "crypto_LUKS",
        &[
            0x4000, 0x8000, 0x1_0000, 0x2_0000, 0x4_0000, 0x8_0000, 0x10_0000, 0x20_0000, 0x40_0000,
        ],
        b"SKUL\xBA\xBE",
    )
};

fn look<'a>(area: Area<'a>, known: &[Magic]) -> Result<Option<Filesystem<'a>>> {
    for magic in known {
        if place(area, magic)?.is_some() {
            let facts = facts(&area, magic, 0)?;
            return Ok(Some(Filesystem::without_files(area, facts)));
        }
    }
    Ok(None)
}

/// Where the magic is.
fn place(area: Area<'_>, magic: &Magic) -> Result<Option<u64>> {
    for at in magic.at {
        let mut bytes = vec![0; magic.bytes.len()];
        if area.holds(*at, bytes.len() as u64) {
            area.fill("start of the filesystem", *at, &mut bytes)?;
            if bytes == magic.bytes {
                return Ok(Some(*at));
            }
        }
    }
    Ok(None)
}

/// What stands as text behind `start`.
fn facts(area: &Area<'_>, magic: &Magic, start: u64) -> Result<Facts> {
    let mut facts = Facts::new(magic.kind);
    if let Some((offset, len)) = magic.uuid
        && area.holds(start + offset, len as u64)
    {
        let bytes = area.bytes("start of the filesystem", start + offset, len)?;
        let text = text(&bytes).map(|text| text.trim_end().to_owned());
        facts.uuid = text.filter(|text| !text.is_empty());
    }
    Ok(facts)
}

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    look(area, CONTAINERS)
}

pub(super) fn probe_last(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    look(area, LAST)
}

pub(super) fn probe_backup(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    let Some(at) = place(area, &LUKS_BACKUP)? else {
        return Ok(None);
    };
    let facts = facts(&area, &LUKS_BACKUP, at)?;
    Ok(Some(
        Filesystem::without_files(area, facts).of_copy("header", at),
    ))
}
