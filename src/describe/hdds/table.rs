//! What tables record of disks and partitions: identifiers, types and flags.

use std::collections::HashSet;

use disklayout::SectorSize;
use disklayout::fs::options;
use disklayout::table::types::PartitionType;
use disklayout::table::{Flag, Kind, Role};
use uuid::Uuid;

use crate::config::{Findings, Value};

/// What the sectors of a disk hold.
pub(super) fn sector_size(value: &Value<'_>, f: &mut Findings) -> Option<SectorSize> {
    let bytes = value.unsigned(f)?;
    let size = SectorSize::of(bytes);
    let message = || format!("sectors of {bytes} bytes can't be had; 512 and 4096 can");
    f.check(value.place(), size.ok_or_else(message))
}

/// A disk signature: a number, or a text in hexadecimal after `0x`.
pub(super) fn disk_id(value: &Value<'_>, f: &mut Findings) -> Option<u32> {
    let text = value.text(f)?;
    let id = match text.trim().strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u32::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => text.trim().parse().ok(),
    };
    let message = || {
        format!("'{text}' is no disk signature; give one like 0x1234abcd, of 32 bits and not zero")
    };
    f.check(value.place(), id.filter(|id| *id != 0).ok_or_else(message))
}

/// A GUID of a disk or a partition.
pub(super) fn guid(value: &Value<'_>, f: &mut Findings) -> Option<Uuid> {
    let text = value.string(f)?;
    f.check(value.place(), options::uuid(text))
}

/// What libguestfs can make and this program can't.
const FOREIGN: [&str; 9] = [
    "aix", "amiga", "rdb", "bsd", "dasd", "dvh", "mac", "pc98", "sun",
];

/// A kind of partition table by the words that libguestfs has for it, or `none`.
pub(super) fn kind(word: &str) -> Result<Kind, String> {
    const KNOWN: &str = "known are 'mbr' (or 'msdos'), 'gpt' (or 'efi') and 'none'";
    match word {
        "none" => Ok(Kind::None),
        "mbr" | "msdos" => Ok(Kind::Mbr),
        "gpt" | "efi" => Ok(Kind::Gpt),
        word if FOREIGN.contains(&word) => Err(format!(
            "can't make a partition table of type '{word}'; {KNOWN}"
        )),
        word => Err(format!("unknown type of partition table '{word}'; {KNOWN}")),
    }
}

/// What a partition is in an MBR, by any of the spellings that `part_add` of libguestfs takes.
pub(super) fn role(value: &Value<'_>, f: &mut Findings) -> Option<Role> {
    match value.string(f)? {
        "p" | "primary" => Some(Role::Primary),
        "l" | "logical" => Some(Role::Logical),
        "e" | "extended" => Some(Role::Extended),
        other => {
            let message = format!(
                "unknown type '{other}'; known are 'p', 'l' and 'e', spelt out also 'primary', \
                 'logical' and 'extended'"
            );
            f.refuse(value.place(), message)
        }
    }
}

/// A partition type of a GPT: a GUID or a name.
pub(super) fn gpt_type(value: &Value<'_>, f: &mut Findings) -> Option<PartitionType> {
    let text = value.string(f)?;
    f.check(value.place(), PartitionType::parse_guid(text))
}

/// A partition type of an MBR: a number, a text in hexadecimal or a name.
pub(super) fn mbr_type(value: &Value<'_>, f: &mut Findings) -> Option<PartitionType> {
    if !value.is_number() {
        let text = value.string(f)?;
        return f.check(value.place(), PartitionType::parse_byte(text));
    }
    let number = value.integer(f)?;
    let message = |_| format!("{number} is no byte; a type is between 1 and 255");
    let byte = f.check(value.place(), u8::try_from(number).map_err(message))?;
    f.check(value.place(), PartitionType::of_byte(byte))
}

/// The flags of a partition.
pub(super) fn flags(value: &Value<'_>, f: &mut Findings) -> Option<Vec<Flag>> {
    let mut seen = HashSet::new();
    value.each("flags", f, |value, f| {
        let text = value.text(f)?;
        let flag = f.check(value.place(), Flag::parse(&text))?;
        if !seen.insert(flag) {
            return f.refuse(value.place(), format!("'{flag}' is in the list already"));
        }
        Some(flag)
    })
}
