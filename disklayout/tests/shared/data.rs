//! Contents of files.

/// Data of `length` bytes of which no block is like another and none is zero.
pub(crate) fn data(length: u64) -> Vec<u8> {
    let words = (0..length.div_ceil(4)).map(|word| word as u32 | 0x0100_0000);
    let mut bytes: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
    bytes.truncate(usize::try_from(length).unwrap());
    bytes
}
