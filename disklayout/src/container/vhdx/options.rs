//! What can be chosen in VHDX, by the names that qemu-img has for it.

use super::format::{BLOCK, MIB};
use crate::container::is_fixed;
use crate::error::Result;
use crate::fs::options::bytes;
use crate::fs::{Choice, Options};
use crate::place::Place;
use crate::units::SectorSize;

pub(super) const CHOICES: &[Choice] = &[
    Choice::new(
        SUBFORMAT,
        "dynamic|fixed",
        "Whether blocks are there for data only, or all",
    ),
    Choice::new(BLOCK_SIZE, "BYTES", "Bytes of a block: 1M to 256M"),
    Choice::new(
        LOG_SIZE,
        "BYTES",
        "Bytes of the log of those who write to the image: 1M to 256M",
    ),
    Choice::new(
        SECTOR,
        "BYTES",
        "Bytes of a sector that the disk shows: 512 or 4096, which QEMU doesn't read",
    ),
];

const SUBFORMAT: &str = "subformat";
const BLOCK_SIZE: &str = "block_size";
const LOG_SIZE: &str = "log_size";
const SECTOR: &str = "logical_sector_size";

/// All that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Whether all blocks are there.
    pub is_fixed: bool,
    /// Bytes of a block.
    pub block: u64,
    /// Bytes of the log.
    pub log: u64,
    pub sector: SectorSize,
}

impl Chosen {
    /// What is chosen for a disk of `size` bytes.
    ///
    /// # Errors
    /// `InvalidSpec` at the option's place.
    pub(super) fn of(place: &Place, options: &Options, size: u64) -> Result<Self> {
        options.check(place, "vhdx", CHOICES)?;
        let is_fixed = options.parse(place, SUBFORMAT, is_fixed)?;
        let block = options.parse(place, BLOCK_SIZE, |text| {
            let fits = |count: &u64| count.is_power_of_two() && BLOCK.contains(count);
            let count = Some(bytes(text)?).filter(fits);
            count.ok_or_else(|| format!("'{text}' is no power of two from 1M to 256M"))
        })?;
        let log = options.parse(place, LOG_SIZE, |text| {
            let fits = |count: &u64| count.is_multiple_of(MIB) && (MIB..=256 * MIB).contains(count);
            let count = Some(bytes(text)?).filter(fits);
            count.ok_or_else(|| format!("'{text}' isn't a whole number of MiB from 1M to 256M"))
        })?;
        let sector = options.parse(place, SECTOR, sector_size)?;
        Ok(Self {
            is_fixed: is_fixed.unwrap_or(false),
            block: block.unwrap_or_else(|| usual_block(size)),
            log: log.unwrap_or(MIB),
            sector: sector.unwrap_or_default(),
        })
    }
}

/// What disks are a multiple of.
pub(super) fn sector(options: &Options) -> SectorSize {
    let chosen = options.get(SECTOR).map(sector_size);
    // What can't be understood is refused when it is planned.
    chosen.and_then(Result::ok).unwrap_or_default()
}

fn sector_size(text: &str) -> Result<SectorSize, String> {
    SectorSize::of(bytes(text)?).ok_or_else(|| format!("'{text}' is neither 512 nor 4096"))
}

/// Bytes of a block on a disk of `size` bytes: small ones where they need no large table, so that what
/// is there takes little more than itself.
const fn usual_block(size: u64) -> u64 {
    if size <= 1 << 40 { MIB } else { 32 * MIB }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(options: &[(&str, &str)], size: u64) -> Result<Chosen> {
        let all = Options::default();
        let all = options
            .iter()
            .fold(all, |all, (name, value)| all.with(name, value));
        Chosen::of(&"t".into(), &all, size)
    }

    #[test]
    fn blocks_grow_with_the_disk() {
        for (size, block) in [(0, 1), (1 << 40, 1), ((1 << 40) + 512, 32), (64 << 40, 32)] {
            let expected = Chosen {
                is_fixed: false,
                block: block * MIB,
                log: MIB,
                sector: SectorSize::B512,
            };
            assert_eq!(chosen(&[], size).unwrap(), expected);
        }
        let all = [
            (SUBFORMAT, "fixed"),
            (BLOCK_SIZE, "1M"),
            (LOG_SIZE, "3M"),
            (SECTOR, "4K"),
        ];
        let expected = Chosen {
            is_fixed: true,
            block: MIB,
            log: 3 * MIB,
            sector: SectorSize::B4096,
        };
        assert_eq!(chosen(&all, 1 << 40).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_is_refused_at_its_option() {
        for (name, value) in [
            (SUBFORMAT, "differencing"),
            (BLOCK_SIZE, "512K"),
            (BLOCK_SIZE, "512M"),
            (BLOCK_SIZE, "3M"),
            (LOG_SIZE, "0"),
            (LOG_SIZE, "1536K"),
            (LOG_SIZE, "257M"),
            (SECTOR, "1024"),
            ("block_state_zero", "on"),
        ] {
            let error = chosen(&[(name, value)], 0).unwrap_err().to_string();
            assert!(error.starts_with(&format!("t.{name}: ")), "{error}");
        }
    }
}
