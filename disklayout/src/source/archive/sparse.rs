//! The maps of sparse files, in the four forms that GNU tar has had: in header blocks, and three
//! versions for extended headers.

use super::fault::{Fault, Result};
use super::header::{self, BLOCK, Header};
use super::input::Input;
use super::values;
use crate::tree::Extent;

/// The most pieces of one file: 64 MiB of memory.
const PIECES_MAX: usize = 4 << 20;

/// The length of a piece in a header block: two numbers of 12 bytes.
const FIELD: usize = 24;
/// How many pieces a block of nothing else has.
const FIELDS_IN_BLOCK: usize = 21;

/// The pieces of a sparse file that an archive holds, as offset and length in turn.
pub(super) type Numbers = Vec<u64>;

/// The map in a header of GNU tar and in the blocks after it.
pub(super) fn from_blocks(header: &Header, input: &mut Input) -> Result<Numbers> {
    let mut numbers = Vec::new();
    add_fields(&mut numbers, header.sparse_fields())?;
    let mut goes_on = header.has_more_sparse_fields();
    while goes_on {
        let block = input.block_inside()?;
        let (fields, rest) = block.split_at(FIELDS_IN_BLOCK * FIELD);
        add_fields(&mut numbers, fields)?;
        goes_on = rest[0] != 0;
    }
    Ok(numbers)
}

/// Fields up to the first one that isn't used.
fn add_fields(numbers: &mut Numbers, fields: &[u8]) -> Result<()> {
    for field in fields.chunks_exact(FIELD) {
        let (offset, length) = field.split_at(FIELD / 2);
        if length[0] == 0 {
            break;
        }
        for bytes in [offset, length] {
            let number = header::length(bytes);
            let number = number.map_err(|why| {
                let shown = bytes.escape_ascii();
                Fault::corrupt(format!("'{shown}' in the sparse map {why}"))
            })?;
            numbers.push(number);
        }
        check_count(numbers.len() / 2)?;
    }
    Ok(())
}

/// The map of version 1.0, in front of the data and part of its `size` bytes: lines of decimal
/// numbers, first how many pieces there are.
pub(super) fn from_data(size: u64, input: &mut Input) -> Result<Numbers> {
    let malformed = || Fault::corrupt("the sparse map in front of the data isn't lines of numbers");
    let end = input.position().checked_add(size).ok_or_else(malformed)?;
    let mut lines = Lines { line: Vec::new() };
    let mut numbers = Vec::new();
    let mut expected = None;
    while expected.is_none_or(|expected| numbers.len() < expected) {
        if input.position() + BLOCK as u64 > end {
            return Err(malformed());
        }
        for byte in input.block_inside()? {
            let Some(number) = lines.push(byte).map_err(|()| malformed())? else {
                continue;
            };
            match expected {
                None => {
                    expected = Some(2 * check_count(usize::try_from(number).unwrap_or(usize::MAX))?)
                }
                Some(_) => numbers.push(number),
            }
            // The rest of the block is padding.
            if expected == Some(numbers.len()) {
                break;
            }
        }
    }
    Ok(numbers)
}

/// Numbers, each with a newline after it.
struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// The number that ends with this byte.
    fn push(&mut self, byte: u8) -> std::result::Result<Option<u64>, ()> {
        if byte == b'\n' {
            let number = values::decimal(&self.line).ok_or(())?;
            self.line.clear();
            return Ok(Some(number));
        }
        self.line.push(byte);
        // 2^63 has 19 digits.
        if self.line.len() > 19 {
            Err(())
        } else {
            Ok(None)
        }
    }
}

fn check_count(count: usize) -> Result<usize> {
    if count <= PIECES_MAX {
        return Ok(count);
    }
    let message = format!("a sparse file of more than {PIECES_MAX} pieces");
    Err(Fault::unsupported(message))
}

/// How many bytes all pieces have; none if it isn't a number.
pub(super) fn data_len(numbers: &[u64]) -> Option<u64> {
    let mut lengths = numbers.iter().skip(1).step_by(2);
    lengths.try_fold(0_u64, |sum, len| sum.checked_add(*len))
}

/// The pieces of a file of `size` bytes, of which `stored` bytes are in the archive from `offset`
/// on.
pub(super) fn extents(numbers: &[u64], size: u64, stored: u64, offset: u64) -> Result<Vec<Extent>> {
    let mut extents: Vec<Extent> = Vec::new();
    let (mut done, mut at) = (0, 0);
    let pieces = numbers.chunks(2).map(|pair| match *pair {
        [logical, len] => Ok((logical, len)),
        _ => Err(Fault::corrupt("the sparse map has an odd count of numbers")),
    });
    for piece in pieces {
        let (logical, len) = piece?;
        let end = check_piece(logical, len, done, size)?;
        if len == 0 {
            continue;
        }
        // GNU tar would begin the next piece at a full block, libarchive doesn't.
        if at % BLOCK as u64 != 0 {
            return Err(Fault::unsupported(format!(
                "the piece of a sparse file in front of {logical} doesn't fill blocks of {BLOCK}"
            )));
        }
        match extents.last_mut() {
            Some(last) if done == logical => last.len += len,
            _ => extents.push(Extent {
                logical,
                len,
                offset: offset + at,
            }),
        }
        done = end;
        at += len;
    }
    if at != stored {
        return Err(Fault::corrupt(format!(
            "the sparse map has {at} bytes of data, the archive {stored}"
        )));
    }
    Ok(extents)
}

/// Where a piece ends that starts after `done`.
fn check_piece(logical: u64, len: u64, done: u64, size: u64) -> Result<u64> {
    let end = logical.checked_add(len).filter(|end| *end <= size);
    let end = end.ok_or_else(|| {
        Fault::corrupt(format!(
            "{len} bytes at {logical} of a sparse file exceed its {size} bytes"
        ))
    })?;
    if logical < done {
        return Err(Fault::corrupt(format!(
            "the sparse map has a piece at {logical} after one that ends at {done}"
        )));
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn maps_give_extents_or_are_refused() {
        let extent = |logical, len, offset| Extent {
            logical,
            len,
            offset,
        };
        for (numbers, size, stored, expected) in [
            (&[][..], 10, 0, Ok(vec![])),
            (&[0, 10], 10, 10, Ok(vec![extent(0, 10, 1000)])),
            (&[10, 0], 10, 0, Ok(vec![])),
            (
                &[0, 512, 1024, 1024, 2048, 7, 2055, 0],
                2055,
                1543,
                Ok(vec![extent(0, 512, 1000), extent(1024, 1031, 1512)]),
            ),
            (&[0, 512, 1024], 2048, 512, Err("odd count")),
            (
                &[0, 512, 511, 1],
                2048,
                513,
                Err("after one that ends at 512"),
            ),
            (&[512, 1, 0, 1], 2048, 2, Err("after one that ends at 513")),
            (&[0, 2049], 2048, 2049, Err("exceed its 2048 bytes")),
            (&[1, u64::MAX], 2048, 5, Err("exceed its 2048 bytes")),
            (
                &[0, 512],
                2048,
                511,
                Err("512 bytes of data, the archive 511"),
            ),
            (&[0, 1, 1024, 1], 2048, 2, Err("doesn't fill blocks")),
        ] {
            let found = extents(numbers, size, stored, 1000);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(fault), Err(expected)) => {
                    let error = fault.at("p", "x");
                    assert!(error.message().contains(expected), "{numbers:?}: {error}");
                }
                (found, _) => panic!("{numbers:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_map_in_front_of_data_ends_with_its_block() {
        let block = |text: &str| {
            let mut block = text.as_bytes().to_vec();
            block.resize(text.len().next_multiple_of(BLOCK), b'\0');
            block
        };
        let many = format!("100\n{}", "1234567\n512\n".repeat(100));
        let ninety = "9".repeat(20);
        for (text, size, expected) in [
            ("2\n0\n512\n1024\n512\n", 2048, Some((4, 512))),
            ("0\n", 512, Some((0, 512))),
            (&many, 10_000, Some((200, 1536))),
            (&many, 1000, None),
            ("2\n0\n512\n", 512, None),
            ("x\n", 512, None),
            ("\n", 512, None),
            (&ninety, 512, None),
            ("4194305\n", 512, None),
            ("9223372036854775807\n", 512, None),
            ("2\n", 100, None),
            ("2\n", u64::MAX, None),
        ] {
            let mut input = Input::stream(Box::new(Cursor::new(block(text))));
            let found = from_data(size, &mut input).ok();
            let found = found.map(|numbers| (numbers.len(), input.position()));
            assert_eq!(found, expected, "{text} of {size}");
        }
    }
}
