//! The layer, and what it becomes in the documents.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::digest::Digester;
use super::documents::Blob;
use crate::archive::{Plan, tar};
use crate::compress::{Codec, Compression, ParallelWriter};
use crate::disk::MakeFile;
use crate::error::{Error, Result};
use crate::fs::Progress;
use crate::fs::misfits::{Loss, Survey};
use crate::tree::FileTree;

/// The start of names that take something away ("Whiteouts").
const WHITEOUT: &[u8] = b".wh.";

/// Go's archive/tar, by which layers are unpacked, knows attributes of Linux and no text of ACLs.
pub(super) const OPTIONS: tar::Options = tar::Options {
    order: tar::Order::Names,
    has_root: true,
    keeps_holes: false,
    acls: tar::Acls::Attributes,
    long_links: tar::LongLinks::Records,
};

/// Changes a tree until a layer holds it.
pub(super) fn adapt(tree: &mut FileTree, survey: &mut Survey) -> Result<()> {
    survey.keep_entries(tree, |_, _, name, _| {
        let why = "begins with '.wh.', which would remove something";
        let is_whiteout = name.starts_with(WHITEOUT);
        is_whiteout.then(|| (Loss::Name, why.to_owned()))
    })?;
    // A record without a value takes back what was said before (pax, "Extended Header").
    survey.keep_xattrs(tree, |_, _, xattrs| {
        match xattrs.iter().all(|xattr| !xattr.value.is_empty()) {
            true => Ok(()),
            false => Err("programs for containers take one without a value for none".to_owned()),
        }
    })?;
    tar::adapt(tree, survey)
}

/// A layer that was written.
#[derive(Debug)]
pub(super) struct Layer {
    pub blob: Blob,
    /// The digest of its bytes without compression (`DiffID`).
    pub diff_id: String,
}

impl Layer {
    /// Writes a layer to `file`.
    pub(super) fn write(
        plan: &tar::Plan,
        compression: Option<Compression>,
        file: &File,
        make: &MakeFile<'_>,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let fail = |error: io::Error| Error::io(plan.place(), "can't write the layer", error);
        let inner = Digester::new(BufWriter::new(file));
        let mut outer = match compression {
            Some(compression) => {
                let compressed = ParallelWriter::new(inner, compression);
                Digester::new(Target::Compressed(compressed))
            }
            None => Digester::new(Target::Plain(inner)),
        };
        plan.write(&mut outer, make, progress)?;
        outer.flush().map_err(fail)?;
        let (target, diff_id, _) = outer.finish();
        let mut inner = match target {
            Target::Compressed(compressed) => compressed.finish().map_err(fail)?,
            Target::Plain(inner) => inner,
        };
        inner.flush().map_err(fail)?;
        let (_, digest, size) = inner.finish();
        let blob = Blob {
            media_type: media_type(compression),
            digest,
            size,
        };
        Ok(Self { blob, diff_id })
    }
}

/// "Image Layer Filesystem Changeset", media types.
fn media_type(compression: Option<Compression>) -> &'static str {
    match compression.map(Compression::codec) {
        Some(Codec::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
        Some(Codec::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
        _ => "application/vnd.oci.image.layer.v1.tar",
    }
}

/// What takes the bytes of a layer.
enum Target<W: Write> {
    Plain(W),
    Compressed(ParallelWriter<W>),
}

impl<W: Write> Write for Target<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(it) => it.write(buf),
            Self::Compressed(it) => it.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(it) => it.flush(),
            Self::Compressed(it) => it.flush(),
        }
    }
}
