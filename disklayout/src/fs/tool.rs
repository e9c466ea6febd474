//! The external programs that write some of the formats.

use std::fmt;

/// An external program and how to get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The name of its file.
    pub program: &'static str,
    /// The packages that have it.
    pub packages: Packages,
}

/// The packages of two families of distributions that have the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packages {
    /// That of Debian, Ubuntu and their kin.
    pub debian: &'static str,
    /// That of Fedora, Enterprise Linux and their kin.
    pub fedora: &'static str,
    /// Where the last one is, or what else is to be known of it; may be empty.
    remark: &'static str,
}

impl Packages {
    /// One package of the same name everywhere; `remark` may be empty.
    pub const fn same(name: &'static str, remark: &'static str) -> Self {
        Self::two(name, name, remark)
    }

    /// Two packages; `remark` says which of Fedora's kin have the second one.
    pub const fn two(debian: &'static str, fedora: &'static str, remark: &'static str) -> Self {
        Self {
            debian,
            fedora,
            remark,
        }
    }
}

/// `'ntfs-3g' (Debian, Ubuntu) or 'ntfsprogs' (Fedora, Rocky with EPEL)`.
impl fmt::Display for Packages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.debian != self.fedora {
            write!(f, "'{}' (Debian, Ubuntu) or ", self.debian)?;
        }
        write!(f, "'{}'", self.fedora)?;
        match self.remark {
            "" => Ok(()),
            remark => write!(f, " ({remark})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_one_name_are_named_once() {
        for (packages, expected) in [
            (Packages::same("cpio", ""), "'cpio'"),
            (
                Packages::same("a", "Debian, Fedora"),
                "'a' (Debian, Fedora)",
            ),
            (
                Packages::two("a", "b", "Fedora"),
                "'a' (Debian, Ubuntu) or 'b' (Fedora)",
            ),
        ] {
            assert_eq!(packages.to_string(), expected);
        }
    }
}
