//! What a command answers on standard output.

use std::io::{self, Write};

use anyhow::{Context, Result};

use crate::printable::printable_lines;

/// Prints `text`, which is lines or a JSON document.
///
/// # Errors
/// When standard output doesn't take all of it.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(printable_lines(text).as_bytes());
    let written = written.and_then(|()| out.flush());
    written.context("can't write to standard output")
}
