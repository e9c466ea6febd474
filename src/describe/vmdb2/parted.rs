//! Where GNU parted 3.5 puts a partition on an image file (`parted -s FILE mkpart ...`, alignment
//! "optimal", sectors of 512 bytes), found by trying.
//!
//! A place in a decimal unit or in percent means any place nearby, up to half a unit away; one in
//! sectors, bytes or a binary unit means exactly that. If there are places at whole MiB for both
//! among those that are meant, the nearest are taken; if there aren't, the nearest of all. A place
//! that may mean the start or the end of the free space means that.

use std::ops::RangeInclusive;

/// Bytes of a sector.
const SECTOR: u64 = 512;

/// Sectors of a MiB, at multiples of which partitions begin.
const GRAIN: u64 = 2048;

/// A place that a text means: this sector, or one up to so many sectors away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    sector: u64,
    radius: u64,
}

/// The first and the last sector of a partition that is to begin and end where `start` and `end` say, on
/// a disk of `sectors`. `gaps` are the sectors that are free for it.
///
/// # Errors
/// Why there is no such partition, and which text is wrong: `start` or `end`.
pub(super) fn bounds(
    start: &str,
    end: &str,
    sectors: u64,
    gaps: &[RangeInclusive<u64>],
) -> Result<(u64, u64), Problem> {
    let first = place(start, sectors, false).map_err(Problem::Start)?;
    let last = place(end, sectors, true).map_err(Problem::End)?;
    if last.sector < first.sector {
        return Err(Problem::End(format!(
            "'{end}' is sector {}, before the start at sector {}",
            last.sector, first.sector
        )));
    }
    let aligned = gaps.iter().find_map(|gap| {
        let first = nearest(first, gap, 0)?;
        let last = at_end(last, gap);
        let last = nearest(last, gap, GRAIN - 1)?;
        Some((first, last))
    });
    let any = || {
        gaps.iter().find_map(|gap| {
            let first = clamped(at_start(first, gap), gap)?;
            Some((first, clamped(at_end(last, gap), gap)?))
        })
    };
    let found = aligned.or_else(any).filter(|(first, last)| first <= last);
    found.ok_or_else(|| {
        let free: Vec<_> = gaps
            .iter()
            .map(|gap| format!("{} to {}", gap.start(), gap.end()))
            .collect();
        Problem::Start(format!(
            "sectors {} to {} aren't free: sectors {} are",
            first.sector,
            last.sector,
            free.join(", ")
        ))
    })
}

/// What is wrong with a partition's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Its start.
    Start(String),
    /// Its end.
    End(String),
}

/// The sectors that a place may be at within a gap.
fn within(place: Place, gap: &RangeInclusive<u64>) -> Option<(u64, u64)> {
    let least = place.sector.saturating_sub(place.radius).max(*gap.start());
    let most = place.sector.saturating_add(place.radius).min(*gap.end());
    (least <= most).then_some((least, most))
}

/// The same place, or the start of the gap that it is in, where that is meant too.
fn at_start(place: Place, gap: &RangeInclusive<u64>) -> Place {
    let is_meant = gap.contains(&place.sector) && place.sector - gap.start() <= place.radius;
    Place {
        sector: match is_meant {
            true => *gap.start(),
            false => place.sector,
        },
        ..place
    }
}

/// The same place, or the end of the gap that it is in, where that is meant too.
fn at_end(place: Place, gap: &RangeInclusive<u64>) -> Place {
    let is_meant = gap.contains(&place.sector) && gap.end() - place.sector < place.radius;
    Place {
        sector: match is_meant {
            true => *gap.end(),
            false => place.sector,
        },
        ..place
    }
}

/// The nearest of them.
fn clamped(place: Place, gap: &RangeInclusive<u64>) -> Option<u64> {
    let (least, most) = within(place, gap)?;
    Some(place.sector.clamp(least, most))
}

/// The nearest of them that is `rest` behind a multiple of the grain.
fn nearest(place: Place, gap: &RangeInclusive<u64>, rest: u64) -> Option<u64> {
    let (least, most) = within(place, gap)?;
    let middle = place.sector.clamp(least, most);
    let before = middle.checked_sub(rest).map(|it| it / GRAIN * GRAIN + rest);
    let behind = before.map_or(rest, |before| before + GRAIN);
    let fitting = [before, Some(behind)].into_iter().flatten();
    let fitting = fitting.filter(|at| (least..=most).contains(at));
    fitting.min_by_key(|at| at.abs_diff(place.sector))
}

/// What a text means on a disk of so many sectors. An end in a binary unit is the sector before.
fn place(text: &str, sectors: u64, is_end: bool) -> Result<Place, String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = rest.split_at(digits.unwrap_or(rest.len()));
    let number =
        Number::parse(number).ok_or_else(|| format!("'{text}' is no place on a disk: {KNOWN}"))?;
    let unit = Unit::parse(unit).ok_or_else(|| format!("'{unit}' is no unit: {KNOWN}"))?;
    if number.is_below_one() && !matches!(unit, Unit::Percent) {
        return Err(format!(
            "'{text}' is less than one of its unit: say it in a smaller one"
        ));
    }
    if number.scale > 1 && matches!(unit, Unit::Percent) {
        return Err(format!(
            "'{text}' isn't a whole number of hundredths: say it in another unit"
        ));
    }
    let (offset, radius) = match unit {
        Unit::Percent => {
            // A hundredth is a whole number of bytes.
            let hundredth = u128::from(sectors) * u128::from(SECTOR) / 100;
            (number.of(hundredth) / u128::from(SECTOR), sectors / 100 / 2)
        }
        Unit::Sectors => (number.of(1), 0),
        Unit::Binary(bytes) => (number.of(bytes.into()) / u128::from(SECTOR), 0),
        Unit::Decimal(bytes) => {
            let offset = number.of(bytes.into()) / u128::from(SECTOR);
            (offset, bytes / SECTOR / 2)
        }
    };
    let offset = u64::try_from(offset).unwrap_or(u64::MAX);
    let sector = match sign {
        1 => Some(offset),
        _ => sectors.checked_sub(offset),
    };
    // The end of what ends with a whole unit is the sector before that unit's.
    let before = u64::from(is_end && matches!(unit, Unit::Binary(bytes) if bytes > 1));
    let sector = sector.and_then(|sector| sector.checked_sub(before));
    match sector {
        Some(sector) if sector < sectors => Ok(Place { sector, radius }),
        // The very end is meant too.
        Some(sector) if sector - sectors < radius => Ok(Place {
            sector: sectors - 1,
            radius,
        }),
        _ => Err(format!(
            "'{text}' is outside of the disk, which has {sectors} sectors of {SECTOR} bytes"
        )),
    }
}

/// What a place may look like.
const KNOWN: &str = "give one like 1MiB, 500M, 2048s, 50%, or counted from the end, -1MiB";

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Percent,
    Sectors,
    /// Exact; bytes themselves are among them.
    Binary(u64),
    /// Near.
    Decimal(u64),
}

impl Unit {
    /// The unit by parted's name, large or small; megabytes where there is none.
    fn parse(text: &str) -> Option<Self> {
        let powers = ["k", "m", "g", "t"].iter().zip(1..);
        let text = text.to_ascii_lowercase();
        Some(match text.as_str() {
            "" => Self::Decimal(1_000_000),
            "%" => Self::Percent,
            "s" => Self::Sectors,
            "b" => Self::Binary(1),
            _ => {
                let (prefix, power) = powers
                    .clone()
                    .find(|(prefix, _)| text.starts_with(**prefix))?;
                match text.strip_prefix(prefix)? {
                    "ib" => Self::Binary(1 << (10 * power)),
                    "" | "b" => Self::Decimal(1000_u64.pow(power)),
                    _ => return None,
                }
            }
        })
    }
}

/// A decimal number, as a fraction.
#[derive(Clone, Copy, Debug)]
struct Number {
    value: u128,
    scale: u128,
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_short = whole.len() <= 19 && fraction.len() <= 9;
        let digits = format!("{whole}{fraction}");
        let is_right =
            is_short && !whole.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
        is_right.then(|| {
            Some(Self {
                value: digits.parse().ok()?,
                scale: 10_u128.pow(u32::try_from(fraction.len()).ok()?),
            })
        })?
    }

    /// So much of `unit`, rounded down.
    const fn of(self, unit: u128) -> u128 {
        self.value * unit / self.scale
    }

    const fn is_below_one(self) -> bool {
        self.value > 0 && self.value < self.scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPT: [RangeInclusive<u64>; 1] = [34..=4_194_270];
    const MSDOS: [RangeInclusive<u64>; 1] = [1..=4_194_303];

    #[test]
    fn partitions_are_where_parted_has_put_them() {
        for (gaps, start, end, expected) in [
            (&MSDOS, "10M", "100%", (20_480, 4_194_303)),
            (&GPT, "0%", "128M", (2048, 249_855)),
            (&GPT, "0%", "100%", (2048, 4_192_255)),
            (&MSDOS, "0%", "100%", (2048, 4_194_303)),
            (&GPT, "1", "10", (2048, 20_479)),
            (&GPT, "4MiB", "64MiB", (8192, 131_071)),
            (&GPT, "1MiB", "-1MiB", (2048, 4_192_255)),
            (&GPT, "1MiB", "-1M", (2048, 4_192_255)),
            (&MSDOS, "1MiB", "-1s", (2048, 4_194_303)),
            (&GPT, "0", "50%", (34, 2_097_151)),
            (&GPT, "63s", "100%", (63, 4_194_270)),
            (&GPT, "1.5M", "20.25M", (2048, 38_911)),
            (&GPT, "33%", "66%", (1_384_448, 2_768_895)),
            (&GPT, "100kB", "50MB", (195, 97_656)),
            (&GPT, "100KiB", "50MiB", (200, 102_399)),
            (&GPT, "1000000B", "20000000B", (1953, 39_062)),
            (&GPT, "0", "-0", (34, 4_194_270)),
            (&GPT, "20k", "30M", (39, 58_593)),
            (&GPT, "5m", "50m", (10_240, 98_303)),
        ] {
            let found = bounds(start, end, 4_194_304, gaps);
            assert_eq!(found, Ok(expected), "{start} {end}");
        }
        let behind = [59_392..=4_194_303];
        let found = bounds("30M", "100%", 4_194_304, &behind);
        assert_eq!(found, Ok((59_392, 4_194_303)));
    }

    #[test]
    fn what_parted_refuses_is_refused() {
        for (start, end, part) in [
            ("10M", "5M", "before the start"),
            ("1M", "99999G", "outside of the disk"),
            ("1 MiB", "50 MB", "no unit"),
            ("16M", "0.05G", "smaller"),
            ("1M", "33.3%", "whole number"),
            ("0s", "30M", "aren't free"),
            ("x", "30M", "no place"),
            ("", "30M", "no place"),
            ("1cyl", "30M", "no unit"),
            ("1MiB", "-1s", "aren't free"),
        ] {
            let (Err(Problem::Start(message)) | Err(Problem::End(message))) =
                bounds(start, end, 4_194_304, &GPT)
            else {
                panic!("{start} {end}");
            };
            assert!(message.contains(part), "{message}");
        }
        let behind = [59_392..=4_194_303];
        assert!(bounds("29.8M", "100%", 4_194_304, &behind).is_err());
    }
}
