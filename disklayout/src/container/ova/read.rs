//! Reads the disk in an archive.

use std::io;

use super::member::{BLOCK, Header, parse};
use crate::container::read::{damaged, unsupported};
use crate::container::vmdk;
use crate::disk::{Disk, Window};
use crate::units::Bytes;

/// So many members at most are looked at: machines have few files.
const MEMBERS: u32 = 64;

/// The disk in `file`, if that is the archive of a machine: one that begins with a descriptor.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let mut members = Members { file, at: 0 };
    match members.next()? {
        Some(first) if first.name.ends_with(b".ovf") => {}
        _ => return Ok(None),
    }
    for _ in 1..MEMBERS {
        let Some(member) = members.next()? else {
            return Err(damaged("it has no disk, or ends before it"));
        };
        if member.name.ends_with(b".vmdk") {
            let (start, len) = (Bytes::new(member.start), Bytes::new(member.len));
            let window = Window::new(file, start, len)
                .map_err(|_| damaged("its disk ends behind the file"))?;
            let disk = vmdk::read(window)?;
            return disk.map(Some).ok_or_else(|| damaged("its disk is no VMDK"));
        }
    }
    Err(unsupported(format!(
        "it has no disk among its first {MEMBERS} files"
    )))
}

/// A file in an archive.
struct Member {
    name: Vec<u8>,
    start: u64,
    len: u64,
}

/// Goes from header to header.
struct Members<'a> {
    file: &'a dyn Disk,
    at: u64,
}

impl Members<'_> {
    fn next(&mut self) -> io::Result<Option<Member>> {
        let mut header: Header = [0; BLOCK as usize];
        if self
            .at
            .checked_add(BLOCK)
            .is_none_or(|end| end > self.file.len())
        {
            return Ok(None);
        }
        self.file.read_at(&mut header, self.at)?;
        let Some((name, len)) = parse(&header) else {
            return Ok(None);
        };
        let start = self.at + BLOCK;
        self.at = len
            .checked_next_multiple_of(BLOCK)
            .and_then(|len| start.checked_add(len))
            .unwrap_or(u64::MAX);
        let name = name.to_vec();
        Ok(Some(Member { name, start, len }))
    }
}
