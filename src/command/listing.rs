//! The files of the image directory, as the inventory wants them.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

use super::time;
use crate::inventory::Entry;

/// Every file in `directory`. One that vanishes meanwhile is left out.
pub(super) fn list(directory: &Path) -> Result<Vec<Entry>> {
    let shown = directory.display();
    let read = fs::read_dir(directory).with_context(|| format!("can't list '{shown}'"))?;
    let mut entries = Vec::new();
    for item in read {
        let item = item.with_context(|| format!("can't list '{shown}'"))?;
        let name = item.file_name();
        match entry(&item) {
            Ok(found) => entries.extend(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let path = directory.join(name);
                return Err(error).with_context(|| format!("can't look at '{}'", path.display()));
            }
        }
    }
    Ok(entries)
}

/// What is at a name; a link counts as what it points to. Names that aren't UTF-8 aren't ours.
fn entry(item: &DirEntry) -> io::Result<Option<Entry>> {
    let Ok(name) = item.file_name().into_string() else {
        return Ok(None);
    };
    let metadata = fs::metadata(item.path())?;
    let modified = time::seconds(metadata.modified()?);
    Ok(Some(Entry {
        name,
        is_file: metadata.is_file(),
        modified,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_count_as_what_they_point_to_and_dangling_ones_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::write(path("file"), "").unwrap();
        fs::create_dir(path("directory")).unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        std::os::unix::fs::symlink("gone", path("dangling")).unwrap();
        let mut found: Vec<_> = list(root.path())
            .unwrap()
            .into_iter()
            .map(|e| (e.name, e.is_file))
            .collect();
        found.sort();
        let expected = [("directory", false), ("file", true), ("link", true)];
        assert_eq!(
            found,
            expected.map(|(name, is_file)| (name.to_owned(), is_file))
        );
    }
}
