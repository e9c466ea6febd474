//! Installed systems: virt-install runs the installer in a virtual machine of libvirt.

mod attempt;
pub mod connect;
mod console;
mod disk;
mod host;
pub mod hypervisor;
mod installation;
mod leftovers;
#[cfg(feature = "libvirt")]
mod libvirt;
mod link;
mod location;
#[cfg(test)]
mod original;
mod os_variant;
mod session;
pub mod settings;
mod verdict;
#[cfg(feature = "libvirt")]
mod xml;

pub use host::{Host, TOOLS};
pub use installation::{Installation, Kickstart};
pub use leftovers::remove_all;
pub use os_variant::is_known;
pub use session::Session;
pub use settings::{Settings, VirtType};

/// What is told while a system is being installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note<'a> {
    /// Where the screen of its machine can be seen.
    Screen(&'a str),
    /// A line that its machine has printed.
    Line(&'a str),
    /// An attempt has failed, and another one begins.
    Retry {
        /// Why it has failed.
        reason: &'a str,
        /// The number of the next attempt, from 2.
        attempt: usize,
        /// How many there are at most.
        attempts: usize,
    },
    /// The system is installed, and its disk is being copied without what is zero.
    Finishing,
}
