//! XFS, Btrfs and F2FS, which programs of others make: a tree of everything is packed, checked by
//! their own checkers and read back.

mod btrfs;
mod dumped;
mod f2fs;
mod sample;
mod staging;
mod xfs;

use std::path::Path;

use crate::checkers::{self, approved, approved_text, command};
use crate::world::{Run, World};

/// Runs `createhdds make-fs` in an environment in which nothing may stay behind.
fn make(line: &str, input: &Path, image: &Path) -> Run {
    make_in(&std::env::temp_dir(), line, input, image)
}

/// The same, with temporary files below `parent`.
fn make_in(parent: &Path, line: &str, input: &Path, image: &Path) -> Run {
    let staging = tempfile::tempdir_in(parent).unwrap();
    let world = World::new("", "", "");
    let mut command = world.command(&format!("--no-sync make-fs {line}"));
    command.args([input, image]).env("TMPDIR", staging.path());
    let run = Run::of(&mut command);
    let left: Vec<_> = std::fs::read_dir(staging.path()).unwrap().collect();
    assert!(left.is_empty(), "{line}: {left:?}");
    run
}

/// The value that blkid finds on an image of one filesystem.
fn blkid(image: &Path, name: &str) -> String {
    let found = approved_text("blkid", &["-p", "-o", "value", "-s", name], image).unwrap();
    checkers::log("blkid", &image.file_name().unwrap().to_string_lossy());
    found.trim().to_owned()
}

/// The checker of a filesystem, none of which changes the image.
fn check(kind: &str, image: &Path) -> checkers::Verdict<()> {
    let (program, arguments): (_, &[&str]) = match kind {
        "xfs" => ("xfs_repair", &["-n", "-f"]),
        "btrfs" => ("btrfs", &["check", "--readonly", "--check-data-csum"]),
        "f2fs" => ("fsck.f2fs", &["--dry-run"]),
        _ => panic!("{kind}"),
    };
    let said = String::from_utf8_lossy(&approved(program, arguments, image)?).into_owned();
    // These end with 0 whatever they find, or say what they would mend.
    if let Some(line) = said.lines().find(|line| {
        line.contains("[Fail]") || line.contains("would ") && !line.contains("would be")
    }) {
        return Err(line.to_owned());
    }
    checkers::log(program, &image.file_name().unwrap().to_string_lossy());
    Ok(())
}

/// The partition of an image with a table, alone.
fn partition(image: &Path) -> checkers::Volume {
    let table = checkers::table(image).unwrap();
    checkers::volume(image, &table.entries[0])
}

/// Runs as a user who isn't root; needs root.
fn as_nobody(parent: &Path, line: &str, input: &Path, image: &Path) {
    let world = World::new("", "", "");
    let staging = tempfile::tempdir_in(parent).unwrap();
    let chown = |path: &Path| {
        std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).unwrap();
    };
    chown(staging.path());
    chown(image.parent().unwrap());
    let inner = world.command(&format!("--no-sync make-fs {line}"));
    let mut outer = command("setpriv");
    outer.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    // The binary may be where others can't go.
    let binary = image.with_extension("binary");
    std::fs::copy(inner.get_program(), &binary).unwrap();
    outer
        .arg(binary)
        .args(inner.get_args())
        .args([input, image]);
    outer.env("TMPDIR", staging.path());
    outer.current_dir(image.parent().unwrap());
    let output = outer.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
}
