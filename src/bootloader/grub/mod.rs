//! GRUB, installed into a tree and onto a disk that is a file.
//!
//! What grub-install asks of devices is known here: where the filesystem with GRUB's files will be,
//! what its UUID is, where the partitions begin. So its files are copied within the tree, the
//! tree's own grub-mkconfig and grub-mkimage make the configuration and the image, and of the disk
//! only the boot code is written. It is started by a BIOS, from an MBR or from a BIOS boot
//! partition of a GPT, or by UEFI, from the name that firmware looks for on any disk.
//!
//! `plan` decides what the disk tells alone, `platform` knows what it runs on, `probe` answers for
//! programs that look for devices, `image` says what grub-mkimage makes, `files` and `esp` have
//! what goes where, `defaults` is the file that users edit, and `bios` is the boot code.

mod bios;
mod defaults;
mod environment;
mod esp;
mod files;
mod filesystems;
mod image;
mod layers;
mod plan;
mod platform;
mod probe;
#[cfg(test)]
mod tests;

use std::ffi::OsString;

use anyhow::{Context, Result, bail};

use disklayout::disk::Disk;
use disklayout::{Error, ErrorKind};

use crate::bootloader::Target;
use crate::rooted::{StandIn, Tree};
use crate::system::{Action, Bootstrap, Firmware, Grub, System, Volume};

use bios::{Embedded, Room};
use plan::{CONFIGURATION, DIRECTORY, Plan, Starter, partition_map};
use platform::Platform;

/// Whether GRUB can be installed, as far as the disk tells.
///
/// # Errors
/// `InvalidSpec`, `DoesNotFit` or `Unsupported` at the partition, or what of the disk, it can't be
/// installed for; `Unsupported` at the step that makes a base system it isn't known for.
pub fn check(grub: &Grub, system: &System) -> disklayout::Result<()> {
    for step in &system.steps {
        if let Action::Bootstrap(Bootstrap {
            arch: Some(arch), ..
        }) = &step.action
        {
            Platform::of(grub.firmware, arch).map_err(|error| {
                Error::new(ErrorKind::Unsupported, &step.place, error.to_string())
            })?;
        }
    }
    Plan::new(grub, system).map(drop)
}

/// The package of Debian and its kin that has all that [`install`] needs, for the architecture of
/// `tree`.
///
/// # Errors
/// Where GRUB isn't known for it.
pub fn package(firmware: Firmware, tree: &Tree) -> Result<&'static str> {
    let platform = Platform::of(firmware, &platform::architecture(tree)?)?;
    Ok(platform.installed_by())
}

/// What takes the place of files of the tree, and of devices, wherever a program of the tree may
/// make GRUB's configuration anew, as the installation of a kernel does.
///
/// # Errors
/// Where the tree can't be read.
pub fn stand_ins(tree: &Tree, system: &System) -> Result<Vec<StandIn>> {
    let map = partition_map(system.disk.table.kind());
    probe::stand_ins(tree, map, &probe::volumes(system))
}

/// The same whatever is in the tree: programs with all names that they have, and then devices.
pub fn all_stand_ins(system: &System) -> Vec<StandIn> {
    let map = partition_map(system.disk.table.kind());
    let volumes = probe::volumes(system);
    let programs = probe::programs(map, &volumes);
    programs
        .into_iter()
        .chain(probe::devices(&volumes))
        .collect()
}

/// Installs GRUB into the tree of `target`, in which its packages are installed, and its boot code
/// onto `disk`, which may have its table already, or get it later. Its configuration is made first.
///
/// # Errors
/// Those of [`check`]; a package that is missing, a program that fails, what can't be read or
/// written.
pub fn install(target: &dyn Target, grub: &Grub, system: &System, disk: &dyn Disk) -> Result<()> {
    let plan = Plan::new(grub, system)?;
    let tree = Tree::open(target.root())?;
    let architecture = platform::architecture(&tree)?;
    let platform = Platform::of(grub.firmware, &architecture)?;
    files::check(&tree, platform, &image::modules(platform, &plan.home, &[]))?;
    configure(target, &tree, &architecture, grub, system)?;
    install_configured(target, grub, &[], system, disk)
}

/// The same where its configuration is made already, or will be. The image has these `modules` beside
/// those that it needs.
///
/// # Errors
/// Those of [`install`].
pub fn install_configured(
    target: &dyn Target,
    grub: &Grub,
    modules: &[String],
    system: &System,
    disk: &dyn Disk,
) -> Result<()> {
    let plan = Plan::new(grub, system)?;
    let tree = Tree::open(target.root())?;
    let platform = Platform::of(grub.firmware, &platform::architecture(&tree)?)?;
    files::check(
        &tree,
        platform,
        &image::modules(platform, &plan.home, modules),
    )?;
    files::install(&tree, platform)?;
    if !platform.is_bios() {
        let load = image::search(&plan.home);
        tree.write(
            &image::load_file(platform),
            load.as_bytes(),
            files::PERMISSIONS,
        )?;
    }
    let arguments = image::arguments(platform, &plan.home, modules);
    target.run(&[], "grub-mkimage", &arguments)?;
    match &plan.start {
        Starter::Bios(room) => embed(&tree, platform, room, disk),
        Starter::Uefi(at) => {
            let core = image::core_file(platform);
            let copy = format!("{DIRECTORY}/{}/grub.efi", platform.name);
            files::Copy::new(core, copy).make(&tree)?;
            esp::Files::new(&tree, platform, &plan.home, at)?.install(&tree)
        }
    }
}

/// Makes GRUB's configuration.
fn configure(
    target: &dyn Target,
    tree: &Tree,
    architecture: &str,
    grub: &Grub,
    system: &System,
) -> Result<()> {
    let defaults = tree.read(defaults::PATH)?.unwrap_or_default();
    let defaults = String::from_utf8(defaults)
        .with_context(|| format!("{} of the tree isn't UTF-8", defaults::PATH))?;
    let is_encrypted = system.volumes.iter().any(|volume| volume.opened.is_some());
    let edited = defaults::edited(&defaults, grub, architecture, is_encrypted);
    tree.write(defaults::PATH, edited.as_bytes(), files::PERMISSIONS)?;
    tree.make_directory(DIRECTORY)?;
    let mut arguments: Vec<OsString> = root_settings(system).iter().map(OsString::from).collect();
    arguments.extend(["grub-mkconfig", "-o", CONFIGURATION].map(OsString::from));
    target.run(&stand_ins(tree, system)?, "env", &arguments)
}

/// What says by what the kernel is told its root, where /etc/default/grub doesn't.
fn root_settings(system: &System) -> &'static [&'static str] {
    let is_root = |volume: &&Volume| volume.mounted_at.as_deref() == Some("/");
    match system
        .volumes
        .iter()
        .find(is_root)
        .and_then(|it| it.opened.as_ref())
    {
        // By the name that it is opened by, as it has no UUID before that.
        Some(_) => &[
            "GRUB_DISABLE_LINUX_UUID=true",
            "GRUB_DISABLE_LINUX_PARTUUID=true",
        ],
        // A kernel without an initramfs finds its root by the partition alone.
        None => &["GRUB_DISABLE_LINUX_PARTUUID=false"],
    }
}

/// Makes sure that GRUB, which is installed in the tree, starts a kernel. It does as far as the tree
/// has any.
///
/// # Errors
/// When it doesn't, or when its configuration can't be read.
pub fn find_kernel(tree: &Tree) -> Result<()> {
    let configuration = tree.read(CONFIGURATION)?.unwrap_or_default();
    let configuration = String::from_utf8_lossy(&configuration);
    let is_start = |line: &str| line.split_whitespace().next() == Some("linux");
    match configuration.lines().any(is_start) {
        true => Ok(()),
        false => bail!("the tree has no kernel that GRUB could start: none is in /boot"),
    }
}

/// Writes the boot code.
fn embed(tree: &Tree, platform: Platform, room: &Room, disk: &dyn Disk) -> Result<()> {
    let read = |path: String| {
        let bytes = tree.read(&path)?;
        bytes.with_context(|| format!("the tree has no {path}"))
    };
    let boot = read(format!("{}/boot.img", platform.modules()))?;
    let core = read(image::core_file(platform))?;
    Embedded::new(&boot, &core, room)?.write(disk)?;
    Ok(())
}
