//! Feature flags by the names that mke2fs has for them.

use super::format::*;
use crate::error::{Error, Result};
use crate::place::Place;

/// The three sets of feature flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Features {
    pub compat: u32,
    pub incompat: u32,
    pub ro_compat: u32,
}

/// Which set a flag is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Compat,
    Incompat,
    RoCompat,
}

use Set::{Compat, Incompat, RoCompat};

/// The features that can be asked for or left out, with their names in mke2fs.
const NAMES: [(&str, Set, u32); 18] = [
    ("has_journal", Compat, EXT4_FEATURE_COMPAT_HAS_JOURNAL),
    ("ext_attr", Compat, EXT4_FEATURE_COMPAT_EXT_ATTR),
    ("resize_inode", Compat, EXT4_FEATURE_COMPAT_RESIZE_INODE),
    ("dir_index", Compat, EXT4_FEATURE_COMPAT_DIR_INDEX),
    ("filetype", Incompat, EXT4_FEATURE_INCOMPAT_FILETYPE),
    ("extent", Incompat, EXT4_FEATURE_INCOMPAT_EXTENTS),
    ("extents", Incompat, EXT4_FEATURE_INCOMPAT_EXTENTS),
    ("64bit", Incompat, EXT4_FEATURE_INCOMPAT_64BIT),
    ("flex_bg", Incompat, EXT4_FEATURE_INCOMPAT_FLEX_BG),
    ("ea_inode", Incompat, EXT4_FEATURE_INCOMPAT_EA_INODE),
    (
        "metadata_csum_seed",
        Incompat,
        EXT4_FEATURE_INCOMPAT_CSUM_SEED,
    ),
    ("large_dir", Incompat, EXT4_FEATURE_INCOMPAT_LARGEDIR),
    (
        "sparse_super",
        RoCompat,
        EXT4_FEATURE_RO_COMPAT_SPARSE_SUPER,
    ),
    ("large_file", RoCompat, EXT4_FEATURE_RO_COMPAT_LARGE_FILE),
    ("huge_file", RoCompat, EXT4_FEATURE_RO_COMPAT_HUGE_FILE),
    ("dir_nlink", RoCompat, EXT4_FEATURE_RO_COMPAT_DIR_NLINK),
    ("extra_isize", RoCompat, EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE),
    (
        "metadata_csum",
        RoCompat,
        EXT4_FEATURE_RO_COMPAT_METADATA_CSUM,
    ),
];

/// A feature that makes no sense without another one.
const NEEDS: [(&str, &str); 4] = [
    ("64bit", "extent"),
    ("resize_inode", "sparse_super"),
    ("large_dir", "dir_index"),
    ("metadata_csum_seed", "metadata_csum"),
];

impl Features {
    /// These features with `changes` made: names to add, names after a `^` to leave out.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` for an unknown name, `Unsupported` for a combination that mke2fs
    /// refuses too.
    pub(super) fn with(mut self, place: &Place, changes: &[String]) -> Result<Self> {
        for change in changes {
            let (name, is_wanted) = match change.strip_prefix('^') {
                Some(name) => (name, false),
                None => (change.as_str(), true),
            };
            let Some((_, set, flag)) = NAMES.into_iter().find(|(known, ..)| *known == name) else {
                return Err(unknown(place, name));
            };
            let flags = self.set_mut(set);
            *flags = if is_wanted {
                *flags | flag
            } else {
                *flags & !flag
            };
        }
        match NEEDS
            .into_iter()
            .find(|(name, needed)| self.has(name) && !self.has(needed))
        {
            None => Ok(self),
            Some((name, needed)) => Err(Error::unsupported(
                place.choice("features"),
                format!("{name} needs {needed}: ask for that too, or leave both out (^{name})"),
            )),
        }
    }

    fn set_mut(&mut self, set: Set) -> &mut u32 {
        match set {
            Compat => &mut self.compat,
            Incompat => &mut self.incompat,
            RoCompat => &mut self.ro_compat,
        }
    }

    /// Whether the feature called `name` is on.
    fn has(mut self, name: &str) -> bool {
        let mut named = NAMES.into_iter().filter(|(known, ..)| *known == name);
        named.any(|(_, set, flag)| *self.set_mut(set) & flag != 0)
    }

    pub(super) const fn has_journal(self) -> bool {
        self.compat & EXT4_FEATURE_COMPAT_HAS_JOURNAL != 0
    }

    pub(super) const fn has_ext_attr(self) -> bool {
        self.compat & EXT4_FEATURE_COMPAT_EXT_ATTR != 0
    }

    pub(super) const fn has_resize_inode(self) -> bool {
        self.compat & EXT4_FEATURE_COMPAT_RESIZE_INODE != 0
    }

    pub(super) const fn has_dir_index(self) -> bool {
        self.compat & EXT4_FEATURE_COMPAT_DIR_INDEX != 0
    }

    pub(super) const fn has_filetype(self) -> bool {
        self.incompat & EXT4_FEATURE_INCOMPAT_FILETYPE != 0
    }

    pub(super) const fn has_extents(self) -> bool {
        self.incompat & EXT4_FEATURE_INCOMPAT_EXTENTS != 0
    }

    pub(super) const fn has_64bit(self) -> bool {
        self.incompat & EXT4_FEATURE_INCOMPAT_64BIT != 0
    }

    pub(super) const fn has_flex_bg(self) -> bool {
        self.incompat & EXT4_FEATURE_INCOMPAT_FLEX_BG != 0
    }

    pub(super) const fn has_ea_inode(self) -> bool {
        self.incompat & EXT4_FEATURE_INCOMPAT_EA_INODE != 0
    }

    pub(super) const fn has_csum_seed(self) -> bool {
        self.incompat & EXT4_FEATURE_INCOMPAT_CSUM_SEED != 0
    }

    pub(super) const fn has_large_dir(self) -> bool {
        self.incompat & EXT4_FEATURE_INCOMPAT_LARGEDIR != 0
    }

    pub(super) const fn has_sparse_super(self) -> bool {
        self.ro_compat & EXT4_FEATURE_RO_COMPAT_SPARSE_SUPER != 0
    }

    pub(super) const fn has_large_file(self) -> bool {
        self.ro_compat & EXT4_FEATURE_RO_COMPAT_LARGE_FILE != 0
    }

    pub(super) const fn has_huge_file(self) -> bool {
        self.ro_compat & EXT4_FEATURE_RO_COMPAT_HUGE_FILE != 0
    }

    pub(super) const fn has_dir_nlink(self) -> bool {
        self.ro_compat & EXT4_FEATURE_RO_COMPAT_DIR_NLINK != 0
    }

    pub(super) const fn has_metadata_csum(self) -> bool {
        self.ro_compat & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM != 0
    }
}

fn unknown(place: &Place, name: &str) -> Error {
    let names = NAMES.map(|(name, ..)| name).join(", ");
    Error::invalid(
        place.choice("features"),
        format!("can't make the feature '{name}'; known are {names}"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::defaults::Flavor;
    use super::*;

    fn with(flavor: Flavor, list: &str) -> Result<Features> {
        let changes: Vec<_> = list.split(',').map(str::to_owned).collect();
        flavor.features().with(&"x".into(), &changes)
    }

    #[test]
    fn features_are_added_and_left_out_in_order() {
        let features = with(Flavor::Ext4, "^has_journal,large_dir,^64bit,64bit").unwrap();
        assert!(!features.has_journal() && features.has_large_dir() && features.has_64bit());
        assert!(with(Flavor::Ext2, "has_journal").unwrap().has_journal());
    }

    #[test]
    fn unknown_names_and_what_lacks_another_are_refused() {
        for (flavor, list, message) in [
            (
                Flavor::Ext4,
                "bigalloc",
                "can't make the feature 'bigalloc'",
            ),
            (
                Flavor::Ext4,
                "^has_journa",
                "can't make the feature 'has_journa'",
            ),
            (Flavor::Ext4, "^extent", "64bit needs extent"),
            (
                Flavor::Ext4,
                "^sparse_super",
                "resize_inode needs sparse_super",
            ),
            (
                Flavor::Ext2,
                "metadata_csum_seed",
                "metadata_csum_seed needs metadata_csum",
            ),
            (
                Flavor::Ext2,
                "large_dir,^dir_index",
                "large_dir needs dir_index",
            ),
        ] {
            let error = with(flavor, list).unwrap_err();
            assert!(error.message().starts_with(message), "{error}");
            assert_eq!(error.place(), "x.features");
        }
    }
}
