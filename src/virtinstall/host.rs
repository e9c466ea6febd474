//! What this host must have for installations.

use anyhow::Result;
use foreign::run::{Packages, Runner, Tool};

use super::attempt::VIRT_INSTALL;
use super::connect;
use super::disk::QEMU_IMG;
use super::settings::Settings;
use crate::osinfo;

/// What virt-install puts files into an installer with, and doesn't depend on.
const CPIO: Tool = Tool {
    program: "cpio",
    packages: Packages::same("cpio", ""),
};

/// The programs that an installation needs.
pub const TOOLS: [Tool; 3] = [VIRT_INSTALL, QEMU_IMG, CPIO];

/// A host that can install systems.
#[derive(Clone, Debug)]
pub struct Host {
    /// The table of operating systems that osinfo-query prints; empty where it isn't installed.
    pub systems: String,
}

impl Host {
    /// Looks for all that an installation at `place` needs.
    ///
    /// # Errors
    /// What is missing, and how to get it.
    pub fn look(place: &str, settings: &Settings, runner: &Runner) -> Result<Self> {
        // First what no package can bring to a program that was built without it.
        connect::open(settings.connect.as_deref())?;
        runner.find_all(&disklayout::Place::from(place), &TOOLS)?;
        let systems = osinfo::releases(runner).unwrap_or_else(|error| {
            tracing::warn!("virt-install will guess the operating system: {error}");
            String::new()
        });
        Ok(Self { systems })
    }
}
