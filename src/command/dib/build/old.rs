//! Files that new ones take the place of: they stay, by names with the time at which that was.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use disklayout::Timestamp;
use rustix::fs::{AtFlags, CWD, linkat};

use crate::checksum::Algorithm;
use crate::command::inspect::shown_time;
use crate::engine::{Directory, Outcome};

/// Files that have a second name for a while.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// The name of an image, and the paths of it and of its sums with the time in them.
    images: Vec<(String, Vec<PathBuf>)>,
}

impl Aside {
    /// Gives the images called `names`, as far as they are there, and their sums, a second name.
    ///
    /// # Errors
    /// When a file can't have one.
    pub(super) fn put(directory: &Directory, names: &[String]) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let stamp = stamp(now.map_or(0, |it| it.as_secs()).cast_signed());
        let mut aside = Self::default();
        for name in names.iter().filter(|name| exists(directory, name)) {
            let mut dated = dated(name, &stamp);
            // Builds may be faster than a second.
            for number in 1_u32.. {
                if !exists(directory, &dated) {
                    break;
                }
                dated = self::dated(name, &format!("{stamp}-{number}"));
            }
            tracing::info!("'{name}' is there already; it stays as '{dated}'");
            let mut paths = Vec::new();
            let sums = Algorithm::ALL.into_iter().map(|one| one.file_name(""));
            for suffix in [String::new()].into_iter().chain(sums) {
                let old = format!("{name}{suffix}");
                if exists(directory, &old) {
                    let path = directory.path().join(format!("{dated}{suffix}"));
                    let from = directory.path().join(&old);
                    linkat(CWD, &from, CWD, &path, AtFlags::empty())
                        .with_context(|| format!("can't keep '{old}' as '{}'", path.display()))?;
                    paths.push(path);
                }
            }
            aside.images.push((name.clone(), paths));
        }
        Ok(aside)
    }

    /// Leaves those their names whose place was taken.
    ///
    /// # Errors
    /// When the second name of one that is still there can't be removed.
    pub(super) fn keep(self, outcome: &Outcome) -> Result<()> {
        for (name, paths) in self.images {
            let is_there = outcome.failed.iter().any(|it| it.images.contains(&name));
            for path in paths.iter().filter(|_| is_there) {
                fs::remove_file(path)?;
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
    let shown = shown_time(Timestamp::from_seconds(seconds));
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
