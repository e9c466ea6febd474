//! Takes out of a tree what doesn't fit, and keeps all the rest: for formats that know links and
//! special files, but not every one of them.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::{Loss, Survey};
use crate::error::Result;
use crate::identity::Timestamp;
use crate::tree::{Attributes, FileTree, NodeId, Xattr, Xattrs};

/// What Linux takes for no user and no group.
const NO_ID: u32 = u32::MAX;
/// The user and the group that Linux shows instead (`overflowuid`, `overflowgid`).
const NOBODY: u32 = 65_534;

/// How much of a path that is too long is shown, in bytes.
const SHOWN: usize = 100;

impl Survey {
    /// Removes every entry of which `misfit` tells what is lost and why, with all that is below it.
    /// It is asked for a directory, a name in it and what that leads to.
    ///
    /// # Errors
    /// Those of [`Self::note`].
    pub fn keep_entries(
        &mut self,
        tree: &mut FileTree,
        misfit: impl Fn(&FileTree, NodeId, &[u8], NodeId) -> Option<(Loss, String)>,
    ) -> Result<()> {
        let mut removed = Vec::new();
        let mut directories = VecDeque::from([FileTree::ROOT]);
        while let Some(directory) = directories.pop_front() {
            for (name, id) in tree.entries(directory) {
                if let Some((loss, why)) = misfit(tree, directory, name, id) {
                    let path = || [&tree.path(directory)[..], b"/", name].concat();
                    self.note(loss, path, || why)?;
                    removed.push((directory, name.to_vec()));
                } else if tree.node(id).kind.is_directory() {
                    directories.push_back(id);
                }
            }
        }
        for (directory, name) in removed {
            tree.remove(directory, &name);
        }
        Ok(())
    }

    /// Changes owners of the number that stands for none (4294967295) to nobody: Linux lets nobody
    /// change such a file.
    ///
    /// # Errors
    /// Those of [`Self::note`].
    pub fn keep_owners(&mut self, tree: &mut FileTree) -> Result<()> {
        let mut changed = Vec::new();
        for (id, node) in tree.nodes() {
            let Attributes { uid, gid, .. } = node.attributes;
            if ![uid, gid].contains(&NO_ID) {
                continue;
            }
            let why = || format!("belongs to {uid}:{gid}, and {NO_ID} stands for none");
            self.note(Loss::NoOwner, || tree.path(id), why)?;
            let held = |id| if id == NO_ID { NOBODY } else { id };
            let attributes = Attributes {
                uid: held(uid),
                gid: held(gid),
                ..node.attributes
            };
            changed.push((id, attributes));
        }
        change(tree, changed);
        Ok(())
    }

    /// Moves times out of `seconds` from 1970 to the nearest in it. `loss` tells whether that is a
    /// reason to refuse, `advice` how there would be more.
    ///
    /// # Errors
    /// Those of [`Self::note`].
    pub fn keep_times(
        &mut self,
        tree: &mut FileTree,
        loss: Loss,
        seconds: RangeInclusive<i64>,
        advice: &str,
    ) -> Result<()> {
        let mut changed = Vec::new();
        for (id, node) in tree.nodes() {
            let time = node.attributes.mtime.seconds;
            if seconds.contains(&time) {
                continue;
            }
            let why = || format!("is of {time} s from 1970{advice}");
            self.note(loss, || tree.path(id), why)?;
            let mtime = Timestamp::from_seconds(time.clamp(*seconds.start(), *seconds.end()));
            let attributes = Attributes {
                mtime,
                ..node.attributes
            };
            changed.push((id, attributes));
        }
        change(tree, changed);
        Ok(())
    }

    /// Removes directories whose paths have more than `most` bytes, which `program` doesn't take.
    ///
    /// # Errors
    /// Those of [`Self::note`].
    pub fn keep_short_paths(
        &mut self,
        tree: &mut FileTree,
        most: usize,
        program: &str,
    ) -> Result<()> {
        let mut removed = Vec::new();
        let mut directories = VecDeque::from([(FileTree::ROOT, 0)]);
        while let Some((directory, above)) = directories.pop_front() {
            for (name, id) in tree.entries(directory) {
                let len = above + 1 + name.len();
                if !tree.node(id).kind.is_directory() {
                    continue;
                }
                if len <= most {
                    directories.push_back((id, len));
                    continue;
                }
                let path = || shortened([&tree.path(directory)[..], b"/", name].concat());
                let why = || format!("has a path of {len} bytes, and {program} takes {most}");
                self.note(Loss::Name, path, why)?;
                removed.push((directory, name.to_vec()));
            }
        }
        for (directory, name) in removed {
            tree.remove(directory, &name);
        }
        Ok(())
    }

    /// Removes extended attributes until those that a node has fit together: `fits` tells why some
    /// don't. In the order of their names, each that still fits stays.
    ///
    /// # Errors
    /// Those of [`Self::note`].
    pub fn keep_xattrs(
        &mut self,
        tree: &mut FileTree,
        fits: impl Fn(&FileTree, NodeId, &Xattrs) -> Result<(), String>,
    ) -> Result<()> {
        let mut changed = Vec::new();
        for (id, node) in tree.nodes() {
            if node.xattrs.is_empty() || fits(tree, id, &node.xattrs).is_ok() {
                continue;
            }
            let mut kept: Vec<Xattr> = Vec::new();
            for xattr in node.xattrs.iter() {
                kept.push(xattr.clone());
                if let Err(reason) = fits(tree, id, &Xattrs::new(kept.iter().cloned())) {
                    self.note_xattr(xattr, || tree.path(id), Some(&reason))?;
                    kept.pop();
                }
            }
            changed.push((id, Xattrs::new(kept)));
        }
        for (id, xattrs) in changed {
            tree.set_xattrs(id, xattrs);
        }
        Ok(())
    }
}

/// The start of a path that is too long to be shown.
fn shortened(mut path: Vec<u8>) -> Vec<u8> {
    if path.len() > SHOWN {
        path.truncate(SHOWN);
        path.extend(b"...");
    }
    path
}

fn change(tree: &mut FileTree, attributes: Vec<(NodeId, Attributes)>) {
    for (id, attributes) in attributes {
        tree.set_attributes(id, attributes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{Misfits, Request};
    use crate::identity::Identity;
    use crate::tree::{Node, NodeKind};

    fn survey(misfits: Misfits) -> Survey {
        let identity = Identity::new("t", Timestamp::default());
        let mut request = Request::new("p", "x", identity);
        request.misfits = misfits;
        Survey::new(&request, "X")
    }

    fn tree(paths: &[&str]) -> FileTree {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        for path in paths {
            let node = Node::new(NodeKind::Fifo, Attributes::file(time));
            tree.put("t", path.as_bytes(), node).unwrap();
        }
        tree
    }

    #[test]
    fn what_is_below_a_removed_entry_is_not_told_of() {
        let mut tree = tree(&["/bad/bad", "/good/bad", "/good/good"]);
        let misfit = |_: &FileTree, _: NodeId, name: &[u8], _: NodeId| {
            (name == b"bad").then(|| (Loss::Name, "is bad".to_owned()))
        };
        let mut refusing = survey(Misfits::Refuse);
        let error = refusing.keep_entries(&mut tree, misfit).unwrap_err();
        assert!(
            error.to_string().starts_with("p: '/bad' is bad, "),
            "{error}"
        );
        let mut survey = survey(Misfits::Drop);
        survey.keep_entries(&mut tree, misfit).unwrap();
        let expected = "left out 2 entries with names that X can't hold: '/bad' is bad, and others";
        assert_eq!(survey.into_warnings(), [expected]);
        assert_eq!(tree.nodes().count(), 3);
    }

    #[test]
    fn owners_that_are_none_become_nobody() {
        let mut tree = tree(&["/a", "/b"]);
        let file = tree.find(b"/b").unwrap();
        let attributes = Attributes {
            uid: NO_ID - 1,
            gid: NO_ID,
            ..tree.node(file).attributes
        };
        tree.set_attributes(file, attributes);
        let error = survey(Misfits::Refuse).keep_owners(&mut tree).unwrap_err();
        let expected = "p: '/b' belongs to 4294967294:4294967295, and 4294967295 stands for none, \
            which X can't hold: ";
        assert!(error.to_string().starts_with(expected), "{error}");
        let mut survey = survey(Misfits::Drop);
        survey.keep_owners(&mut tree).unwrap();
        let own = tree.node(file).attributes;
        assert_eq!((own.uid, own.gid), (NO_ID - 1, NOBODY));
        assert_eq!(survey.into_warnings().len(), 1);
        self::survey(Misfits::Refuse)
            .keep_owners(&mut tree)
            .unwrap();
    }

    #[test]
    fn times_are_moved_to_the_nearest() {
        let mut tree = tree(&["/a", "/b", "/c"]);
        let times = [(&b"/a"[..], -11, -10), (b"/b", 21, 20), (b"/c", 20, 20)];
        for (path, time, _) in times {
            let file = tree.find(path).unwrap();
            let mtime = Timestamp::from_seconds(time);
            let attributes = Attributes {
                mtime,
                ..tree.node(file).attributes
            };
            tree.set_attributes(file, attributes);
        }
        for (loss, is_refused) in [(Loss::Time, false), (Loss::FarTime, true)] {
            let mut survey = survey(Misfits::Refuse);
            let kept = survey.keep_times(&mut tree.clone(), loss, -10..=20, "");
            assert_eq!(kept.is_err(), is_refused);
        }
        let mut survey = survey(Misfits::Drop);
        survey
            .keep_times(&mut tree, Loss::FarTime, -10..=20, " (more)")
            .unwrap();
        for (path, _, time) in times {
            let file = tree.find(path).unwrap();
            assert_eq!(tree.node(file).attributes.mtime.seconds, time);
        }
        let expected = "changed 2 times to the nearest that X can hold: '/a' is of -11 s from \
            1970 (more), and others";
        assert_eq!(survey.into_warnings(), [expected]);
    }

    #[test]
    fn paths_are_cut_where_they_become_too_long() {
        let mut tree = tree(&["/a/b/c/f", "/a/d"]);
        let mut survey = survey(Misfits::Drop);
        survey.keep_short_paths(&mut tree, 4, "mkfs").unwrap();
        assert!(tree.find(b"/a/b/c").is_none());
        assert!(tree.find(b"/a/b").is_some());
        let expected = "left out 1 entry with names that X can't hold: '/a/b/c' has a path of \
            6 bytes, and mkfs takes 4";
        assert_eq!(survey.into_warnings(), [expected]);
    }

    #[test]
    fn attributes_that_fit_together_stay() {
        let mut tree = tree(&["/f"]);
        let file = tree.find(b"/f").unwrap();
        let xattrs = ["user.a", "user.long", "user.z"].map(|name| Xattr {
            name: name.as_bytes().into(),
            value: (*b"1").into(),
        });
        tree.set_xattrs(file, Xattrs::new(xattrs));
        let fits = |_: &FileTree, _: NodeId, xattrs: &Xattrs| {
            let len: usize = xattrs.iter().map(|xattr| xattr.name.len()).sum();
            if len > 14 {
                Err(format!("{len} bytes"))
            } else {
                Ok(())
            }
        };
        survey(Misfits::Refuse)
            .keep_xattrs(&mut tree, fits)
            .unwrap_err();
        let mut survey = survey(Misfits::Drop);
        survey.keep_xattrs(&mut tree, fits).unwrap();
        let names: Vec<_> = tree.node(file).xattrs.iter().map(|it| &*it.name).collect();
        assert_eq!(names, [b"user.a", b"user.z"]);
        let expected = "left out 1 extended attribute, which X can't hold: '/f' has the extended \
            attribute user.long (15 bytes)";
        assert_eq!(survey.into_warnings(), [expected]);
    }
}
