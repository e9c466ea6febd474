//! What can be chosen in VHD, by the names that qemu-img has for it.

use crate::container::is_fixed;
use crate::error::{Error, Result};
use crate::fs::options::bytes;
use crate::fs::{Choice, Options};
use crate::place::Place;

pub(super) const CHOICES: &[Choice] = &[
    Choice::new(
        SUBFORMAT,
        "dynamic|fixed",
        "Whether blocks are there for data only, or all, as Azure wants it",
    ),
    Choice::new(BLOCK_SIZE, "BYTES", "Bytes of a block: 512K to 256M"),
];

const SUBFORMAT: &str = "subformat";
const BLOCK_SIZE: &str = "block_size";

/// What all readers expect.
const USUAL_BLOCK: u64 = 2 << 20;

/// All that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    Fixed,
    Dynamic { block: u64 },
}

impl Chosen {
    /// # Errors
    /// `InvalidSpec` at the option's place.
    pub(super) fn of(place: &Place, options: &Options) -> Result<Self> {
        options.check(place, "vhd", CHOICES)?;
        let is_fixed = options.parse(place, SUBFORMAT, is_fixed)?;
        let block = options.parse(place, BLOCK_SIZE, |text| {
            let count = bytes(text)?;
            let fits = count.is_power_of_two() && (512 << 10..=256 << 20).contains(&count);
            fits.then_some(count)
                .ok_or_else(|| format!("'{text}' is no power of two from 512K to 256M"))
        })?;
        match (is_fixed, block) {
            (Some(true), Some(_)) => {
                let message = "an image of the subformat fixed has no blocks";
                Err(Error::invalid(place.choice(BLOCK_SIZE), message))
            }
            (Some(true), None) => Ok(Self::Fixed),
            (_, block) => Ok(Self::Dynamic {
                block: block.unwrap_or(USUAL_BLOCK),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_for_dynamic_images() {
        let chosen = |options: &[(&str, &str)]| {
            let options = options.iter();
            let options = options.fold(Options::default(), |all, (name, value)| {
                all.with(name, value)
            });
            Chosen::of(&"t".into(), &options).map_err(|error| error.to_string())
        };
        assert_eq!(chosen(&[]), Ok(Chosen::Dynamic { block: 2 << 20 }));
        assert_eq!(chosen(&[(SUBFORMAT, "fixed")]), Ok(Chosen::Fixed));
        for (options, place) in [
            (&[(SUBFORMAT, "flat")][..], SUBFORMAT),
            (&[(BLOCK_SIZE, "3M")], BLOCK_SIZE),
            (&[(SUBFORMAT, "fixed"), (BLOCK_SIZE, "2M")], BLOCK_SIZE),
            (&[("force_size", "on")], "force_size"),
        ] {
            let text = chosen(options).unwrap_err();
            assert!(text.contains(place), "{text}");
        }
    }
}
