//! What happens when the user or the system ends the program early.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use super::temporaries::Temporaries;
use crate::printable::printable;

/// Statuses above this one tell which signal ended a program.
const STATUS_OF_SIGNALS: i32 = 128;

/// From now on SIGINT, SIGTERM and SIGHUP end the process in an orderly way: temporary files are
/// removed, `stop` is called, and the status is 128 plus the signal's number.
///
/// `stop` ends what would outlive this process, such as children, and takes progress bars off the
/// terminal. It must not wait for other threads: those that publish an image are held up.
///
/// # Errors
/// When the handlers or their thread can't be set up.
pub fn exit_on_signals(
    temporaries: Temporaries,
    stop: impl FnOnce() + Send + 'static,
) -> Result<()> {
    // With a handler, writing past the limit on file sizes is an error instead of a sudden death.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))
        .context("can't handle SIGXFSZ")?;
    let ignored =
        ignored_signals(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
    // nohup and a shell's `&` ignore signals on purpose: that stays so.
    let wanted = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = Signals::new(wanted).context("can't handle signals")?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            if let Some(signal) = signals.forever().next() {
                exit(signal, &temporaries, stop);
            }
        })
        .context("can't start the thread that handles signals")?;
    Ok(())
}

fn exit(signal: i32, temporaries: &Temporaries, stop: impl FnOnce()) -> ! {
    // Held until the end: nothing is published or made after the files were removed, and no
    // thread gets to report the failures that the end of its children causes.
    let mut seized = temporaries.seize();
    stop();
    // Standard error may be gone as well; that is no reason to stop here.
    let mut stderr = io::stderr();
    let _ = writeln!(stderr, "Interrupted, exiting...");
    for (name, error) in seized.remove_all() {
        let _ = writeln!(stderr, "can't remove '{}': {error}", printable(&name));
    }
    std::process::exit(STATUS_OF_SIGNALS + signal)
}

/// The signals that are ignored, signal 1 being bit 0, as /proc/PID/status gives them.
fn ignored_signals(status: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status_file() {
        for (status, expected) in [
            (
                "Name:\tx\nSigIgn:\t0000000000000001\nSigCgt:\tff\n",
                1 << (SIGHUP - 1),
            ),
            ("SigIgn:\t0000000000000002\n", 1 << (SIGINT - 1)),
            ("SigIgn:\tnonsense\n", 0),
            ("", 0),
        ] {
            assert_eq!(ignored_signals(status), expected, "{status}");
        }
    }
}
