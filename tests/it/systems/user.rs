//! The ordinary user that the tests of systems run the program as: whoever runs the tests, or, where
//! that is root, the one that scripts/setup makes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use testkit::program::command;
use testkit::root::is_root_user;

/// Its name where root runs the tests.
const NAME: &str = "createhdds-test";

/// Who runs the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// The user.
    Ordinary,
    /// Root; only where root runs the tests.
    Root,
}

/// The number of the user and of its group by the file of users.
fn numbers() -> (u32, u32) {
    let text = fs::read_to_string("/etc/passwd").unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{NAME}:")));
    let line = line.unwrap_or_else(|| panic!("there is no user {NAME}, see scripts/setup"));
    let fields: Vec<_> = line.split(':').collect();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}

/// The program `program`, run by `user`.
pub(crate) fn run_by(user: User, program: &Path) -> Command {
    if user == User::Root || !is_root_user() {
        return Command::new(program);
    }
    let (uid, gid) = numbers();
    let mut command = command("setpriv");
    command.args([
        format!("--reuid={uid}"),
        format!("--regid={gid}"),
        "--clear-groups".to_owned(),
        "--inh-caps=-all".to_owned(),
    ]);
    command.arg(program);
    command
}

/// Gives `path` to `user`.
pub(crate) fn give(user: User, path: &Path) {
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    if user == User::Ordinary && is_root_user() {
        let (uid, gid) = numbers();
        chown(path, Some(uid), Some(gid)).unwrap();
    }
}

/// All who can run it here.
pub(crate) fn all() -> Vec<User> {
    match is_root_user() {
        true => vec![User::Ordinary, User::Root],
        false => vec![User::Ordinary],
    }
}
