//! Writes what is in one file to standard output.

use std::ffi::OsStr;
use std::io::{self, Write};

use anyhow::{Context as _, Result, bail};
use disklayout::inspect::Image;
use disklayout::inspect::fs::{File, Filesystem, NodeKind};

use super::{STDOUT, is_wanted};
use crate::printable::printable;

/// How much is read at once.
const BUFFER: usize = 256 << 10;

/// Writes the file at `path` of the partition `part`, or of the only filesystem.
pub(super) fn write(image: &Image<'_>, path: &OsStr, part: Option<u32>) -> Result<()> {
    let found = filesystem(image, part)?;
    let warnings = image.warnings.iter().chain(&found.facts().warnings);
    for warning in warnings {
        tracing::warn!("{}", printable(warning));
    }
    let shown = path.as_encoded_bytes().escape_ascii();
    let node = found.find(path.as_encoded_bytes())?;
    let node = node.with_context(|| format!("there is no '{shown}'"))?;
    if node.kind != NodeKind::File {
        bail!("'{shown}' is a {}", node.kind.noun());
    }
    let mut out = io::stdout().lock();
    copy(&found.open(&node)?, &mut out, STDOUT)?;
    out.flush().context(STDOUT)
}

/// Writes all of `file` to `out`.
///
/// # Errors
/// What reading says, and `failed` where writing fails.
pub(in crate::command) fn copy(file: &File<'_>, out: &mut impl Write, failed: &str) -> Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut at = 0;
    while at < file.len() {
        let count = usize::try_from(file.len() - at).map_or(BUFFER, |left| left.min(BUFFER));
        file.read_at(&mut buffer[..count], at)?;
        let written = out.write_all(&buffer[..count]);
        written.with_context(|| failed.to_owned())?;
        at += count as u64;
    }
    Ok(())
}

fn filesystem<'a, 'b>(image: &'a Image<'b>, part: Option<u32>) -> Result<&'a Filesystem<'b>> {
    let wanted = image
        .volumes
        .iter()
        .filter(|volume| is_wanted(volume, part));
    let mut found = None;
    for volume in wanted {
        match &volume.filesystem {
            Ok(Some(other)) if part.is_none() && !other.has_files() => {}
            Ok(Some(_)) if found.is_some() => {
                bail!("there are several filesystems: choose one with --part");
            }
            Ok(Some(filesystem)) => found = Some(filesystem),
            Ok(None) => {}
            Err(error) if part.is_some() => bail!("{error}"),
            Err(_) => {}
        }
    }
    found.context("there is no filesystem of which files can be read")
}
