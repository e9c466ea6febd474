//! Scripts of a phase, run on the host or with the tree as their root.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::Ended as BuildEnded;
use super::session::Session;
use super::stand_ins::{INSIDE_NAME, RECORDS};
use crate::bootloader::Target;
use crate::command::dib::run_parts::NAME as RUN_PARTS;
use crate::describe::dib::{Phase, Side, Stage};
use crate::printable::printable_lines;
use crate::rooted::{StandIn, locate_followed};
use crate::sandbox::{self, Ended, InTree, Run};
use crate::signals;
use crate::status::Status;

/// Where the tree has the files of elements while scripts run in it.
const IN_TARGET: &str = "/tmp/in_target.d";

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
pub(super) fn ended(built: Result<Status>) -> Result<BuildEnded> {
    let error = match built {
        Ok(status) => return Ok(BuildEnded::With(status)),
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
    Ok(BuildEnded::InScript(code.unwrap_or(1)))
}

impl Session<'_> {
    /// The scripts of a phase, in their order.
    pub(super) fn scripts(&self, phase: Phase) -> Result<Vec<String>> {
        let directory = self.hooks.join(phase.directory());
        if !directory.is_dir() {
            return Ok(Vec::new());
        }
        let names = self.build.scripts.of(&directory);
        names.with_context(|| format!("can't read '{}'", directory.display()))
    }

    /// Runs the scripts of a phase.
    pub(super) fn run_phase(&self, phase: Phase) -> Result<()> {
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
        if done.is_err() {
            let side = match self.build.breaks.outside {
                true => Side::Outside,
                false => phase.place,
            };
            self.stop_at(Stage::AfterError, side)?;
        }
        done
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
    pub(super) fn outside(&self, program: &str) -> Command {
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
    pub(super) fn run_inside(&self, what: &str, arguments: &[&str]) -> Result<()> {
        self.with_hooks(|in_tree| {
            let ended = in_tree.run("bash", arguments, &mut self.output.borrow_mut());
            judged(
                what,
                ended.with_context(|| format!("can't run {what} in the tree"))?,
            )
        })
    }

    /// Does something while the tree has the files of elements.
    pub(super) fn with_hooks<T>(&self, run: impl FnOnce(&InTree<'_>) -> Result<T>) -> Result<T> {
        let tree = &self.inside.tree;
        let target = locate_followed(tree, IN_TARGET.as_ref())?;
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
        let path = format!("{IN_TARGET}/{INSIDE_NAME}:{}", sandbox::PATH);
        all.push(("PATH".to_owned(), path.into()));
        all
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
                ("PATH".to_owned(), sandbox::PATH.into()),
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
