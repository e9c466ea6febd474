//! What can be chosen in VHDX, by the name that qemu-img has for it.

use crate::error::Result;
use crate::fs::options::bytes;
use crate::fs::{Choice, Options};
use crate::place::Place;

pub(super) const CHOICES: &[Choice] = &[Choice::new(
    BLOCK_SIZE,
    "BYTES",
    "Bytes of a block: 1M to 256M",
)];

const BLOCK_SIZE: &str = "block_size";

/// Disks up to this size have small blocks, so that what is there takes little more than itself.
const SMALL: u64 = 1 << 40;

/// Bytes of a block on a disk of `size` bytes.
///
/// # Errors
/// `InvalidSpec` at the option's place.
pub(super) fn block(place: &Place, options: &Options, size: u64) -> Result<u64> {
    options.check(place, "vhdx", CHOICES)?;
    let block = options.parse(place, BLOCK_SIZE, |text| {
        let count = bytes(text)?;
        let fits = count.is_power_of_two() && (1 << 20..=256 << 20).contains(&count);
        fits.then_some(count)
            .ok_or_else(|| format!("'{text}' is no power of two from 1M to 256M"))
    })?;
    let usual = if size <= SMALL { 1 << 20 } else { 32 << 20 };
    Ok(block.unwrap_or(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_grow_with_the_disk() {
        let block = |options: &Options, size| block(&"t".into(), options, size);
        let none = Options::default();
        assert_eq!(block(&none, 1 << 40).unwrap(), 1 << 20);
        assert_eq!(block(&none, 2 << 40).unwrap(), 32 << 20);
        assert_eq!(block(&none.with(BLOCK_SIZE, "8M"), 1).unwrap(), 8 << 20);
        for value in ["3M", "512K", "x"] {
            let error = block(&Options::default().with(BLOCK_SIZE, value), 1).unwrap_err();
            assert!(error.to_string().contains(BLOCK_SIZE), "{error}");
        }
    }
}
