//! What is around the disk in a file.

use std::io;
use std::path::Path;

use anyhow::{Context as _, Result};
use disklayout::container::{Detail, Format, Registry};
use disklayout::disk::{Disk, SparseFile};
use disklayout::source::oci;

use super::open;

/// The format of an image file.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub format: &'static str,
    /// The size of the disk in it, in bytes.
    pub size: u64,
    /// What else it says of itself.
    pub details: Vec<Detail>,
}

impl Layer {
    fn of(format: &dyn Format, file: &dyn Disk, disk: &dyn Disk) -> Result<Self> {
        Ok(Self {
            format: format.about().name(),
            size: disk.len(),
            details: format.describe(file).context("can't read it")?,
        })
    }
}

/// What is done with a disk, and the formats around it, from the outermost one on; none where the file
/// is the disk itself.
type Tell<'t, T> = dyn FnMut(&dyn Disk, &[Layer]) -> Result<T> + 't;

/// Does something with the disk in `file`, which `path` leads to. What is compressed as a whole is
/// decompressed first where no format reads it, and may be an image file itself. The disk of a
/// machine isn't looked into like that: what is written there is its own matter.
///
/// # Errors
/// When it can't be read, and what `tell` says.
pub(super) fn with_disk<T>(file: SparseFile, path: &Path, tell: &mut Tell<'_, T>) -> Result<T> {
    let formats = Registry::default();
    let is_compressed = oci::is_compressed(file.file()).context("can't read it")?;
    let found = match formats.read(&file) {
        Err(error) if is_compressed && error.kind() == io::ErrorKind::Unsupported => None,
        found => found.context("can't read it")?,
    };
    let Some((format, disk)) = found else {
        if !is_compressed {
            return tell(&file, &[]);
        }
        let file = open::unpacked(&file, path)?;
        return within(&formats, &file, Vec::new(), tell);
    };
    let layers = vec![Layer::of(format, &file, &*disk)?];
    match is_compressed {
        true => within(&formats, &*disk, layers, tell),
        false => tell(&*disk, &layers),
    }
}

/// The same with the disk that `file` is or has in it, which the formats in `layers` are around.
fn within<T>(
    formats: &Registry,
    file: &dyn Disk,
    mut layers: Vec<Layer>,
    tell: &mut Tell<'_, T>,
) -> Result<T> {
    let Some((format, disk)) = formats.read(file).context("can't read it")? else {
        return tell(file, &layers);
    };
    layers.push(Layer::of(format, file, &*disk)?);
    tell(&*disk, &layers)
}
