//! What users of mkfs.exfat choose.

use super::format::CLUSTER_SHIFT_MAX;
use crate::error::Result;
use crate::fs::options::bytes;
use crate::fs::{Choice, Request};

pub(super) const CHOICES: [Choice; 3] = [
    Choice::new("cluster-size", "BYTES", "Bytes in a cluster, like 32K"),
    Choice::new(
        "boundary-align",
        "BYTES",
        "FAT and clusters start at a multiple of it",
    ),
    Choice::new(
        "volume-id",
        "HEX",
        "The serial number of the volume, eight hexadecimal digits",
    ),
];

/// Everything starts at a multiple of it where nothing else is chosen.
const BOUNDARY: u64 = 1 << 20;

/// The largest boundary: starts are counted in sectors with 32 bits.
const BOUNDARY_MAX: u64 = 1 << 30;

/// What is chosen; the rest is as mkfs.exfat has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Bytes in a cluster, a power of two from a sector to 32 MiB (`-c`).
    pub cluster_size: Option<u64>,
    /// Where FAT and cluster heap may start, a power of two (`-b`).
    pub boundary: u64,
    pub volume_id: Option<u32>,
}

impl Options {
    /// What a request chooses.
    ///
    /// # Errors
    /// `InvalidSpec` for what there isn't and for values that aren't any.
    pub(super) fn read(request: &Request<'_>) -> Result<Self> {
        let (place, given) = (&request.place, &request.options);
        given.check(place, request.kind, &CHOICES)?;
        let sector = request.sector_size.get();
        let cluster_size = |text: &str| power(text, sector, 1 << CLUSTER_SHIFT_MAX);
        let boundary = |text: &str| power(text, sector, BOUNDARY_MAX);
        let boundary = given.parse(place, "boundary-align", boundary)?;
        Ok(Self {
            cluster_size: given.parse(place, "cluster-size", cluster_size)?,
            boundary: boundary.unwrap_or(BOUNDARY),
            volume_id: given.parse(place, "volume-id", serial_number)?,
        })
    }
}

/// A power of two from `least` to `most`.
fn power(text: &str, least: u64, most: u64) -> std::result::Result<u64, String> {
    let value = bytes(text)?;
    if value.is_power_of_two() && (least..=most).contains(&value) {
        return Ok(value);
    }
    let message = format!("{value} is no power of two from {least} to {most}");
    Err(message)
}

/// Eight hexadecimal digits, like `1234ABCD` or, as blkid prints them, `1234-ABCD`.
fn serial_number(text: &str) -> std::result::Result<u32, String> {
    let digits = match text.split_once('-') {
        Some((high, low)) if high.len() == 4 => format!("{high}{low}"),
        _ => text.to_owned(),
    };
    let is_hexadecimal = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(&digits, 16).ok();
    let number = number.filter(|_| is_hexadecimal);
    number.ok_or_else(|| format!("'{text}' isn't eight hexadecimal digits, like 1234-ABCD"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Identity, Timestamp};
    use crate::units::SectorSize;

    fn read(name: &str, value: &str, sector_size: SectorSize) -> Result<Options> {
        let identity = Identity::new("t", Timestamp::default());
        let mut request = Request::new("p", "exfat", identity);
        request.options.set(name, value);
        request.sector_size = sector_size;
        Options::read(&request)
    }

    #[test]
    fn sizes_are_powers_of_two_from_a_sector_on() {
        use SectorSize::{B512, B4096};
        for (name, value, sector_size, is_right) in [
            ("cluster-size", "512", B512, true),
            ("cluster-size", "512", B4096, false),
            ("cluster-size", "4K", B4096, true),
            ("cluster-size", "32M", B512, true),
            ("cluster-size", "64M", B512, false),
            ("cluster-size", "5000", B512, false),
            ("cluster-size", "0", B512, false),
            ("boundary-align", "256", B512, false),
            ("boundary-align", "512", B512, true),
            ("boundary-align", "1G", B512, true),
            ("boundary-align", "2G", B512, false),
            ("clusters", "2", B512, false),
        ] {
            let read = read(name, value, sector_size);
            assert_eq!(read.is_ok(), is_right, "{name} {value}: {read:?}");
            if let Err(error) = read {
                let place = format!("p.{name}: ");
                assert!(error.to_string().starts_with(&place), "{error}");
            }
        }
    }

    #[test]
    fn serial_numbers_have_eight_digits() {
        for (text, expected) in [
            ("1234ABCD", Some(0x1234_ABCD)),
            ("1234-abcd", Some(0x1234_ABCD)),
            ("00000000", Some(0)),
            ("12345-678", None),
            ("1234567", None),
            ("+1234567", None),
            ("0x123456", None),
            ("1234-5678-", None),
        ] {
            assert_eq!(serial_number(text).ok(), expected, "{text}");
        }
    }
}
