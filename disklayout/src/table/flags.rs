//! Marks of partitions: the attributes of a GPT (UEFI specification 2.10, table 5-8) and the boot
//! indicator of an MBR.

use std::fmt;

/// A mark that a partition has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// The one partition of an MBR that is started (boot indicator 0x80).
    Boot,
    /// An attribute of a GPT by the number of its bit.
    Bit(u8),
}

/// Attributes that have a name. Those from 48 on belong to the partition's type: Microsoft's mean
/// something to basic data, the last but three to what the Discoverable Partitions Specification
/// knows.
const NAMES: [(u8, &str); 8] = [
    (0, "required"),
    (1, "no-block-io"),
    (2, "legacy-boot"),
    (59, "growfs"),
    (60, "read-only"),
    (61, "shadow-copy"),
    (62, "hidden"),
    (63, "no-automount"),
];

/// What sfdisk calls the first three.
const SFDISK_NAMES: [(u8, &str); 3] = [
    (0, "requiredpartition"),
    (1, "noblockioprotocol"),
    (2, "legacybiosbootable"),
];

impl Flag {
    /// The flag that `text` names, or the number of a bit.
    ///
    /// # Errors
    /// What is accepted, when `text` isn't.
    pub fn parse(text: &str) -> Result<Self, String> {
        let word = text.trim().to_ascii_lowercase().replace('_', "-");
        if word == "boot" {
            return Ok(Self::Boot);
        }
        let mut names = NAMES.iter().chain(&SFDISK_NAMES);
        if let Some((bit, _)) = names.find(|(_, name)| *name == word) {
            return Ok(Self::Bit(*bit));
        }
        match word.parse::<u64>() {
            Ok(bit @ (0..=2 | 48..=63)) => Ok(Self::Bit(bit as u8)),
            Ok(3..=47) => Err(format!(
                "bit {word} is reserved; 0 to 2 and 48 to 63 can be set"
            )),
            _ => {
                let names: Vec<_> = NAMES.iter().map(|(_, name)| *name).collect();
                Err(format!(
                    "unknown flag '{text}'; known are boot, {} and the numbers of bits, 0 to 2 and \
                     48 to 63",
                    names.join(", ")
                ))
            }
        }
    }

    /// The flags of a GPT's attributes.
    pub(crate) fn of_attributes(attributes: u64) -> impl Iterator<Item = Self> {
        let bits = (0..64_u8).filter(move |bit| attributes >> bit & 1 == 1);
        bits.map(Self::Bit)
    }
}

impl fmt::Display for Flag {
    /// The name, or else the number of the bit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boot => f.write_str("boot"),
            Self::Bit(bit) => match NAMES.iter().find(|(known, _)| known == bit) {
                Some((_, name)) => f.write_str(name),
                None => write!(f, "{bit}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_names_and_numbers() {
        for (text, flag, shown) in [
            ("boot", Flag::Boot, "boot"),
            ("Legacy_Boot", Flag::Bit(2), "legacy-boot"),
            ("LegacyBIOSBootable", Flag::Bit(2), "legacy-boot"),
            ("63", Flag::Bit(63), "no-automount"),
            ("59", Flag::Bit(59), "growfs"),
            ("48", Flag::Bit(48), "48"),
        ] {
            assert_eq!(Flag::parse(text), Ok(flag), "{text}");
            assert_eq!(flag.to_string(), shown);
            assert_eq!(Flag::parse(shown), Ok(flag));
        }
        for text in ["3", "47", "64", "-1", "", "esp", "256"] {
            Flag::parse(text).unwrap_err();
        }
        let shown = Flag::of_attributes(1 << 63 | 1 << 48 | 1).map(|flag| flag.to_string());
        assert_eq!(
            shown.collect::<Vec<_>>(),
            ["required", "48", "no-automount"]
        );
    }
}
