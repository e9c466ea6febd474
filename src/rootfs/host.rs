//! What steps need of this machine, found before the first one is done.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use disklayout::{Error, ErrorKind, Place};
use foreign::run::{Packages, Runner, Tool};

use crate::sandbox::{Architecture, Kind};
use crate::system::{Action, Bootstrap, Step};

/// Makes base systems, in one go.
pub const MMDEBSTRAP: Tool = Tool {
    program: "mmdebstrap",
    packages: Packages::same("mmdebstrap", "Debian, Ubuntu, Fedora"),
};

/// Makes base systems as Debian's installer does.
pub const DEBOOTSTRAP: Tool = Tool {
    program: "debootstrap",
    packages: Packages::same("debootstrap", "Debian, Ubuntu, Fedora, Rocky with EPEL"),
};

/// Plays playbooks.
pub const ANSIBLE: Tool = Tool {
    program: "ansible-playbook",
    packages: Packages::same("ansible", ""),
};

/// What is said where Ansible lacks its connection to a tree.
pub const NO_CONNECTION: &str = "Ansible has no connection 'chroot' (community.general.chroot): install \
                                 the package 'ansible', or the collection community.general";

/// Unpacks archives of root filesystems.
pub const TAR: Tool = Tool {
    program: "tar",
    packages: Packages::same("tar", ""),
};

/// Makes sure that this machine has what `steps` need.
///
/// # Errors
/// `Tool` at the step that needs something which isn't there, with its package.
pub fn check(steps: &[Step], runner: &Runner) -> Result<(), Error> {
    for step in steps.iter().filter(|step| step.skipped.is_none()) {
        match &step.action {
            Action::Unpack(_) => drop(runner.find(&step.place, TAR)?),
            Action::Ansible(_) => check_ansible(&step.place, runner)?,
            Action::Bootstrap(bootstrap) => {
                drop(bootstrapper(&step.place, bootstrap, runner)?);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes sure that Ansible is here, and its connection to a tree, which isn't in all of its packages.
fn check_ansible(place: &Place, runner: &Runner) -> Result<(), Error> {
    runner.find(place, ANSIBLE)?;
    match has_chroot_connection() {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Tool, place, NO_CONNECTION)),
    }
}

/// Whether Ansible has its connection to a tree.
pub fn has_chroot_connection() -> bool {
    let mut command = Command::new("ansible-doc");
    command.args(["--type", "connection", "--json", "community.general.chroot"]);
    let said = command.stdin(Stdio::null()).output();
    // What it doesn't know is a warning.
    said.is_ok_and(|said| {
        said.status.success() && String::from_utf8_lossy(&said.stdout).contains("chroot")
    })
}

/// Whether programs of another architecture than this machine's run in `steps`.
pub fn is_foreign(steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.action {
        Action::Bootstrap(Bootstrap { arch, .. }) => {
            let arch = arch.as_deref().and_then(Architecture::named);
            arch.is_some_and(|arch| !arch.is_run_here())
        }
        _ => false,
    })
}

/// Makes sure that programs of the architectures in `steps` run in a sandbox of this kind.
///
/// # Errors
/// `Tool` at the step that needs one which doesn't, with what to do.
pub fn check_architectures(steps: &[Step], kind: Kind) -> Result<(), Error> {
    for step in steps.iter().filter(|step| step.skipped.is_none()) {
        if let Action::Bootstrap(Bootstrap {
            arch: Some(arch), ..
        }) = &step.action
        {
            check_architecture(&step.place, arch, kind)?;
        }
    }
    Ok(())
}

fn check_architecture(place: &Place, name: &str, kind: Kind) -> Result<(), Error> {
    let refuse = |message: String| Err(Error::new(ErrorKind::Tool, place, message));
    let Some(arch) = Architecture::named(name) else {
        return refuse(format!(
            "'{name}' is no architecture of Debian that can be emulated"
        ));
    };
    let told = |why| {
        refuse(format!(
            "programs of {name} don't run on this machine: {why}"
        ))
    };
    arch.check(kind).or_else(told)
}

/// A program that makes base systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bootstrapper {
    Mmdebstrap,
    Debootstrap,
}

/// The program that makes a base system, and where it is.
///
/// # Errors
/// `Tool` when none is installed that can do it.
pub(super) fn bootstrapper(
    place: &Place,
    bootstrap: &Bootstrap,
    runner: &Runner,
) -> Result<(Bootstrapper, PathBuf), Error> {
    let debootstrap = || {
        let path = runner.find(place, DEBOOTSTRAP)?;
        Ok((Bootstrapper::Debootstrap, path))
    };
    // It has no way to leave out a package.
    if !bootstrap.exclude.is_empty() {
        return debootstrap();
    }
    match runner.find(place, MMDEBSTRAP) {
        Ok(path) => Ok((Bootstrapper::Mmdebstrap, path)),
        Err(error) => debootstrap().map_err(|_| error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn step(action: Action, skipped: bool) -> Step {
        Step {
            place: "steps[1]".into(),
            title: "step".into(),
            skipped: skipped.then(|| "why".to_owned()),
            action,
        }
    }

    fn bootstrap(exclude: &[&str], arch: Option<&str>) -> Bootstrap {
        Bootstrap {
            arch: arch.map(str::to_owned),
            exclude: exclude.iter().map(|it| (*it).to_owned()).collect(),
            ..Bootstrap::new("bookworm", "http://host/debian")
        }
    }

    /// A machine that has these programs.
    fn machine(programs: &[&str]) -> (tempfile::TempDir, Runner) {
        let directory = tempfile::tempdir().unwrap();
        for program in programs {
            let path = directory.path().join(program);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let runner = Runner::with_search(vec![directory.path().to_owned()]);
        (directory, runner)
    }

    #[test]
    fn the_program_is_one_that_is_there_and_can_do_it() {
        use Bootstrapper::{Debootstrap, Mmdebstrap};
        for (exclude, there, expected) in [
            (
                &[][..],
                &["mmdebstrap", "debootstrap"][..],
                Some(Mmdebstrap),
            ),
            (&[], &["debootstrap"], Some(Debootstrap)),
            (&["x"], &["mmdebstrap", "debootstrap"], Some(Debootstrap)),
            (&["x"], &["mmdebstrap"], None),
            (&[], &[], None),
        ] {
            let (_directory, runner) = machine(there);
            let bootstrap = bootstrap(exclude, None);
            let found = bootstrapper(&"step".into(), &bootstrap, &runner);
            assert_eq!(
                found.ok().map(|(program, _)| program),
                expected,
                "{there:?}"
            );
        }
    }

    #[test]
    fn what_is_missing_is_told_at_the_step_that_needs_it() {
        let (_directory, runner) = machine(&["mmdebstrap"]);
        let unpack = || Action::Unpack("a.tar".into());
        check(&[step(unpack(), true)], &runner).unwrap();
        let error = check(&[step(unpack(), false)], &runner).unwrap_err();
        assert_eq!(
            error.to_string(),
            "steps[1]: tar isn't installed; install the package 'tar'"
        );
        let other = |arch| step(Action::Bootstrap(bootstrap(&[], Some(arch))), false);
        let check = |arch| check_architectures(&[other(arch)], Kind::User);
        let error = check("z80").unwrap_err();
        assert!(error.message().contains("'z80'"), "{error}");
        let own = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            _ => "arm64",
        };
        check(own).unwrap();
        assert!(!is_foreign(&[other(own)]) && is_foreign(&[other("s390x")]));
    }
}
