//! What tables record of disks and partitions: identifiers, types and flags.

use std::collections::HashSet;

use disklayout::SectorSize;
use disklayout::fs::options;
use disklayout::layout::Flag;
use disklayout::layout::guestfs::MbrType;
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

/// A partition type of an MBR: a number, a text in hexadecimal or a name.
pub(super) fn mbr_type(value: &Value<'_>, f: &mut Findings) -> Option<MbrType> {
    if !value.is_number() {
        return value.string(f).map(MbrType::parse);
    }
    let number = value.integer(f)?;
    let message = |_| format!("{number} is no byte; a type is between 1 and 255");
    f.check(value.place(), u8::try_from(number).map_err(message))
        .map(MbrType::Byte)
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
