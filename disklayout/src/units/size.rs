//! Sizes as people spell them.

use super::Bytes;

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

impl Bytes {
    /// The size that `text` spells: `25G`, `100MiB`, `104857600`.
    ///
    /// # Errors
    /// What is accepted, when `text` isn't; sizes of zero and beyond 8 EiB aren't.
    pub fn parse(text: &str) -> Result<Self, String> {
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
            .map(Self::new)
            .ok_or_else(|| format!("'{text}' exceeds the largest possible file of {LARGEST} bytes"))
    }
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
