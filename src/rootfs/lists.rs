//! The lists of packages that a tree has already: whether they are new, and the part of them that an
//! installation needs.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::reachable::reachable;
use crate::rooted::{StandIn, Tree, locate_followed};

/// So long lists count as new: mirrors change four times a day.
const NEW: Duration = Duration::from_secs(6 * 60 * 60);

/// Where they are, and a directory there that apt changes whenever it reads them.
const LISTS: &str = "/var/lib/apt/lists";
const CHANGED: &str = "/var/lib/apt/lists/partial";

/// What the name of such a list has, and what one that isn't compressed ends with.
const PACKAGES: &str = "_Packages";

/// What dpkg knows of what is installed.
const STATUS: &str = "/var/lib/dpkg/status";

/// What says where packages come from.
const SOURCES: [&str; 2] = ["/etc/apt/sources.list", "/etc/apt/sources.list.d"];

/// Whether the tree has lists of packages that were read lately, and no source has changed since.
///
/// # Errors
/// When the tree can't be looked at.
pub(super) fn are_new(tree: &Path) -> Result<bool> {
    let lists = Tree::open(tree)?.names(LISTS)?;
    let changed = fs::metadata(locate_followed(tree, CHANGED.as_ref())?);
    let (true, Ok(changed)) = (lists.iter().any(|it| it.contains(PACKAGES)), changed) else {
        return Ok(false);
    };
    let read = changed.modified()?;
    let age = SystemTime::now().duration_since(read);
    if !age.is_ok_and(|age| age < NEW) {
        return Ok(false);
    }
    for path in SOURCES {
        if is_newer(&locate_followed(tree, path.as_ref())?, read) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a file, or anything in a directory, was changed behind `time`. What isn't there wasn't.
fn is_newer(path: &Path, time: SystemTime) -> bool {
    let own = fs::symlink_metadata(path).and_then(|it| it.modified());
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    own.is_ok_and(|own| own > time) || entries.into_iter().any(|it| is_newer(&it.path(), time))
}

/// What stands for the lists while packages are installed: the part of each that matters for `wanted`.
/// None where that can't be told, or all may matter.
///
/// # Errors
/// When the tree can't be read.
pub(super) fn shortened(tree: &Path, wanted: &[String]) -> Result<Vec<StandIn>> {
    let tree = Tree::open(tree)?;
    let mut paths = tree.names(LISTS)?;
    paths.retain(|name| name.contains(PACKAGES));
    let are_plain = paths.iter().all(|name| name.ends_with(PACKAGES));
    if !are_plain {
        return Ok(Vec::new());
    }
    let paths = paths.iter().map(|name| format!("{LISTS}/{name}"));
    let paths: Vec<_> = paths.collect();
    let read = |path| Ok(tree.read(path)?.unwrap_or_default());
    let lists = paths.iter().map(|path| read(path));
    let lists = lists.collect::<Result<Vec<_>>>()?;
    let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
    let parts = reachable(&lists, &read(STATUS)?, &wanted).unwrap_or_default();
    let parts = paths.into_iter().zip(parts);
    Ok(parts
        .map(|(path, contents)| StandIn {
            path,
            contents,
            permissions: 0o644,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn lists_are_new_for_hours_unless_a_source_is_newer() {
        let directory = tempfile::tempdir().unwrap();
        let tree = directory.path();
        let at = |path: &str| tree.join(path.trim_start_matches('/'));
        let set = |path: &str, hours: u64| {
            let time = SystemTime::now() - Duration::from_secs(hours * 3600);
            File::open(at(path)).unwrap().set_modified(time).unwrap();
        };
        assert!(!are_new(tree).unwrap());
        fs::create_dir_all(at(CHANGED)).unwrap();
        fs::create_dir_all(at(SOURCES[1])).unwrap();
        fs::write(at(SOURCES[0]), "deb x").unwrap();
        let other = format!("{}/other.list", SOURCES[1]);
        fs::write(at(&other), "deb y").unwrap();
        for path in [SOURCES[0], &other, SOURCES[1]] {
            set(path, 9);
        }
        assert!(!are_new(tree).unwrap(), "no list");
        fs::write(
            at(LISTS).join("host_dists_x_main_binary-amd64_Packages"),
            "",
        )
        .unwrap();
        assert!(are_new(tree).unwrap());
        set(CHANGED, 5);
        assert!(are_new(tree).unwrap());
        set(CHANGED, 7);
        assert!(!are_new(tree).unwrap(), "old");
        set(CHANGED, 1);
        for path in [SOURCES[0], &other, SOURCES[1]] {
            set(path, 0);
            assert!(!are_new(tree).unwrap(), "{path}");
            set(path, 9);
        }
        assert!(are_new(tree).unwrap());
    }
}
