//! Where something of a tree is for processes outside of it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

/// So many symbolic links are followed in a path, as the kernel does.
const MOST_LINKS: usize = 40;

/// Where `path` of the tree at `root` is on this machine: symbolic links on the way lead to where they
/// do for a process with the tree as its root, and never out of it. The last part isn't followed, and
/// needn't exist; nor need what is missing on the way.
///
/// # Errors
/// When there are too many links, or when one can't be read.
pub fn locate(root: &Path, path: &Path) -> io::Result<PathBuf> {
    resolve(root, path, false)
}

/// The same, with the last part followed as well.
///
/// # Errors
/// Those of [`locate`].
pub fn locate_followed(root: &Path, path: &Path) -> io::Result<PathBuf> {
    resolve(root, path, true)
}

fn resolve(root: &Path, path: &Path, follow_last: bool) -> io::Result<PathBuf> {
    let mut found = root.to_path_buf();
    let mut depth = 0_usize;
    let mut links = 0;
    let mut rest: VecDeque<OsString> = parts(path).collect();
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            if depth > 0 {
                found.pop();
                depth -= 1;
            }
            continue;
        }
        let next = found.join(&part);
        let is_link = fs::symlink_metadata(&next).is_ok_and(|it| it.is_symlink());
        if !is_link || (rest.is_empty() && !follow_last) {
            found = next;
            depth += 1;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(Errno::LOOP.into());
        }
        let target = fs::read_link(&next)?;
        if target.is_absolute() {
            found = root.to_path_buf();
            depth = 0;
        }
        for part in parts(&target).rev() {
            rest.push_front(part);
        }
    }
    Ok(found)
}

/// The names in a path, and `..`.
fn parts(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_lead_to_where_they_do_in_the_tree() {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().join("root");
        fs::create_dir_all(root.join("usr/lib/x")).unwrap();
        fs::create_dir_all(root.join("run")).unwrap();
        for (target, name) in [
            ("usr/lib", "lib"),
            ("/run", "usr/run"),
            ("../../../../usr", "usr/lib/up"),
            ("/usr/run/resolv", "resolv.conf"),
            ("loop", "loop"),
        ] {
            symlink(target, root.join(name)).unwrap();
        }
        for (path, expected, followed) in [
            ("/", "", ""),
            ("/lib/x", "usr/lib/x", "usr/lib/x"),
            ("/usr/run/pid", "run/pid", "run/pid"),
            ("/lib/up/run/a", "run/a", "run/a"),
            ("../../etc", "etc", "etc"),
            ("/lib/../..", "", ""),
            ("/resolv.conf", "resolv.conf", "run/resolv"),
            ("/no/such/thing", "no/such/thing", "no/such/thing"),
            ("/no/../thing", "thing", "thing"),
        ] {
            let path = Path::new(path);
            let expected = root.join(expected);
            assert_eq!(locate(&root, path).unwrap(), expected, "{path:?}");
            let expected = root.join(followed);
            assert_eq!(locate_followed(&root, path).unwrap(), expected, "{path:?}");
        }
        assert!(locate_followed(&root, Path::new("/loop")).is_err());
        assert_eq!(
            locate(&root, Path::new("/loop")).unwrap(),
            root.join("loop")
        );
    }
}
