//! GRUB in a tree that is being made, and in front of its partitions.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use super::assemble::Assembler;
use super::device::Device;
use crate::bootloader::{self, Target};
use crate::rooted::{StandIn, Tree};
use crate::rootfs::Assembly;
use crate::system::{Action, Apt, Grub};

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
    pub(super) fn grub_stand_ins(&self) -> Result<Vec<StandIn>> {
        let tree = Tree::open(&self.inside.tree)?;
        bootloader::grub::stand_ins(&tree, self.system)
    }
}

/// The tree, as a boot loader sees it.
#[derive(Debug)]
struct InTree<'a>(&'a Assembly<'a>);

impl Target for InTree<'_> {
    fn root(&self) -> &Path {
        self.0.tree()
    }

    fn run(&self, stand_ins: &[StandIn], program: &str, arguments: &[OsString]) -> Result<()> {
        self.0.run_in_tree_with(stand_ins, program, arguments)
    }
}
