//! The virtual machine of an installation: its memory and its processors, as hdds.json and the
//! command line spell them.

use std::ops::RangeInclusive;

use disklayout::Bytes;

use super::size;

/// The memory that a virtual machine may have, in MiB. No installer starts with less; more is
/// bytes or KiB that were taken for MiB.
const MEMORY_MIB: RangeInclusive<u64> = 512..=1024 * 1024;

/// The processors that a virtual machine may have: what an x86 machine has numbers for.
const CPUS: RangeInclusive<u64> = 1..=255;

/// The memory in MiB that `text` spells: `3072`, `3072M`, `4G`.
///
/// # Errors
/// What is accepted, when `text` isn't; less than 512 MiB and more than 1 TiB aren't.
pub fn parse_memory(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let is_plain = trimmed.bytes().all(|byte| byte.is_ascii_digit());
    let unit = if is_plain { "M" } else { "" };
    let size = size::parse_size(&format!("{trimmed}{unit}"));
    let size = size
        .ok()
        .filter(|size| size.get().is_multiple_of(Bytes::MIB));
    let Some(size) = size else {
        return Err(format!(
            "'{text}' is no amount of memory: give a whole number of MiB, like 3072 or 3G"
        ));
    };
    let memory = size.get() / Bytes::MIB;
    if MEMORY_MIB.contains(&memory) {
        return Ok(memory);
    }
    let [least, most] = [MEMORY_MIB.start(), MEMORY_MIB.end()].map(|mib| Bytes::new(mib << 20));
    Err(format!(
        "a virtual machine can't have {size} of memory; {least} is the least and {most} the most"
    ))
}

/// The number of processors that `text` spells.
///
/// # Errors
/// What is accepted, when `text` isn't.
pub fn parse_cpus(text: &str) -> Result<u64, String> {
    let cpus = text.trim().parse().ok().filter(|cpus| CPUS.contains(cpus));
    cpus.ok_or_else(|| {
        let (least, most) = (CPUS.start(), CPUS.end());
        format!("'{text}' is no number of processors between {least} and {most}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_counts_in_mib_unless_it_has_a_unit() {
        for (text, mib) in [
            ("512", 512),
            (" 3072 ", 3072),
            ("3072M", 3072),
            ("3072MiB", 3072),
            ("524288K", 512),
            ("4G", 4096),
            ("4 GiB", 4096),
            ("1T", 1 << 20),
            ("1048576", 1 << 20),
        ] {
            assert_eq!(parse_memory(text), Ok(mib), "{text}");
        }
        for (text, reason) in [
            ("511", "511 MiB of memory; 512 MiB is the least"),
            ("1048577", "1048577 MiB of memory"),
            // 4 GiB in bytes and in KiB.
            ("4294967296", "1 TiB the most"),
            ("4194304", "4 TiB of memory"),
            ("1.5G", "'1.5G' is no amount of memory"),
            ("524289K", "whole number of MiB"),
            ("4g", "like 3072 or 3G"),
            ("-1", "is no amount"),
            ("0", "is no amount"),
            ("", "is no amount"),
            ("99999999999999999999", "is no amount"),
        ] {
            let message = parse_memory(text).unwrap_err();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn there_is_at_least_one_processor() {
        for (text, cpus) in [("1", 1), ("255", 255), (" 2 ", 2)] {
            assert_eq!(parse_cpus(text), Ok(cpus), "{text}");
        }
        for text in ["0", "256", "-1", "1.5", "", "two"] {
            let message = parse_cpus(text).unwrap_err();
            let expected = format!("'{text}' is no number of processors between 1 and 255");
            assert_eq!(message, expected);
        }
    }
}
