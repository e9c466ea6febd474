//! Who may read and write a finished file: whoever could before it was replaced, else whom the
//! umask leaves.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rustix::fs::{Gid, Stat, Uid, fchown};

/// What a new file is given before the umask takes from it.
const NEW: u32 = 0o666;

/// Reading, writing and executing, for all. A file without a program in it needs no other bits.
const KEPT: u32 = 0o777;

/// What is taken from new files where the system doesn't tell it.
const STRICTEST: u32 = 0o077;

/// Permissions, and an owner and a group where they are to be those of another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    mode: u32,
    owner: Option<(u32, u32)>,
}

impl Access {
    /// That of the file which is replaced, else of a new one.
    pub(super) fn replacing(replaced: Option<&Stat>) -> Self {
        match replaced {
            Some(stat) => Self {
                mode: stat.st_mode & KEPT,
                owner: Some((stat.st_uid, stat.st_gid)),
            },
            None => Self {
                mode: NEW & !umask(),
                owner: None,
            },
        }
    }

    /// Gives it to `file`. The owner and the group are kept where this user may give them away;
    /// where the group can't be, it gets no more than others have.
    ///
    /// # Errors
    /// What the filesystem says, unless it has no permissions.
    pub(super) fn give_to(self, file: &File) -> io::Result<()> {
        let keeps_group = match self.owner {
            Some((uid, gid)) => give_away(file, uid, gid)?,
            None => true,
        };
        let mode = match keeps_group {
            true => self.mode,
            false => without_group(self.mode),
        };
        if file.metadata()?.mode() & 0o7777 == mode {
            return Ok(());
        }
        match file.set_permissions(Permissions::from_mode(mode)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                tracing::debug!("the filesystem keeps its own modes: {error}");
                Ok(())
            }
            result => result,
        }
    }
}

/// Whether `file` has the group `gid` after that.
fn give_away(file: &File, uid: u32, gid: u32) -> io::Result<bool> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (uid, gid) {
        return Ok(true);
    }
    let (uid, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
    let given = fchown(file, Some(uid), Some(group)).or_else(|_| fchown(file, None, Some(group)));
    Ok(given.is_ok() || now.gid() == gid)
}

/// `mode` with no more for the group than for others.
const fn without_group(mode: u32) -> u32 {
    mode & 0o707 | (mode & 0o007) << 3 & mode
}

/// What the process takes from the permissions of new files. Asking the system for it would change
/// it for a moment, for all threads.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    umask_of(&status).unwrap_or(STRICTEST)
}

fn umask_of(status: &str) -> Option<u32> {
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(mask.trim(), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_umask_is_read_from_the_status_file() {
        for (status, expected) in [
            ("Name:\tx\nUmask:\t0022\nState:\tR\n", Some(0o022)),
            ("Umask:\t0077\n", Some(0o077)),
            ("Umask:\tnonsense\n", None),
            ("", None),
        ] {
            assert_eq!(umask_of(status), expected, "{status}");
        }
    }

    #[test]
    fn a_group_that_is_lost_has_no_more_than_others() {
        for (mode, expected) in [
            (0o640, 0o600),
            (0o644, 0o644),
            (0o664, 0o644),
            (0o660, 0o600),
            (0o604, 0o604),
            (0o777, 0o777),
        ] {
            assert_eq!(without_group(mode), expected, "{mode:o}");
        }
    }

    #[test]
    fn a_replaced_file_gives_its_permissions_but_no_special_bits() {
        let old = tempfile::tempfile().unwrap();
        old.set_permissions(Permissions::from_mode(0o6751)).unwrap();
        let stat = rustix::fs::fstat(&old).unwrap();
        let new = tempfile::tempfile().unwrap();
        Access::replacing(Some(&stat)).give_to(&new).unwrap();
        assert_eq!(new.metadata().unwrap().mode() & 0o7777, 0o751);
    }
}
