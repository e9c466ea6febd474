//! The way to libvirt, where this program is built with it.

use anyhow::Result;

use super::hypervisor::Hypervisor;

/// The libvirt at `uri`; the one that it would choose itself when there is none.
///
/// # Errors
/// When it can't be reached.
#[cfg(feature = "libvirt")]
pub fn open(uri: Option<&str>) -> Result<Box<dyn Hypervisor>> {
    Ok(Box::new(super::libvirt::Libvirt::open(uri)?))
}

/// Tells how to get libvirt: this program was built without it.
///
/// # Errors
/// Always.
#[cfg(not(feature = "libvirt"))]
pub fn open(_uri: Option<&str>) -> Result<Box<dyn Hypervisor>> {
    anyhow::bail!(
        "this createhdds is built without libvirt, so it can't install systems: install the \
         package 'libvirt-dev' (Debian, Ubuntu) or 'libvirt-devel' (Fedora, Enterprise Linux) and \
         build it with `cargo build --release --features libvirt`"
    )
}
