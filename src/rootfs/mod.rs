//! Steps that make a tree: each runs what it needs in the sandbox. Which steps there are was decided
//! before.

mod ansible;
mod bootstrap;
mod deb822;
mod files;
mod grow;
mod host;
mod kept;
mod layers;
mod lists;
mod packages;
mod programs;
mod reachable;
mod unpack;

pub use host::{
    ANSIBLE, DEBOOTSTRAP, MMDEBSTRAP, NO_CONNECTION, TAR, check as check_host, check_architectures,
    has_chroot_connection, is_foreign,
};

use std::cell::{Cell, RefCell};
use std::path::Path;

use anyhow::{Context, Result, bail};

pub use kept::Beginning;
use kept::Kept;
pub use layers::{Checkpoint, checkpoints};
use packages::Sources;

use crate::rooted::{StandIn, Tree};
use crate::sandbox::{Inside, Output, Run};
use crate::system::Action;

/// A tree that is being made.
#[derive(Debug)]
pub struct Assembly<'a> {
    /// The sandbox.
    pub inside: &'a Inside,
    /// A directory of the host in which downloaded packages are kept, where a user wants that.
    pub package_cache: Option<&'a Path>,
    /// A directory of the host in which unpacked archives are kept, where a user wants that.
    pub root_cache: Option<&'a Path>,
    /// What else is in the tree while its programs run.
    pub stand_ins: Vec<StandIn>,
    /// Where goes what programs say.
    pub output: RefCell<Output>,
    /// What the tree has begun as.
    kept: Option<Kept>,
    /// Where packages came from when their lists were read.
    listed: RefCell<Option<Sources>>,
    /// Whether that was before this run.
    have_old_lists: Cell<bool>,
}

impl<'a> Assembly<'a> {
    /// An empty one; what programs say goes to `output`.
    pub fn new(inside: &'a Inside, output: Output) -> Self {
        Self {
            inside,
            package_cache: None,
            root_cache: None,
            stand_ins: Vec::new(),
            output: RefCell::new(output),
            kept: None,
            listed: RefCell::new(None),
            have_old_lists: Cell::new(false),
        }
    }

    /// Keeps the tree as it is behind a checkpoint, if it has begun as something that is kept.
    ///
    /// # Errors
    /// When it can't be copied.
    pub fn keep_at(&self, checkpoint: &Checkpoint) -> Result<()> {
        match &self.kept {
            Some(kept) => self.keep(kept, checkpoint),
            None => Ok(()),
        }
    }

    /// The top of the tree.
    pub fn tree(&self) -> &'a Path {
        &self.inside.tree
    }

    /// Does what `action` says. What needs more than the tree isn't done here: packing it, boot
    /// loaders, and unpacking an archive, which [`Self::unpack`] does.
    ///
    /// # Errors
    /// When a file can't be made, or when a program fails: with its last lines.
    pub fn run(&self, action: &Action) -> Result<()> {
        match action {
            Action::Planned | Action::Say(_) => Ok(()),
            Action::Fail(text) => bail!("{text}"),
            Action::MountPoint(path) => Tree::open(self.tree())?.make_directory(path),
            Action::Bootstrap(bootstrap) => self.bootstrap(bootstrap),
            Action::AptUpdate => self.apt_update(),
            Action::Apt(apt) => self.apt(apt),
            Action::Chroot(script) => self.chroot(script),
            Action::VirtualFilesystems => self.virtual_filesystems(),
            Action::Shell(script) => self.shell(script),
            Action::Ansible(playbook) => self.ansible(playbook),
            Action::CreateFile(file) => files::create_file(self.tree(), file),
            Action::CreateDirectory { path, access } => {
                files::create_directory(self.tree(), path, *access)
            }
            Action::CopyFile { from, path, access } => {
                files::copy_file(self.tree(), from, path, *access)
            }
            Action::CopyDirectory {
                from,
                path,
                access,
                umask,
                names,
            } => {
                let access = files::named(self.tree(), names, *access)?;
                files::copy_directory(self.tree(), from, path, access, *umask)
            }
            Action::Fstab(lines) => files::fstab(self.tree(), lines),
            Action::GrowAtFirstBoot => self.grow_at_first_boot(),
            Action::Remove(path) => files::remove(self.tree(), path),
            Action::Unpack(_)
            | Action::Pack(_)
            | Action::Grub(_)
            | Action::FindKernel
            | Action::FindKey(_) => bail!("this step needs more than the tree"),
        }
    }

    /// Runs `sh -ec SCRIPT` with the tree as its root.
    fn chroot(&self, script: &str) -> Result<()> {
        self.run_in_tree("sh", &["-ec", script])
            .context("the script in the tree")
    }

    fn virtual_filesystems(&self) -> Result<()> {
        if !self.inside.mount_virtual_filesystems(Run::Own)? {
            tracing::warn!(
                "without namespaces scripts outside of the tree find no /proc, /sys and /run in it"
            );
        }
        Ok(())
    }

    /// Runs `sh -ec SCRIPT` on the host; `$ROOT` is the tree.
    fn shell(&self, script: &str) -> Result<()> {
        let mut command = std::process::Command::new("sh");
        command.args(["-ec", script]).env("ROOT", self.tree());
        self.run_beside_tree(command).context("the script")
    }
}
