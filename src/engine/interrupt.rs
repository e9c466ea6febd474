//! What happens when the user or the system ends the program early.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use signal_hook::consts::SIGXFSZ;
use signal_hook::iterator::Signals;

use super::temporaries::Temporaries;
use crate::printable::printable;
use crate::signals;

/// From now on SIGINT, SIGTERM and SIGHUP, unless they are ignored, end the process in an orderly way: temporary files are
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
    let mut signals = Signals::new(signals::endings()).context("can't handle signals")?;
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
    std::process::exit(signals::status(signal))
}
