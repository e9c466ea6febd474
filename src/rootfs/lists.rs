//! The lists of packages that a tree has already.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::rooted::locate_followed;

/// So long lists count as new: mirrors change four times a day.
const NEW: Duration = Duration::from_secs(6 * 60 * 60);

/// Where they are, and a directory there that apt changes whenever it reads them.
const LISTS: &str = "/var/lib/apt/lists";
const CHANGED: &str = "/var/lib/apt/lists/partial";

/// What says where packages come from.
const SOURCES: [&str; 2] = ["/etc/apt/sources.list", "/etc/apt/sources.list.d"];

/// Whether the tree has lists of packages that were read lately, and no source has changed since.
///
/// # Errors
/// When the tree can't be looked at.
pub(super) fn are_new(tree: &Path) -> io::Result<bool> {
    let Some(read) = modified(tree, CHANGED)? else {
        return Ok(false);
    };
    let is_new = SystemTime::now()
        .duration_since(read)
        .is_ok_and(|age| age < NEW);
    if !is_new || !has_any(tree)? {
        return Ok(false);
    }
    for path in SOURCES {
        if is_newer(&locate_followed(tree, path.as_ref())?, read) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// When something of the tree was changed last, if it is there.
fn modified(tree: &Path, path: &str) -> io::Result<Option<SystemTime>> {
    match fs::metadata(locate_followed(tree, path.as_ref())?) {
        Ok(metadata) => metadata.modified().map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether there is any list.
fn has_any(tree: &Path) -> io::Result<bool> {
    let lists = fs::read_dir(locate_followed(tree, LISTS.as_ref())?)?;
    let names = lists.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.into_iter().any(|name| name.contains("_Packages")))
}

/// Whether a file, or anything in a directory, was changed behind `time`. What isn't there wasn't.
fn is_newer(path: &Path, time: SystemTime) -> bool {
    let own = fs::symlink_metadata(path).and_then(|it| it.modified());
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    own.is_ok_and(|own| own > time) || entries.into_iter().any(|it| is_newer(&it.path(), time))
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
