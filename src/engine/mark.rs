//! The mark of an unfinished file. A name alone proves nothing: what is called `disk.img.tmp` may be
//! anybody's. The mark is an extended attribute that tells the file's temporary name and its number
//! on the filesystem, so that neither a copy of the file nor one that was renamed counts as marked.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{XattrFlags, fgetxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

const ATTRIBUTE: &str = "user.createhdds.unfinished";

/// Longer than any mark: a name, a number and a word.
const LIMIT: usize = 512;

/// How it is known whether an unfinished file is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The file is locked as long as it is written.
    Locked,
    /// The directory is locked as long as other programs write the file.
    Programs,
}

const ALL: [Use; 2] = [Use::Locked, Use::Programs];

/// Marks `file`, which has or gets the temporary name `name`. Filesystems without such attributes
/// leave it unmarked.
pub(super) fn set(file: &File, name: &str, by: Use) -> io::Result<()> {
    let value = value(file, name, by)?;
    match fsetxattr(file, ATTRIBUTE, value.as_bytes(), XattrFlags::empty()) {
        Err(Errno::NOTSUP | Errno::NOSYS | Errno::PERM | Errno::ACCESS) => {
            tracing::debug!("the filesystem has no attributes: '{name}' isn't marked");
            Ok(())
        }
        result => Ok(result?),
    }
}

/// Takes the mark off `file`.
pub(super) fn clear(file: &File) -> io::Result<()> {
    match fremovexattr(file, ATTRIBUTE) {
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS | Errno::PERM | Errno::ACCESS) => Ok(()),
        result => Ok(result?),
    }
}

/// The mark of `file` with the name `name`, if it is its own. What can't be read is none.
pub(super) fn of(file: &File, name: &str) -> Option<Use> {
    let mut found = [0; LIMIT];
    let len = fgetxattr(file, ATTRIBUTE, &mut found[..]).ok()?;
    let is_this = |by: &Use| {
        let expected = value(file, name, *by);
        expected.is_ok_and(|expected| found.get(..len) == Some(expected.as_bytes()))
    };
    ALL.into_iter().find(is_this)
}

fn value(file: &File, name: &str, by: Use) -> io::Result<String> {
    let number = file.metadata()?.ino();
    let by = match by {
        Use::Locked => "locked",
        Use::Programs => "programs",
    };
    Ok(format!("{name} {number} {by}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_file_of_that_name_is_marked() {
        let file = tempfile::tempfile_in("/var/tmp").unwrap();
        let other = tempfile::tempfile_in("/var/tmp").unwrap();
        for by in ALL {
            assert_eq!(of(&file, "a.tmp"), None);
            set(&file, "a.tmp", by).unwrap();
            assert_eq!(of(&file, "a.tmp"), Some(by));
            assert_eq!(of(&file, "b.tmp"), None);
            // As by a program that copies files with their attributes.
            let copy = value(&file, "a.tmp", by).unwrap();
            fsetxattr(&other, ATTRIBUTE, copy.as_bytes(), XattrFlags::empty()).unwrap();
            assert_eq!(of(&other, "a.tmp"), None);
            clear(&file).unwrap();
            clear(&file).unwrap();
        }
    }
}
