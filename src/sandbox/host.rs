//! What this machine has for a sandbox.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use rustix::thread::UnshareFlags;

use super::ids::{self, Line};
use super::{Kind, mark};

/// What this machine has for a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// How a sandbox is made here.
    pub kind: Kind,
    /// The users and the groups of an ordinary user's.
    pub(super) maps: Option<[Vec<Line>; 2]>,
}

/// Why there can't be a sandbox, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// There are too few subordinate ids.
    Ids(ids::TooFew),
    /// A program isn't installed.
    Program(&'static str),
    /// The system allows this user no namespaces.
    Namespaces(String),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ids(error) => error.fmt(f),
            Self::Program(program) => write!(
                f,
                "{program} isn't installed; install the package 'uidmap' (Debian, Ubuntu) or \
                 'shadow-utils' (Fedora, Rocky)"
            ),
            Self::Namespaces(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for Obstacle {}

impl Host {
    /// Looks at this machine.
    ///
    /// # Errors
    /// Everything that is in the way of a sandbox; each can be mended by itself.
    pub fn look() -> Result<Self, Vec<Obstacle>> {
        let uid = rustix::process::geteuid();
        if uid.is_root() {
            let kind = match probed(Kind::Root) {
                Ok(()) => Kind::Root,
                Err(_) => Kind::Chroot,
            };
            return Ok(Self { kind, maps: None });
        }
        let name = user_name(uid.as_raw());
        let gid = rustix::process::getegid().as_raw();
        let map = |kind: ids::Kind, own: u32| {
            let text = fs::read_to_string(kind.file()).unwrap_or_default();
            let ranges = ids::ranges(&text, &name, uid.as_raw());
            ids::map(kind, &name, own, &ranges).map_err(Obstacle::Ids)
        };
        let users = map(ids::Kind::Users, uid.as_raw());
        let groups = map(ids::Kind::Groups, gid);
        let programs = [ids::Kind::Users, ids::Kind::Groups].map(ids::Kind::program);
        let missing = programs.into_iter().find(|program| !is_program(program));
        let allowed = probed(Kind::User).map_err(Obstacle::Namespaces);
        match (users, groups, missing, allowed) {
            (Ok(users), Ok(groups), None, Ok(())) => Ok(Self {
                kind: Kind::User,
                maps: Some([users, groups]),
            }),
            (users, groups, missing, allowed) => {
                let others = [users.err(), groups.err(), allowed.err()].into_iter();
                let missing = missing.map(Obstacle::Program);
                Err(others.flatten().chain(missing).collect())
            }
        }
    }
}

impl Host {
    /// The same with users of its own, of which root has all: emulators can be registered there, and
    /// for nobody else.
    #[must_use]
    pub fn with_own_users(self) -> Self {
        match self.kind {
            Kind::Root => Self {
                kind: Kind::User,
                maps: Some([vec![ids::EVERYBODY], vec![ids::EVERYBODY]]),
            },
            Kind::User | Kind::Chroot => self,
        }
    }
}

/// The name of a user by the file of users; its number where it isn't in there.
fn user_name(uid: u32) -> String {
    let text = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut users = text.lines().map(|line| line.split(':'));
    let name = users.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| uid.to_string())
}

/// Whether `name` can be run.
fn is_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::env::split_paths(&path).map(|directory| directory.join(name));
    candidates.any(|path| path.is_file()) || Path::new("/usr/bin").join(name).is_file()
}

/// The namespaces that a sandbox of this kind has.
pub(super) fn namespaces(kind: Kind) -> UnshareFlags {
    let all =
        UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    match kind {
        Kind::User => all | UnshareFlags::NEWUSER,
        Kind::Root => all,
        Kind::Chroot => UnshareFlags::empty(),
    }
}

/// Gives this process namespaces of its own.
pub(super) fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    // It is unsafe with FILES alone, which none of these is.
    #[expect(
        deprecated,
        reason = "the other one needs an unsafe block, whatever the flags are"
    )]
    rustix::thread::unshare(flags)
}

/// Takes the network away from programs that this thread starts from now on.
///
/// # Errors
/// When the system refuses that.
pub fn leave_network() -> anyhow::Result<()> {
    unshare(UnshareFlags::NEWNET).context("can't take the network away")
}

/// Whether another process of this user gets the namespaces of a sandbox.
///
/// # Errors
/// Why not, and what to do.
fn probed(kind: Kind) -> Result<(), String> {
    let mut command = mark::command("probe");
    let output = command
        .arg(kind.as_str())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("can't start this program once more: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
    }
}

/// Tries to get the namespaces of a sandbox, and says what is in the way.
pub(super) fn probe(arguments: &[OsString]) -> Result<ExitCode> {
    let [kind] = arguments else {
        bail!("a probe is of one kind");
    };
    let kind = kind.to_str().and_then(Kind::named);
    match unshare(namespaces(kind.context("the kind is unknown")?)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let setting = |name: &str| fs::read_to_string(Path::new("/proc/sys").join(name)).ok();
            println!("{}", why_not(error, setting));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Why the system gives no namespaces, by its settings.
fn why_not(error: Errno, setting: impl Fn(&str) -> Option<String>) -> String {
    let is = |name: &str, value: &str| setting(name).is_some_and(|text| text.trim() == value);
    let known = [
        (
            "user/max_user_namespaces",
            "0",
            "user.max_user_namespaces=65536",
        ),
        (
            "kernel/unprivileged_userns_clone",
            "0",
            "kernel.unprivileged_userns_clone=1",
        ),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ];
    let set = known.iter().find(|(name, value, _)| is(name, value));
    let error = std::io::Error::from(error);
    match set {
        Some((name, value, needed)) => format!(
            "users may have no namespaces of their own here, as {} is {value} ({error}): have root \
             set it (sysctl -w {needed}), or run as root",
            name.replace('/', ".")
        ),
        None => format!(
            "this user may have no namespaces of its own ({error}): run as root, or outside of a \
             container that forbids them"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_in_the_way_is_named_with_its_remedy() {
        let told = |name: &'static str, value: &'static str| {
            let setting = move |asked: &str| (asked == name).then(|| format!("{value}\n"));
            why_not(Errno::PERM, setting)
        };
        for (name, value, part) in [
            (
                "user/max_user_namespaces",
                "0",
                "user.max_user_namespaces is 0",
            ),
            (
                "kernel/unprivileged_userns_clone",
                "0",
                "sysctl -w kernel.unprivileged_userns_clone=1",
            ),
            (
                "kernel/apparmor_restrict_unprivileged_userns",
                "1",
                "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
            ),
            (
                "kernel/apparmor_restrict_unprivileged_userns",
                "0",
                "run as root, or outside of a container",
            ),
        ] {
            let text = told(name, value);
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_user_has_a_name_or_a_number() {
        assert_eq!(user_name(0), "root");
        assert_eq!(user_name(4_000_000_000), "4000000000");
    }
}
