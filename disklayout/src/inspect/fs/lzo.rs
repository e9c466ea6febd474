//! LZO1X, unpacked.
//!
//! Kernel documentation, "LZO stream format as understood by Linux's LZO decompressor"
//! (Documentation/staging/lzo.rst): instructions of a byte or more, which copy what was there before
//! and then literals.

/// Bytes of a length that isn't in an instruction.
const LENGTH: usize = 4;

/// Pieces of `sector` bytes, each behind its length in four bytes that all are in one sector of what
/// is compressed. The length of all of it comes first.
pub(super) fn unpack_pieces(bytes: &[u8], unpacked: &mut [u8], sector: usize) -> Option<()> {
    let length = |at: usize| -> Option<usize> {
        let bytes = bytes.get(at..)?.first_chunk::<LENGTH>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let sector = sector.max(1);
    let end = length(0)?.min(bytes.len());
    let mut at = LENGTH;
    for piece in unpacked.chunks_mut(sector) {
        let left = at.next_multiple_of(sector) - at;
        if left < LENGTH {
            at += left;
        }
        // What is missing at the end is zero.
        if at >= end {
            break;
        }
        let len = length(at)?;
        at += LENGTH;
        unpack(bytes.get(at..at.checked_add(len)?)?, piece)?;
        at += len;
    }
    Some(())
}

/// What is read, and what is written of the room that there is.
struct Stream<'a> {
    input: &'a [u8],
    output: &'a mut [u8],
    done: usize,
}

/// Unpacks one stream, which may leave some of `output` as it was.
fn unpack(input: &[u8], output: &mut [u8]) -> Option<()> {
    let mut stream = Stream {
        input,
        output,
        done: 0,
    };
    // How many literals the last instruction has copied; 4 is more than 3.
    let mut state = 0;
    // The first byte may be a number of literals.
    if let Some(count) = input.first().and_then(|first| first.checked_sub(17))
        && count > 0
    {
        stream.byte()?;
        stream.literals(count.into())?;
        state = usize::from(count).min(4);
    }
    loop {
        let instruction = usize::from(stream.byte()?);
        let (len, distance, literals) = match instruction {
            0..16 if state == 0 => {
                let len = stream.length(instruction, 15)? + 3;
                stream.literals(len)?;
                state = 4;
                continue;
            }
            0..16 => {
                let high = usize::from(stream.byte()?) << 2;
                let distance = high + (instruction >> 2);
                match state {
                    4 => (3, distance + 2049, instruction & 3),
                    _ => (2, distance + 1, instruction & 3),
                }
            }
            16..32 => {
                let len = stream.length(instruction & 7, 7)? + 2;
                let pair = stream.pair()?;
                let distance = ((instruction & 8) << 11) + (pair >> 2);
                if distance == 0 {
                    return Some(());
                }
                (len, distance + 16384, pair & 3)
            }
            32..64 => {
                let len = stream.length(instruction & 31, 31)? + 2;
                let pair = stream.pair()?;
                (len, (pair >> 2) + 1, pair & 3)
            }
            _ => {
                let len = match instruction {
                    64..128 => 3 + ((instruction >> 5) & 1),
                    _ => 5 + ((instruction >> 5) & 3),
                };
                let high = usize::from(stream.byte()?) << 3;
                let distance = high + ((instruction >> 2) & 7) + 1;
                (len, distance, instruction & 3)
            }
        };
        stream.again(distance, len)?;
        stream.literals(literals)?;
        state = literals;
    }
}

impl Stream<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.input.split_first()?;
        self.input = rest;
        Some(*byte)
    }

    /// Two bytes, the lower one first.
    fn pair(&mut self) -> Option<usize> {
        let (low, high) = (self.byte()?, self.byte()?);
        Some(u16::from_le_bytes([low, high]).into())
    }

    /// A length that is in an instruction, or, where that has zero, goes on behind it: `most`, 255 for
    /// every byte of zero, and the first byte that isn't.
    fn length(&mut self, told: usize, most: usize) -> Option<usize> {
        if told != 0 {
            return Some(told);
        }
        let mut len = most;
        loop {
            match self.byte()? {
                0 => len = len.checked_add(255)?,
                last => return len.checked_add(last.into()),
            }
        }
    }

    fn literals(&mut self, count: usize) -> Option<()> {
        let (literals, rest) = self.input.split_at_checked(count)?;
        let end = self.done.checked_add(count)?;
        self.output
            .get_mut(self.done..end)?
            .copy_from_slice(literals);
        self.input = rest;
        self.done = end;
        Some(())
    }

    /// Copies what was written `distance` bytes ago, which may be less than there is to copy.
    fn again(&mut self, distance: usize, len: usize) -> Option<()> {
        let start = self.done.checked_sub(distance)?;
        let end = self.done.checked_add(len)?;
        if end > self.output.len() {
            return None;
        }
        for index in 0..len {
            self.output[self.done + index] = self.output[start + index];
        }
        self.done = end;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_instruction() {
        const END: [u8; 3] = [0x11, 0, 0];
        for (input, expected) in [
            // Literals alone, told by the first byte.
            (&[17 + 5, b'a', b'b', b'c', b'd', b'e'][..], "abcde"),
            // Literals by an instruction.
            (&[0x01, b'a', b'b', b'c', b'd'], "abcd"),
            // 3 bytes from 3 back, then a literal; then 2 bytes from 1 back.
            (
                &[17 + 4, b'a', b'b', b'c', b'd', 0x49, 0, b'x', 0x00, 0],
                "abcdbcdxxx",
            ),
            // 8 bytes from 2 back.
            (&[17 + 4, b'a', b'b', b'c', b'd', 0xE4, 0], "abcdcdcdcdcd"),
            // 2 + 31 + 1 bytes from 1 back.
            (
                &[17 + 4, b'a', b'b', b'c', b'd', 0x20, 1, 0, 0],
                &("abcd".to_owned() + &"d".repeat(34)),
            ),
        ] {
            let input = [input, &END].concat();
            let mut output = [b'-'; 64];
            assert!(unpack(&input, &mut output).is_some(), "{expected}");
            assert!(
                output.starts_with(expected.as_bytes()),
                "{expected}: {output:?}"
            );
            assert_eq!(output[expected.len()], b'-');
            for short in 0..input.len() {
                assert!(
                    unpack(&input[..short], &mut output).is_none(),
                    "{expected} {short}"
                );
            }
            assert!(unpack(&input, &mut output[..expected.len() - 1]).is_none());
        }
        // Nothing was that far back.
        assert!(unpack(&[17 + 1, b'a', 0x44, 1, 0x11, 0, 0], &mut [0; 64]).is_none());
    }
}
