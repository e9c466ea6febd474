//! Sizes as hdds.json spells them.

use disklayout::Bytes;

/// Multipliers by the letter of the unit. K and T are ours; the original has M and G.
const UNITS: [(char, u64); 4] = [
    ('K', Bytes::KIB),
    ('M', Bytes::MIB),
    ('G', Bytes::GIB),
    ('T', Bytes::TIB),
];

const ACCEPTED: &str = "give a whole number of bytes, or one with K, M, G or T after it (KB and \
                        KiB mean the same as K: powers of 1024)";

/// The largest offset in a file.
const LARGEST: u64 = i64::MAX as u64;

/// The size that `text` spells: `25G`, `100MiB`, `104857600`.
///
/// # Errors
/// What is accepted, when `text` isn't; sizes of zero and beyond 8 EiB aren't.
pub(super) fn parse_size(text: &str) -> Result<Bytes, String> {
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
