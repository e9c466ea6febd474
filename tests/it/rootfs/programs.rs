//! What GNU tar and the shell do to directories and archives.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::checkers::command;

/// Options with which GNU tar keeps all that it knows.
const ALL: [&str; 7] = [
    "--xattrs",
    "--xattrs-include=*",
    "--acls",
    "--numeric-owner",
    "--preserve-permissions",
    "--sparse",
    "--warning=no-timestamp",
];

/// Packs what is in `directory` with GNU tar, sorted by name.
pub(crate) fn pack(directory: &Path, options: &[&str], archive: &Path) {
    let mut tar = command("tar");
    tar.args(ALL).args(["--format=pax", "--sort=name"]);
    tar.args(options);
    tar.arg("--file").arg(archive);
    tar.arg("--directory").arg(directory);
    succeed(tar.args(["--create", "."]));
}

/// Unpacks an archive into `directory`, which is there, with GNU tar.
pub(crate) fn unpack(archive: &Path, directory: &Path) {
    let mut tar = command("tar");
    tar.args(ALL).arg("--extract").arg("--file").arg(archive);
    succeed(tar.arg("--directory").arg(directory));
}

/// Copies what is in `source` into `target`, which is there, the last names first.
pub(crate) fn copy_backwards(source: &Path, target: &Path) {
    let script = r#"cd "$1" && target=$2 && shift 2 &&
        find . -print0 | sort --zero-terminated --reverse |
            tar "$@" --format=pax --no-recursion --null --files-from=- --create |
            tar "$@" --extract --directory="$target""#;
    let mut shell = command("sh");
    shell.args(["-c", script, "sh"]).args([source, target]);
    succeed(shell.args(ALL));
}

/// Writes what `program`, a compressor, makes of `source` to `target`.
pub(crate) fn compress(program: &str, option: &str, source: &Path, target: &Path) {
    let target = std::fs::File::create(target).unwrap();
    let mut compressor = command(program);
    succeed(compressor.args([option, "-c"]).arg(source).stdout(target));
}

fn succeed(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .unwrap_or_else(|error| panic!("{command:?}: {error}, see scripts/setup"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
