//! Programs: those of the host, and those of the tree.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Assembly;
use crate::rooted::{StandIn, is_hidden, locate_followed};
use crate::sandbox::{self, Ended, InTree, Output, Run};

/// Keeps the scripts of packages from starting services, as Debian's policy for invoke-rc.d has it.
const POLICY: &str = "/usr/sbin/policy-rc.d";

impl Assembly<'_> {
    /// Runs a program of the host to its end, which sees the tree.
    pub(super) fn run_on_host(&self, command: Command) -> Result<()> {
        self.on_host(command, sandbox::run)
    }

    /// The same, with `input` on its standard input.
    pub(super) fn run_on_host_with(
        &self,
        command: Command,
        input: Box<dyn Read + Send>,
    ) -> Result<()> {
        self.on_host(command, |command, output| {
            sandbox::run_with_input(command, input, output)
        })
    }

    fn on_host(
        &self,
        mut command: Command,
        run: impl FnOnce(&mut Command, &mut Output) -> io::Result<Ended>,
    ) -> Result<()> {
        let program = command.get_program().to_owned();
        command.env("TMPDIR", &self.inside.scratch);
        let ended = run(&mut command, &mut self.output.borrow_mut());
        judge(&program, ended)
    }

    /// Runs a program of the host to its end, which runs programs of the tree by chroot(2).
    pub(super) fn run_beside_tree(&self, command: Command) -> Result<()> {
        let shown = self.inside.show_devices()?;
        let done = self.run_on_host(command);
        shown.take_away()?;
        done
    }

    /// Runs a program of the tree to its end.
    pub(super) fn run_in_tree<S: AsRef<OsStr>>(&self, program: &str, args: &[S]) -> Result<()> {
        self.run_in_tree_with(&self.stand_ins, program, args)
    }

    /// The same, with these stand-ins beside the usual ones.
    ///
    /// # Errors
    /// When it can't be run, or fails: with its last lines.
    pub fn run_in_tree_with<S: AsRef<OsStr>>(
        &self,
        stand_ins: &[StandIn],
        program: &str,
        args: &[S],
    ) -> Result<()> {
        let in_tree = InTree {
            inside: self.inside,
            stand_ins: [stand_ins, &self.usual_stand_ins()?].concat(),
            run: Run::Own,
            environment: environment(),
        };
        let ended = in_tree.run(program, args, &mut self.output.borrow_mut());
        judge(OsStr::new(program), ended)
    }

    /// What keeps services from being started, and has names of the network resolved.
    fn usual_stand_ins(&self) -> Result<Vec<StandIn>> {
        let tree = &self.inside.tree;
        let mut stand_ins = vec![StandIn {
            path: POLICY.to_owned(),
            contents: b"#!/bin/sh\nexit 101\n".to_vec(),
            permissions: 0o755,
        }];
        // One that leads nowhere, as it does where systemd-resolved isn't running, is of no use.
        let path = "/etc/resolv.conf";
        let found = locate_followed(tree, path.as_ref())?;
        if (is_hidden(tree, &found) || !found.is_file())
            && let Ok(contents) = std::fs::read(path)
        {
            stand_ins.push(StandIn {
                path: path.to_owned(),
                contents,
                permissions: 0o644,
            });
        }
        Ok(stand_ins)
    }
}

/// What programs of the tree find in their environment.
fn environment() -> Vec<(String, OsString)> {
    let fixed = [
        ("PATH", sandbox::PATH),
        ("HOME", "/root"),
        ("LC_ALL", "C"),
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
    ];
    let fixed = fixed.map(|(name, value)| (name.to_owned(), OsString::from(value)));
    let of_user = [
        "http_proxy",
        "https_proxy",
        "ftp_proxy",
        "no_proxy",
        "SOURCE_DATE_EPOCH",
    ];
    let of_user = of_user.into_iter().filter_map(|name| {
        let value = std::env::var_os(name)?;
        Some((name.to_owned(), value))
    });
    fixed.into_iter().chain(of_user).collect()
}

/// Refuses a program that failed, with its last lines.
fn judge(program: &OsStr, ended: io::Result<Ended>) -> Result<()> {
    let program = program.display();
    let ended = ended.with_context(|| format!("can't run {program}"))?;
    match ended.status.success() {
        true => Ok(()),
        false => bail!("{program} {ended}"),
    }
}
