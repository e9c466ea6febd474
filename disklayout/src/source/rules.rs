//! What becomes of what a source says on its way into a tree.

use super::{Accounts, Exclude, Owners};
use crate::identity::Timestamp;
use crate::tree::Attributes;

/// How the entries of a source become nodes of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Who owns what.
    pub owners: Owners,
    /// No time is later than this one: later ones become it.
    pub latest: Option<Timestamp>,
    /// The directory of the tree that the source's top goes to, by its absolute path; the root
    /// when it is empty.
    pub target: Vec<u8>,
    /// What is left out.
    pub excluded: Vec<Exclude>,
    /// Whether files called `.wh.NAME` and `.wh..wh..opq` take away what was in the tree before, as
    /// in the layers of an OCI image. Otherwise they are files like others.
    pub whiteouts: bool,
    /// Whether what a node of Linux can't have is left out of an archive, with a warning. Otherwise
    /// it is refused.
    pub lossy: bool,
    /// Whether paths of an archive that start with a slash are refused. Otherwise they start at its
    /// top, with a warning.
    pub strict_paths: bool,
    /// Whether an archive may be compressed with windows of more than 128 MiB, up to 2 GiB.
    pub long_windows: bool,
    /// Who has the names in ACLs of an archive that neither the archive nor what is below it tells
    /// of.
    pub accounts: Accounts,
}

impl Rules {
    /// Whether a path of the source, without a slash in front, is left out.
    pub fn excludes(&self, path: &[u8]) -> bool {
        self.excluded.iter().any(|exclude| exclude.matches(path))
    }

    /// The attributes that a node gets.
    pub(super) fn attributes(&self, attributes: Attributes) -> Attributes {
        let (uid, gid) = self.owners.of(attributes.uid, attributes.gid);
        let mtime = match self.latest {
            Some(latest) => attributes.mtime.min(latest),
            None => attributes.mtime,
        };
        Attributes {
            permissions: attributes.permissions,
            uid,
            gid,
            mtime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_forced_and_times_end_at_the_latest() {
        let rules = Rules {
            owners: Owners::Forced { uid: 1, gid: 2 },
            latest: Some(Timestamp::from_seconds(9)),
            ..Rules::default()
        };
        for (time, expected) in [(8, 8), (9, 9), (10, 9)] {
            let attributes = rules.attributes(Attributes::file(Timestamp::from_seconds(time)));
            assert_eq!((attributes.uid, attributes.gid), (1, 2));
            assert_eq!(attributes.mtime, Timestamp::from_seconds(expected));
            assert_eq!(attributes.permissions, 0o644);
        }
    }

    #[test]
    fn one_pattern_that_matches_is_enough_to_leave_a_path_out() {
        let excluded = [&b"/a"[..], b"*.o"].map(|text| Exclude::parse("x", text).unwrap());
        let rules = Rules {
            excluded: excluded.into(),
            ..Rules::default()
        };
        let paths = [&b"a/x"[..], b"b/x.o", b"b/a"];
        assert_eq!(paths.map(|path| rules.excludes(path)), [true, true, false]);
        assert!(!Rules::default().excludes(b"a"));
    }
}
