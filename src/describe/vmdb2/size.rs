//! Sizes of images, as qemu-img takes them.

/// Bytes of a sector: an image has a whole number of them.
const SECTOR: u128 = 512;

/// The size that `text` says, in bytes, rounded up to a whole sector: `2G`, `1.5T`, `4096`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no size: give one like 4G, 500M or 1.5T");
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let power = match unit {
        "" | "b" | "B" => 0,
        "k" | "K" => 1,
        "m" | "M" => 2,
        "g" | "G" => 3,
        "t" | "T" => 4,
        "p" | "P" => 5,
        "e" | "E" => 6,
        _ => return Err(wrong()),
    };
    let is_short = whole.len() <= 19 && fraction.len() <= 9;
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !is_short || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let value: u128 = digits.parse().map_err(|_| wrong())?;
    let scale = 10_u128.pow(fraction.len() as u32);
    let bytes = (value << (10 * power)) / scale;
    let bytes = bytes.next_multiple_of(SECTOR);
    match i64::try_from(bytes) {
        Ok(0) => Err(format!("'{text}' is no size of a disk")),
        Ok(bytes) => Ok(bytes.unsigned_abs()),
        Err(_) => Err(format!(
            "'{text}' is more than the 8 EiB that an image can have"
        )),
    }
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
            ("2GB", None),
            ("2 G", None),
            ("-1G", None),
            ("1.2.3G", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
    }
}
