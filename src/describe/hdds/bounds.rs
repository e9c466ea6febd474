//! Where partitions start and end, as hdds.json spells it: plain numbers count sectors, texts have
//! a unit or are hundredths of the disk.

use disklayout::layout::spec::{End, Length, Start};
use disklayout::{Bytes, SectorSize};

use crate::config::{Findings, Object, Value};

/// A place on a disk, or a length.
enum Spelled {
    /// So many sectors; from the end when negative.
    Number(i64),
    Bytes(Bytes),
    /// So many bytes before the end.
    BytesLeft(Bytes),
    Percent(u8),
}

/// Where a partition starts: behind the one before it when nothing is said.
pub(super) fn start(value: &Value<'_>, f: &mut Findings) -> Option<Start> {
    match spelled(value, f)? {
        Spelled::Number(number) => Some(Start::Sector(number)),
        Spelled::Bytes(bytes) => Some(Start::Bytes(bytes)),
        Spelled::Percent(percent) => Some(Start::Percent(percent)),
        Spelled::BytesLeft(bytes) => {
            let message = format!("-{bytes} is negative, which only an end may be");
            f.refuse(value.place(), message)
        }
    }
}

/// Where a partition ends, by its `end` or its `size`: with what is left when nothing is said.
pub(super) fn end(part: &Object<'_>, f: &mut Findings) -> Option<End> {
    match (part.optional("end"), part.optional("size")) {
        (Some(_), Some(size)) => {
            let message = "the partition has an 'end' too; one of them is enough";
            f.refuse(size.place(), message)
        }
        (Some(value), None) if value.is_text("auto") => Some(End::Auto),
        (Some(value), None) => Some(match spelled(value, f)? {
            Spelled::Number(number) => End::Sector(number),
            Spelled::Bytes(bytes) => End::Bytes(bytes),
            Spelled::BytesLeft(bytes) => End::BytesLeft(bytes),
            Spelled::Percent(percent) => End::Percent(percent),
        }),
        (None, Some(value)) if value.is_text("auto") => Some(End::Auto),
        (None, Some(value)) => Some(match spelled(value, f)? {
            Spelled::Percent(100) => End::Auto,
            Spelled::Percent(percent) => End::SizePercent(percent),
            other => End::Size(length(value, other, f)?),
        }),
        (None, None) => Some(End::Auto),
    }
}

/// What a start is rounded up to a multiple of.
pub(super) fn align(value: &Value<'_>, f: &mut Findings) -> Option<Length> {
    let spelled = spelled(value, f)?;
    length(value, spelled, f)
}

/// Where bytes begin that belong to no partition, counted from the start of the disk.
pub(super) fn offset(value: &Value<'_>, sector: SectorSize, f: &mut Findings) -> Option<Bytes> {
    let spelled = spelled(value, f)?;
    if let Spelled::Number(0) = spelled {
        return Some(Bytes::new(0));
    }
    match length(value, spelled, f)? {
        Length::Bytes(bytes) => Some(bytes),
        Length::Sectors(sectors) => {
            let bytes = sectors.checked_mul(sector.get()).map(Bytes::new);
            let message = || format!("{sectors} sectors exceed every disk");
            f.check(value.place(), bytes.ok_or_else(message))
        }
    }
}

fn length(value: &Value<'_>, spelled: Spelled, f: &mut Findings) -> Option<Length> {
    let message = match spelled {
        Spelled::Number(number @ 1..) => return Some(Length::Sectors(number.unsigned_abs())),
        Spelled::Bytes(bytes) => return Some(Length::Bytes(bytes)),
        Spelled::Number(0) => "0 sectors are none".to_owned(),
        Spelled::Number(number) => format!("{number} is negative"),
        Spelled::BytesLeft(bytes) => format!("-{bytes} is negative"),
        Spelled::Percent(percent) => format!("{percent}% is no length; give sectors or a size"),
    };
    f.refuse(value.place(), message)
}

fn spelled(value: &Value<'_>, f: &mut Findings) -> Option<Spelled> {
    let Some(text) = value.unit_text() else {
        return value.integer(f).map(Spelled::Number);
    };
    if let Some(digits) = text.strip_suffix('%') {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let percent = digits.parse().ok().filter(|percent| *percent <= 100);
        let Some(percent) = percent.filter(|_| is_number) else {
            let message = format!("'{text}' has to be a whole number of percent, up to 100%");
            return f.refuse(value.place(), message);
        };
        return Some(Spelled::Percent(percent));
    }
    match text.strip_prefix('-') {
        Some(text) => f
            .check(value.place(), Bytes::parse(text))
            .map(Spelled::BytesLeft),
        None => f
            .check(value.place(), Bytes::parse(text))
            .map(Spelled::Bytes),
    }
}
