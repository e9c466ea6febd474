//! Directories that become subvolumes.

use std::collections::HashMap;

use disklayout::fs::misfits::{Loss, Survey};
use disklayout::tree::{FileTree, NodeId};
use disklayout::{Error, Place, Result};

/// How many there may be: the tree of their UUIDs stays a single node.
pub(super) const SUBVOLUMES_MAX: usize = 100;

/// A directory that becomes a subvolume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subvolume {
    /// Where it is, without `/` at its ends.
    pub path: String,
    /// Whether nobody can write into it.
    pub is_read_only: bool,
    /// Whether it is the one that is mounted unless another one is asked for.
    pub is_default: bool,
}

impl Subvolume {
    /// `PATH` or `TYPE:PATH`, with the types of mkfs.btrfs: `rw`, `ro`, `default`, `default-ro`.
    fn parse(text: &str) -> Result<Self, String> {
        let (kind, path) = text.split_once(':').unwrap_or(("rw", text));
        let (is_default, is_read_only) = match kind {
            "rw" => (false, false),
            "ro" => (false, true),
            "default" => (true, false),
            "default-ro" => (true, true),
            _ => {
                return Err(format!(
                    "'{kind}' is no type of subvolumes: rw, ro, default or default-ro"
                ));
            }
        };
        let path = path.trim_matches('/').to_owned();
        if path.is_empty() {
            return Err(format!("'{text}' names no directory below the top one"));
        }
        let is_odd = |name: &str| matches!(name, "" | "." | "..");
        match path.split('/').any(is_odd) {
            true => Err(format!("'{path}' has '.', '..' or '//' in it")),
            false => Ok(Self {
                path,
                is_read_only,
                is_default,
            }),
        }
    }

    /// Subvolumes with commas between them.
    ///
    /// # Errors
    /// What is wrong with `text`: a type or path that can't be, the same one twice, two defaults,
    /// or more than [`SUBVOLUMES_MAX`].
    pub(super) fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let all: Vec<_> = text.split(',').map(Self::parse).collect::<Result<_, _>>()?;
        if all.len() > SUBVOLUMES_MAX {
            return Err(format!(
                "{} subvolumes are more than {SUBVOLUMES_MAX}",
                all.len()
            ));
        }
        for (index, one) in all.iter().enumerate() {
            let mut before = all[..index].iter();
            if before.any(|other| other.path == one.path) {
                return Err(format!("'{}' is there twice", one.path));
            }
        }
        match all.iter().filter(|one| one.is_default).count() {
            0 | 1 => Ok(all),
            _ => Err("only one subvolume can be the default one".to_owned()),
        }
    }
}

/// Makes sure that subvolumes are directories of the tree, and notes files with names in several
/// of them: those become several files.
///
/// # Errors
/// `InvalidSpec` at `place` for what is no directory, and those of [`Survey::note`].
pub(super) fn check(
    place: &Place,
    tree: &FileTree,
    subvolumes: &[Subvolume],
    survey: &mut Survey,
) -> Result<()> {
    let mut tops = Vec::new();
    for Subvolume { path, .. } in subvolumes {
        let found = tree.find(path.as_bytes());
        let message = match found.map(|id| (id, &tree.node(id).kind)) {
            Some((id, kind)) if kind.is_directory() => {
                tops.push(id);
                continue;
            }
            Some((_, kind)) => format!("'{path}' is a {} and no directory", kind.noun()),
            None => format!("there is no directory '{path}' in the filesystem"),
        };
        return Err(Error::invalid(place, message));
    }
    if tops.is_empty() {
        return Ok(());
    }
    note_links(tree, &tops, survey)
}

fn note_links(tree: &FileTree, tops: &[NodeId], survey: &mut Survey) -> Result<()> {
    let mut first: HashMap<NodeId, NodeId> = HashMap::new();
    let mut pending = vec![(FileTree::ROOT, FileTree::ROOT)];
    while let Some((directory, subvolume)) = pending.pop() {
        for (name, id) in tree.entries(directory) {
            if tree.node(id).kind.is_directory() {
                let is_top = tops.contains(&id);
                pending.push((id, if is_top { id } else { subvolume }));
            } else if tree.links(id) > 1 && *first.entry(id).or_insert(subvolume) != subvolume {
                let path = || [&tree.path(directory)[..], b"/", name].concat();
                let why = || "is one of the names of a file in several subvolumes".to_owned();
                survey.note(Loss::HardLink, path, why)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::fs::{Misfits, Request};
    use disklayout::tree::{Attributes, Node, NodeKind};
    use disklayout::{Identity, Timestamp};

    #[test]
    fn types_and_paths_are_understood_or_refused() {
        let all = Subvolume::parse_all("home,ro:/usr/,default-ro:a:b/c").unwrap();
        let found: Vec<_> = all
            .iter()
            .map(|one| (&*one.path, one.is_read_only, one.is_default))
            .collect();
        let expected = [
            ("home", false, false),
            ("usr", true, false),
            ("a:b/c", true, true),
        ];
        assert_eq!(found, expected);
        let many = vec!["x"; SUBVOLUMES_MAX + 1].join(",");
        for (text, message) in [
            ("", "names no directory"),
            ("a,,b", "names no directory"),
            ("rw:/", "names no directory"),
            ("rx:a", "no type"),
            ("a/../b", "'..'"),
            ("a//b", "'//'"),
            ("a,ro:/a", "twice"),
            ("default:a,default-ro:b", "only one"),
            (&many, "more than 100"),
        ] {
            let error = Subvolume::parse_all(text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    fn checked(subvolumes: &str, misfits: Misfits) -> Result<Vec<String>> {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        let node = Node::new(NodeKind::Fifo, Attributes::file(time));
        let file = tree.put("t", b"/a/b/f", node).unwrap();
        tree.link("t", b"/a/b/same", file).unwrap();
        tree.link("t", b"/a/other", file).unwrap();
        let mut request = Request::new("p", "btrfs", Identity::new("t", time));
        request.misfits = misfits;
        let mut survey = Survey::new(&request, "Btrfs");
        let subvolumes = Subvolume::parse_all(subvolumes).unwrap();
        check(&"p".into(), &tree, &subvolumes, &mut survey)?;
        Ok(survey.into_warnings())
    }

    #[test]
    fn they_are_directories() {
        assert!(checked("a", Misfits::Refuse).unwrap().is_empty());
        for (text, message) in [
            ("a/c", "p: there is no directory 'a/c' in the filesystem"),
            ("a/b/f", "p: 'a/b/f' is a named pipe and no directory"),
        ] {
            let error = checked(text, Misfits::Drop).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_file_is_in_one_of_them() {
        let error = checked("a,a/b", Misfits::Refuse).unwrap_err().to_string();
        assert!(error.contains("in several subvolumes"), "{error}");
        let warnings = checked("a,a/b", Misfits::Drop).unwrap();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("made 2 copies"), "{warnings:?}");
    }
}
