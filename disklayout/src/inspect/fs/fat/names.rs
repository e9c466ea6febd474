//! Short and long names, and labels.

use crate::fs::fat::format::{
    CASE_LOWER_BASE, CASE_LOWER_EXT, DirEntry, LAST_LONG_ENTRY, LONG_ENTRY_UNITS, LongNameEntry,
};

/// Bytes from 0x80 on in code page 437, which DOS has where nothing else was chosen.
const UPPER_HALF: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}";

fn decode(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(index) => UPPER_HALF.chars().nth(index.into()).unwrap_or('\u{FFFD}'),
    }
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != b' ');
    &bytes[..end.map_or(0, |end| end + 1)]
}

/// A volume's label.
pub(super) fn label(bytes: &[u8; 11]) -> String {
    trimmed(bytes).iter().map(|byte| decode(*byte)).collect()
}

/// The name of an entry, in the letters that it asks for.
pub(super) fn short(entry: &DirEntry) -> String {
    let mut stored = entry.DIR_Name;
    // The byte that marks what is free stands for itself as 5.
    if stored[0] == 0x05 {
        stored[0] = 0xE5;
    }
    let part = |bytes: &[u8], lower: u8| -> String {
        let is_lower = entry.DIR_NTRes & lower != 0;
        let letters = trimmed(bytes).iter().map(|byte| match is_lower {
            true => byte.to_ascii_lowercase(),
            false => *byte,
        });
        letters.map(decode).collect()
    };
    let mut name = part(&stored[..8], CASE_LOWER_BASE);
    let extension = part(&stored[8..], CASE_LOWER_EXT);
    if !extension.is_empty() {
        name = format!("{name}.{extension}");
    }
    name
}

/// The checksum of a short name that the parts of its long name carry.
fn checksum(name: &[u8; 11]) -> u8 {
    name.iter()
        .fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// The parts of a long name, which come last part first.
#[derive(Debug, Default)]
pub(super) struct LongName {
    units: Vec<[u16; LONG_ENTRY_UNITS]>,
    /// The number of the part that was read last.
    number: u8,
    checksum: u8,
}

impl LongName {
    /// Takes a part. Parts that don't follow each other are none.
    pub(super) fn push(&mut self, entry: &LongNameEntry) {
        let number = entry.LDIR_Ord & !LAST_LONG_ENTRY;
        if entry.LDIR_Ord & LAST_LONG_ENTRY != 0 {
            *self = Self {
                checksum: entry.LDIR_Chksum,
                ..Self::default()
            };
        } else if self.number.checked_sub(1) != Some(number) || self.checksum != entry.LDIR_Chksum {
            *self = Self::default();
            return;
        }
        self.number = number;
        let units = [&entry.LDIR_Name1[..], &entry.LDIR_Name2, &entry.LDIR_Name3].concat();
        self.units
            .push(std::array::from_fn(|index| units[index].get()));
    }

    /// The name of the entry that follows, if all of its parts came and belong to it.
    pub(super) fn take(&mut self, entry: &DirEntry) -> Option<String> {
        let parts = std::mem::take(self);
        let is_whole = parts.number == 1 && parts.checksum == checksum(&entry.DIR_Name);
        let units = parts.units.iter().rev().flatten().copied();
        let units: Vec<_> = units.take_while(|unit| *unit != 0).collect();
        let is_name = is_whole && !units.is_empty();
        is_name.then(|| String::from_utf16_lossy(&units))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_of_the_code_page_are_characters_of_their_own() {
        let mut all: Vec<_> = (0..=255).map(decode).collect();
        assert_eq!(
            (all[0x41], all[0x80], all[0xE1], all[0xFF]),
            ('A', 'Ç', 'ß', '\u{A0}')
        );
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 256);
    }
}
