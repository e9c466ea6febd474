//! Reads the disk in an archive.

use std::io;

use super::members::{Member, Members};
use crate::container::Detail;
use crate::container::read::{damaged, unsupported};
use crate::container::vmdk;
use crate::disk::{Disk, Window};
use crate::units::Bytes;

/// So many members at most are looked at: machines have few files.
const MEMBERS: usize = 64;

/// The ends of the names of descriptors and disks.
const DESCRIPTOR: &[u8] = b".ovf";
const DISK: &[u8] = b".vmdk";

/// The first disk in `file`, if that is the archive of a machine: one that begins with a descriptor.
pub(super) fn read<'a>(file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
    let mut members = Members::new(file);
    if name(&mut members)?.is_none() {
        return Ok(None);
    }
    for _ in 1..MEMBERS {
        let Some(member) = members.next()? else {
            return Err(damaged("it has no disk, or ends before it"));
        };
        if member.is_file(DISK) {
            return disk(file, &member).map(Some);
        }
    }
    Err(unsupported(format!(
        "it has no disk among its first {MEMBERS} files"
    )))
}

/// What the machine in `file` is called, as its descriptor's file is, and how many disks it has.
pub(super) fn details(file: &dyn Disk) -> io::Result<Vec<Detail>> {
    let mut members = Members::new(file);
    let Some(name) = name(&mut members)? else {
        return Ok(Vec::new());
    };
    let mut disks = 0;
    for _ in 1..MEMBERS {
        let Some(member) = members.next()? else {
            break;
        };
        disks += u64::from(member.is_file(DISK));
    }
    Ok(vec![
        Detail::text("name", name),
        Detail::number("disks", disks),
    ])
}

/// The name of the descriptor's file without its end; none where an archive begins with another one.
fn name(members: &mut Members<'_>) -> io::Result<Option<String>> {
    let first = members.next()?.filter(|first| first.is_file(DESCRIPTOR));
    Ok(first.map(|first| {
        let name = first.name.strip_suffix(DESCRIPTOR).unwrap_or_default();
        let name = name.strip_prefix(b"./").unwrap_or(name);
        String::from_utf8_lossy(name).into_owned()
    }))
}

/// The disk that a member is.
fn disk<'a>(file: &'a dyn Disk, member: &Member) -> io::Result<Box<dyn Disk + 'a>> {
    let (start, len) = (Bytes::new(member.start), Bytes::new(member.len));
    let window =
        Window::new(file, start, len).map_err(|_| damaged("its disk ends behind the file"))?;
    vmdk::read(window)?.ok_or_else(|| damaged("its disk is no VMDK"))
}
