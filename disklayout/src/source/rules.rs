//! What becomes of what a source says on its way into a tree.

use super::{Accounts, Exclude, Owners};
use crate::identity::Timestamp;
use crate::tree::{Attributes, FileTree};

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
    /// What becomes of a symbolic link to a directory where the source has a directory. Without,
    /// it is followed, or with [`Self::whiteouts`] replaced, as layers of containers mean it.
    pub directory_links: Option<DirectoryLinks>,
    /// Whether directories of other filesystems that are mounted in a directory are left empty.
    pub one_file_system: bool,
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

/// What becomes of a symbolic link that leads to a directory of the tree where a source has a
/// directory. Entries below such a link go where it leads, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryLinks {
    /// The link stays, and what is in the source's directory goes where it leads.
    Follow,
    /// The source's directory takes its place.
    Replace,
}

impl Rules {
    /// Whether directories go where a link in their place leads.
    pub(super) fn follows_directory_links(&self) -> bool {
        match self.directory_links {
            Some(links) => links == DirectoryLinks::Follow,
            None => !self.whiteouts,
        }
    }

    /// Whether a path of the source, without a slash in front, is left out.
    pub fn excludes(&self, path: &[u8]) -> bool {
        // All are asked, so that of each it is known whether it matches anything.
        let mut is_excluded = false;
        for exclude in &self.excluded {
            is_excluded |= exclude.excludes(path);
        }
        is_excluded
    }

    /// Tells, for each pattern of what is left out, that it has matched nothing of the sources
    /// that were read by these rules or clones of them. `place` is that of the patterns.
    pub fn tell_useless(&self, tree: &mut FileTree, place: &str) {
        let useless = self.excluded.iter().enumerate();
        let useless = useless.filter(|(index, exclude)| {
            exclude.is_useless(&self.excluded) && !self.excluded[..*index].contains(exclude)
        });
        for (_, exclude) in useless {
            let text = exclude.text().escape_ascii();
            tree.notice(format!(
                "{place}: the pattern '{text}' matches nothing, so that nothing was left out for \
                 it; patterns are paths within a source, one with a '/' in front from its top on"
            ));
        }
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

    #[test]
    fn patterns_that_match_nothing_are_told_once_each() {
        let patterns = ["*.o", "/a.o", "none", "./none", "none", "/a.o/x", "*.c/x"];
        let excluded = patterns.map(|text| Exclude::parse("x", text.as_bytes()).unwrap());
        let rules = Rules {
            excluded: excluded.into(),
            ..Rules::default()
        };
        // Clones are of the same patterns.
        for path in [&b"a.o"[..], b"b"] {
            rules.clone().excludes(path);
        }
        let mut tree = FileTree::new(Timestamp::default());
        rules.tell_useless(&mut tree, "--exclude");
        let notices = tree.take_notices();
        let told = notices.iter().map(|it| it.split('\'').nth(1).unwrap());
        assert_eq!(told.collect::<Vec<_>>(), ["none", "./none", "*.c/x"]);
    }
}
