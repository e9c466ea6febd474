//! What can be chosen in VMDK, by the names that qemu-img has for it.

use crate::error::{Error, Result};
use crate::fs::options::{number, within};
use crate::fs::{Choice, Options};
use crate::place::Place;

pub(super) const CHOICES: &[Choice] = &[
    Choice::new(
        SUBFORMAT,
        "monolithicSparse|streamOptimized",
        "An image for running machines, or a compressed one for taking to others",
    ),
    Choice::new(
        ADAPTER,
        "TYPE",
        "The disk's adapter: ide, lsilogic, buslogic, legacyESX",
    ),
    Choice::new(HARDWARE, "N", "The version of the virtual hardware"),
    Choice::new(
        LEVEL,
        "1-9",
        "How hard a streamOptimized image is compressed",
    ),
];

const SUBFORMAT: &str = "subformat";
/// The subformats.
pub(in crate::container) const SPARSE: &str = "monolithicSparse";
pub(in crate::container) const STREAM: &str = "streamOptimized";
const ADAPTER: &str = "adapter_type";
const HARDWARE: &str = "hwversion";
const LEVEL: &str = "compression_level";

/// The adapters that VMware knows.
const ADAPTERS: [&str; 4] = ["ide", "lsilogic", "buslogic", "legacyESX"];

const USUAL_LEVEL: i32 = 1;

/// All that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The level of compression, if it is a stream.
    pub stream: Option<i32>,
    pub adapter: &'static str,
    pub hardware: u32,
}

impl Chosen {
    /// # Errors
    /// `InvalidSpec` at the option's place.
    pub(super) fn of(place: &Place, options: &Options) -> Result<Self> {
        options.check(place, "vmdk", CHOICES)?;
        let is_stream = options.parse(place, SUBFORMAT, |text| match text {
            SPARSE => Ok(false),
            STREAM => Ok(true),
            _ => Err(format!(
                "'{text}' is neither monolithicSparse nor streamOptimized; qemu-img makes others \
                 of a raw image"
            )),
        })?;
        let is_stream = is_stream.unwrap_or(false);
        let adapter = options.parse(place, ADAPTER, |text| {
            let found = ADAPTERS.into_iter().find(|adapter| *adapter == text);
            found.ok_or_else(|| format!("'{text}' isn't one of {}", ADAPTERS.join(", ")))
        })?;
        let level = options.parse(place, LEVEL, within(1..=9))?;
        if level.is_some() && !is_stream {
            let message = format!("nothing is compressed: set {SUBFORMAT} to {STREAM}");
            return Err(Error::invalid(place.choice(LEVEL), message));
        }
        Ok(Self {
            stream: is_stream.then_some(level.unwrap_or(USUAL_LEVEL)),
            // What machines on ESX have; elsewhere what QEMU says.
            adapter: adapter.unwrap_or(if is_stream { "lsilogic" } else { "ide" }),
            hardware: options.parse(place, HARDWARE, number)?.unwrap_or(4),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(options: &[(&str, &str)]) -> Result<Chosen> {
        let options = options.iter();
        let options = options.fold(Options::default(), |all, (name, value)| {
            all.with(name, value)
        });
        Chosen::of(&"t".into(), &options)
    }

    #[test]
    fn streams_are_for_others() {
        let usual = chosen(&[]).unwrap();
        assert_eq!(
            (usual.stream, usual.adapter, usual.hardware),
            (None, "ide", 4)
        );
        let options = [
            (SUBFORMAT, "streamOptimized"),
            (LEVEL, "9"),
            (HARDWARE, "19"),
        ];
        let stream = chosen(&options).unwrap();
        assert_eq!((stream.stream, stream.adapter), (Some(9), "lsilogic"));
        assert_eq!(stream.hardware, 19);
    }

    #[test]
    fn what_cannot_be_is_refused_at_its_option() {
        for (options, place) in [
            (&[(SUBFORMAT, "monolithicFlat")][..], SUBFORMAT),
            (&[(ADAPTER, "nvme")], ADAPTER),
            (&[(LEVEL, "1")], LEVEL),
            (&[(SUBFORMAT, "streamOptimized"), (LEVEL, "0")], LEVEL),
            (&[(HARDWARE, "x")], HARDWARE),
            (&[("zeroed_grain", "on")], "zeroed_grain"),
        ] {
            let error = chosen(options).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
