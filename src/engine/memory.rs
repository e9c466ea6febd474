//! The memory of this host.

/// What a virtual machine takes beside the memory of its own, in MiB.
pub const OVERHEAD_MIB: u64 = 512;

/// How much memory there is, as the kernel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What can be had without swapping, in MiB.
    pub available_mib: u64,
    /// All that there is, swap space included, in MiB.
    pub all_mib: u64,
}

impl Memory {
    /// That of this host, where it tells.
    pub fn of_host() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/meminfo").ok()?)
    }

    /// That of `text`, the content of `/proc/meminfo` (proc_meminfo(5)).
    fn parse(text: &str) -> Option<Self> {
        let mib = |name: &str| {
            let mut lines = text.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kib / 1024)
        };
        Some(Self {
            available_mib: mib("MemAvailable")?,
            all_mib: mib("MemTotal")? + mib("SwapTotal").unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_in_kib() {
        let text = "MemTotal:        8192 kB\nMemFree:  1 kB\nMemAvailable:    4095 kB\n";
        let with_swap = format!("{text}SwapTotal:   1024 kB\n");
        for (text, expected) in [
            (text, Some((3, 8))),
            (&with_swap, Some((3, 9))),
            ("MemTotal: 8192 kB\n", None),
            ("", None),
        ] {
            let found = Memory::parse(text);
            assert_eq!(found.map(|it| (it.available_mib, it.all_mib)), expected);
        }
        assert!(Memory::of_host().unwrap().available_mib > 0);
    }
}
