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
mod outline;
pub(super) mod path;
mod pax;
mod sparse;
mod values;
mod xattr;

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use super::Rules;
use super::layer::Layer;
use crate::error::Result;
use crate::tree::{FileTree, Section, Store, Stream};
use compression::Compressed;
use entries::Entries;
pub(super) use entries::LeftOut;
use fault::Fault;
use input::Input;
use members::Members;
pub(super) use outline::{Outlined, decompress, is_compressed, outline};

/// Takes the bytes of a compressed archive on their way through.
pub(super) type Watch<'a> = &'a dyn Fn(Box<dyn Read + Send>) -> Box<dyn Read + Send>;

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
    let section = Section::whole(file);
    let added = add_section(
        tree,
        place,
        name,
        section,
        rules,
        &|it| it,
        LeftOut::default(),
    );
    added.map(|_| ())
}

/// The same for an archive that is a part of a file, over layers that have `left_out` this. `watch`
/// gets the bytes of a compressed one. Tells what was left out by now.
pub(super) fn add_section(
    tree: &mut FileTree,
    place: &str,
    name: &str,
    section: Section,
    rules: &Rules,
    watch: Watch<'_>,
    left_out: LeftOut,
) -> Result<LeftOut> {
    let fail = |fault: Fault| fault.at(place, &format!("archive '{name}'"));
    let (store, input) = open(name, section, watch).map_err(fail)?;
    let store = Arc::new(store);
    let mut members = Members::new(input, &store);
    let layer = Layer { tree, rules, place };
    let added = add_members(&mut members, Entries::new(layer, left_out));
    added.map_err(|fault| fault.at(place, &members.subject()))
}

/// What the data of files will be read from, and what headers are read from now.
fn open(name: &str, section: Section, watch: Watch<'_>) -> fault::Result<(Store, Input)> {
    let opened = match compression::of(&section).map_err(Fault::reading)? {
        Some(format) => {
            let stream = Compressed::new(section, format);
            let input = stream.open().map(watch).map(Input::stream);
            input.map(|input| (Store::stream(name, stream), input))
        }
        None => {
            let input = Input::file(section.clone());
            input.map(|input| (Store::section(name, section), input))
        }
    };
    opened.map_err(Fault::reading)
}

fn add_members(members: &mut Members<'_>, mut entries: Entries<'_>) -> fault::Result<LeftOut> {
    while let Some(member) = members.next()? {
        entries.add(member)?;
    }
    Ok(entries.finish())
}

#[cfg(test)]
pub(super) mod tests;
