//! "Zstandard Seekable Format" 0.1.0: a skippable frame (RFC 8878, 3.1.2) with the sizes of all
//! frames before it.

/// `Skippable_Magic_Number`.
const SKIPPABLE: u32 = 0x184D_2A5E;
/// `Seekable_Magic_Number`.
const SEEKABLE: u32 = 0x8F92_EAB1;
/// Bytes of the footer: the number of frames, the descriptor, the magic number.
const FOOTER: usize = 9;
/// Bytes of an entry without a checksum: the frames have their own.
const ENTRY: usize = 8;
/// `Seek_Table_Descriptor` of a table without checksums.
const NO_CHECKSUMS: u8 = 0;

/// The sizes of frames, in bytes.
#[derive(Debug, Default)]
pub(crate) struct SeekTable(Vec<[u32; 2]>);

impl SeekTable {
    /// Takes in the next frame.
    pub(crate) fn add(&mut self, compressed: usize, decompressed: usize) {
        self.0.push([compressed as u32, decompressed as u32]);
    }

    /// The frame that tells of all others.
    pub(crate) fn frame(&self) -> Vec<u8> {
        let len = self.0.len() * ENTRY + FOOTER;
        let mut frame = Vec::with_capacity(len + 8);
        frame.extend(SKIPPABLE.to_le_bytes());
        frame.extend((len as u32).to_le_bytes());
        let numbers = self.0.as_flattened().iter();
        frame.extend(numbers.flat_map(|number| number.to_le_bytes()));
        frame.extend((self.0.len() as u32).to_le_bytes());
        frame.push(NO_CHECKSUMS);
        frame.extend(SEEKABLE.to_le_bytes());
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_an_entry_for_every_frame() {
        let mut table = SeekTable::default();
        table.add(1, 2);
        table.add(0x0304, 5);
        let expected = [
            &[0x5E, 0x2A, 0x4D, 0x18, 25, 0, 0, 0][..],
            &[1, 0, 0, 0, 2, 0, 0, 0, 4, 3, 0, 0, 5, 0, 0, 0],
            &[2, 0, 0, 0, 0, 0xB1, 0xEA, 0x92, 0x8F],
        ];
        assert_eq!(table.frame(), expected.concat());
    }
}
