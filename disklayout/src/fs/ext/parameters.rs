//! What was asked for, checked, with mke2fs' defaults for what wasn't.

use super::defaults::{self, Flavor};
use super::features::Features;
use super::format::*;
use super::misfits::BLOCK_SIZES;
use super::options::{Inodes, Journal, Options};
use super::xattr::Outside;
use crate::error::{Error, Result};
use crate::place::Place;
use crate::units::Bytes;

/// Bytes of the path where a filesystem was last mounted (`s_last_mounted`).
const LAST_MOUNTED_MAX: usize = 64;
/// In hundredths of a percent: mke2fs keeps no more than half for root.
const RESERVED_MAX: u32 = 5000;
const BYTES_PER_INODE: std::ops::RangeInclusive<u64> = 1024..=64 << 20;

/// Everything that doesn't depend on the size.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    pub flavor: Flavor,
    pub features: Features,
    /// `None`: as the size and the content ask for.
    pub block_size: Option<u32>,
    /// The smallest blocks that hold the content, where none are asked for.
    pub least_block_size: u32,
    pub inode_size: u32,
    pub inodes: Inodes,
    /// Of 10,000 blocks, those kept for root.
    pub reserved: u32,
    pub journal: Journal,
    /// How many blocks it can grow to while it is mounted.
    pub resize: Option<u64>,
    /// The feature `ea_inode` may be added where the content needs it.
    may_have_ea_inodes: bool,
    /// A size without room for the journal is refused; else there is none then, as mke2fs does it.
    pub journal_is_wanted: bool,
    pub root_owner: Option<(u32, u32)>,
    /// There is a lost+found, whether the content has one or not.
    pub lost_found: bool,
    pub last_mounted: [u8; LAST_MOUNTED_MAX],
}

impl Parameters {
    /// # Errors
    /// `InvalidSpec` below `place` for a value that isn't legal, `Unsupported` for a combination.
    pub(super) fn new(place: &Place, flavor: Flavor, options: &Options) -> Result<Self> {
        let mut features = flavor.features().with(place, &options.features)?;
        match options.journal {
            Journal::Default => {}
            Journal::None => features.compat &= !EXT4_FEATURE_COMPAT_HAS_JOURNAL,
            Journal::Size(_) => features.compat |= EXT4_FEATURE_COMPAT_HAS_JOURNAL,
        }
        if flavor == Flavor::Ext3 && !features.has_journal() {
            let key = match options.journal {
                Journal::None => "journal",
                _ => "features",
            };
            let message = "ext3 without a journal is an ext2; ask for that, or leave it a journal";
            return Err(Error::invalid(place.choice(key), message));
        }
        let asks_for_journal = options.features.iter().any(|name| name == "has_journal");
        let parameters = Self {
            flavor,
            features,
            block_size: options.block_size,
            least_block_size: BLOCK_SIZES[0],
            inode_size: options.inode_size.unwrap_or(defaults::INODE_SIZE),
            inodes: options.inodes,
            reserved: options.reserved.unwrap_or(defaults::RESERVED),
            journal: options.journal,
            resize: options.resize,
            may_have_ea_inodes: flavor == Flavor::Ext4
                && !options.features.iter().any(|name| name == "^ea_inode"),
            journal_is_wanted: flavor == Flavor::Ext3
                || asks_for_journal
                || matches!(options.journal, Journal::Size(_)),
            root_owner: options.root_owner,
            lost_found: options.lost_found.unwrap_or(true),
            last_mounted: last_mounted(place, options)?,
        };
        parameters.check(place)?;
        Ok(parameters)
    }

    fn check(&self, place: &Place) -> Result<()> {
        let refuse = |key: &str, message: String| Err(Error::invalid(place.choice(key), message));
        if let Some(size) = self.block_size.filter(|size| !BLOCK_SIZES.contains(size)) {
            let message = format!("blocks of {size} bytes can't be made; 1024, 2048 and 4096 can");
            return refuse("block-size", message);
        }
        let size = self.inode_size;
        let largest = self.block_size.unwrap_or(BLOCK_SIZES[2]);
        if !size.is_power_of_two() || !(128..=largest).contains(&size) {
            let message = format!(
                "inodes of {size} bytes can't be made; a power of two from 128 to the size of a \
                 block, here {largest}, can"
            );
            return refuse("inode-size", message);
        }
        if self.reserved > RESERVED_MAX {
            let percent = f64::from(self.reserved) / 100.0;
            let message = format!("{percent} % can't be kept for root; 0 to 50 % can");
            return refuse("reserved", message);
        }
        match self.inodes {
            Inodes::BytesPerInode(bytes) if !BYTES_PER_INODE.contains(&bytes) => refuse(
                "bytes-per-inode",
                format!("{bytes} bytes per inode can't be; 1024 to 67108864 can"),
            ),
            Inodes::Count(0) => refuse("inodes", "0 inodes hold nothing; ask for more".to_owned()),
            Inodes::Count(count) if count > u64::from(u32::MAX) => refuse(
                "inodes",
                format!("{count} inodes can't be; 4294967295 is the most"),
            ),
            _ => Ok(()),
        }
    }

    /// The size of a block in a filesystem of `size`.
    pub(super) fn block_size_at(&self, size: Bytes) -> u32 {
        let usual = || defaults::size_class(size).block_size;
        let chosen = self.block_size;
        chosen.unwrap_or_else(|| usual().max(self.least_block_size))
    }

    /// Whether values of attributes may have inodes of their own: in ext4, unless it is asked not
    /// to, and where it is asked for.
    pub(super) fn outside(&self) -> Outside {
        match self.may_have_ea_inodes || self.features.has_ea_inode() {
            true => Outside::Allowed,
            false => Outside::Never,
        }
    }

    /// Bytes of an inode after those of the original one, up to where attributes start.
    pub(super) const fn extra_isize(&self) -> u16 {
        if self.inode_size > EXT4_GOOD_OLD_INODE_SIZE as u32 {
            EXTRA_ISIZE
        } else {
            0
        }
    }
}

fn last_mounted(place: &Place, options: &Options) -> Result<[u8; LAST_MOUNTED_MAX]> {
    let path = options
        .last_mounted
        .as_deref()
        .unwrap_or_default()
        .as_bytes();
    if path.len() > LAST_MOUNTED_MAX || path.contains(&0) {
        let message = format!(
            "'{}' has {} bytes; {LAST_MOUNTED_MAX} are the most, without NUL bytes",
            path.escape_ascii(),
            path.len()
        );
        return Err(Error::invalid(place.choice("last-mounted"), message));
    }
    Ok(std::array::from_fn(|i| path.get(i).copied().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(options: &Options) -> Result<Parameters> {
        Parameters::new(&"x".into(), Flavor::Ext4, options)
    }

    #[test]
    fn what_mke2fs_refuses_is_refused_at_its_key() {
        let none = Options::default;
        for (options, place) in [
            (
                Options {
                    block_size: Some(512),
                    ..none()
                },
                "x.block-size",
            ),
            (
                Options {
                    block_size: Some(8192),
                    ..none()
                },
                "x.block-size",
            ),
            (
                Options {
                    inode_size: Some(64),
                    ..none()
                },
                "x.inode-size",
            ),
            (
                Options {
                    inode_size: Some(300),
                    ..none()
                },
                "x.inode-size",
            ),
            (
                Options {
                    inode_size: Some(8192),
                    ..none()
                },
                "x.inode-size",
            ),
            (
                Options {
                    reserved: Some(5001),
                    ..none()
                },
                "x.reserved",
            ),
            (
                Options {
                    inodes: Inodes::Count(0),
                    ..none()
                },
                "x.inodes",
            ),
            (
                Options {
                    inodes: Inodes::BytesPerInode(1023),
                    ..none()
                },
                "x.bytes-per-inode",
            ),
            (
                Options {
                    features: vec!["x".to_owned()],
                    ..none()
                },
                "x.features",
            ),
            (
                Options {
                    last_mounted: Some("/".repeat(65)),
                    ..none()
                },
                "x.last-mounted",
            ),
        ] {
            assert_eq!(
                parameters(&options).unwrap_err().place(),
                place,
                "{options:?}"
            );
        }
    }

    #[test]
    fn limits_themselves_are_legal_and_a_journal_brings_its_feature() {
        let options = Options {
            block_size: Some(4096),
            inode_size: Some(4096),
            reserved: Some(5000),
            journal: Journal::None,
            last_mounted: Some("/".repeat(64)),
            ..Options::default()
        };
        assert!(!parameters(&options).unwrap().features.has_journal());
        let options = Options {
            journal: Journal::Size(Bytes::new(4 << 20)),
            ..Options::default()
        };
        let ext2 = Parameters::new(&"x".into(), Flavor::Ext2, &options).unwrap();
        assert!(ext2.features.has_journal());
    }

    #[test]
    fn ext3_without_its_journal_is_refused_at_the_key_that_takes_it() {
        let none = Options {
            journal: Journal::None,
            ..Options::default()
        };
        let without = Options {
            features: vec!["^has_journal".to_owned()],
            ..Options::default()
        };
        for (options, place) in [(none, "x.journal"), (without, "x.features")] {
            let error = Parameters::new(&"x".into(), Flavor::Ext3, &options).unwrap_err();
            assert_eq!(error.place(), place);
            assert!(error.message().contains("is an ext2"), "{error}");
            for flavor in [Flavor::Ext2, Flavor::Ext4] {
                let other = Parameters::new(&"x".into(), flavor, &options).unwrap();
                assert!(!other.features.has_journal() && !other.journal_is_wanted);
            }
        }
    }
}
