//! Sizes as hdds.json and the command line spell them.

use disklayout::Bytes;
use disklayout::layout::{DiskSize, Room};

/// Multipliers by the letter of the unit. K and T are ours; the original has M and G.
const UNITS: [(char, u64); 4] = [
    ('K', Bytes::KIB),
    ('M', Bytes::MIB),
    ('G', Bytes::GIB),
    ('T', Bytes::TIB),
];

const ACCEPTED: &str = "give a whole number of bytes, or one with K, M, G or T after it (KB and \
                        KiB mean the same as K: powers of 1024)";

/// How a size begins that follows from the content.
const AUTO: &str = "auto";

/// The largest offset in a file.
const LARGEST: u64 = i64::MAX as u64;

/// The size that `text` spells: `25G`, `100MiB`, `104857600`.
///
/// # Errors
/// What is accepted, when `text` isn't; sizes of zero and beyond 8 EiB aren't.
pub fn parse_size(text: &str) -> Result<Bytes, String> {
    let trimmed = text.trim();
    let unit_at = trimmed
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(trimmed.len());
    let (digits, unit) = trimmed.split_at(unit_at);
    let Some(factor) = factor(unit) else {
        return Err(format!("'{text}' is not a size: {ACCEPTED}"));
    };
    let count = count(digits.trim_end(), text)?;
    let bytes = count.checked_mul(factor).filter(|bytes| *bytes <= LARGEST);
    bytes
        .map(Bytes::new)
        .ok_or_else(|| format!("'{text}' exceeds the largest possible file of {LARGEST} bytes"))
}

/// The size of an image that `text` spells: one that [`parse_size`] takes, or `auto`, `auto+200M`,
/// `auto+10%` for one that follows from the content.
///
/// # Errors
/// What is accepted, when `text` isn't.
pub fn parse_disk_size(text: &str) -> Result<DiskSize, String> {
    let trimmed = text.trim();
    let Some(room) = trimmed.strip_prefix(AUTO) else {
        return parse_size(text).map(DiskSize::Fixed);
    };
    if room.is_empty() {
        return Ok(DiskSize::Smallest(Room::NONE));
    }
    let fail = || format!("'{text}' is not a size: after '{AUTO}' comes room like +200M or +10%");
    let room = room.strip_prefix('+').ok_or_else(fail)?;
    let room = match room.strip_suffix('%') {
        Some(percent) => Room::Percent(parse_percent(percent).ok_or_else(fail)?),
        None => Room::Bytes(parse_size(room)?),
    };
    Ok(DiskSize::Smallest(room))
}

/// A whole number of hundredths up to a hundred times the content.
fn parse_percent(text: &str) -> Option<u32> {
    const MOST: u32 = 10_000;
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let percent = text.parse().ok().filter(|percent| *percent <= MOST);
    percent.filter(|_| is_number)
}

/// The size in GiB that `text` spells: `15`, `15G`, `1T`. Virt-install takes nothing smaller.
///
/// # Errors
/// What is accepted, when `text` isn't.
pub(super) fn parse_gib(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    if trimmed == "0" {
        return Ok(0);
    }
    let plain = trimmed.bytes().all(|b| b.is_ascii_digit());
    let unit = if plain { "G" } else { "" };
    let size = parse_size(&format!("{trimmed}{unit}")).ok();
    size.filter(|size| size.get().is_multiple_of(Bytes::GIB))
        .map(|size| size.get() / Bytes::GIB)
        .ok_or_else(|| format!("'{text}' is not a size: give a whole number of GiB, like 15"))
}

fn factor(unit: &str) -> Option<u64> {
    if unit.is_empty() {
        return Some(1);
    }
    let (_, factor) = UNITS.iter().find(|(letter, _)| unit.starts_with(*letter))?;
    matches!(&unit[1..], "" | "B" | "iB").then_some(*factor)
}

fn count(digits: &str, text: &str) -> Result<u64, String> {
    if digits.contains('.') {
        return Err(format!(
            "'{text}' has a fraction: {ACCEPTED}; a smaller unit avoids the fraction"
        ));
    }
    if digits.starts_with('-') {
        return Err(format!("'{text}' is negative: {ACCEPTED}"));
    }
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("'{text}' is not a size: {ACCEPTED}"));
    }
    match digits.parse() {
        Ok(0) => Err(format!("'{text}' leaves no room for anything: {ACCEPTED}")),
        Ok(count) => Ok(count),
        Err(_) => Err(format!(
            "'{text}' exceeds the largest possible file of {LARGEST} bytes"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_original_is_accepted() {
        for (text, bytes) in [
            ("104857600", 100 << 20),
            ("100M", 100 << 20),
            ("100MB", 100 << 20),
            ("100MiB", 100 << 20),
            ("25G", 25 << 30),
            ("25GB", 25 << 30),
            ("25GiB", 25 << 30),
            ("25 G", 25 << 30),
            (" 7 ", 7),
            ("64K", 64 << 10),
            ("2TiB", 2 << 40),
            ("8191P", 0),
            ("9223372036854775807", i64::MAX as u64),
        ] {
            let expected = (bytes != 0).then_some(Bytes::new(bytes));
            assert_eq!(parse_size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (text, reason) in [
            ("1.5G", "has a fraction"),
            ("-5", "is negative"),
            ("-1G", "is negative"),
            ("0", "leaves no room"),
            ("0G", "leaves no room"),
            ("10g", "is not a size"),
            ("10Gb", "is not a size"),
            ("10GBx", "is not a size"),
            ("10GG", "is not a size"),
            ("G", "is not a size"),
            ("", "is not a size"),
            ("1_000", "is not a size"),
            ("0x10", "is not a size"),
            ("+5", "is not a size"),
            ("1e30", "is not a size"),
            ("8388608T", "exceeds"),
            ("9223372036854775808", "exceeds"),
            ("99999999999999999999", "exceeds"),
        ] {
            let message = parse_size(text).unwrap_err();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn images_may_be_as_large_as_their_content() {
        let room = |bytes| DiskSize::Smallest(Room::Bytes(Bytes::new(bytes)));
        for (text, expected) in [
            ("1G", Some(DiskSize::Fixed(Bytes::new(1 << 30)))),
            ("auto", Some(DiskSize::Smallest(Room::NONE))),
            (" auto+200M ", Some(room(200 << 20))),
            ("auto+10%", Some(DiskSize::Smallest(Room::Percent(10)))),
            (
                "auto+10000%",
                Some(DiskSize::Smallest(Room::Percent(10_000))),
            ),
            ("auto+10001%", None),
            ("auto+1.5%", None),
            ("auto+%", None),
            ("auto+", None),
            ("auto-1M", None),
            ("auto200M", None),
            ("AUTO", None),
            ("", None),
        ] {
            assert_eq!(parse_disk_size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn installations_count_in_gib() {
        for (text, gib) in [
            ("15", 15),
            ("0", 0),
            ("15G", 15),
            ("15 GiB", 15),
            ("1T", 1024),
            ("2048M", 2),
        ] {
            assert_eq!(parse_gib(text), Ok(gib), "{text}");
        }
        for text in ["1536M", "", "1.5", "-1", "15g", "9999999999999999999"] {
            parse_gib(text).unwrap_err();
        }
    }
}
