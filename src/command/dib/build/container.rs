//! An image of a container that comes out of a build, on its way into Docker or Podman.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use disklayout::Place;
use foreign::run::{Packages, Runner, Tool};

/// Programs that have images of containers; the first that is there gets it.
const PROGRAMS: [Tool; 2] = [
    Tool {
        program: "docker",
        packages: Packages::same("docker.io", ""),
    },
    Tool {
        program: "podman",
        packages: Packages::same("podman", ""),
    },
];

/// Loads the image in `file` into the program that is there; where none is, it stays in the file.
///
/// # Errors
/// When the program fails.
pub(super) fn load(file: &Path) -> Result<()> {
    let shown = file.display();
    let (runner, place) = (Runner::from_env(), Place::from("the image"));
    let mut found = PROGRAMS
        .iter()
        .filter_map(|it| runner.find(&place, *it).ok());
    let Some(program) = found.next() else {
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
