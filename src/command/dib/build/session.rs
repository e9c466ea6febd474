//! A build that is going on: its phases, and what is done between them.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use disklayout::Bytes;

use super::disks::{self, Disk};
use super::stand_ins::StandIns;
use super::steps::Steps;
use super::{base, first_boot, grub, hooks, usage};
use crate::bootloader;
use crate::command::system::device::Device;
use crate::describe::dib::{Build, Environment, Phase, block};
use crate::engine::{self, Reporter};
use crate::rooted::{StandIn, Tree, locate_followed};
use crate::sandbox::{Inside, Output, Run};

/// A build that is going on.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub build: &'a Build,
    pub inside: &'a Inside,
    pub output: RefCell<Output>,
    /// The files of elements.
    pub hooks: PathBuf,
    /// Where devices would be.
    images: PathBuf,
    pub stand_ins: StandIns,
    /// What scripts find.
    pub environment: RefCell<Environment>,
    /// Devices that programs of the tree look for.
    pub devices: RefCell<Vec<StandIn>>,
}

/// A tree that is complete, and the disks that it goes to.
#[derive(Debug)]
pub(super) struct Assembled {
    /// Each with what was written to it beside filesystems.
    pub disks: Vec<(Disk, Device)>,
}

impl<'a> Session<'a> {
    /// Lays out what scripts find, and nothing in the tree.
    ///
    /// # Errors
    /// When that can't be written.
    pub(super) fn new(build: &'a Build, inside: &'a Inside, output: Output) -> Result<Self> {
        let (hooks, images) = (inside.top.join("hooks"), inside.top.join("image"));
        hooks::lay_out(&build.hooks, &hooks)?;
        fs::create_dir(&images)?;
        let stand_ins = StandIns::write(&inside.scratch, &hooks, inside.kind)?;
        for cache in ["DIB_IMAGE_CACHE", "DIB_LOCKFILES"] {
            if let Some(path) = build.environment.raw(cache) {
                let shown = Path::new(path).display();
                fs::create_dir_all(path)
                    .with_context(|| format!("can't make the directory '{shown}' ({cache})"))?;
            }
        }
        let mut environment = build.environment.clone();
        for (name, path) in [
            ("TMP_BUILD_DIR", &inside.top),
            ("TMP_HOOKS_PATH", &hooks),
            ("TMP_MOUNT_PATH", &inside.tree),
            ("TMP_IMAGE_DIR", &images),
        ] {
            environment.set(name, path);
        }
        let session = Self {
            build,
            inside,
            output: RefCell::new(output),
            hooks,
            images,
            stand_ins,
            environment: RefCell::new(environment),
            devices: RefCell::default(),
        };
        // What is asked about the disk before its size is known doesn't depend on that.
        if let Ok(disks) = disks::lay_out(build, disks::any_size(build)) {
            session.tell_of(&disks)?;
        }
        Ok(session)
    }

    /// Runs everything, until the tree is complete.
    ///
    /// # Errors
    /// When a script fails, or the disk can't have what is in the tree.
    pub(super) fn assemble(
        &self,
        run: &engine::Settings,
        reporter: &dyn Reporter,
    ) -> Result<Assembled> {
        let mut steps = Steps::of(self, reporter)?;
        let tree = &self.inside.tree;
        steps.phase(self, Phase::ROOT)?;
        base::check_deployed(tree)?;
        base::open_top(tree)?;
        base::begin(tree).context("can't have names of the network resolved in the tree")?;
        self.inside.mount_virtual_filesystems(Run::OfTree)?;
        self.write_install_type()?;
        self.stand_ins.add_grub(&Tree::open(tree)?)?;
        steps.phase(self, Phase::EXTRA_DATA)?;
        steps.phase(self, Phase::PRE_INSTALL)?;
        steps.phase(self, Phase::INSTALL)?;
        steps.packages(self)?;
        steps.phase(self, Phase::POST_INSTALL)?;
        steps.phase(self, Phase::POST_ROOT)?;
        first_boot::lay_down(&self.hooks, tree)?;
        let disks = self.measure()?;
        steps.phase(self, Phase::BLOCK_DEVICE)?;
        let disks = self.create(run, disks)?;
        steps.phase(self, Phase::PRE_FINALISE)?;
        steps.phase(self, Phase::FINALISE)?;
        grub::install(self, &disks)?;
        steps.phase(self, Phase::CLEANUP)?;
        self.inside.hide_below(tree)?;
        base::finish(tree)?;
        Ok(Assembled { disks })
    }

    /// Has elements know, in the tree too, how they install what they are for.
    fn write_install_type(&self) -> Result<()> {
        const VARIABLE: &str = "DIB_DEFAULT_INSTALLTYPE";
        let path = self.hooks.join("environment.d/11-dib-install-type.bash");
        let own = &self.build.install_type;
        let line = format!("export {VARIABLE}=${{{VARIABLE}:-\"{own}\"}}\n");
        fs::write(path, line).context("can't write the type of installations")
    }

    /// Lays out the disks for what is in the tree.
    fn measure(&self) -> Result<Vec<Disk>> {
        let tree = &self.inside.tree;
        self.inside.hide_below(tree)?;
        base::remove_lost_and_found(tree)?;
        let used = usage::of(tree)?;
        let environment = &self.build.environment;
        if environment.is_set("DIB_SHOW_IMAGE_USAGE") {
            let all = environment.is_set("DIB_SHOW_IMAGE_USAGE_FULL");
            usage::report(&used, tree, all, &mut self.output.borrow_mut())?;
        }
        let used = used.last().map_or(Bytes::new(0), |whole| whole.bytes);
        let (size, disks) = disks::of_files(self.build, used)?;
        let kib = (size.get() >> 10).to_string();
        self.environment.borrow_mut().set("DIB_IMAGE_SIZE", kib);
        Ok(disks)
    }

    /// Makes files for the disks, and has scripts find everything as if filesystems were mounted.
    fn create(&self, run: &engine::Settings, disks: Vec<Disk>) -> Result<Vec<(Disk, Device)>> {
        let mut made = Vec::new();
        for disk in disks {
            let name = disk.file_name(self.build);
            let device = Device::create(run, &name, &disk.system.disk)?;
            let target = std::path::absolute(run.directory.path().join(device.file_name()))?;
            symlink(target, self.images.join(&disk.name))?;
            made.push((disk, device));
        }
        self.tell_of_devices(made.iter().map(|(disk, _)| disk));
        let tree = &self.inside.tree;
        base::write_fstab(tree, &self.build.configuration.fstab)?;
        self.inside.show(tree, tree)?;
        let mounted = made.iter().flat_map(|(disk, _)| &disk.system.volumes);
        let mut mounted: Vec<_> = mounted.filter_map(|it| it.mounted_at.as_deref()).collect();
        mounted.sort_unstable();
        for path in mounted.into_iter().filter(|path| *path != "/") {
            Tree::open(tree)?.make_directory(path)?;
            let path = locate_followed(tree, path.as_ref())?;
            self.inside.show(&path, &path)?;
        }
        self.inside.mount_virtual_filesystems(Run::OfTree)?;
        Ok(made)
    }

    /// Tells scripts where devices would be.
    fn tell_of_devices<'d>(&self, disks: impl Iterator<Item = &'d Disk> + Clone) {
        let volumes = disks.flat_map(|disk| &disk.system.volumes);
        let file = |image: &str| self.images.join(image);
        let values = &self.build.configuration.values;
        let mut environment = self.environment.borrow_mut();
        environment.set("IMAGE_BLOCK_DEVICES", values.block_devices(volumes, file));
        environment.set("IMAGE_BLOCK_DEVICE", file(block::IMAGE));
    }

    /// Has programs of the tree that ask for devices find those of the disk with its root.
    fn tell_of(&self, disks: &[Disk]) -> Result<()> {
        if let Some(disk) = disks::with_root(disks.iter()) {
            let stand_ins = bootloader::grub::all_stand_ins(&disk.system);
            let devices = stand_ins.into_iter().filter(|it| it.device().is_some());
            self.devices.replace(devices.collect());
            self.stand_ins.tell_of(&disk.system)?;
        }
        Ok(())
    }
}
