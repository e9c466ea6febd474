//! What is asked of libvirt, and what it answers.

use std::fmt;
use std::path::Path;

use anyhow::Result;

/// A running libvirt.
pub trait Hypervisor: Send + Sync {
    /// What it is and what it can do.
    ///
    /// # Errors
    /// What libvirt says.
    fn facts(&self) -> Result<Facts>;

    /// What the machine called `name` does; `None` when there is no such machine.
    ///
    /// # Errors
    /// What libvirt says.
    fn state(&self, name: &str) -> Result<Option<State>>;

    /// Where the screen of the machine called `name` can be seen, if it has one.
    ///
    /// # Errors
    /// What libvirt says.
    fn display(&self, name: &str) -> Result<Option<String>>;

    /// Hands what the machine called `name` prints on its console to `sink`, until it ends.
    ///
    /// # Errors
    /// When it has no console or isn't running.
    fn console(&self, name: &str, sink: &mut dyn FnMut(&[u8])) -> Result<()>;

    /// Ends the machine called `name` if it runs, and forgets it and its firmware's variables. No
    /// such machine is no error.
    ///
    /// # Errors
    /// What libvirt says.
    fn remove(&self, name: &str) -> Result<()>;

    /// The names of all machines whose names begin with `prefix`.
    ///
    /// # Errors
    /// What libvirt says.
    fn machines(&self, prefix: &str) -> Result<Vec<String>>;

    /// Makes sure that there is a storage pool for `directory`, called `name` if it must be made,
    /// and tells whether it was.
    ///
    /// # Errors
    /// What libvirt says.
    fn add_pool(&self, name: &str, directory: &Path) -> Result<bool>;

    /// Forgets the storage pool called `name`. No such pool is no error.
    ///
    /// # Errors
    /// What libvirt says.
    fn remove_pool(&self, name: &str) -> Result<()>;
}

/// What a libvirt is and can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its address: `qemu:///system`.
    pub uri: String,
    /// What it runs machines by, with its version: `QEMU 7.2.22`.
    pub hypervisor: String,
    /// Whether it can use KVM.
    pub has_kvm: bool,
}

/// What a machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or is about to.
    Running,
    /// It stands still, because its disk couldn't be written.
    NoRoom,
    /// It is off.
    Off(Why),
}

/// Why a machine is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has shut down by itself.
    Shutdown,
    /// Somebody has ended it.
    Destroyed,
    /// Its process has ended, or its system has.
    Crashed,
    /// It has failed to start, or libvirt doesn't know.
    Unknown,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shutdown => "has shut down",
            Self::Destroyed => "was destroyed from outside",
            Self::Crashed => "has crashed",
            Self::Unknown => "is off for a reason that libvirt doesn't know",
        })
    }
}
