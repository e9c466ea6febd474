//! Update sequences: how records and index blocks tell a torn write.
//!
//! The last two bytes of every 512 are replaced by a number that changes with every write; what
//! they really hold is kept in an array after the header. Records and index blocks both begin with
//! a magic number, the offset of the array and its length: the number and one entry each 512 bytes.

use disklayout::fs::ntfs::format::PROTECTED_STRIDE;

/// Where the array is and how many 512-byte pieces it covers.
fn array(block: &[u8]) -> Result<(usize, usize), &'static str> {
    let word = |at: usize| usize::from(u16::from_le_bytes([block[at], block[at + 1]]));
    if block.len() < PROTECTED_STRIDE || !block.len().is_multiple_of(PROTECTED_STRIDE) {
        return Err("is no multiple of 512 bytes");
    }
    let (offset, pieces) = (word(4), block.len() / PROTECTED_STRIDE);
    let fits = offset >= 8 && offset + 2 * (pieces + 1) <= PROTECTED_STRIDE - 2;
    if word(6) != pieces + 1 || !fits {
        return Err("has an update sequence array of the wrong size");
    }
    Ok((offset, pieces))
}

/// Puts the real bytes back after reading.
pub(super) fn remove(block: &mut [u8]) -> Result<(), &'static str> {
    let (offset, pieces) = array(block)?;
    for piece in 0..pieces {
        let end = (piece + 1) * PROTECTED_STRIDE;
        if block[end - 2..end] != block[offset..offset + 2] {
            return Err("has a piece that doesn't carry its update sequence number");
        }
        let saved = offset + 2 * (piece + 1);
        block.copy_within(saved..saved + 2, end - 2);
    }
    Ok(())
}

/// Takes the next number and replaces the bytes before writing.
pub(super) fn apply(block: &mut [u8]) -> Result<(), &'static str> {
    let (offset, pieces) = array(block)?;
    let number = u16::from_le_bytes([block[offset], block[offset + 1]]);
    // Zero and 0xFFFF mark blocks that were never written.
    let next = if number >= 0xFFFE { 1 } else { number + 1 };
    block[offset..offset + 2].copy_from_slice(&next.to_le_bytes());
    for piece in 0..pieces {
        let end = (piece + 1) * PROTECTED_STRIDE;
        let saved = offset + 2 * (piece + 1);
        block.copy_within(end - 2..end, saved);
        block.copy_within(offset..offset + 2, end - 2);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of 1 KiB with a pattern and the number 0x41.
    fn block() -> Vec<u8> {
        let mut block: Vec<u8> = (0..1024_u32).map(|i| (i % 251).to_le_bytes()[0]).collect();
        block[4..10].copy_from_slice(&[0x30, 0, 3, 0, 0, 0]);
        block[0x30..0x32].copy_from_slice(&[0x41, 0]);
        block
    }

    #[test]
    fn what_was_replaced_comes_back_and_the_number_changes() {
        let mut changed = block();
        apply(&mut changed).unwrap();
        assert_eq!(changed[510..512], [0x42, 0]);
        assert_eq!(changed[1022..1024], [0x42, 0]);
        assert_eq!(changed[0x32..0x34], block()[510..512]);
        remove(&mut changed).unwrap();
        assert_eq!(changed[64..], block()[64..]);
        changed[0x30..0x32].copy_from_slice(&[0xFE, 0xFF]);
        apply(&mut changed).unwrap();
        assert_eq!(changed[0x30..0x32], [1, 0]);
    }

    #[test]
    fn torn_writes_and_wrong_arrays_are_seen() {
        let mut torn = block();
        apply(&mut torn).unwrap();
        torn[1023] ^= 1;
        assert!(remove(&mut torn).is_err());
        for (at, value) in [(4, 4), (5, 2), (6, 2), (6, 4)] {
            let mut wrong = block();
            wrong[at] = value;
            assert!(apply(&mut wrong).is_err(), "{at}");
        }
        assert!(remove(&mut [0; 511]).is_err());
    }
}
