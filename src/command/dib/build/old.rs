//! Files that new ones take the place of: they stay, by names with the time at which that was.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use disklayout::Timestamp;
use rustix::fs::{AtFlags, CWD, linkat};
use rustix::io::Errno;

use crate::checksum::Algorithm;
use crate::command::time;
use crate::engine::{Directory, Event, Outcome, Reporter};

/// Files that have a second name for a while.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// The name of an image, and it or one of its sums.
    images: Vec<(String, Kept)>,
}

/// A file that has a second name.
#[derive(Debug)]
struct Kept {
    from: PathBuf,
    /// The one with the time in it.
    to: PathBuf,
    /// Whether it has only that: it is somebody else's, or the filesystem gives files one name.
    is_moved: bool,
}

impl Kept {
    fn new(from: PathBuf, to: PathBuf) -> io::Result<Self> {
        let linked = linkat(CWD, &from, CWD, &to, AtFlags::empty());
        let is_moved = match linked {
            Ok(()) => false,
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::MLINK) => true,
            Err(error) => return Err(error.into()),
        };
        if is_moved {
            fs::rename(&from, &to)?;
        }
        Ok(Self { from, to, is_moved })
    }

    /// Leaves it the first name alone.
    fn undo(&self) -> io::Result<()> {
        match self.is_moved {
            true => fs::rename(&self.to, &self.from),
            false => fs::remove_file(&self.to),
        }
    }
}

impl Aside {
    /// Gives the images called `names`, as far as they are there, and their sums, a second name.
    ///
    /// # Errors
    /// When a file can't have one.
    pub(super) fn put(
        directory: &Directory,
        names: &[String],
        reporter: &dyn Reporter,
    ) -> Result<Self> {
        let mut aside = Self::default();
        match aside.add(directory, names, reporter) {
            Ok(()) => Ok(aside),
            Err(error) => {
                let kept = aside.keep(None);
                kept.unwrap_or_else(|lost| tracing::warn!("{lost:#}"));
                Err(error)
            }
        }
    }

    fn add(
        &mut self,
        directory: &Directory,
        names: &[String],
        reporter: &dyn Reporter,
    ) -> Result<()> {
        let stamp = stamp(time::now());
        for name in names.iter().filter(|name| exists(directory, name)) {
            let mut dated = dated(name, &stamp);
            // Builds may be faster than a second.
            for number in 1_u32.. {
                if !exists(directory, &dated) {
                    break;
                }
                dated = self::dated(name, &format!("{stamp}-{number}"));
            }
            reporter.report(&Event::Renaming {
                from: name,
                to: &dated,
            });
            let sums = Algorithm::ALL.into_iter().map(|one| one.file_name(""));
            for suffix in [String::new()].into_iter().chain(sums) {
                let old = format!("{name}{suffix}");
                if exists(directory, &old) {
                    let path = directory.path().join(format!("{dated}{suffix}"));
                    let shown = path.display().to_string();
                    let kept = Kept::new(directory.path().join(&old), path);
                    let kept = kept.with_context(|| format!("can't keep '{old}' as '{shown}'"))?;
                    self.images.push((name.clone(), kept));
                }
            }
        }
        Ok(())
    }

    /// Leaves those their names whose place was taken; where nothing came out, all have their own.
    ///
    /// # Errors
    /// When the second name of one that is still there can't be removed.
    pub(super) fn keep(self, outcome: Option<&Outcome>) -> Result<()> {
        for (name, kept) in self.images {
            let is_there = outcome
                .is_none_or(|outcome| outcome.failed.iter().any(|it| it.images.contains(&name)));
            if is_there {
                kept.undo()
                    .with_context(|| format!("can't leave '{name}' its name alone"))?;
            }
        }
        Ok(())
    }
}

fn exists(directory: &Directory, name: &str) -> bool {
    directory.is_file(name).unwrap_or(false)
}

/// A name with a time in front of its extension.
fn dated(name: &str, stamp: &str) -> String {
    match Path::new(name).extension().and_then(|it| it.to_str()) {
        Some(extension) => {
            let stem = &name[..name.len() - extension.len() - 1];
            format!("{stem}-{stamp}.{extension}")
        }
        None => format!("{name}-{stamp}"),
    }
}

/// A time in seconds since 1970, in UTC: `2026.11.25-23.08.27`.
fn stamp(seconds: i64) -> String {
    let shown = time::shown(Timestamp::from_seconds(seconds));
    shown.replace(['-', ':'], ".").replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_time_in_front_of_their_extension() {
        for (name, expected) in [
            ("a.raw", "a-T.raw"),
            ("a.oci.tar", "a.oci-T.tar"),
            ("a", "a-T"),
        ] {
            assert_eq!(dated(name, "T"), expected);
        }
        assert_eq!(stamp(1_764_112_107), "2025.11.25-23.08.27");
    }
}
