//! What isn't a filesystem, or isn't read here, but can be told by its magic.

use crate::error::Result;
use crate::inspect::fs::Filesystem;
use crate::inspect::fs::area::Area;
use crate::inspect::fs::facts::{Facts, text};

struct Magic {
    kind: &'static str,
    at: &'static [u64],
    bytes: &'static [u8],
    /// Where a UUID or label stands as text.
    uuid: Option<(u64, usize)>,
    label: Option<(u64, usize)>,
}

/// Containers, by the names of blkid. LVM looks for its label in the first four sectors; LUKS has
/// its UUID as text at the same place in both versions; MD's version 1 superblocks are at the start
/// or 4 KiB behind it.
const CONTAINERS: &[Magic] = &[
    Magic {
        kind: "crypto_LUKS",
        at: &[0],
        bytes: b"LUKS\xBA\xBE",
        uuid: Some((168, 40)),
        label: None,
    },
    Magic {
        kind: "LVM2_member",
        at: &[0, 512, 1024, 1536],
        bytes: b"LABELONE",
        uuid: None,
        label: None,
    },
    Magic {
        kind: "linux_raid_member",
        at: &[0, 4096],
        bytes: &[0xFC, 0x4E, 0x2B, 0xA9, 1, 0, 0, 0],
        uuid: None,
        label: None,
    },
];

/// Behind all that may have left room for a boot sector.
const LAST: &[Magic] = &[Magic {
    kind: "iso9660",
    at: &[0x8001],
    bytes: b"CD001",
    uuid: None,
    label: Some((0x8028, 32)),
}];

/// The longest magic.
const LONGEST: usize = 8;

fn look<'a>(area: Area<'a>, known: &[Magic]) -> Result<Option<Filesystem<'a>>> {
    for magic in known {
        for at in magic.at {
            let found = area.probe::<LONGEST>(*at)?;
            if found.is_some_and(|found| found.starts_with(magic.bytes)) {
                let mut facts = Facts::new(magic.kind);
                facts.uuid = field(&area, magic.uuid)?;
                facts.label = field(&area, magic.label)?;
                return Ok(Some(Filesystem::without_files(area, facts)));
            }
        }
    }
    Ok(None)
}

fn field(area: &Area<'_>, place: Option<(u64, usize)>) -> Result<Option<String>> {
    let Some((offset, len)) = place else {
        return Ok(None);
    };
    let bytes = area.bytes("start of the filesystem", offset, len)?;
    let text = text(&bytes).map(|text| text.trim_end().to_owned());
    Ok(text.filter(|text| !text.is_empty()))
}

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    look(area, CONTAINERS)
}

pub(super) fn probe_last(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    look(area, LAST)
}
