//! The first process of a sandbox: the command once more, in a place of its own.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mount::{MountFlags, mount, mount_bind};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::UnshareFlags;

use super::guard::read_input;
use super::{Kind, Place, emulators, host, private_root};

/// With less than this, there is no room left.
const FULL_BYTES: u64 = 16 << 20;

/// What the first process has.
#[derive(Clone, Debug)]
pub struct Inside {
    /// How the sandbox is made.
    pub kind: Kind,
    /// The top of the tree, a directory that is empty at first.
    pub tree: PathBuf,
    /// A directory for whatever is needed in between.
    pub scratch: PathBuf,
    /// The directory that both are in.
    pub top: PathBuf,
    /// What was handed over.
    pub input: Vec<u8>,
}

/// Makes the place of the tree: `KIND PLACE ARGUMENTS...`. Gives the arguments of the command.
pub(super) fn run(arguments: &[OsString]) -> Result<(Inside, Vec<OsString>)> {
    let [kind, place, command @ ..] = arguments else {
        bail!("a first process needs more arguments");
    };
    let kind = kind.to_str().and_then(Kind::named);
    let kind = kind.context("the kind is unknown")?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let input = read_input(&mut io::stdin().lock()).context("can't read what it is given")?;
    check_wanted()?;
    let top = match (kind.has_namespaces(), Place::of_word(place)) {
        (true, place) => private(&place)?,
        (false, Place::Directory(path)) => path,
        (false, Place::Memory { .. }) => bail!("without namespaces a tree can't be in memory"),
    };
    let make = |name: &str| {
        let path = top.join(name);
        let made = fs::create_dir(&path);
        made.with_context(|| format!("can't make the directory '{}'", path.display()))?;
        Ok::<_, anyhow::Error>(path)
    };
    // Where the users aren't its own, it would be for the whole machine.
    if kind == Kind::User {
        emulators::register();
    }
    let inside = Inside {
        kind,
        tree: make("mnt")?,
        scratch: make("scratch")?,
        input,
        top: top.clone(),
    };
    Ok((inside, command.to_vec()))
}

impl Inside {
    /// Whether there is hardly any room left for the tree.
    ///
    /// # Errors
    /// When the system can't tell.
    pub fn is_full(&self) -> Result<bool> {
        let free = rustix::fs::statvfs(&self.tree)?;
        Ok(free.f_bavail * free.f_frsize < FULL_BYTES)
    }

    /// Makes sure that the sandbox is still wanted. A signal that has come before this process
    /// listened for any is lost: this is for the moment when it does.
    ///
    /// # Errors
    /// When it isn't.
    pub fn check_wanted(&self) -> Result<()> {
        check_wanted()
    }
}

/// Standard input is open as long as the guard wants this process.
fn check_wanted() -> Result<()> {
    let stdin = io::stdin();
    let mut one = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut one, Some(&Timespec::default()))?;
    match one[0].revents().contains(PollFlags::HUP) {
        true => bail!("interrupted"),
        false => Ok(()),
    }
}

/// A directory that no other process sees, at the place asked for.
fn private(place: &Place) -> Result<PathBuf> {
    // They end with this process, while its guard goes on.
    host::unshare(UnshareFlags::NEWNS).context("can't have mounts of its own")?;
    private_root::enter().context("can't make a root of its own")?;
    let top = free_name(Path::new("/"));
    fs::create_dir(&top)?;
    match place {
        Place::Memory { bytes } => {
            let size = std::ffi::CString::new(format!("mode=755,size={bytes},nr_inodes=0"))?;
            mount("createhdds", &top, "tmpfs", MountFlags::NOATIME, &*size)
        }
        Place::Directory(path) => mount_bind(path, &top),
    }
    .with_context(|| format!("can't mount '{}'", top.display()))?;
    Ok(top)
}

/// A name at the top that nothing has.
fn free_name(top: &Path) -> PathBuf {
    let names = std::iter::successors(Some("createhdds".to_owned()), |name| {
        Some(format!("{name}_"))
    });
    let mut paths = names.map(|name| top.join(name));
    let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
    paths.find(is_free).unwrap_or_default()
}
