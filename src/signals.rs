//! The signals by which a user or the system ends a program early.

use std::fs;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

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
