//! Versions of external programs.

use std::fmt;

/// The first two numbers of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub u32, pub u32);

impl Version {
    /// What a program says of itself: the first word with two numbers, `v6.2` or `1.47.0`.
    pub(super) fn find(said: &str) -> Option<Self> {
        said.split_whitespace().find_map(Self::parse)
    }

    fn parse(word: &str) -> Option<Self> {
        let mut parts = word.strip_prefix('v').unwrap_or(word).split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?;
        // Others follow, as in 6.11-rc1.
        let end = minor.find(|letter: char| !letter.is_ascii_digit());
        let minor = minor[..end.unwrap_or(minor.len())].parse().ok()?;
        Some(Self(major, minor))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_tell_their_version() {
        for (said, expected) in [
            ("mkfs.btrfs, part of btrfs-progs v6.2\n", Some((6, 2))),
            (
                "mkfs.btrfs, part of btrfs-progs v6.16.1\n+ZSTD",
                Some((6, 16)),
            ),
            ("x v6.11-rc1", Some((6, 11))),
            ("mkfs.xfs version 6.1.0", Some((6, 1))),
            ("version 7", None),
            ("", None),
        ] {
            let expected = expected.map(|(major, minor)| Version(major, minor));
            assert_eq!(Version::find(said), expected, "{said}");
        }
        assert!(Version(6, 2) < Version(6, 12));
        assert_eq!(Version(6, 12).to_string(), "6.12");
    }
}
