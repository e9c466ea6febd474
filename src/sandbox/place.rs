//! Where a tree is while it is made.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;

/// Below this much free memory a tree isn't kept in memory unless that is asked for.
const ENOUGH_BYTES: u64 = 3 << 30;

/// So much of the free memory a tree may take, in hundredths.
const SHARE: u64 = 80;

/// What an argument for memory begins with. A path of a directory is absolute.
const MEMORY: &str = "memory:";

/// Where a tree is while it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory: `bytes` of it at most.
    Memory {
        /// How much it may take.
        bytes: u64,
    },
    /// In a directory of its own below this one, which is removed afterwards; its path is absolute.
    Directory(PathBuf),
}

impl Place {
    /// Whether there is so much memory that a tree may well be in it, and `bytes` at least.
    pub fn is_memory_enough(bytes: u64) -> bool {
        free_bytes(&meminfo()) >= bytes.max(ENOUGH_BYTES)
    }

    /// The argument that says it.
    pub(super) fn to_word(&self) -> OsString {
        match self {
            Self::Memory { bytes } => format!("{MEMORY}{bytes}").into(),
            Self::Directory(path) => path.into(),
        }
    }

    /// What the argument `word` says.
    pub(super) fn of_word(word: &OsStr) -> Self {
        let bytes = word.to_str().and_then(|text| text.strip_prefix(MEMORY));
        match bytes.and_then(|text| text.parse().ok()) {
            Some(bytes) => Self::Memory { bytes },
            None => Self::Directory(word.into()),
        }
    }

    /// In memory, as much of it as there is.
    pub fn memory() -> Self {
        Self::Memory {
            bytes: free_bytes(&meminfo()) / 100 * SHARE,
        }
    }
}

fn meminfo() -> String {
    fs::read_to_string("/proc/meminfo").unwrap_or_default()
}

/// What `meminfo`, as /proc/meminfo has it, says of memory that programs may still get, with room
/// that it can be swapped to.
fn free_bytes(meminfo: &str) -> u64 {
    let field = |name: &str| -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    let kib = field("MemAvailable:").unwrap_or(0) + field("SwapFree:").unwrap_or(0);
    kib << 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_read_and_places_are_words() {
        let meminfo = "MemTotal: 9 kB\nMemAvailable:    3000000 kB\nSwapFree:        200000 kB\n";
        assert_eq!(free_bytes(meminfo), 3_200_000 << 10);
        assert_eq!(free_bytes(""), 0);
        for place in [Place::Memory { bytes: 7 }, Place::Directory("/d".into())] {
            assert_eq!(Place::of_word(&place.to_word()), place);
        }
    }
}
