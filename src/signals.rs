//! The signals by which a user or the system ends a program early.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The status of a process that `signal` has ended, as shells give it.
pub const fn status(signal: i32) -> i32 {
    128 + signal
}

/// The status to end with on behalf of a process that has ended: its own, or what tells the signal
/// that has ended it. `None` where it has only been stopped.
pub fn passed_on(ended: ExitStatus) -> Option<u8> {
    let code = ended.code().or_else(|| ended.signal().map(status))?;
    u8::try_from(code).ok()
}

/// SIGINT, SIGTERM and SIGHUP, but for those that this process was started to ignore: nohup and a
/// shell's `&` do that on purpose.
pub fn endings() -> Vec<i32> {
    let ignored = ignored(&fs::read_to_string("/proc/self/status").unwrap_or_default());
    let all = [SIGINT, SIGTERM, SIGHUP].into_iter();
    all.filter(|signal| ignored & (1 << (signal - 1)) == 0)
        .collect()
}

/// The signals that are ignored, signal 1 being bit 0, as /proc/PID/status gives them.
fn ignored(status: &str) -> u64 {
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
    fn a_status_is_passed_on_with_the_signal_that_has_ended_a_process() {
        let passed = |raw| passed_on(ExitStatus::from_raw(raw));
        assert_eq!([0, 3 << 8, 9].map(passed), [Some(0), Some(3), Some(137)]);
        // Stopped by SIGSTOP.
        assert_eq!(passed(0x137f), None);
    }

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
            assert_eq!(ignored(status), expected, "{status}");
        }
    }
}
