//! GRUB in a tree that is being made, and in front of its partitions.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use super::assemble::Assembler;
use super::device::Device;
use crate::bootloader::{self, Target, Tree};
use crate::rootfs::{Assembly, StandIns};
use crate::sandbox::StandIn;
use crate::system::{Action, Apt, Grub};

/// What names of devices begin with.
const DEV: &str = "/dev/";

impl Assembler<'_> {
    /// Installs GRUB's packages.
    pub(super) fn install_grub_packages(&self, grub: &Grub, assembly: &Assembly<'_>) -> Result<()> {
        let tree = Tree::open(assembly.tree())?;
        let package = bootloader::grub::package(grub.firmware, &tree)?;
        assembly.run(&Action::Apt(Apt {
            packages: vec![package.to_owned()],
            recommends: true,
            clean: true,
        }))
    }

    /// Installs GRUB, whose packages are in the tree.
    pub(super) fn install_grub(
        &self,
        grub: &Grub,
        assembly: &Assembly<'_>,
        device: &Device,
    ) -> Result<()> {
        let target = InTree(assembly);
        bootloader::grub::install(&target, grub, self.system, device.disk())
    }

    /// What keeps programs of the tree that configure GRUB from looking at this machine.
    pub(super) fn grub_stand_ins(&self) -> Result<StandIns> {
        let tree = Tree::open(&self.inside.tree)?;
        Ok(parted(&bootloader::grub::stand_ins(&tree, self.system)?))
    }
}

/// The tree, as a boot loader sees it.
#[derive(Debug)]
struct InTree<'a>(&'a Assembly<'a>);

impl Target for InTree<'_> {
    fn root(&self) -> &Path {
        self.0.tree()
    }

    fn run(
        &self,
        stand_ins: &[bootloader::StandIn],
        program: &str,
        arguments: &[OsString],
    ) -> Result<()> {
        self.0
            .run_in_tree_with(parted(stand_ins), program, arguments)
    }
}

/// Files, and names in /dev.
fn parted(stand_ins: &[bootloader::StandIn]) -> StandIns {
    let mut all = StandIns::default();
    for one in stand_ins {
        match one.path.strip_prefix(DEV) {
            Some(name) => all.devices.push(name.to_owned()),
            None => all.files.push(StandIn {
                path: one.path.clone(),
                contents: one.contents.clone(),
                permissions: one.permissions,
            }),
        }
    }
    all
}
