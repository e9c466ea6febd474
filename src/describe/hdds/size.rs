//! Sizes as hdds.json and the command line spell them.

use disklayout::Bytes;
use disklayout::layout::{DiskSize, Room};

/// How a size begins that follows from the content.
const AUTO: &str = "auto";

/// The size that `text` spells: `25G`, `100MiB`, `104857600`.
///
/// # Errors
/// What is accepted, when `text` isn't; sizes of zero and beyond 8 EiB aren't.
pub fn parse_size(text: &str) -> Result<Bytes, String> {
    Bytes::parse(text)
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
