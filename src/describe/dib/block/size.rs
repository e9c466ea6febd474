//! Sizes as diskimage-builder takes them: `40MiB`, `1.5 G`, `104857600`, and parts of what is free.

/// Units and their bytes. A letter alone counts in thousands, unlike everywhere else here.
const UNITS: [(&str, u64); 14] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1000),
    ("T", 1_000_000_000_000),
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("K", 1000),
    ("B", 1),
    ("", 1),
];

/// What a size looks like, for messages.
const KNOWN: &str = "a size is a number and a unit: KiB, MiB, GiB, TiB (powers of 1024), KB or K, MB \
                     or M, GB or G, TB or T (powers of 1000), B or none (bytes)";

/// The largest offset in a file.
const LARGEST: f64 = i64::MAX as f64;

/// A size, or a part of what is free.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Size {
    /// So many bytes.
    Bytes(u64),
    /// So many hundredths of what is free, 100 at most.
    Percent(f64),
}

impl Size {
    /// The size that `text` says.
    ///
    /// # Errors
    /// What is wrong with it: no number, an unknown unit, more than 100% or than 8 EiB.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(number) = text.strip_suffix('%') else {
            return bytes(text).map(Self::Bytes);
        };
        match decimal(number.trim()) {
            Some(percent) if percent > 100.0 => Err(format!(
                "'{text}' is more than all of what is free: give 100% at most"
            )),
            Some(percent) => Ok(Self::Percent(percent)),
            None => Err(format!(
                "'{text}' is no part of what is free: give one like 50% or 33.3%"
            )),
        }
    }

    /// The bytes where so many are `free`, rounded down. Computed as diskimage-builder does it, in
    /// floating point.
    pub(super) fn of(self, free: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => (free as f64 * percent / 100.0) as u64,
        }
    }
}

/// The bytes that `text` says: `300MiB`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let Some(number) = decimal(number) else {
        return Err(format!("'{text}' is no size: {KNOWN}"));
    };
    let Some((_, factor)) = UNITS.iter().find(|(known, _)| *known == unit) else {
        return Err(format!("'{unit}' in '{text}' is no unit: {KNOWN}"));
    };
    let bytes = *factor as f64 * number;
    match bytes < LARGEST {
        true => Ok(bytes as u64),
        false => Err(format!(
            "'{text}' is more than the 8 EiB that an image can have"
        )),
    }
}

/// A number of digits, maybe with a point in it.
fn decimal(text: &str) -> Option<f64> {
    let is_decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    // The parser takes signs, exponents and words too.
    is_decimal.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_units() {
        for (text, expected) in [
            ("104857600", Some(104_857_600)),
            ("512B", Some(512)),
            ("1KiB", Some(1024)),
            ("1.5 GiB", Some(3 << 29)),
            (".5MiB", Some(1 << 19)),
            ("1.MiB", Some(1 << 20)),
            ("3G", Some(3_000_000_000)),
            ("40MB", Some(40_000_000)),
            ("1.001K", Some(1000)),
            ("1TiB", Some(1 << 40)),
            ("0", Some(0)),
            ("", None),
            ("G", None),
            (".", None),
            ("1.2.3M", None),
            ("-1M", None),
            ("1e3", None),
            ("1Gi", None),
            ("1  G", None),
            ("1gib", None),
            ("8388608TiB", None),
            ("inf", None),
        ] {
            assert_eq!(bytes(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn percentages_are_of_what_is_free() {
        for (text, free, expected) in [
            ("54%", 10_481_664 * 512, Some(2_897_970_462)),
            ("100%", 7, Some(7)),
            ("33.3 %", 1000, Some(333)),
            ("0%", 1000, Some(0)),
            ("1MiB", 5, Some(1 << 20)),
            ("100.1%", 1000, None),
            ("-5%", 1000, None),
            ("%", 1000, None),
            ("1e1%", 1000, None),
        ] {
            let found = Size::parse(text).ok().map(|size| size.of(free));
            assert_eq!(found, expected, "{text}");
        }
    }
}
