//! What users of mkfs.fat choose.

use super::fat_type::FatType;
use crate::error::{Error, Result};
use crate::fs::options::{bytes, flag, number};
use crate::fs::{Choice, Request};

/// The choice of a FAT whatever the size.
pub(super) const FAT_SIZE: &str = "fat-size";

#[rustfmt::skip]
pub(super) const CHOICES: [Choice; 14] = [
    Choice::new(FAT_SIZE, "12|16|32", "Bits of an entry of the FAT"),
    Choice::new("cluster-size", "BYTES", "Bytes in a cluster"),
    Choice::new("sectors-per-cluster", "N", "Sectors in a cluster"),
    Choice::new("logical-sector-size", "BYTES", "Bytes in a sector of FAT, the disk's or more"),
    Choice::new("reserved-sectors", "N", "At least so many sectors before the first FAT"),
    Choice::new("fats", "1|2", "Copies of the FAT"),
    Choice::new("root-entries", "N", "At least so many entries in the root directory, not on FAT32"),
    Choice::new("volume-id", "HEX", "The volume's number, eight digits"),
    Choice::new("oem-name", "TEXT", "Who formatted it, eight characters at most"),
    Choice::new("hidden-sectors", "N", "Sectors before the partition"),
    Choice::new("media", "HEX", "The media descriptor, F0 or F8 to FF"),
    Choice::new("drive-number", "HEX", "The BIOS' number of the drive"),
    Choice::new("drive-geometry", "HEADS/SECTORS", "Heads, and sectors in a track"),
    Choice::new("align", "yes|no", "Whether all parts begin at a multiple of a cluster"),
];

/// What is chosen for a filesystem; what isn't is what mkfs.fat would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub fat_type: Option<FatType>,
    /// Bytes.
    pub cluster_size: Option<u64>,
    pub sectors_per_cluster: Option<u32>,
    pub sector_size: Option<u64>,
    pub reserved_sectors: Option<u32>,
    pub fats: Option<u8>,
    pub root_entries: Option<u32>,
    pub volume_id: Option<u32>,
    pub oem_name: Option<[u8; 8]>,
    pub hidden_sectors: Option<u32>,
    pub media: Option<u8>,
    pub drive_number: Option<u8>,
    /// Heads, and sectors in a track.
    pub drive_geometry: Option<(u16, u16)>,
    pub align: Option<bool>,
}

impl Options {
    /// What a request chooses.
    ///
    /// # Errors
    /// `InvalidSpec` for what there isn't, for values that aren't any, and for two that
    /// contradict each other.
    pub(super) fn read(request: &Request<'_>) -> Result<Self> {
        let (place, given) = (&request.place, &request.options);
        given.check(place, request.kind, &CHOICES)?;
        let options = Self {
            fat_type: given.parse(place, FAT_SIZE, fat_size)?,
            cluster_size: given.parse(place, "cluster-size", bytes)?,
            sectors_per_cluster: given.parse(place, "sectors-per-cluster", sectors_per_cluster)?,
            sector_size: given.parse(place, "logical-sector-size", bytes)?,
            reserved_sectors: given.parse(place, "reserved-sectors", |text| {
                within(text, 1, u32::from(u16::MAX))
            })?,
            fats: given
                .parse(place, "fats", |text| within(text, 1, 2))?
                .map(|count| count as u8),
            root_entries: given.parse(place, "root-entries", |text| {
                within(text, 1, u32::from(u16::MAX))
            })?,
            volume_id: given.parse(place, "volume-id", volume_id)?,
            oem_name: given.parse(place, "oem-name", oem_name)?,
            hidden_sectors: given.parse(place, "hidden-sectors", number)?,
            media: given.parse(place, "media", media)?,
            drive_number: given.parse(place, "drive-number", byte)?,
            drive_geometry: given.parse(place, "drive-geometry", drive_geometry)?,
            align: given.parse(place, "align", flag)?,
        };
        options.check(request)?;
        Ok(options)
    }

    fn check(&self, request: &Request<'_>) -> Result<()> {
        if self.cluster_size.is_some() && self.sectors_per_cluster.is_some() {
            let message = "the size of a cluster is given already; leave one of both out";
            let place = request.place.choice("sectors-per-cluster");
            return Err(Error::invalid(place, message));
        }
        let by_name = FatType::from_name(request.kind);
        match (by_name, self.fat_type) {
            (Some(named), Some(chosen)) if named != chosen => {
                let message = format!(
                    "{} is no {}; ask for vfat or leave this out",
                    request.kind,
                    chosen.name()
                );
                let place = request.place.choice(FAT_SIZE);
                Err(Error::invalid(place, message))
            }
            _ => Ok(()),
        }
    }
}

type Parsed<T> = std::result::Result<T, String>;

fn within(text: &str, least: u32, most: u32) -> Parsed<u32> {
    let found = number(text)?;
    match (least..=most).contains(&found) {
        true => Ok(found),
        false => Err(format!("'{text}' has to be from {least} to {most}")),
    }
}

fn fat_size(text: &str) -> Parsed<FatType> {
    match text {
        "12" => Ok(FatType::Fat12),
        "16" => Ok(FatType::Fat16),
        "32" => Ok(FatType::Fat32),
        _ => Err(format!("'{text}' has to be 12, 16 or 32")),
    }
}

fn sectors_per_cluster(text: &str) -> Parsed<u32> {
    let found = within(text, 1, 128)?;
    match found.is_power_of_two() {
        true => Ok(found),
        false => Err(format!("'{text}' has to be a power of two from 1 to 128")),
    }
}

/// Eight digits, as they are or as they are shown: `1234-ABCD`.
fn volume_id(text: &str) -> Parsed<u32> {
    let digits = match text.split_once('-') {
        Some((high, low)) if high.len() == 4 => [high, low].concat(),
        _ => text.to_owned(),
    };
    let is_hexadecimal = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = u32::from_str_radix(&digits, 16).ok();
    id.filter(|_| is_hexadecimal)
        .ok_or_else(|| format!("'{text}' has to be eight hexadecimal digits, like 1234-ABCD"))
}

fn oem_name(text: &str) -> Parsed<[u8; 8]> {
    let is_printable = text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    if text.len() > 8 || !is_printable {
        return Err(format!(
            "'{}' has to be eight ASCII characters at most",
            text.escape_debug()
        ));
    }
    Ok(super::label::padded(text.as_bytes()))
}

fn media(text: &str) -> Parsed<u8> {
    let media = byte(text).ok();
    media
        .filter(|media| *media == 0xF0 || *media >= 0xF8)
        .ok_or_else(|| format!("'{text}' has to be F0 or F8 to FF"))
}

/// One or two hexadecimal digits, with or without `0x`.
fn byte(text: &str) -> Parsed<u8> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).ok();
    byte.filter(|_| is_hexadecimal)
        .ok_or_else(|| format!("'{text}' has to be a hexadecimal number up to FF"))
}

fn drive_geometry(text: &str) -> Parsed<(u16, u16)> {
    let both = text.split_once('/').and_then(|(heads, sectors)| {
        let sectors = within(sectors, 1, 63).ok()?;
        Some((within(heads, 1, 255).ok()? as u16, sectors as u16))
    });
    both.ok_or_else(|| {
        format!("'{text}' has to be HEADS/SECTORS: 1 to 255 heads, 1 to 63 sectors in a track")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_ids_have_eight_digits() {
        for text in ["1234abcd", "1234-ABCD", "1234-abcd"] {
            assert_eq!(volume_id(text), Ok(0x1234_ABCD));
        }
        for text in [
            "",
            "1",
            "123-4ABCD",
            "1234-ABC",
            "1234abcdE",
            "+234abcd",
            "0x123456",
        ] {
            assert!(volume_id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn other_values_have_their_bounds() {
        assert_eq!(media("0xf8"), Ok(0xF8));
        assert_eq!(media("F0"), Ok(0xF0));
        assert!(media("F1").is_err() && media("f").is_err() && byte("+1").is_err());
        assert_eq!(drive_geometry("255/63"), Ok((255, 63)));
        assert!(drive_geometry("256/63").is_err() && drive_geometry("1/64").is_err());
        assert_eq!(sectors_per_cluster("128"), Ok(128));
        assert!(sectors_per_cluster("3").is_err() && sectors_per_cluster("256").is_err());
        assert_eq!(oem_name("MSWIN4.1").as_ref(), Ok(b"MSWIN4.1"));
        assert!(oem_name("123456789").is_err() && oem_name("\n").is_err());
    }
}
