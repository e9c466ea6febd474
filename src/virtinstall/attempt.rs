//! One attempt to install a system: a machine, virt-install, and an eye on both.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use foreign::run::{Packages, Runner, Tool};

use super::connect;
use super::console::Console;
use super::hypervisor::State;
use super::installation::{Attempt, Installation};
use super::leftovers::{Kind, Responsible};
use super::link::Link;
use super::settings::{Settings, shown};
use super::verdict::{Ended, judge};
use super::{Note, disk};

pub(super) const VIRT_INSTALL: Tool = Tool {
    program: "virt-install",
    packages: Packages::two("virtinst", "virt-install", "Fedora, Rocky"),
};

/// The time between two looks at the machine.
const INTERVAL: Duration = Duration::from_millis(200);

/// Why an attempt has failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// What was seen.
    pub(super) reason: String,
    /// The last lines of the machine's console.
    pub(super) console: Vec<String>,
    /// Whether there was a machine at all: if not, another tree may do.
    pub(super) had_machine: bool,
    /// Whether there is no room, so that it's no use to try again.
    pub(super) no_room: bool,
}

/// What an attempt is made with.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    pub(super) settings: &'a Settings,
    pub(super) runner: &'a Runner,
}

/// What the thread that reads the console shares with the one that watches.
#[derive(Default)]
struct Watched {
    console: Mutex<Console>,
    over: AtomicBool,
}

impl Tools<'_> {
    /// Installs onto the disk, which is there and empty. Whatever comes of it, the machine is gone
    /// afterwards.
    pub(super) fn try_once(
        &self,
        installation: &Installation,
        attempt: Attempt<'_>,
        note: &(dyn Fn(&Note<'_>) + Sync),
    ) -> Result<(), Failure> {
        let mut link = Link::new(self.settings.connect.as_deref());
        let uri = self.settings.connect.as_deref();
        let _responsible = Responsible::new(uri, Kind::Machine, attempt.machine);
        let watched = Watched::default();
        let mut had_machine = false;
        let (ended, reason) = thread::scope(|scope| {
            let console = || self.read_console(attempt.machine, &watched, note);
            let mut begin = || {
                had_machine = true;
                // Without it, only its output is missing.
                if let Err(error) = thread::Builder::new().spawn_scoped(scope, console) {
                    tracing::warn!("can't start a thread that reads the console: {error}");
                }
            };
            let ended = self.watch(installation, attempt, &mut link, &mut begin, note);
            let reason = self.settle(installation, attempt, &ended, &mut link);
            watched.over.store(true, Ordering::Relaxed);
            (ended, reason)
        });
        let Some(reason) = reason else {
            return Ok(());
        };
        let console = watched.console.into_inner();
        let console = console.unwrap_or_else(PoisonError::into_inner);
        Err(Failure {
            reason,
            console: console.last_lines(),
            had_machine,
            no_room: matches!(ended, Ended::NoRoom),
        })
    }

    /// Judges what has `ended`, and removes the machine: why the attempt has failed, or nothing.
    fn settle(
        &self,
        installation: &Installation,
        attempt: Attempt<'_>,
        ended: &Ended,
        link: &mut Link,
    ) -> Option<String> {
        let state = link.ask(|host| host.state(attempt.machine)).ok().flatten();
        let reason = judge(ended, state, || {
            let (place, format) = (&installation.place, installation.format);
            disk::is_written(place, attempt.disk, format, self.runner)
        });
        let Err(error) = link.ask(|host| host.remove(attempt.machine)) else {
            return reason;
        };
        let name = attempt.machine;
        let left = format!(
            "{error:#}; the virtual machine '{name}' may still run until the next run in this \
             directory"
        );
        Some(match reason {
            Some(reason) => format!("{reason}; {left}"),
            None => left,
        })
    }

    /// Runs virt-install and looks at the machine, which `begin` is told of, until either ends.
    fn watch(
        &self,
        installation: &Installation,
        attempt: Attempt<'_>,
        link: &mut Link,
        begin: &mut dyn FnMut(),
        note: &(dyn Fn(&Note<'_>) + Sync),
    ) -> Ended {
        let debug = tracing::enabled!(tracing::Level::DEBUG);
        let arguments = installation.arguments(attempt, self.settings, debug);
        let started = Instant::now();
        let job = self.runner.start(
            &disklayout::Place::from(&installation.place),
            VIRT_INSTALL,
            &arguments,
        );
        let mut job = match job {
            Ok(job) => job,
            Err(error) => return Ended::Failed(error),
        };
        let (mut is_seen, mut is_shown) = (false, self.settings.text);
        loop {
            match job.has_ended() {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => return Ended::Failed(error),
            }
            if started.elapsed() >= self.settings.timeout {
                job.stop();
                return Ended::TooLong(shown(self.settings.timeout));
            }
            let state = link.ask(|host| host.state(attempt.machine)).ok().flatten();
            if state == Some(State::NoRoom) {
                job.stop();
                return Ended::NoRoom;
            }
            if state.is_some() && !is_seen {
                is_seen = true;
                begin();
            }
            if is_seen && !is_shown {
                let screen = link
                    .ask(|host| host.display(attempt.machine))
                    .ok()
                    .flatten();
                if let Some(screen) = screen {
                    note(&Note::Screen(&screen));
                    is_shown = true;
                }
            }
            thread::sleep(INTERVAL);
        }
        match job.end() {
            Ok(()) => Ended::Success,
            Err(error) => Ended::Failed(error),
        }
    }

    /// Reads the console of the machine until it ends.
    fn read_console(&self, machine: &str, watched: &Watched, note: &(dyn Fn(&Note<'_>) + Sync)) {
        let show = |line: &str| {
            if self.settings.text {
                note(&Note::Line(line));
            }
        };
        let mut take = |bytes: &[u8]| {
            let console = watched.console.lock();
            let mut console = console.unwrap_or_else(PoisonError::into_inner);
            console.take(bytes, show);
        };
        while !watched.over.load(Ordering::Relaxed) {
            let host = connect::open(self.settings.connect.as_deref());
            let read = host.and_then(|host| host.console(machine, &mut take));
            tracing::debug!(?read, machine, "console");
            thread::sleep(INTERVAL);
        }
    }
}
