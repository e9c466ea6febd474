//! Tar archives: of Unix version 7, ustar, pax and GNU tar, plain or compressed.
//!
//! An archive is gone through once. Only its headers are kept, as nodes of the tree; the data of
//! files stays where it is, and is read when an image is written.

mod acl;
mod compression;
mod entries;
mod fault;
mod header;
mod input;
mod members;
mod path;
mod pax;
mod sparse;
mod values;
mod whiteouts;
mod xattr;

use std::fs::File;
use std::sync::Arc;

use super::Rules;
use super::layer::Layer;
use crate::error::Result;
use crate::tree::{FileTree, Store, Stream};
use compression::{Compressed, Format};
use entries::Entries;
use fault::Fault;
use header::{BLOCK, Header};
use input::Input;
use members::Members;

/// Puts the entries of a tar archive over what is in `tree`.
///
/// `file` can be read at any place; the archive starts at its first byte. It is called `name` in
/// messages, and `place` in the description. It may be compressed with gzip, xz, zstd or bzip2,
/// which its first bytes tell. A compressed archive is decompressed once here, and again when its
/// files are read.
///
/// Entries wear what the archive says and `rules` make of it. Hard links lead to what is in the
/// tree below the target directory. ACLs become the extended attributes that Linux has for them.
///
/// # Errors
/// All are at `place` and name the archive, the member and the offset of its header. `Corrupt`:
/// it isn't what the format requires, or ends early. `InvalidSpec`: paths that are absolute or lead
/// upwards, hard links to nothing or to directories, entries below something else than a
/// directory, device numbers, symbolic links and extended attributes that Linux can't have, ACLs
/// with names in place of numbers. `Unsupported`: parts of several volumes, unknown types, headers
/// of more than 1 MiB. `Io`: reading failed.
pub fn add_archive(
    tree: &mut FileTree,
    place: &str,
    name: &str,
    file: File,
    rules: &Rules,
) -> Result<()> {
    let fail = |fault: Fault| fault.at(place, &format!("archive '{name}'"));
    let (store, input) = open(name, file).map_err(fail)?;
    let store = Arc::new(store);
    let mut members = Members::new(input, &store);
    let layer = Layer::new(tree, rules, place);
    let added = add_members(&mut members, Entries::new(layer));
    added.map_err(|fault| fault.at(place, &members.subject()))
}

/// What the data of files will be read from, and what headers are read from now.
fn open(name: &str, file: File) -> fault::Result<(Store, Input)> {
    let mut start = [0; BLOCK];
    let count = compression::read_up_to(&file, &mut start, 0).map_err(Fault::reading)?;
    // The first name of a plain archive may begin like a compressed file.
    let format = match Header::new(start) {
        Some(_) => None,
        None => Format::of(&start[..count]),
    };
    let opened = match format {
        Some(format) => {
            let stream = file.try_clone().map(|file| Compressed::new(file, format));
            stream.and_then(|stream| {
                let input = Input::stream(stream.open()?);
                Ok((Store::stream_of(name, stream, file), input))
            })
        }
        None => {
            let input = file.try_clone().and_then(Input::file);
            input.map(|input| (Store::file(name, file), input))
        }
    };
    opened.map_err(Fault::reading)
}

fn add_members(members: &mut Members<'_>, mut entries: Entries<'_>) -> fault::Result<()> {
    while let Some(member) = members.next()? {
        entries.add(member)?;
    }
    entries.finish();
    Ok(())
}

#[cfg(test)]
mod tests;
