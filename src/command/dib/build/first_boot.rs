//! Scripts for the first start of a system, in `first-boot.d` of elements: a unit of systemd runs them
//! once.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::command::dib::run_parts;
use crate::rooted::{Tree, locate_followed};

/// The directory of elements.
pub(super) const DIRECTORY: &str = "first-boot.d";

/// Where the tree has the scripts, and what runs them.
const HOME: &str = "/usr/lib/dib-first-boot";

/// The unit, and what has it started.
const UNIT: &str = "/etc/systemd/system/dib-first-boot.service";
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants";

/// A program that every system with systemd has, in one of these places.
const SYSTEMD: [&str; 2] = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"];

/// What the unit says. The file that it is conditional on is what makes the first start the first.
const TEXT: &str = "\
[Unit]
Description=Scripts for the first start
ConditionPathExists=!/var/lib/dib-first-boot
After=local-fs.target network.target

[Service]
Type=oneshot
ExecStart=/bin/bash /usr/lib/dib-first-boot/dib-run-parts /usr/lib/dib-first-boot/first-boot.d
ExecStartPost=/bin/touch /var/lib/dib-first-boot
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
";

/// Puts scripts of `hooks`, the files of elements, into the tree, where there are some.
///
/// # Errors
/// When the tree has no systemd, or can't be written to.
pub(super) fn lay_down(hooks: &Path, tree: &Path) -> Result<()> {
    let scripts = hooks.join(DIRECTORY);
    if !scripts.is_dir() {
        return Ok(());
    }
    let of_tree = Tree::open(tree)?;
    let mut is_there = false;
    for path in SYSTEMD {
        is_there |= of_tree.has_file(path)?;
    }
    if !is_there {
        bail!(
            "elements have scripts in {DIRECTORY}, which systemd would run, and the tree has none"
        );
    }
    for directory in [DIRECTORY, "environment.d"] {
        copy(
            &of_tree,
            &hooks.join(directory),
            &format!("{HOME}/{directory}"),
        )?;
    }
    of_tree.write(
        &format!("{HOME}/{}", run_parts::NAME),
        run_parts::PROGRAM.as_bytes(),
        0o755,
    )?;
    of_tree.write(UNIT, TEXT.as_bytes(), 0o644)?;
    of_tree.make_directory(WANTED)?;
    let link = locate_followed(tree, WANTED.as_ref())?.join("dib-first-boot.service");
    std::os::unix::fs::symlink(UNIT, &link)
        .with_context(|| format!("can't have the unit for {DIRECTORY} started"))
}

/// Copies the files of a directory, with their permissions.
fn copy(tree: &Tree, from: &Path, to: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    tree.make_directory(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|it| it.to_str()) else {
            continue;
        };
        if path.is_file() {
            let bytes = fs::read(&path)?;
            let mode = fs::metadata(&path)?.permissions().mode() & 0o777;
            tree.write(&format!("{to}/{name}"), &bytes, mode)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn scripts_are_laid_down_where_systemd_runs_them() {
        let root = tempfile::tempdir().unwrap();
        let (hooks, tree) = (root.path().join("hooks"), root.path().join("tree"));
        put(&hooks.join("environment.d/10-x"));
        put(&tree.join("etc/x"));
        lay_down(&hooks, &tree).unwrap();
        assert!(!tree.join("usr").exists());
        put(&hooks.join("first-boot.d/10-script"));
        let error = lay_down(&hooks, &tree).unwrap_err().to_string();
        assert!(error.contains("systemd would run"), "{error}");
        put(&tree.join("usr/lib/systemd/systemd"));
        lay_down(&hooks, &tree).unwrap();
        for path in [
            "usr/lib/dib-first-boot/first-boot.d/10-script",
            "usr/lib/dib-first-boot/environment.d/10-x",
            "usr/lib/dib-first-boot/dib-run-parts",
            "etc/systemd/system/dib-first-boot.service",
        ] {
            assert!(tree.join(path).is_file(), "{path}");
        }
        let link = "etc/systemd/system/multi-user.target.wants/dib-first-boot.service";
        assert_eq!(fs::read_link(tree.join(link)).unwrap(), Path::new(UNIT));
    }
}
