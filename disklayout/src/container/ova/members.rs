//! Goes from member to member of an archive, whoever has written it.

use std::io;

use super::member::{BLOCK, Header, Kind, Parsed, parse};
use crate::disk::Disk;
use crate::pax::records;

/// Headers in front of a member's own, so many at most: others write up to four.
const AHEAD_MOST: u32 = 8;

/// The longest of these, in bytes.
const AHEAD_MAX: u64 = 64 << 10;

/// A member of an archive.
#[derive(Debug)]
pub(super) struct Member {
    pub name: Vec<u8>,
    is_file: bool,
    pub start: u64,
    pub len: u64,
}

impl Member {
    /// Whether it is a file with this end of its name.
    pub(super) fn is_file(&self, end: &[u8]) -> bool {
        self.is_file && self.name.ends_with(end)
    }
}

/// Goes from header to header.
#[derive(Debug)]
pub(super) struct Members<'a> {
    file: &'a dyn Disk,
    at: u64,
}

/// What headers in front say of a member.
#[derive(Debug, Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<'a> Members<'a> {
    pub(super) const fn new(file: &'a dyn Disk) -> Self {
        Self { file, at: 0 }
    }

    /// The next member; none at the end, or where there is no sound one.
    ///
    /// # Errors
    /// What the file says.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let mut ahead = Ahead::default();
        for _ in 0..=AHEAD_MOST {
            let Some(header) = self.header()? else {
                break;
            };
            let (kind, len) = (header.kind, header.size);
            match kind {
                Kind::Records | Kind::LongName => {
                    let Some(bytes) = self.ahead(len)? else {
                        break;
                    };
                    if ahead.take(kind, &bytes).is_none() {
                        break;
                    }
                }
                Kind::Aside => self.pass(len),
                Kind::File | Kind::Other => {
                    let len = ahead.size.unwrap_or(len);
                    let start = self.at;
                    self.pass(len);
                    return Ok(Some(Member {
                        name: ahead.name.unwrap_or(header.name),
                        is_file: kind == Kind::File,
                        start,
                        len,
                    }));
                }
            }
        }
        Ok(None)
    }

    fn header(&mut self) -> io::Result<Option<Parsed>> {
        let mut header: Header = [0; BLOCK as usize];
        let end = self.at.checked_add(BLOCK);
        if end.is_none_or(|end| end > self.file.len()) {
            return Ok(None);
        }
        self.file.read_at(&mut header, self.at)?;
        self.at += BLOCK;
        Ok(parse(&header))
    }

    /// The bytes of a header in front; none where they are too many, or not all there.
    fn ahead(&mut self, len: u64) -> io::Result<Option<Vec<u8>>> {
        let end = self.at.saturating_add(len);
        if len > AHEAD_MAX || end > self.file.len() {
            return Ok(None);
        }
        let mut bytes = vec![0; len as usize];
        self.file.read_at(&mut bytes, self.at)?;
        self.pass(len);
        Ok(Some(bytes))
    }

    /// Goes behind `len` bytes of data, to the next header.
    fn pass(&mut self, len: u64) {
        let blocks = len.checked_next_multiple_of(BLOCK);
        let end = blocks.and_then(|len| self.at.checked_add(len));
        self.at = end.unwrap_or(u64::MAX);
    }
}

impl Ahead {
    /// Takes in what a header in front says; none where it isn't sound.
    fn take(&mut self, kind: Kind, bytes: &[u8]) -> Option<()> {
        if kind == Kind::LongName {
            self.name = bytes.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
            return Some(());
        }
        for record in records(bytes) {
            let (key, value) = record?;
            // What is empty takes back what was said.
            match (key, value) {
                (b"path", value) => self.name = (!value.is_empty()).then(|| value.to_vec()),
                (b"size", b"") => self.size = None,
                (b"size", value) => self.size = Some(str::from_utf8(value).ok()?.parse().ok()?),
                _ => {}
            }
        }
        Some(())
    }
}
