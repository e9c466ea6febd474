//! What an archive holds, told without a tree, for who looks for something in it.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::members::{Body, Members};
use super::{Archive, Watch, compression, window};
use crate::error::{Error, Result};
use crate::source::Rules;
use crate::source::archive::fault::Fault;
use crate::tree::{NodeKind, Section, Stream};

/// A member of an archive.
#[derive(Debug)]
pub(in crate::source) enum Outlined {
    /// A file in one piece, which lies here.
    File {
        /// Where it starts.
        offset: u64,
        /// How many bytes it has.
        len: u64,
    },
    /// A file of which only pieces are stored.
    Sparse,
    Directory,
    Symlink(Vec<u8>),
    /// One more name for what an earlier member is.
    Link(Vec<u8>),
    /// A device, a pipe, a socket.
    Other,
}

/// Tells `visit` the members of an archive with their paths, as the archive has them, until it
/// breaks off. `watch` gets the bytes of a compressed one.
///
/// # Errors
/// Those of `add_archive` that concern single headers.
pub(in crate::source) fn outline(
    place: &str,
    name: &str,
    section: Section,
    watch: Watch<'_>,
    mut visit: impl FnMut(&[u8], Outlined) -> ControlFlow<()>,
) -> Result<()> {
    let (archive, input) = Archive::open(name, section, &Rules::default(), watch)
        .map_err(|fault| fault.at(place, &format!("archive '{name}'")))?;
    let mut members = Members::new(input, &archive.store);
    loop {
        match members.next() {
            Ok(None) => return Ok(()),
            Ok(Some(member)) => {
                if visit(&member.path, outlined(member.body)).is_break() {
                    return Ok(());
                }
            }
            Err(fault) => return Err(fault.at(place, &members.subject())),
        }
    }
}

fn outlined(body: Body) -> Outlined {
    let node = match body {
        Body::Link(target) => return Outlined::Link(target),
        Body::Node(node) => node,
    };
    match node.kind {
        NodeKind::Directory => Outlined::Directory,
        NodeKind::Symlink(target) => Outlined::Symlink(target.into()),
        NodeKind::File(content) => {
            let len = content.len();
            let mut extents = content.extents();
            match (extents.next(), extents.next()) {
                (None, _) if len == 0 => Outlined::File { offset: 0, len },
                (Some(only), None) if only.len == len => Outlined::File {
                    offset: only.offset,
                    len,
                },
                _ => Outlined::Sparse,
            }
        }
        _ => Outlined::Other,
    }
}

/// Whether these bytes are a compressed archive by their beginning.
pub(in crate::source) fn is_compressed(section: &Section) -> io::Result<bool> {
    compression::is_compressed(section)
}

/// Writes the bytes of a compressed archive as they were before, as far as `rules` let it be read.
///
/// # Errors
/// At `place`: reading, decompressing or writing failed.
pub(in crate::source) fn decompress(
    place: &str,
    name: &str,
    section: Section,
    rules: &Rules,
    to: &mut dyn Write,
) -> Result<()> {
    let subject = format!("archive '{name}'");
    let reading = |error| Fault::reading(error).at(place, &subject);
    if !compression::is_compressed(&section).map_err(reading)? {
        return Err(Error::invalid(place, format!("{subject} isn't compressed")));
    }
    let stream = compression::Compressed::new(section, window::max(rules));
    let mut bytes = stream.open().map_err(reading)?;
    let mut buf = vec![0; 128 << 10];
    loop {
        let count = match bytes.read(&mut buf) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(reading(error)),
        };
        to.write_all(&buf[..count]).map_err(|error| {
            Error::io(
                place,
                format!("{subject}: can't keep it decompressed"),
                error,
            )
        })?;
    }
}
