//! How much room files take.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use disklayout::Bytes;

use crate::printable::printable;
use crate::sandbox::Output;

/// What room is given out by, in bytes.
const BLOCK: u64 = 4096;

/// What is told of when not everything is.
const LARGE: u64 = 10 << 20;

/// A symbolic link of fewer bytes takes no room beside its own node.
const SHORT_LINK: u64 = 60;

/// How much room something takes, with all that is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Used {
    /// Its path.
    pub path: PathBuf,
    /// The room that it takes.
    pub bytes: Bytes,
}

/// How much room everything in a tree takes on a filesystem with blocks of 4 KiB, whatever filesystem
/// it is on now: the tree comes last, each directory behind what is in it. What has several names
/// counts once; holes don't count.
///
/// # Errors
/// When a directory can't be read.
pub(super) fn of(tree: &Path) -> Result<Vec<Used>> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    add(tree, &mut seen, &mut all)?;
    Ok(all)
}

/// Tells what takes most: files and directories of 10 MiB and more, or all, largest first.
///
/// # Errors
/// When the log can't be written.
pub(super) fn report(used: &[Used], tree: &Path, all: bool, output: &mut Output) -> Result<()> {
    let least = if all { 0 } else { LARGE };
    let mut shown: Vec<_> = used.iter().filter(|it| it.bytes.get() >= least).collect();
    shown.sort_by_key(|it| (std::cmp::Reverse(it.bytes.get()), &it.path));
    let mut text = match all {
        true => "Room that files take:\n".to_owned(),
        false => "Room that files take, from 10 MiB on:\n".to_owned(),
    };
    for Used { path, bytes } in shown {
        let path = Path::new("/").join(path.strip_prefix(tree).unwrap_or(path));
        let size = indicatif::BinaryBytes(bytes.get()).to_string();
        text.push_str(&format!(
            "{size:>12} {}\n",
            printable(&path.to_string_lossy())
        ));
    }
    Ok(output.say(text.as_bytes())?)
}

/// Adds a file, or a directory with all that is in it, and tells how much that is.
fn add(path: &Path, seen: &mut BTreeSet<u64>, all: &mut Vec<Used>) -> Result<u64> {
    let context = || format!("can't look at '{}'", path.display());
    let metadata = fs::symlink_metadata(path).with_context(context)?;
    let mut bytes = own(&metadata);
    if metadata.is_dir() {
        let entries = fs::read_dir(path).with_context(context)?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.with_context(context)?.path());
        }
        names.sort_unstable();
        for name in names {
            bytes += add(&name, seen, all)?;
        }
    } else if metadata.nlink() > 1 && !seen.insert(metadata.ino()) {
        return Ok(0);
    }
    all.push(Used {
        path: path.to_owned(),
        bytes: Bytes::new(bytes),
    });
    Ok(bytes)
}

/// The room that something takes by itself.
fn own(metadata: &fs::Metadata) -> u64 {
    if metadata.is_dir() {
        return BLOCK;
    }
    if metadata.is_symlink() && metadata.size() < SHORT_LINK {
        return 0;
    }
    // A file with holes has fewer blocks than bytes.
    let whole = metadata.size().next_multiple_of(BLOCK);
    whole.min((metadata.blocks() * 512).next_multiple_of(BLOCK))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn blocks_are_counted_and_holes_and_further_names_are_not() {
        let tree = tempfile::tempdir().unwrap();
        let at = |path: &str| tree.path().join(path);
        fs::create_dir(at("d")).unwrap();
        fs::write(at("d/a"), vec![1; 5000]).unwrap();
        fs::hard_link(at("d/a"), at("d/b")).unwrap();
        std::os::unix::fs::symlink("x", at("short")).unwrap();
        let hole = File::create(at("hole")).unwrap();
        hole.set_len(100 << 20).unwrap();
        let used = of(tree.path()).unwrap();
        let found: Vec<_> = used
            .iter()
            .map(|it| (it.path.strip_prefix(tree.path()).unwrap(), it.bytes.get()))
            .collect();
        let expected = [
            ("d/a", 8192),
            ("d", 8192 + 4096),
            ("hole", 0),
            ("short", 0),
            ("", 8192 + 2 * 4096),
        ];
        assert_eq!(
            found,
            expected.map(|(path, bytes)| (Path::new(path), bytes))
        );
    }
}
