//! Whether programs of another architecture can be run in a sandbox, and what is in the way.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Architecture, Kind};

/// The first Linux whose user namespaces have registrations of their own: binfmt_misc(5).
const FIRST_KERNEL: (u32, u32) = (6, 7);

/// Why programs of another architecture don't run in a sandbox, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unrunnable {
    /// There is no emulator that needs no libraries, by the name of its program.
    Emulator(String),
    /// The kernel is too old for registering one in a sandbox.
    Kernel(String),
    /// The sandbox has no namespaces that one could be registered in.
    Namespaces,
}

impl fmt::Display for Unrunnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let everybody = "have root register it for the whole machine (packages \
                         'qemu-user-static' and, on Debian, 'binfmt-support')";
        match self {
            Self::Emulator(program) => write!(
                f,
                "{program} isn't installed; install the package 'qemu-user-static'"
            ),
            Self::Kernel(release) => write!(
                f,
                "an emulator can be registered in a sandbox from Linux 6.7 on, and this is \
                 {release}; {everybody}"
            ),
            Self::Namespaces => write!(
                f,
                "an emulator can't be registered without namespaces; {everybody}"
            ),
        }
    }
}

impl Architecture {
    /// Makes sure that programs of it run in a sandbox of this `kind`, in which root has users of its
    /// own where it can.
    ///
    /// # Errors
    /// What is in the way.
    pub fn check(self, kind: Kind) -> Result<(), Unrunnable> {
        if self.is_run_here() {
            return Ok(());
        }
        let release = rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned();
        judge(self, self.emulator(), kind, &release)
    }
}

fn judge(
    architecture: Architecture,
    emulator: Option<PathBuf>,
    kind: Kind,
    release: &str,
) -> Result<(), Unrunnable> {
    match emulator {
        None => Err(Unrunnable::Emulator(architecture.program())),
        Some(_) if !kind.has_namespaces() => Err(Unrunnable::Namespaces),
        Some(_) if is_older(release) => Err(Unrunnable::Kernel(format!("Linux {release}"))),
        Some(_) => Ok(()),
    }
}

/// Whether the kernel of this release has one list of registrations for all. One whose release says
/// nothing is tried.
fn is_older(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next()?.parse().ok();
    match (next(), next()) {
        (Some(major), Some(minor)) => (major, minor) < FIRST_KERNEL,
        _ => false,
    }
}

/// Whether a program needs no others to be loaded: it has no `PT_INTERP` (System V ABI, Program
/// Header).
pub(super) fn is_static(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| has_no_interpreter(&bytes) == Some(true))
}

/// Whether no program header asks for an interpreter; `None` where that is no ELF file.
fn has_no_interpreter(bytes: &[u8]) -> Option<bool> {
    const PT_INTERP: u64 = 3;
    let (class, order) = match bytes.get(..6)? {
        [0x7f, b'E', b'L', b'F', class, order] => (*class, *order),
        _ => return None,
    };
    let number = |at: usize, size: usize| {
        let bytes = bytes.get(at..at.checked_add(size)?)?.iter();
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(match order {
            1 => bytes.rev().fold(0, join),
            _ => bytes.fold(0, join),
        })
    };
    let (first, size, count): (u64, u64, u64) = match class {
        1 => (number(28, 4)?, number(42, 2)?, number(44, 2)?),
        _ => (number(32, 8)?, number(54, 2)?, number(56, 2)?),
    };
    let kind = |index: u64| number(usize::try_from(first.checked_add(index * size)?).ok()?, 4);
    Some((0..count).all(|index| kind(index) != Some(PT_INTERP)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_is_told_with_its_remedy() {
        let arm = Architecture::named("arm64").unwrap();
        let emulator = || Some(PathBuf::from("/usr/bin/qemu-aarch64-static"));
        let judge = |emulator, kind, release| judge(arm, emulator, kind, release);
        judge(emulator(), Kind::User, "6.12.1-amd64").unwrap();
        for (emulator, kind, release, said) in [
            (
                None,
                Kind::User,
                "6.12",
                "qemu-aarch64-static isn't installed; install",
            ),
            (
                emulator(),
                Kind::User,
                "6.1.0-40-amd64",
                "this is Linux 6.1.0-40-amd64; have root",
            ),
            (
                emulator(),
                Kind::Chroot,
                "6.12",
                "without namespaces; have root",
            ),
        ] {
            let error = judge(emulator, kind, release).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(error.contains("'qemu-user-static'"), "{error}");
        }
    }

    #[test]
    fn kernels_have_numbers() {
        for (release, older) in [
            ("5.15.0-1-generic", true),
            ("6.6.99", true),
            ("6.7.0", false),
            ("6.10-rc1", false),
            ("10.0", false),
            ("unknown", false),
        ] {
            assert_eq!(is_older(release), older, "{release}");
        }
    }

    #[test]
    fn a_program_that_needs_libraries_has_an_interpreter() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(has_no_interpreter(&own), Some(!cfg!(target_env = "gnu")));
        // Without program headers there is none.
        let mut header = own[..64].to_vec();
        header[56..58].fill(0);
        assert_eq!(has_no_interpreter(&header), Some(true));
        for bytes in [&b"#!/bin/sh\n"[..], b"", &own[..20]] {
            assert_eq!(has_no_interpreter(bytes), None);
        }
    }
}
