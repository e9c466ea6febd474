//! The installations of a run in its directory of images.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use foreign::address::masked;
use foreign::run::Runner;
use foreign::stage::Staging;

use super::Note;
use super::attempt::{Failure, Tools};
use super::disk::{self, QEMU_IMG};
use super::installation::{Attempt, Installation};
use super::leftovers::{self, Kind, Responsible};
use super::link::Link;
use super::settings::Settings;

/// A directory of images, which must be locked, made ready for virtual machines.
#[derive(Debug)]
pub struct Session<'a> {
    settings: &'a Settings,
    runner: &'a Runner,
    directory: PathBuf,
    prefix: String,
    pool: Option<Responsible>,
}

impl<'a> Session<'a> {
    /// Makes `directory` ready: what a killed run has left there is removed, and it becomes a
    /// storage pool, which virt-install would make otherwise, once for each of several
    /// installations that begin at a time.
    ///
    /// # Errors
    /// When libvirt can't be reached or refuses.
    pub fn begin(directory: &Path, settings: &'a Settings, runner: &'a Runner) -> Result<Self> {
        let shown = directory.display();
        let directory = directory
            .canonicalize()
            .with_context(|| format!("can't find out where '{shown}' is"))?;
        let prefix = leftovers::prefix(&directory);
        let mut link = Link::new(settings.connect.as_deref());
        for stale in link.ask(|host| host.machines(&prefix))? {
            tracing::warn!("removing the virtual machine {stale}, left behind by a killed run");
            link.ask(|host| host.remove(&stale))?;
        }
        link.ask(|host| host.remove_pool(&prefix))?;
        let pool = Responsible::new(settings.connect.as_deref(), Kind::Pool, &prefix);
        let is_made = link.ask(|host| host.add_pool(&prefix, &directory))?;
        Ok(Self {
            settings,
            runner,
            directory,
            prefix,
            pool: is_made.then_some(pool),
        })
    }

    /// Installs a system onto the file called `file` in the directory, which exists and is emptied
    /// first.
    ///
    /// # Errors
    /// Why each attempt has failed; an [`io::Error`] of the kind `StorageFull` when
    /// the disk was full.
    pub fn install(
        &self,
        installation: &Installation,
        file: &str,
        note: &(dyn Fn(&Note<'_>) + Sync),
    ) -> Result<()> {
        let disk = self.directory.join(file);
        let staging = Staging::new(&disklayout::Place::from(&installation.place))?;
        let kickstart = &installation.kickstart;
        let kickstart = staging.file(&kickstart.name, &kickstart.bytes)?;
        let machine = leftovers::machine(&self.prefix, &installation.image);
        let attempts = self.settings.attempts.get();
        let mut failures: Vec<Failure> = Vec::new();
        for number in 1..=attempts {
            if let Some(last) = failures.last() {
                note(&Note::Retry {
                    reason: &last.reason,
                    attempt: number,
                    attempts,
                });
            }
            let attempt = |tree| Attempt {
                machine: &machine,
                disk: &disk,
                kickstart: &kickstart,
                tree,
            };
            match self.try_trees(installation, &attempt, note)? {
                None => return Ok(()),
                Some(failure) if failure.no_room => {
                    let full = io::Error::new(io::ErrorKind::StorageFull, told(&[failure]));
                    return Err(full.into());
                }
                Some(failure) => failures.push(failure),
            }
        }
        Err(anyhow!("{}: {}", installation.place, told(&failures)))
    }

    /// Makes one attempt: with the next tree as long as there wasn't even a machine.
    fn try_trees<'b>(
        &self,
        installation: &'b Installation,
        attempt: &dyn Fn(&'b str) -> Attempt<'b>,
        note: &(dyn Fn(&Note<'_>) + Sync),
    ) -> Result<Option<Failure>> {
        let tools = Tools {
            settings: self.settings,
            runner: self.runner,
        };
        let mut reasons: Vec<String> = Vec::new();
        let mut last = None;
        for tree in &installation.trees {
            let attempt = attempt(tree);
            let arguments = installation.disk_arguments(attempt.disk);
            self.runner.run(
                &disklayout::Place::from(&installation.place),
                QEMU_IMG,
                &arguments,
            )?;
            let Err(mut failure) = tools.try_once(installation, attempt, note) else {
                return Ok(None);
            };
            reasons.push(masked(&format!("{tree}: {}", failure.reason)));
            failure.reason = reasons.join("; ");
            let is_final = failure.had_machine || failure.no_room;
            last = Some(failure);
            if is_final {
                break;
            }
        }
        Ok(last)
    }

    /// Copies the disk in the file `from` to the file `to`, without what is zero, and compressed
    /// if that is asked for.
    ///
    /// # Errors
    /// What qemu-img says.
    pub fn convert(&self, installation: &Installation, from: &str, to: &str) -> Result<()> {
        let [from, to] = [from, to].map(|name| self.directory.join(name));
        let compress = installation.finish.compress;
        let arguments = disk::convert_arguments(installation.format, compress, &from, &to);
        Ok(self.runner.run(
            &disklayout::Place::from(&installation.place),
            QEMU_IMG,
            &arguments,
        )?)
    }

    /// Puts libvirt back as it was.
    ///
    /// # Errors
    /// What libvirt says.
    pub fn end(self) -> Result<()> {
        match &self.pool {
            None => Ok(()),
            Some(_) => {
                let mut link = Link::new(self.settings.connect.as_deref());
                link.ask(|host| host.remove_pool(&self.prefix))
            }
        }
    }
}

/// What was seen in each of the attempts, and the console of the last one.
fn told(failures: &[Failure]) -> String {
    let all = failures.len();
    let mut reasons: Vec<_> = failures.iter().map(|failure| &failure.reason).collect();
    reasons.dedup();
    let mut text = match reasons.as_slice() {
        [reason] if all == 1 => (*reason).clone(),
        [reason] => format!("each of {all} attempts: {reason}"),
        _ => {
            let numbered = failures.iter().zip(1..);
            let lines = numbered
                .map(|(failure, number)| format!("attempt {number} of {all}: {}", failure.reason));
            lines.collect::<Vec<_>>().join("\n")
        }
    };
    let last = failures.last().filter(|last| !last.console.is_empty());
    if let Some(last) = last {
        text.push_str("\nthe last lines of its console:");
        for line in &last.console {
            text.push_str("\n  ");
            text.push_str(line);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(reason: &str, console: &[&str]) -> Failure {
        Failure {
            reason: reason.into(),
            console: console.iter().map(|line| (*line).to_owned()).collect(),
            had_machine: true,
            no_room: false,
        }
    }

    #[test]
    fn every_attempt_is_told_and_the_last_console() {
        assert_eq!(told(&[failure("it broke", &[])]), "it broke");
        let same = [failure("it broke", &[]), failure("it broke", &[])];
        assert_eq!(told(&same), "each of 2 attempts: it broke");
        let all = [failure("one", &["a"]), failure("two", &["b", "c"])];
        assert_eq!(
            told(&all),
            "attempt 1 of 2: one\nattempt 2 of 2: two\nthe last lines of its console:\n  b\n  c"
        );
    }
}
