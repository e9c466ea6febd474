//! The local database of operating systems.

use std::ffi::OsString;

use disklayout::Result;

use foreign::run::{Packages, Runner, Tool};

/// What asks the database.
pub const OSINFO_QUERY: Tool = Tool {
    program: "osinfo-query",
    packages: Packages::two("libosinfo-bin", "libosinfo", "Fedora, Rocky"),
};

/// Every operating system that the database knows, a line each: short name and version.
///
/// # Errors
/// `Tool` when osinfo-query isn't installed or fails.
pub fn releases(runner: &Runner) -> Result<String> {
    runner.output(
        &"the local osinfo database".into(),
        OSINFO_QUERY,
        &arguments(),
    )
}

fn arguments() -> [OsString; 2] {
    ["os".into(), "--fields=short-id,version".into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_gets_these_arguments_and_its_answer_is_given() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("osinfo-query");
        std::fs::write(&program, "#!/bin/sh\necho \"$@\"\n").unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let answer = releases(&Runner::with_search(vec![directory.path().into()])).unwrap();
        assert_eq!(answer, "os --fields=short-id,version\n");
    }

    #[test]
    fn without_it_the_package_is_named() {
        let error = releases(&Runner::with_search(vec![])).unwrap_err();
        assert!(error.to_string().contains("'libosinfo-bin'"), "{error}");
    }
}
