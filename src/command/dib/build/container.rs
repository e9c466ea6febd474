//! An image of a container that comes out of a build, on its way into Docker or Podman.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Programs that have images of containers; the first that is there gets it.
const PROGRAMS: [&str; 2] = ["docker", "podman"];

/// Loads the image in `file` into the program that is there; where none is, it stays in the file.
///
/// # Errors
/// When the program fails.
pub(super) fn load(file: &Path) -> Result<()> {
    let shown = file.display();
    let Some(program) = PROGRAMS.into_iter().find_map(found) else {
        tracing::warn!("neither docker nor podman is installed: the image stays in '{shown}'");
        return Ok(());
    };
    let mut command = Command::new(&program);
    command
        .args(["load", "--input"])
        .arg(file)
        .stdin(Stdio::null());
    let program = program.display();
    let status = command.status();
    let status = status.with_context(|| format!("can't run {program}"))?;
    match status.success() {
        true => Ok(()),
        false => bail!("{program} can't load '{shown}' ({status}); it stays there"),
    }
}

/// Where a program is.
fn found(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut candidates = env::split_paths(&path).map(|directory| directory.join(name));
    candidates.find(|path| path.is_file())
}
