//! The users and groups of this machine.

use std::fs;

use disklayout::source::Accounts;

/// Who has which number on this machine, by its files; a file that can't be read names nobody.
/// Only names in ACLs of an archive that it doesn't number itself are looked up here.
pub fn of_host() -> Accounts {
    let text = |path: &str| fs::read(path).unwrap_or_default();
    Accounts::parse(&text("/etc/passwd"), &text("/etc/group"))
}
