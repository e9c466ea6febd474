//! The files of elements, laid into the directory that scripts find them in.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Context, Result};

use crate::command::dib::run_parts;
use crate::describe::dib::Hooks;

/// Lays out `hooks` in `directory`, which is made.
///
/// # Errors
/// When a file can't be copied.
pub(super) fn lay_out(hooks: &Hooks, directory: &Path) -> Result<()> {
    fs::create_dir(directory)?;
    for (place, from) in hooks.entries() {
        copy(from, &directory.join(place), !place.contains('/'))
            .with_context(|| format!("can't copy '{}' of an element", from.display()))?;
    }
    let environment = directory.join("environment.d");
    if !environment.is_dir() {
        fs::create_dir(environment)?;
    }
    // Elements may call it.
    write_program(&directory.join(run_parts::NAME), run_parts::PROGRAM)
}

/// Writes a program.
///
/// # Errors
/// When it can't be written.
pub(super) fn write_program(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, PermissionsExt::from_mode(0o755)))
        .with_context(|| format!("can't write '{}'", path.display()))
}

/// Copies a file with its permissions and its time; of a directory, which is made, nothing that is in
/// it. Links stay links, but for directories at the top of an element.
fn copy(from: &Path, to: &Path, is_top: bool) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    let is_directory = metadata.is_dir() || (is_top && from.is_dir());
    if metadata.is_symlink() && !is_directory {
        return symlink(fs::read_link(from)?, to);
    }
    if is_directory {
        fs::create_dir(to)?;
        return fs::set_permissions(to, fs::metadata(from)?.permissions());
    }
    fs::copy(from, to)?;
    let time = metadata.modified()?;
    File::options().append(true).open(to)?.set_modified(time)
}
