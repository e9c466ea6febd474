//! Where units wait that are complete before others which come first in the file.

use std::collections::BTreeMap;
use std::io;

use super::scratch::{MakeFile, Scratch};

/// So many bytes at most wait in memory.
const IN_MEMORY: usize = 16 << 20;

/// A unit as it goes into the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    pub bytes: Vec<u8>,
    /// Whether they are those of the disk.
    pub is_plain: bool,
}

/// Units that wait, by number. One that reads as zero waits as `None`.
#[derive(Debug)]
pub(super) struct Room<'a> {
    waiting: BTreeMap<u64, Option<Waiting>>,
    in_memory: usize,
    scratch: Scratch<'a>,
}

#[derive(Debug)]
enum Waiting {
    Memory(Encoded),
    File { at: u64, len: usize, is_plain: bool },
}

impl<'a> Room<'a> {
    pub(super) const fn new(make: &'a MakeFile<'a>) -> Self {
        Self {
            waiting: BTreeMap::new(),
            in_memory: 0,
            scratch: Scratch::new(make),
        }
    }

    pub(super) fn insert(&mut self, unit: u64, encoded: Option<Encoded>) -> io::Result<()> {
        let waiting = match encoded {
            None => None,
            Some(encoded) if self.in_memory + encoded.bytes.len() <= IN_MEMORY => {
                self.in_memory += encoded.bytes.len();
                Some(Waiting::Memory(encoded))
            }
            Some(encoded) => {
                let at = self.scratch.reserve(encoded.bytes.len() as u64)?;
                self.scratch.write(&encoded.bytes, at)?;
                Some(Waiting::File {
                    at,
                    len: encoded.bytes.len(),
                    is_plain: encoded.is_plain,
                })
            }
        };
        self.waiting.insert(unit, waiting);
        Ok(())
    }

    pub(super) fn has(&self, unit: u64) -> bool {
        self.waiting.contains_key(&unit)
    }

    pub(super) fn take(&mut self, unit: u64) -> io::Result<Option<Encoded>> {
        match self.waiting.remove(&unit).flatten() {
            None => Ok(None),
            Some(Waiting::Memory(encoded)) => {
                self.in_memory -= encoded.bytes.len();
                Ok(Some(encoded))
            }
            Some(Waiting::File { at, len, is_plain }) => {
                let mut bytes = vec![0; len];
                self.scratch.read(&mut bytes, at)?;
                Ok(Some(Encoded { bytes, is_plain }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_in_memory_waits_in_the_file() {
        let make = || tempfile::tempfile();
        let mut room = Room::new(&make);
        let unit = |number: u8| Encoded {
            bytes: vec![number; (5 << 20) + usize::from(number)],
            is_plain: number % 2 == 1,
        };
        for number in 0..9 {
            room.insert(number.into(), Some(unit(number))).unwrap();
        }
        room.insert(9, None).unwrap();
        assert!(room.in_memory <= IN_MEMORY);
        for number in (0..9).rev() {
            assert!(room.has(number.into()));
            assert!(room.take(number.into()).unwrap() == Some(unit(number)));
        }
        assert!(room.has(9) && room.take(9).unwrap().is_none() && !room.has(9));
        assert_eq!(room.in_memory, 0);
    }
}
