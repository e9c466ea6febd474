//! Tar archives: of Unix version 7, ustar, pax and GNU tar, plain or compressed.
//!
//! An archive is gone through once. Only its headers are kept, as nodes of the tree; the data of
//! files stays where it is, and is read when an image is written.

mod acl;
mod acl_text;
mod ahead;
mod bodies;
mod compression;
mod end;
mod entries;
mod fault;
mod header;
mod input;
mod lz4;
mod magic;
mod members;
mod named;
mod notes;
mod outline;
pub(super) mod path;
mod pax;
mod sparse;
mod values;
mod window;
mod xattr;
mod zeroes;

use std::fs::File;
use std::io::{self, Read};
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
/// messages, and `place` in the description. It may be compressed with gzip, xz, zstd, bzip2 or
/// lz4, which its first bytes tell. A compressed archive is decompressed once here, and again when
/// its files are read.
///
/// Entries wear what the archive says and `rules` make of it. Paths and hard links that start with
/// a slash start at the archive's top. Hard links lead to what is in the tree below the target
/// directory. ACLs become the extended attributes that Linux has for them; numbers of names are
/// those of `etc/passwd` and `etc/group` in the archive, in the tree, or of the rules.
///
/// Members behind the archive's end are taken too, as of archives that were joined. That, an end
/// that is missing, other data behind it and whatever isn't taken as it is become notices of the
/// tree.
///
/// # Errors
/// All are at `place` and name the archive, the member and the offset of its header.
/// `NotAnArchive`: it is something else. `Corrupt`: it isn't what the format requires, or ends
/// early. `InvalidSpec`: paths that lead upwards or, where the rules are strict, start with a
/// slash; hard links to nothing or to directories, entries below something else than a directory,
/// owners, device numbers and symbolic links that Linux can't have. `Unsupported`: parts of several
/// volumes, unknown types, headers of more than 1 MiB, windows over the limit, and, where nothing
/// may be lost, ACLs and extended attributes that Linux can't have. `Io`: reading failed.
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

/// The bytes of a compressed archive as they were, whichever of the formats it is in that are read here;
/// `None` of a file that isn't compressed. Windows of up to 2 GiB are read.
///
/// # Errors
/// What the system says, and what the format says of its start. The stream has those of the rest.
pub fn open_compressed(file: File) -> io::Result<Option<Box<dyn Read + Send>>> {
    let section = Section::whole(file);
    match compression::is_compressed(&section)? {
        true => Compressed::new(section, window::LONG_MAX).open().map(Some),
        false => Ok(None),
    }
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
    let (source, input) = Archive::open(name, section, rules, watch).map_err(fail)?;
    let mut members = Members::new(input, &source.store);
    let mut entries = Entries::new(Layer::new(tree, rules, place), left_out);
    let added = add_members(&mut members, &mut entries);
    added.map_err(|fault| source.explain(fault).at(place, &members.subject()))?;
    let rest = source.check_rest().map_err(fail)?;
    let doubts = members.doubts().chain(rest.as_deref());
    entries.finish(name, doubts).map_err(fail)
}

fn add_members(members: &mut Members<'_>, entries: &mut Entries<'_>) -> fault::Result<()> {
    while let Some(member) = members.next()? {
        entries.add(member)?;
    }
    Ok(())
}

/// An archive that is open.
struct Archive {
    /// What the data of files will be read from.
    store: Arc<Store>,
    source: Source,
}

enum Source {
    Plain(Section),
    Compressed(Compressed),
}

impl Archive {
    /// The archive in a part of a file, and what headers are read from now.
    fn open(
        name: &str,
        section: Section,
        rules: &Rules,
        watch: Watch<'_>,
    ) -> fault::Result<(Self, Input)> {
        let is_compressed = compression::is_compressed(&section).map_err(Fault::reading)?;
        let opened = match is_compressed {
            true => Self::open_compressed(name, section, rules, watch),
            false => Self::open_plain(name, section),
        };
        opened.map_err(Fault::reading)
    }

    fn open_plain(name: &str, section: Section) -> io::Result<(Self, Input)> {
        let input = Input::file(section.clone())?;
        let store = Arc::new(Store::section(name, section.clone()));
        let source = Source::Plain(section);
        Ok((Self { store, source }, input))
    }

    fn open_compressed(
        name: &str,
        section: Section,
        rules: &Rules,
        watch: Watch<'_>,
    ) -> io::Result<(Self, Input)> {
        let stream = Compressed::new(section.clone(), window::max(rules));
        let input = Input::stream(watch(stream.open()?));
        let store = Arc::new(Store::stream_of(name, stream.clone(), section));
        let source = Source::Compressed(stream);
        Ok((Self { store, source }, input))
    }

    /// The fault; of what is no archive it tells what it seems to be.
    fn explain(&self, fault: Fault) -> Fault {
        if !fault.is_no_archive() {
            return fault;
        }
        let mut start = vec![0; magic::LEN];
        let (subject, count) = match &self.source {
            Source::Plain(file) => ("it", file.read_up_to(&mut start, 0)),
            Source::Compressed(stream) => ("its content", stream.read_up_to(&mut start)),
        };
        match count.ok().and_then(|count| magic::of(&start[..count])) {
            Some(what) => fault.with(&format!("; {subject} seems to be {what}")),
            None => fault,
        }
    }

    /// Tells what follows compressed data that was read to its end.
    ///
    /// # Errors
    /// `Unsupported` when that is an archive too, but a plain one.
    fn check_rest(&self) -> fault::Result<Option<String>> {
        let Source::Compressed(stream) = &self.source else {
            return Ok(None);
        };
        let rest = stream.rest().map_err(Fault::reading)?;
        let Some((offset, len, start)) = rest else {
            return Ok(None);
        };
        let seems = end::seems(&start);
        let what = format!(
            "behind its compressed data, from offset {offset} of the file on, {len} bytes follow \
             that aren't compressed{seems}"
        );
        match magic::is_tar(&start) {
            true => Err(Fault::unsupported(format!(
                "{what}: split it there, and give both parts"
            ))),
            false => Ok(Some(format!("{what}: they are left out"))),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
