//! Files and directories that a step makes in the tree.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::rooted::{Tree, locate, locate_followed};
use crate::system::{Access, NewFile};

/// What is mounted when a system starts.
const FSTAB: &str = "/etc/fstab";

/// Makes a file, or writes over the one that is there. Its directory has to be there.
///
/// # Errors
/// When it can't be made.
pub(super) fn create_file(tree: &Path, file: &NewFile) -> Result<()> {
    let path = locate_followed(tree, file.path.as_ref())?;
    let written = fs::write(&path, &file.contents).and_then(|()| set_access(&path, file.access));
    written.with_context(|| format!("can't make the file '{}' in the tree", file.path))
}

/// Makes a directory that isn't there yet, and those above it.
///
/// # Errors
/// When it is there, or can't be made.
pub(super) fn create_directory(tree: &Path, path: &str, access: Access) -> Result<()> {
    let context = || format!("can't make the directory '{path}' in the tree");
    if let Some((above, _)) = path.trim_end_matches('/').rsplit_once('/') {
        let made = Tree::open(tree).and_then(|tree| tree.make_directory(above));
        made.with_context(context)?;
    }
    let found = locate(tree, path.as_ref())?;
    let made = fs::create_dir(&found).and_then(|()| set_access(&found, access));
    made.with_context(context)
}

/// Copies a file of the host, and makes the directories above it.
///
/// # Errors
/// When it can't be read or made.
pub(super) fn copy_file(tree: &Path, from: &Path, path: &str, access: Access) -> Result<()> {
    let (above, _) = path.rsplit_once('/').unwrap_or_default();
    Tree::open(tree)?.make_directory(above)?;
    let to = locate_followed(tree, path.as_ref())?;
    let copied = fs::copy(from, &to).and_then(|_| set_access(&to, access));
    copied.with_context(|| format!("can't copy '{}' to '{path}' of the tree", from.display()))
}

/// Copies what is in a directory of the host into `path`, which is made where it is missing, with all
/// above it. Files keep their permissions but for those in `umask`, and everything that is made
/// belongs to the owner in `access`. A link to a file is copied as that file, and one to a directory
/// as a directory of which nothing is copied. Links of the tree lead to where they do in it.
///
/// # Errors
/// When something can't be read or made; a link that leads nowhere is refused.
pub(super) fn copy_directory(
    tree: &Path,
    from: &Path,
    path: &str,
    access: Access,
    umask: u32,
) -> Result<()> {
    let access = Access {
        permissions: access.permissions & !umask,
        ..access
    };
    Tree::open(tree)?.make_directories(path, |made| set_access(made, access))?;
    copy_entries(tree, from, Path::new(path), access, umask)
}

/// Copies what is in the directory `from` of the host to the directory `to` of the tree.
fn copy_entries(tree: &Path, from: &Path, to: &Path, access: Access, umask: u32) -> Result<()> {
    let context = |path: &Path| format!("can't copy '{}' into the tree", path.display());
    let entries = fs::read_dir(from).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.with_context(|| context(from))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (source, to) = (entry.path(), to.join(entry.file_name()));
        let metadata = fs::metadata(&source).with_context(|| context(&source))?;
        let target = locate_followed(tree, &to)?;
        if metadata.is_dir() {
            if !target.is_dir() {
                fs::create_dir(&target).with_context(|| context(&source))?;
            }
            set_copied(&target, &metadata, access, umask).with_context(|| context(&source))?;
            if !entry.file_type()?.is_symlink() {
                copy_entries(tree, &source, &to, access, umask)?;
            }
        } else if metadata.is_file() {
            fs::copy(&source, &target).with_context(|| context(&source))?;
            set_copied(&target, &metadata, access, umask).with_context(|| context(&source))?;
        } else {
            bail!("'{}' is neither a file nor a directory", source.display());
        }
    }
    Ok(())
}

/// Gives a copy the permissions of what it is of, as far as `umask` leaves them, and its owner.
fn set_copied(path: &Path, of: &Metadata, owner: Access, umask: u32) -> io::Result<()> {
    let permissions = of.mode() & 0o7777 & !umask;
    let access = Access {
        permissions,
        ..owner
    };
    set_access(path, access)
}

/// Sets permissions and owner; the owner first, as changing it takes away some of the former.
fn set_access(path: &Path, access: Access) -> io::Result<()> {
    chown(path, Some(access.uid), Some(access.gid))?;
    fs::set_permissions(path, PermissionsExt::from_mode(access.permissions))
}

/// `access` with the owners that have these names in the tree's own lists of users and groups.
///
/// # Errors
/// When there is none of that name.
pub(super) fn named(
    tree: &Path,
    (user, group): &(Option<String>, Option<String>),
    access: Access,
) -> Result<Access> {
    let number = |name: &Option<String>, file: &str, usual: u32| match name {
        Some(name) => number_of(tree, file, name),
        None => Ok(usual),
    };
    Ok(Access {
        uid: number(user, "/etc/passwd", access.uid)?,
        gid: number(group, "/etc/group", access.gid)?,
        ..access
    })
}

fn number_of(tree: &Path, file: &str, name: &str) -> Result<u32> {
    let path = locate_followed(tree, file.as_ref())?;
    let text =
        fs::read_to_string(path).with_context(|| format!("can't read {file} of the tree"))?;
    let number = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    });
    number.with_context(|| format!("{file} of the tree has no '{name}'"))
}

/// Writes `lines` of fstab(5), unless the tree's own has any that aren't comments.
///
/// # Errors
/// When it can't be read or written.
pub(super) fn fstab(tree: &Path, lines: &str) -> Result<()> {
    let tree = Tree::open(tree)?;
    let own = tree.read(FSTAB)?.unwrap_or_default();
    let own = String::from_utf8_lossy(&own);
    let is_line = |line: &str| !line.is_empty() && !line.starts_with('#');
    if own.lines().map(str::trim).any(is_line) {
        tracing::warn!("{FSTAB} of the tree stays as it is; it should mount\n{lines}");
        return Ok(());
    }
    tree.write(FSTAB, lines.as_bytes(), 0o644)
}

/// Removes a file, if it is there.
///
/// # Errors
/// When it can't be removed.
pub(super) fn remove(tree: &Path, path: &str) -> Result<()> {
    match fs::remove_file(locate(tree, path.as_ref())?) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove '{path}' from the tree"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// What this user owns, so that no root is needed.
    fn own(permissions: u32) -> Access {
        Access {
            permissions,
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn files_are_made_with_their_permissions_where_links_lead_in_the_tree() {
        let tree = tempfile::tempdir().unwrap();
        let tree = tree.path();
        symlink("/real", tree.join("link")).unwrap();
        let file = |path: &str| NewFile {
            path: path.to_owned(),
            contents: "text".to_owned(),
            access: own(0o4751),
        };
        let error = create_file(tree, &file("/link/file")).unwrap_err();
        assert!(error.to_string().contains("'/link/file'"), "{error}");
        create_directory(tree, "/link/a/b/", own(0o1777)).unwrap();
        create_file(tree, &file("/link/a/b/file")).unwrap();
        assert_eq!(mode(&tree.join("real")), 0o755);
        assert_eq!(mode(&tree.join("real/a/b")), 0o1777);
        assert_eq!(mode(&tree.join("real/a/b/file")), 0o4751);
        assert!(create_directory(tree, "/real/a/b", own(0o755)).is_err());
        let error = create_directory(tree, "/real/a/b/file/x", own(0o755)).unwrap_err();
        assert!(
            format!("{error:#}").contains("is no directory"),
            "{error:#}"
        );
        remove(tree, "/link/a/b/file").unwrap();
        remove(tree, "/link/a/b/file").unwrap();
        assert!(!tree.join("real/a/b/file").exists());
    }

    #[test]
    fn a_table_of_filesystems_stays_where_it_says_anything() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("etc/fstab");
        let written = |own: &str| {
            fs::write(&path, own).unwrap();
            fstab(directory.path(), "UUID=x / ext4\n").unwrap();
            fs::read_to_string(&path).unwrap()
        };
        fstab(directory.path(), "new\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
        for own in ["", "# UNCONFIGURED FSTAB FOR BASE SYSTEM\n", "\n  \n # x"] {
            assert_eq!(written(own), "UUID=x / ext4\n");
        }
        assert_eq!(
            written("# x\n/dev/sda1 / ext4\n"),
            "# x\n/dev/sda1 / ext4\n"
        );
    }

    #[test]
    fn directories_are_copied_as_vmdb2_does() {
        let [tree, host] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (tree, host) = (tree.path(), host.path());
        fs::create_dir_all(host.join("d/e")).unwrap();
        fs::write(host.join("d/e/file"), "text").unwrap();
        fs::set_permissions(host.join("d/e/file"), PermissionsExt::from_mode(0o666)).unwrap();
        fs::set_permissions(host.join("d"), PermissionsExt::from_mode(0o777)).unwrap();
        symlink("d/e/file", host.join("to_file")).unwrap();
        symlink("d", host.join("to_directory")).unwrap();
        copy_directory(tree, host, "/a/b", own(0o700), 0o022).unwrap();
        let at = |name: &str| tree.join("a/b").join(name);
        assert_eq!(mode(&tree.join("a")), 0o700);
        assert_eq!(mode(&at("d")), 0o755);
        assert_eq!(mode(&at("d/e/file")), 0o644);
        assert_eq!(fs::read_to_string(at("to_file")).unwrap(), "text");
        assert!(!at("to_file").is_symlink() && !at("to_directory").is_symlink());
        assert_eq!(fs::read_dir(at("to_directory")).unwrap().count(), 0);
        symlink("nowhere", host.join("dangling")).unwrap();
        let error = copy_directory(tree, host, "/", own(0o755), 0).unwrap_err();
        assert!(format!("{error:#}").contains("dangling"), "{error:#}");
    }

    #[test]
    fn directories_are_copied_through_links_of_the_tree_and_never_out_of_it() {
        let [tree, host, victim] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let (tree, host, victim) = (tree.path(), host.path(), victim.path());
        fs::create_dir_all(host.join("etc")).unwrap();
        fs::create_dir_all(host.join("opt/link")).unwrap();
        fs::write(host.join("etc/link"), "new").unwrap();
        fs::write(host.join("opt/link/file"), "new").unwrap();
        fs::write(victim.join("file"), "old").unwrap();
        for directory in ["etc", "opt", "inside"] {
            fs::create_dir(tree.join(directory)).unwrap();
        }
        let inside = tree.join(victim.strip_prefix("/").unwrap());
        fs::create_dir_all(&inside).unwrap();
        symlink(victim.join("file"), tree.join("etc/link")).unwrap();
        symlink("/inside", tree.join("opt/link")).unwrap();
        copy_directory(tree, host, "/", own(0o755), 0o022).unwrap();
        let text = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!(text(&victim.join("file")), "old");
        assert_eq!(text(&inside.join("file")), "new");
        assert_eq!(text(&tree.join("inside/file")), "new");
    }

    #[test]
    fn a_copied_file_gets_the_directories_above_it() {
        let [tree, host] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let source = host.path().join("file");
        fs::write(&source, "text").unwrap();
        copy_file(tree.path(), &source, "/x/y", own(0o600)).unwrap();
        assert_eq!(mode(&tree.path().join("x/y")), 0o600);
        assert_eq!(mode(&tree.path().join("x")), 0o755);
        let none = host.path().join("none");
        let error = copy_file(tree.path(), &none, "/z", own(0o600)).unwrap_err();
        assert!(format!("{error:#}").contains("none"), "{error:#}");
    }

    #[test]
    fn names_of_owners_are_those_of_the_tree() {
        let tree = tempfile::tempdir().unwrap();
        let tree = tree.path();
        fs::create_dir(tree.join("etc")).unwrap();
        fs::write(tree.join("etc/passwd"), "ann:x:7:8::/:\nroot:x:0:0::/:\n").unwrap();
        fs::write(tree.join("etc/group"), "staff:x:50:\n").unwrap();
        let names = |user: Option<&str>, group: Option<&str>| {
            let names = (user.map(str::to_owned), group.map(str::to_owned));
            let access = Access {
                permissions: 0o755,
                uid: 1,
                gid: 2,
            };
            named(tree, &names, access).map(|it| (it.uid, it.gid))
        };
        assert_eq!(names(None, None).unwrap(), (1, 2));
        assert_eq!(names(Some("ann"), Some("staff")).unwrap(), (7, 50));
        let error = names(Some("eve"), None).unwrap_err().to_string();
        assert_eq!(error, "/etc/passwd of the tree has no 'eve'");
    }
}
