//! Writes what is in one file to standard output.

use std::ffi::OsStr;
use std::io::{self, Write};

use anyhow::{Context as _, Result, bail};
use disklayout::inspect::fs::{File, Filesystem, NodeKind};

use super::devices::{Devices, Layer, State};
use super::{Found, Options, STDOUT};
use crate::printable::printable;

/// How much is read at once.
const BUFFER: usize = 256 << 10;

/// Writes the file at `path` of what was asked for, or of the only filesystem.
pub(super) fn write(
    found: &Found<'_>,
    devices: &Devices<'_>,
    path: &OsStr,
    options: &Options,
) -> Result<()> {
    for warning in &found.image.warnings {
        tracing::warn!("{}", printable(warning));
    }
    let found = filesystem(devices, options)?;
    for warning in &found.facts().warnings {
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

/// The only filesystem among what was asked for. Without a partition or a volume that was chosen, those
/// of which no files can be read don't count.
fn filesystem<'a, 'b>(devices: &'a Devices<'b>, options: &Options) -> Result<&'a Filesystem<'b>> {
    let wanted = devices.all.iter().filter(|device| device.is_wanted);
    let bare = wanted.filter(|device| matches!(device.layer, Layer::None));
    let mut found = None;
    for device in bare {
        match device.filesystem() {
            Ok(Some(other)) if !devices.is_chosen && !other.has_files() => {}
            Ok(Some(_)) if found.is_some() => bail!(
                "there are several filesystems: choose one with --part, or with --volume a logical \
                 volume"
            ),
            Ok(Some(filesystem)) => found = Some(filesystem),
            Ok(None) => {}
            Err(error) if devices.is_chosen => bail!("{error}"),
            Err(_) => {}
        }
    }
    found.with_context(|| none(devices, options))
}

/// Why there is no filesystem.
fn none(devices: &Devices<'_>, options: &Options) -> String {
    let wanted = devices.all.iter().filter(|device| device.is_wanted);
    let mut closed = wanted.filter_map(|device| match &device.layer {
        Layer::Luks(Ok(container)) => match &container.state {
            State::Locked => Some("a container is locked, and --key-file would open it".to_owned()),
            State::Failed(why) => Some(format!("a container is locked: {why}")),
            State::Opened { .. } => None,
        },
        Layer::Luks(Err(why)) | Layer::Lvm(Err(why)) => Some(why.clone()),
        _ => None,
    });
    let why = closed
        .next()
        .map_or(String::new(), |why| format!("; {why}"));
    let chosen = options.volume.as_ref();
    let place = chosen.map_or(String::new(), |name| format!(" in '{name}'"));
    format!("there is no filesystem of which files can be read{place}{why}")
}
