//! A build that is going on: scripts of elements, phase by phase, and what is done between them.

use std::cell::RefCell;
use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use disklayout::Bytes;

use super::disks::{self, Disk};
use super::hooks;
use super::stand_ins::{INSIDE_NAME, RECORDS, StandIns};
use super::{base, first_boot, grub, usage};
use crate::bootloader::{self, Target};
use crate::command::dib::run_parts::NAME as RUN_PARTS;
use crate::command::system::device::Device;
use crate::describe::dib::{Build, Environment, PATTERN, Parts, Phase, Side, Stage};
use crate::engine::{self, Event, Reporter};
use crate::printable::printable_lines;
use crate::rooted::{StandIn, Tree};
use crate::sandbox::{self, Ended, InTree, Inside, Output, Run};
use crate::signals;
use crate::status::Status;

/// Where the tree has the files of elements while scripts run in it.
const IN_TARGET: &str = "/tmp/in_target.d";

/// Where programs of a tree are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables of the host that mean nothing in the tree.
const LEFT_OUTSIDE: [&str; 3] = ["TMPDIR", "VIRTUAL_ENV", "TARGET_ROOT"];

/// What a script of `block-device.d` says of a device that it has made.
const OWN_DEVICE: &str = "IMAGE_BLOCK_DEVICE=";

/// A script has failed.
#[derive(Debug)]
struct Failed {
    /// The directory that it is in, or what was run beside it.
    what: String,
    ended: Ended,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.ended)
    }
}

impl Error for Failed {}

/// How a build has ended.
///
/// # Errors
/// What has gone wrong, unless a script has failed: that is told here.
pub(super) fn ended(built: Result<Status>) -> Result<super::Ended> {
    let error = match built {
        Ok(status) => return Ok(super::Ended::With(status)),
        Err(error) => error,
    };
    let Some(failed) = error.downcast_ref::<Failed>() else {
        return Err(error);
    };
    let code = signals::passed_on(failed.ended.status);
    let _ = writeln!(
        io::stderr(),
        "createhdds: {}",
        printable_lines(&format!("{error:#}"))
    );
    Ok(super::Ended::InScript(code.unwrap_or(1)))
}

/// A build that is going on.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub build: &'a Build,
    pub inside: &'a Inside,
    output: RefCell<Output>,
    /// The files of elements.
    hooks: PathBuf,
    /// Where devices would be.
    images: PathBuf,
    pub stand_ins: StandIns,
    /// What scripts find.
    environment: RefCell<Environment>,
    /// Devices that programs of the tree look for.
    devices: RefCell<Vec<StandIn>>,
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
            let path = crate::rooted::locate_followed(tree, path.as_ref())?;
            self.inside.show(&path, &path)?;
        }
        self.inside.mount_virtual_filesystems(Run::OfTree)?;
        Ok(made)
    }

    /// Tells scripts where devices would be.
    fn tell_of_devices<'d>(&self, disks: impl Iterator<Item = &'d Disk> + Clone) {
        let mut devices = String::new();
        for device in &self.build.configuration.values.devices {
            let image = self.images.join(&device.image);
            let mut path = image.display().to_string();
            if device.is_partition {
                let mut volumes = disks.clone().flat_map(|disk| &disk.system.volumes);
                if let Some(volume) = volumes.find(|it| it.tag == device.name) {
                    path.push_str(&format!("p{}", volume.number));
                }
            }
            devices.push_str(&format!(" [{}]={path} ", device.name));
        }
        let mut environment = self.environment.borrow_mut();
        environment.set("IMAGE_BLOCK_DEVICES", devices);
        let mut names = disks.map(|disk| disk.name.as_str());
        if let Some(name) = names.find(|name| *name == disks::MAIN) {
            environment.set("IMAGE_BLOCK_DEVICE", self.images.join(name));
        }
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

    /// The scripts of a phase, in their order.
    fn scripts(&self, phase: Phase) -> Result<Vec<String>> {
        let directory = self.hooks.join(phase.directory());
        if !directory.is_dir() {
            return Ok(Vec::new());
        }
        let pattern = self.build.environment.text(PATTERN);
        let names = Parts::scripts(pattern)?.of(&directory);
        names.with_context(|| format!("can't read '{}'", directory.display()))
    }

    /// Runs the scripts of a phase.
    fn run(&self, phase: Phase) -> Result<()> {
        self.stop_at(Stage::Before(phase.name), phase.place)?;
        let done = match phase.place {
            Side::Outside if phase == Phase::BLOCK_DEVICE => self.run_block_device(),
            Side::Outside => self.run_outside(phase),
            Side::Inside => self.run_inside(
                &phase.directory(),
                &[
                    &format!("{IN_TARGET}/{RUN_PARTS}"),
                    &format!("{IN_TARGET}/{}", phase.directory()),
                ],
            ),
        };
        if let Err(error) = done {
            let side = match self.build.breaks.outside {
                true => Side::Outside,
                false => phase.place,
            };
            self.stop_at(Stage::AfterError, side)?;
            return Err(error);
        }
        self.stop_at(Stage::After(phase.name), phase.place)
    }

    fn run_outside(&self, phase: Phase) -> Result<()> {
        let mut command = self.outside("bash");
        command.arg(self.hooks.join(RUN_PARTS));
        command.arg(self.hooks.join(phase.directory()));
        if [Phase::ROOT, Phase::CLEANUP].contains(&phase) {
            command.env("TARGET_ROOT", &self.inside.tree);
        }
        self.judge(&phase.directory(), &mut command)
    }

    /// Runs those that made devices of their own once, which can't be here.
    fn run_block_device(&self) -> Result<()> {
        // Not by way of tee: that would wait for what a script has left running.
        const INTO: &str = "exec \"$0\" \"$1\" > \"$2\"";
        let directory = Phase::BLOCK_DEVICE.directory();
        let path = self.inside.scratch.join(&directory);
        let mut command = self.outside("bash");
        command.args(["-c", INTO]);
        command.arg(self.hooks.join(RUN_PARTS));
        command.arg(self.hooks.join(&directory)).arg(&path);
        let judged = self.judge(&directory, &mut command);
        let said = fs::read(&path).unwrap_or_default();
        self.output.borrow_mut().say(&said)?;
        judged?;
        let said = String::from_utf8_lossy(&said);
        match said.lines().find(|line| line.contains(OWN_DEVICE)) {
            None => Ok(()),
            Some(line) => bail!(
                "a script in {directory} says '{line}': devices of its own need root; describe the disk \
                 in block-device-default.yaml of the element, or in DIB_BLOCK_DEVICE_CONFIG"
            ),
        }
    }

    /// A program of the host with the environment of scripts.
    fn outside(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let environment = self.environment.borrow();
        command.env_clear().envs(environment.iter());
        let mut path = self.stand_ins.outside.clone().into_os_string();
        path.push(":");
        path.push(environment.raw("PATH").unwrap_or_default());
        command.env("PATH", path);
        command
    }

    fn judge(&self, what: &str, command: &mut Command) -> Result<()> {
        let ended = sandbox::run(command, &mut self.output.borrow_mut());
        judged(what, ended.with_context(|| format!("can't run {what}"))?)
    }

    /// Runs bash in the tree with these arguments, and with the files of elements.
    fn run_inside(&self, what: &str, arguments: &[&str]) -> Result<()> {
        self.with_hooks(|in_tree| {
            let ended = in_tree.run("bash", arguments, &mut self.output.borrow_mut());
            judged(
                what,
                ended.with_context(|| format!("can't run {what} in the tree"))?,
            )
        })
    }

    /// Does something while the tree has the files of elements.
    fn with_hooks<T>(&self, run: impl FnOnce(&InTree<'_>) -> Result<T>) -> Result<T> {
        let tree = &self.inside.tree;
        let target = crate::rooted::locate_followed(tree, IN_TARGET.as_ref())?;
        ensure!(
            target.parent().is_some_and(Path::is_dir),
            "the tree has no /tmp, where its scripts find the files of elements: have root.d make it"
        );
        fs::create_dir(&target).with_context(|| format!("can't make {IN_TARGET} in the tree"))?;
        self.inside.show_read_only(&self.hooks, &target)?;
        let records = target.join(RECORDS);
        self.inside.show(&self.stand_ins.records, &records)?;
        let in_tree = InTree {
            inside: self.inside,
            stand_ins: self.devices.borrow().clone(),
            run: Run::OfTree,
            environment: self.environment_inside(),
        };
        let done = run(&in_tree);
        self.inside.hide(&records)?;
        self.inside.hide(&target)?;
        fs::remove_dir(&target).with_context(|| format!("can't remove {IN_TARGET} in the tree"))?;
        done
    }

    fn environment_inside(&self) -> Vec<(String, OsString)> {
        let environment = self.environment.borrow();
        let shown = environment.iter().filter_map(|(name, value)| {
            let name = name.to_str()?;
            let stays = LEFT_OUTSIDE.contains(&name) || name.starts_with("BASH_FUNC_");
            (!stays).then(|| (name.to_owned(), value.to_owned()))
        });
        let mut all: Vec<_> = shown.collect();
        for (name, value) in [("HOME", "/root"), ("USER", "root"), ("LOGNAME", "root")] {
            all.push((name.to_owned(), value.into()));
        }
        let path = format!("{IN_TARGET}/{INSIDE_NAME}:{PATH}");
        all.push(("PATH".to_owned(), path.into()));
        all
    }

    /// Lets somebody look at the build, where that is asked for.
    fn stop_at(&self, stage: Stage<'_>, side: Side) -> Result<()> {
        let breaks = &self.build.breaks;
        if !breaks.has(stage) {
            return Ok(());
        }
        tracing::warn!("the build stops at {stage}; it goes on when the shell ends");
        let terminal = File::options().read(true).write(true).open("/dev/tty").ok();
        let asked = match (stage, side) {
            // There a shell is all that helps.
            (Stage::Before(_), Side::Inside) | (Stage::After(_), _) => None,
            _ => breaks.command.as_deref(),
        };
        let arguments = asked.map_or_else(Vec::new, |command| vec!["-c", command]);
        match side {
            Side::Outside => {
                let mut command = self.outside("bash");
                command
                    .args(&arguments)
                    .env("TARGET_ROOT", &self.inside.tree);
                match &terminal {
                    Some(terminal) => sandbox::run_on_terminal(&mut command, terminal).map(drop)?,
                    None => sandbox::run(&mut command, &mut self.output.borrow_mut()).map(drop)?,
                }
            }
            Side::Inside => self.with_hooks(|in_tree| {
                match &terminal {
                    Some(terminal) => {
                        in_tree
                            .run_on_terminal("bash", &arguments, terminal)
                            .map(drop)?;
                    }
                    None => {
                        let output = &mut self.output.borrow_mut();
                        in_tree.run("bash", &arguments, output).map(drop)?;
                    }
                }
                Ok(())
            })?,
        }
        tracing::warn!("the build goes on");
        Ok(())
    }
}

fn judged(what: &str, ended: Ended) -> Result<()> {
    match ended.status.success() {
        true => Ok(()),
        false => {
            let what = what.to_owned();
            Err(Failed { what, ended }.into())
        }
    }
}

/// The tree, as a boot loader sees it.
impl Target for Session<'_> {
    fn root(&self) -> &Path {
        &self.inside.tree
    }

    fn run(&self, stand_ins: &[StandIn], program: &str, arguments: &[OsString]) -> Result<()> {
        let in_tree = InTree {
            inside: self.inside,
            stand_ins: stand_ins.to_vec(),
            run: Run::OfTree,
            environment: vec![
                ("PATH".to_owned(), PATH.into()),
                ("LC_ALL".to_owned(), "C".into()),
            ],
        };
        let ended = in_tree.run(program, arguments, &mut self.output.borrow_mut());
        judged(
            program,
            ended.with_context(|| format!("can't run {program}"))?,
        )
    }
}

/// What is told of a build as it goes on.
struct Steps<'a> {
    reporter: &'a dyn Reporter,
    number: usize,
    steps: usize,
}

impl<'a> Steps<'a> {
    fn of(session: &Session<'_>, reporter: &'a dyn Reporter) -> Result<Self> {
        let mut steps = usize::from(!session.build.packages.is_empty());
        for phase in Phase::ALL {
            steps += usize::from(!session.scripts(phase)?.is_empty());
        }
        Ok(Self {
            reporter,
            number: 0,
            steps,
        })
    }

    /// Runs a phase, if there are scripts for it.
    fn phase(&mut self, session: &Session<'_>, phase: Phase) -> Result<()> {
        let scripts = session.scripts(phase)?;
        if scripts.is_empty() {
            session.stop_at(Stage::Before(phase.name), phase.place)?;
            return session.stop_at(Stage::After(phase.name), phase.place);
        }
        let place = match phase.place {
            Side::Outside => "",
            Side::Inside => " in the tree",
        };
        let title = format!("{}{place}: {}", phase.directory(), scripts.join(" "));
        self.step(&title, || session.run(phase))
    }

    /// Installs packages, where some were asked for.
    fn packages(&mut self, session: &Session<'_>) -> Result<()> {
        const INSTALL: &str = "install-packages \"$@\"";
        let packages = &session.build.packages;
        if packages.is_empty() {
            return Ok(());
        }
        let mut arguments = vec!["-c", INSTALL, "install-packages"];
        arguments.extend(packages.iter().map(String::as_str));
        let title = format!("packages: {}", packages.join(" "));
        self.step(&title, || {
            session.run_inside("install-packages", &arguments)
        })
    }

    fn step(&mut self, title: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
        self.number += 1;
        let (number, steps) = (self.number, self.steps.max(self.number));
        self.reporter.report(&Event::StepStarted {
            number,
            steps,
            title,
        });
        let started = Instant::now();
        run()?;
        self.reporter.report(&Event::StepEnded {
            number,
            steps,
            title,
            took: started.elapsed(),
            skipped: None,
        });
        Ok(())
    }
}
