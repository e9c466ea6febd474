//! Sizes: of images, as qemu-img takes them, and of logical volumes, as lvcreate does.

/// Bytes of a sector: an image has a whole number of them, and a logical volume too.
const SECTOR: u128 = 512;

/// Digits behind the point that anybody means.
const FRACTION: usize = 9;

/// The size of an image that `text` says, in bytes, rounded up to a whole sector: `2G`, `1.5T`, `4096`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no size: give one like 4G, 500M or 1.5T");
    let (number, unit) = split(text);
    let unit = match unit {
        "" | "b" | "B" => 1,
        unit => power(unit).ok_or_else(wrong)?,
    };
    let is_whole = number.starts_with(|c: char| c.is_ascii_digit());
    let bytes = scaled(number, unit).filter(|_| is_whole);
    let bytes = bytes.ok_or_else(wrong)?.next_multiple_of(SECTOR);
    match i64::try_from(bytes) {
        Ok(0) => Err(format!("'{text}' is no size of a disk")),
        Ok(bytes) => Ok(bytes.unsigned_abs()),
        Err(_) => Err(format!(
            "'{text}' is more than the 8 EiB that an image can have"
        )),
    }
}

/// The size of a logical volume that `text` says, in bytes, as lvcreate takes it behind `--size`: in MiB
/// without a unit, whose case doesn't matter: `512`, `1.5g`, `2GiB`, `2048s`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn of_volume(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("'{text}' is no size of a volume: give one like 4G, 500M, 1.5T, or fill");
    let (number, unit) = split(text.strip_prefix('+').unwrap_or(text));
    let unit = unit.to_ascii_lowercase();
    let unit = match unit.as_str() {
        "" => 1 << 20,
        "b" => 1,
        "s" => SECTOR,
        unit => {
            let letter = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b'));
            power(letter.unwrap_or(unit)).ok_or_else(wrong)?
        }
    };
    let bytes = scaled(number, unit).ok_or_else(wrong)?;
    if unit == 1 && !bytes.is_multiple_of(SECTOR) {
        return Err(format!("'{text}' is no multiple of {SECTOR} bytes"));
    }
    match i64::try_from(bytes - bytes % SECTOR) {
        Ok(bytes) => Ok(bytes.unsigned_abs()),
        Err(_) => Err(format!(
            "'{text}' is more than the 8 EiB that a volume can have"
        )),
    }
}

/// The number that a size begins with, and what is behind it.
fn split(text: &str) -> (&str, &str) {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    text.split_at(digits.unwrap_or(text.len()))
}

/// What a unit of one letter stands for: powers of 1024.
fn power(unit: &str) -> Option<u128> {
    let powers = ["k", "m", "g", "t", "p", "e"];
    let index = powers.iter().position(|it| unit.eq_ignore_ascii_case(it))?;
    Some(1 << (10 * (index + 1)))
}

/// So many units, rounded down.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_short = whole.len() <= 19 && fraction.len() <= FRACTION;
    let digits = format!("{whole}{fraction}");
    if !is_short || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u128 = digits.parse().ok()?;
    Some(value * unit / 10_u128.pow(fraction.len() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_qemu_img() {
        for (text, expected) in [
            ("2G", Some(2 << 30)),
            ("2000M", Some(2000 << 20)),
            ("1.5G", Some(3 << 29)),
            ("1k", Some(1024)),
            ("4096", Some(4096)),
            ("1", Some(512)),
            ("513b", Some(1024)),
            ("0.5T", Some(1 << 39)),
            ("1.1k", Some(1536)),
            ("7E", Some(7 << 60)),
            ("8E", None),
            ("0", None),
            ("", None),
            ("G", None),
            (".5G", None),
            ("2GB", None),
            ("2 G", None),
            ("-1G", None),
            ("1.2.3G", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
    }

    /// Each was shown to lvcreate 2.03.16.
    #[test]
    fn sizes_of_volumes_are_those_of_lvcreate() {
        for (text, expected) in [
            ("10", Some(10 << 20)),
            ("10.", Some(10 << 20)),
            ("10G", Some(10 << 30)),
            ("10g", Some(10 << 30)),
            ("1.5G", Some(3 << 29)),
            (".5G", Some(1 << 29)),
            ("10GB", Some(10 << 30)),
            ("10Gb", Some(10 << 30)),
            ("10GiB", Some(10 << 30)),
            ("2048s", Some(1 << 20)),
            ("2048S", Some(1 << 20)),
            ("1024b", Some(1024)),
            ("+10G", Some(10 << 30)),
            ("10P", Some(10 << 50)),
            ("0", Some(0)),
            ("100b", None),
            ("-10G", None),
            ("10%", None),
            ("100%FREE", None),
            ("99999E", None),
            ("abc", None),
            ("10x", None),
            ("10i", None),
            ("10 G", None),
            ("1,5G", None),
            ("", None),
        ] {
            assert_eq!(of_volume(text).ok(), expected, "{text}");
        }
    }
}
