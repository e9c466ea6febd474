//! What can be chosen in qcow2, by the names that qemu-img has for it.

use super::format::{CLUSTER_BITS, EXTENDED_CLUSTER_BITS};
use super::opened::Opened;
use crate::container::Detail;
use crate::container::pack::Packing;
use crate::error::{Error, Result};
use crate::fs::options::{bytes, flag, within};
use crate::fs::{Choice, Options};
use crate::place::Place;

pub(super) const CHOICES: &[Choice] = &[
    Choice::new(
        COMPRESSION,
        "TYPE",
        "How clusters are compressed: none, zlib, zstd",
    ),
    Choice::new(LEVEL, "N", "How hard: 1 to 9 for zlib, 1 to 19 for zstd"),
    Choice::new(CLUSTER_SIZE, "BYTES", "Bytes of a cluster: 512 to 2M"),
    Choice::new(
        COMPAT,
        "VERSION",
        "0.10 for readers older than QEMU 1.1, or 1.1",
    ),
    Choice::new(
        LAZY,
        "yes|no",
        "Whether a guest's writes may leave reference counts for later",
    ),
    Choice::new(
        EXTENDED,
        "yes|no",
        "Whether clusters have 32 subclusters; QEMU 5.2 reads them",
    ),
    Choice::new(PREALLOCATION, "off", "Clusters are allocated for data only"),
];

const COMPRESSION: &str = "compression_type";
const LEVEL: &str = "compression_level";
const CLUSTER_SIZE: &str = "cluster_size";
const COMPAT: &str = "compat";
const LAZY: &str = "lazy_refcounts";
const EXTENDED: &str = "extended_l2";
const PREALLOCATION: &str = "preallocation";

const ZLIB_LEVEL: i32 = 1;
const ZSTD_LEVEL: i32 = 1;

/// All that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub cluster_bits: u32,
    pub compression: Option<Packing>,
    /// Whether it is version 2, not 3.
    pub is_old: bool,
    pub lazy_refcounts: bool,
    pub extended_l2: bool,
}

impl Chosen {
    /// # Errors
    /// `InvalidSpec` or `Unsupported` at the option's place.
    pub(super) fn of(place: &Place, options: &Options) -> Result<Self> {
        options.check(place, "qcow2", CHOICES)?;
        let chosen = Self {
            cluster_bits: options
                .parse(place, CLUSTER_SIZE, cluster_bits)?
                .unwrap_or(16),
            compression: compression(place, options)?,
            is_old: options.parse(place, COMPAT, is_old)?.unwrap_or(false),
            lazy_refcounts: options.parse(place, LAZY, flag)?.unwrap_or(false),
            extended_l2: options.parse(place, EXTENDED, flag)?.unwrap_or(false),
        };
        options.parse(place, PREALLOCATION, preallocation)?;
        chosen.check(place)?;
        Ok(chosen)
    }

    fn check(&self, place: &Place) -> Result<()> {
        let old = |name, what| {
            let message = format!("{what} needs compat 1.1: version 2 of qcow2 has none");
            Err(Error::invalid(place.choice(name), message))
        };
        match self {
            Self {
                is_old: true,
                lazy_refcounts: true,
                ..
            } => old(LAZY, "that"),
            Self {
                is_old: true,
                extended_l2: true,
                ..
            } => old(EXTENDED, "that"),
            Self {
                is_old: true,
                compression: Some(Packing::Zstd(_)),
                ..
            } => old(COMPRESSION, "zstd"),
            Self {
                extended_l2: true,
                cluster_bits,
                ..
            } if *cluster_bits < EXTENDED_CLUSTER_BITS => {
                let message = "clusters with subclusters hold 16 KiB at least: set cluster_size to 16K or more";
                Err(Error::invalid(place.choice(EXTENDED), message))
            }
            _ => Ok(()),
        }
    }
}

/// What was chosen for an image that exists. Its clusters may all be uncompressed: the kind of
/// compression is that of the others, if there are any.
pub(super) fn details(image: &Opened) -> Vec<Detail> {
    let compat = if image.is_old { "0.10" } else { "1.1" };
    let compression = if image.is_zstd { "zstd" } else { "zlib" };
    vec![
        Detail::text(COMPAT, compat),
        Detail::number(CLUSTER_SIZE, image.cluster()),
        Detail::text(COMPRESSION, compression),
        Detail::flag(EXTENDED, image.is_extended),
    ]
}

fn cluster_bits(text: &str) -> Result<u32, String> {
    let count = bytes(text)?;
    let bits = count
        .checked_ilog2()
        .filter(|bits| CLUSTER_BITS.contains(bits));
    bits.filter(|_| count.is_power_of_two())
        .ok_or_else(|| format!("'{text}' is no power of two from 512 to 2M"))
}

fn compression(place: &Place, options: &Options) -> Result<Option<Packing>> {
    let kind = options.parse(place, COMPRESSION, |text| match text {
        "none" | "zlib" | "zstd" => Ok(text.to_owned()),
        _ => Err(format!("'{text}' isn't one of none, zlib, zstd")),
    })?;
    let level = |range, usual| {
        let level = options.parse(place, LEVEL, within(range));
        Ok::<_, Error>(level?.unwrap_or(usual))
    };
    match kind.as_deref() {
        Some("zlib") => {
            let level = level(1..=9, ZLIB_LEVEL)?;
            Ok(Some(Packing::Deflate(level)))
        }
        Some("zstd") => Ok(Some(Packing::Zstd(level(1..=19, ZSTD_LEVEL)?))),
        _ if options.get(LEVEL).is_some() => {
            let message = format!("nothing is compressed: set {COMPRESSION} to zlib or zstd");
            Err(Error::invalid(place.choice(LEVEL), message))
        }
        _ => Ok(None),
    }
}

fn is_old(text: &str) -> Result<bool, String> {
    match text {
        "0.10" | "v2" => Ok(true),
        "1.1" | "v3" => Ok(false),
        _ => Err(format!("'{text}' is neither 0.10 nor 1.1")),
    }
}

fn preallocation(text: &str) -> Result<(), String> {
    match text {
        "off" => Ok(()),
        _ => Err(format!(
            "'{text}' can't be done: clusters are allocated for data only; leave it out, or \
             write a raw image and convert it with qemu-img"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(options: &[(&str, &str)]) -> Result<Chosen> {
        let all = Options::default();
        let all = options
            .iter()
            .fold(all, |all, (name, value)| all.with(name, value));
        Chosen::of(&"t".into(), &all)
    }

    #[test]
    fn the_usual_is_what_qemu_img_makes() {
        let expected = Chosen {
            cluster_bits: 16,
            compression: None,
            is_old: false,
            lazy_refcounts: false,
            extended_l2: false,
        };
        assert_eq!(chosen(&[]).unwrap(), expected);
        let zstd = chosen(&[(COMPRESSION, "zstd"), (LEVEL, "9"), (CLUSTER_SIZE, "2M")]).unwrap();
        assert_eq!(zstd.compression, Some(Packing::Zstd(9)));
        assert_eq!(zstd.cluster_bits, 21);
    }

    #[test]
    fn what_cannot_be_is_refused_at_its_option() {
        for (options, place) in [
            (&[("clusters", "1")][..], "clusters"),
            (&[(CLUSTER_SIZE, "256")], CLUSTER_SIZE),
            (&[(CLUSTER_SIZE, "4M")], CLUSTER_SIZE),
            (&[(CLUSTER_SIZE, "65537")], CLUSTER_SIZE),
            (&[(COMPRESSION, "lz4")], COMPRESSION),
            (&[(LEVEL, "1")], LEVEL),
            (&[(COMPRESSION, "zlib"), (LEVEL, "10")], LEVEL),
            (&[(COMPRESSION, "zstd"), (LEVEL, "0")], LEVEL),
            (&[(COMPRESSION, "zstd"), (COMPAT, "0.10")], COMPRESSION),
            (&[(LAZY, "yes"), (COMPAT, "0.10")], LAZY),
            (&[(EXTENDED, "yes"), (CLUSTER_SIZE, "8K")], EXTENDED),
            (&[(PREALLOCATION, "full")], PREALLOCATION),
            (&[(COMPAT, "2")], COMPAT),
        ] {
            let error = chosen(options).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
