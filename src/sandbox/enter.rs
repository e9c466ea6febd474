//! The command outside of the sandbox: it starts it, and waits.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use signal_hook::iterator::Signals;

use super::{Host, Place, ids, mark};
use crate::signals;

/// What is done in a sandbox.
#[derive(Clone, Debug)]
pub struct Request {
    /// The arguments of the command that is done once more inside, its name first.
    pub arguments: Vec<OsString>,
    /// What it reads there.
    pub input: Vec<u8>,
    /// Where the tree is.
    pub place: Place,
}

/// Does the command of `request` once more, in a sandbox as `host` has it, and waits for its end. It
/// writes to the same standard output and error. A signal that would end this process ends that one,
/// which cleans up.
///
/// # Errors
/// When the sandbox can't be started.
pub fn enter(host: &Host, request: &Request) -> Result<ExitStatus> {
    let signals = Signals::new(signals::endings()).context("can't handle signals")?;
    let mut command = mark::command("guard");
    command.arg(host.kind.as_str()).arg(request.place.to_word());
    let maps = host.maps.iter().flatten();
    let maps: Vec<_> = maps.map(|map| ids::arguments(map).join(" ")).collect();
    command.arg(maps.join(":")).args(&request.arguments);
    command.stdin(Stdio::piped());
    let mut child = command.spawn().context("can't start the sandbox")?;
    let leash = hand_over(&mut child, &request.input).context("can't start the sandbox")?;
    let leash = Arc::new(Mutex::new(Some(leash)));
    let handle = signals.handle();
    let thread = let_go_on_signal(signals, Arc::clone(&leash))?;
    let status = child.wait().context("can't wait for the sandbox");
    handle.close();
    let signal = thread.join().ok().flatten();
    // Whatever has failed then, it has failed for that.
    let ended = signal.map(ExitStatus::from_raw);
    Ok(ended
        .filter(|_| !status.as_ref().is_ok_and(ExitStatus::success))
        .unwrap_or(status?))
}

/// Gives `input` to the child; what is left leads to it as long as this process wants it.
fn hand_over(child: &mut Child, input: &[u8]) -> io::Result<ChildStdin> {
    let stdin = child.stdin.take();
    let mut stdin = stdin.ok_or_else(|| io::Error::other("there is no pipe"))?;
    let written = stdin
        .write_all(&(input.len() as u64).to_le_bytes())
        .and_then(|()| stdin.write_all(input));
    match written {
        // It has ended, and told why.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(stdin),
        Err(error) => Err(error),
        Ok(()) => Ok(stdin),
    }
}

/// Tells of the first signal that comes, which the thread gives, and lets go of the leash.
fn let_go_on_signal(
    mut signals: Signals,
    leash: Arc<Mutex<Option<ChildStdin>>>,
) -> Result<std::thread::JoinHandle<Option<i32>>> {
    let thread = std::thread::Builder::new().name("signals".into());
    let thread = thread.spawn(move || {
        let signal = signals.forever().next();
        if let Some(signal) = signal {
            let mut leash = leash.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(mut leash) = leash.take() {
                // Where nobody reads it any more, all is over.
                let _ = leash.write_all(&[u8::try_from(signal).unwrap_or(0)]);
            }
        }
        signal
    });
    thread.context("can't start the thread that handles signals")
}
