//! Files that new ones take the place of: they stay, by names with the time at which that was.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use disklayout::Timestamp;

use crate::checksum::Algorithm;
use crate::command::time;
use crate::engine::{Directory, Event, Reporter, Temporaries};

/// Gives the images called `names`, as far as they are there, and their sums, a second name, which is the
/// only one when another image has taken the place of one.
///
/// # Errors
/// When a file can't have one.
pub(super) fn put_aside(
    directory: &Arc<Directory>,
    names: &[String],
    temporaries: &Temporaries,
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
        let pairs = [String::new()].into_iter().chain(sums);
        let pairs = pairs.map(|suffix| (format!("{name}{suffix}"), format!("{dated}{suffix}")));
        let pairs: Vec<_> = pairs.filter(|(old, _)| exists(directory, old)).collect();
        temporaries
            .put_aside(directory, &pairs)
            .with_context(|| format!("can't keep '{name}' as '{}'", directory.shown(&dated)))?;
    }
    Ok(())
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
