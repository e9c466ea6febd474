//! The end of an archive: blocks of zeroes, and what is behind them.

use super::fault::{Fault, Result};
use super::header::{BLOCK, Header};
use super::input::Input;
use super::magic;

/// How many bytes of zeroes are an archive without members: two blocks, or the twenty that tar
/// writes at once. A disk image without content has more.
const EMPTY: [u64; 2] = [2 * BLOCK as u64, 20 * BLOCK as u64];

/// Blocks of zeroes in an archive.
#[derive(Debug)]
pub(super) struct Zeroes {
    start: u64,
    /// Where something else begins, or the file ends.
    pub(super) end: u64,
    pub(super) behind: Behind,
    /// Where the file ends, if nothing of it is read any more.
    file_end: u64,
}

/// What is behind blocks of zeroes.
#[derive(Debug)]
pub(super) enum Behind {
    Nothing,
    Header(Box<Header>),
    /// The start of something else.
    Other(Vec<u8>),
}

impl Zeroes {
    /// Goes over the blocks of which the first was read already, and what follows the archive.
    pub(super) fn read(input: &mut Input) -> Result<Self> {
        let start = input.position() - BLOCK as u64;
        let mut block = input.after_zeroes()?;
        let end = input.position() - block.len() as u64;
        let behind = match block.first_chunk().map(|block| Header::new(*block)) {
            None if block.is_empty() => Behind::Nothing,
            Some(Some(header)) => Behind::Header(Box::new(header)),
            _ => {
                block.extend(input.rest(magic::LEN)?);
                Behind::Other(block)
            }
        };
        if !matches!(behind, Behind::Header(_)) {
            input.finish()?;
        }
        Ok(Self {
            start,
            end,
            behind,
            file_end: input.position(),
        })
    }

    /// Whether it is one block, where two end an archive.
    pub(super) const fn is_lone(&self) -> bool {
        self.end - self.start < 2 * BLOCK as u64
    }

    /// Tells that members follow.
    pub(super) fn joined(&self) -> String {
        let (start, end) = (self.start, self.end);
        let what = match self.is_lone() {
            true => "a block of zeroes",
            false => "its end",
        };
        format!(
            "it has {what} at offset {start}, and members again from offset {end} on, as archives \
             have that were joined: all are taken"
        )
    }

    /// What is odd about an archive that ends here.
    ///
    /// # Errors
    /// `NotAnArchive` when there was nothing in front, so that this isn't the end of anything.
    pub(super) fn check_end(&self) -> Result<Option<String>> {
        let (len, end) = (self.end - self.start, self.end);
        let left = self.file_end - end;
        Ok(match &self.behind {
            Behind::Nothing | Behind::Header(_) if self.start > 0 => self.is_lone().then(|| {
                let start = self.start;
                format!("its end, at offset {start}, is one block of zeroes instead of two")
            }),
            Behind::Nothing | Behind::Header(_) if EMPTY.contains(&len) => None,
            Behind::Nothing | Behind::Header(_) => {
                return Err(Fault::no_archive(format!(
                    "this is no tar archive: it has nothing but {len} bytes of zeroes, where an \
                     archive without members has {} or {}",
                    EMPTY[0], EMPTY[1]
                )));
            }
            Behind::Other(_) if self.start == 0 => {
                return Err(Fault::no_archive(format!(
                    "this is no tar archive: it begins with {end} bytes of zeroes, and no member \
                     follows"
                )));
            }
            Behind::Other(bytes) => Some(format!(
                "behind its end, from offset {end} on, {left} bytes follow that are no member{}: \
                 they are left out",
                seems(bytes)
            )),
        })
    }
}

/// What something seems to be by its first bytes, for the end of a sentence.
pub(super) fn seems(start: &[u8]) -> String {
    magic::of(start).map_or_else(String::new, |what| format!(" (it seems to be {what})"))
}
