//! What is done to the tree beside what elements do.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{IFlags, ioctl_getflags};

use crate::rooted::{Tree, locate_followed};

/// How names of the network are resolved, on the host and in the tree.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What is added to the name of the tree's own while scripts run in it. Elements may write to it: it is
/// what the image gets.
const ORIGINAL: &str = ".ORIG";

/// What is used where the host has none.
const USUAL: &str = "nameserver 8.8.8.8\n";

/// What may be at the top of a tree that nothing was put into.
const NOTHING: [&str; 2] = ["lost+found", "tmp"];

/// Refuses a tree that nothing was put into.
///
/// # Errors
/// That, and when it can't be read.
pub(super) fn check_deployed(tree: &Path) -> Result<()> {
    for entry in fs::read_dir(tree)? {
        let name = entry?.file_name();
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        if !is_hidden && !NOTHING.iter().any(|it| name == *it) {
            return Ok(());
        }
    }
    bail!(
        "the scripts in root.d have put nothing into the tree: the element that provides the operating \
         system has to"
    )
}

/// Has names of the network resolved in the tree as on the host.
///
/// # Errors
/// When the tree can't be written to.
pub(super) fn begin(tree: &Path) -> Result<()> {
    let path = resolv_conf(tree)?;
    if is_there(&path) {
        fs::rename(&path, original(&path))?;
    }
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    let text = fs::read(RESOLV_CONF).unwrap_or_else(|_| USUAL.into());
    fs::write(&path, text)?;
    fs::set_permissions(&path, PermissionsExt::from_mode(0o777))?;
    Ok(())
}

/// Writes the lines of fstab.
///
/// # Errors
/// When the tree can't be written to.
pub(super) fn write_fstab(tree: &Path, lines: &[String]) -> Result<()> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let path = locate_followed(tree, "/etc/fstab".as_ref())?;
    match path.is_file() {
        true => Ok(fs::write(path, text)?),
        false => Tree::open(tree)?.write("/etc/fstab", text.as_bytes(), 0o644),
    }
}

/// Gives the top of the tree to root, and lets everybody look into it: whoever has unpacked an archive
/// of a directory of a user's has given it what that had.
///
/// # Errors
/// When the system refuses that.
pub(super) fn open_top(tree: &Path) -> Result<()> {
    chown(tree, Some(0), Some(0))?;
    Ok(fs::set_permissions(tree, PermissionsExt::from_mode(0o755))?)
}

/// Leaves nothing in the tree of what was only there to make it: the tree's own way to resolve names is
/// back, unless an element has made another one; /tmp is empty, and so are logs.
///
/// # Errors
/// When the tree can't be written to.
pub(super) fn finish(tree: &Path) -> Result<()> {
    let path = resolv_conf(tree)?;
    let original = original(&path);
    if path.is_symlink() || is_immutable(&path) {
        remove(&original)?;
    } else {
        remove(&path)?;
        if is_there(&original) {
            fs::rename(&original, &path)?;
        }
    }
    for_each_in(
        &directory(tree, "/tmp")?,
        |path, is_directory| match is_directory {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        },
    )?;
    for_each_file(&directory(tree, "/var/log")?, &|path| {
        File::options()
            .write(true)
            .truncate(true)
            .open(path)
            .map(drop)
    })?;
    for_each_file(&directory(tree, "/root")?, &|path| match path
        .extension()
        .is_some_and(|it| it == "log")
    {
        true => fs::remove_file(path),
        false => Ok(()),
    })
}

/// Removes a directory for files that were lost, which a filesystem has of its own.
///
/// # Errors
/// When it can't be removed.
pub(super) fn remove_lost_and_found(tree: &Path) -> Result<()> {
    let path = tree.join(NOTHING[0]);
    match path.is_dir() && !path.is_symlink() {
        true => fs::remove_dir_all(&path).context("can't remove /lost+found"),
        false => Ok(()),
    }
}

/// Where the tree has it, whatever its own links lead to.
fn resolv_conf(tree: &Path) -> Result<PathBuf> {
    Ok(directory(tree, "/etc")?.join("resolv.conf"))
}

fn directory(tree: &Path, path: &str) -> Result<PathBuf> {
    Ok(locate_followed(tree, path.as_ref())?)
}

fn original(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ORIGINAL);
    name.into()
}

/// Whether there is a file, or a link wherever it leads.
fn is_there(path: &Path) -> bool {
    path.is_symlink() || path.is_file()
}

/// Whether somebody has seen to it that a file stays as it is.
fn is_immutable(path: &Path) -> bool {
    let flags = File::open(path).and_then(|file| Ok(ioctl_getflags(file)?));
    flags.is_ok_and(|flags| flags.contains(IFlags::IMMUTABLE))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Does something for everything in a directory, if that is there. Links aren't followed.
fn for_each_in(
    directory: &Path,
    mut each: impl FnMut(&Path, bool) -> io::Result<()>,
) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        let done = each(&path, entry.file_type()?.is_dir());
        done.with_context(|| format!("can't clean up '{}'", path.display()))?;
    }
    Ok(())
}

/// Does something for every file below a directory.
fn for_each_file(directory: &Path, each: &dyn Fn(&Path) -> io::Result<()>) -> Result<()> {
    let mut directories = Vec::new();
    for_each_in(directory, |path, is_directory| {
        match is_directory {
            true => directories.push(path.to_owned()),
            false if fs::symlink_metadata(path)?.is_file() => each(path)?,
            false => {}
        }
        Ok(())
    })?;
    directories
        .iter()
        .try_for_each(|it| for_each_file(it, each))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = tree.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        tree
    }

    #[test]
    fn names_are_resolved_while_scripts_run_and_not_later() {
        let text = |tree: &Path| fs::read_to_string(tree.join("etc/resolv.conf")).ok();
        // The tree's own comes back.
        let one = tree(&[("etc/resolv.conf", "own")]);
        begin(one.path()).unwrap();
        assert_ne!(text(one.path()).as_deref(), Some("own"));
        finish(one.path()).unwrap();
        assert_eq!(text(one.path()).as_deref(), Some("own"));
        // An element may say what the image gets.
        begin(one.path()).unwrap();
        fs::write(one.path().join("etc/resolv.conf.ORIG"), "element").unwrap();
        finish(one.path()).unwrap();
        assert_eq!(text(one.path()).as_deref(), Some("element"));
        // A link that an element has made stays, and one that was there comes back.
        for is_made in [true, false] {
            let path = one.path().join("etc/resolv.conf");
            if !is_made {
                fs::remove_file(&path).unwrap();
                symlink("../run/nowhere", &path).unwrap();
            }
            begin(one.path()).unwrap();
            if is_made {
                fs::remove_file(&path).unwrap();
                symlink("../run/nowhere", &path).unwrap();
            }
            finish(one.path()).unwrap();
            assert_eq!(fs::read_link(&path).unwrap(), Path::new("../run/nowhere"));
            assert!(!path.with_extension("conf.ORIG").is_symlink());
        }
        // A tree without one has none.
        let none = tree(&[]);
        begin(none.path()).unwrap();
        finish(none.path()).unwrap();
        assert_eq!(text(none.path()), None);
    }

    #[test]
    fn nothing_is_left_of_what_was_only_there_to_make_it() {
        let tree = tree(&[
            ("tmp/.x/y", ""),
            ("var/log/a/b.log", "text"),
            ("root/a/x.log", ""),
            ("root/x.txt", ""),
            ("lost+found/x", ""),
        ]);
        finish(tree.path()).unwrap();
        remove_lost_and_found(tree.path()).unwrap();
        let is_there = |path: &str| tree.path().join(path).exists();
        assert!(is_there("tmp") && !is_there("tmp/.x"));
        assert_eq!(fs::read(tree.path().join("var/log/a/b.log")).unwrap(), b"");
        assert!(!is_there("root/a/x.log") && is_there("root/x.txt") && !is_there("lost+found"));
    }

    #[test]
    fn a_tree_with_nothing_in_it_is_refused() {
        assert!(check_deployed(tree(&[("tmp/x", ""), (".x", "")]).path()).is_err());
        check_deployed(tree(&[("etc/x", "")]).path()).unwrap();
    }

    #[test]
    fn fstab_is_written_whatever_was_there() {
        for files in [
            &[][..],
            &[("etc/fstab", "# a longer line than the others\n")],
        ] {
            let tree = tree(files);
            write_fstab(tree.path(), &["a".to_owned(), "b".to_owned()]).unwrap();
            let text = fs::read_to_string(tree.path().join("etc/fstab")).unwrap();
            assert_eq!(text, "a\nb\n");
        }
    }
}
