//! The formats of image files that are known.

use std::io;
use std::sync::Arc;

use super::compressed::Compressed;
use super::named::{Named, named};
use super::{Format, android, bmap, qcow2, raw, vdi, vhd, vhdx, vmdk};
use crate::compress::Codec;
use crate::disk::Disk;

/// The format of an image file, and the disk in it.
pub type Found<'r, 'a> = (&'r dyn Format, Box<dyn Disk + 'a>);

/// The formats that image files can be asked for in.
#[derive(Clone, Debug)]
pub struct Registry {
    formats: Vec<Arc<dyn Format>>,
}

impl Default for Registry {
    /// All that this library writes.
    fn default() -> Self {
        Self {
            formats: vec![
                Arc::new(raw::Raw),
                Arc::new(qcow2::Qcow2),
                Arc::new(vhd::Vhd),
                Arc::new(vhdx::Vhdx),
                Arc::new(vmdk::Vmdk),
                Arc::new(vdi::Vdi),
                Arc::new(android::Android),
                Arc::new(Compressed::new(Codec::Zstd)),
                Arc::new(Compressed::new(Codec::Gzip)),
                Arc::new(Compressed::new(Codec::Xz)),
                Arc::new(bmap::Bmap),
            ],
        }
    }
}

impl Registry {
    /// All formats.
    pub fn formats(&self) -> impl Iterator<Item = &dyn Format> {
        self.formats.iter().map(|format| &**format)
    }

    /// The format that is asked for as `name`.
    pub fn format(&self, name: &str) -> Option<&dyn Format> {
        let mut all = self.formats();
        all.find(|format| format.about().names.contains(&name))
    }

    /// The format of the image file `file`, and the disk in it, for reading. `None` when no format has
    /// a sign of its own in it: it is the disk itself then.
    ///
    /// # Errors
    /// Those of [`Format::read`], with the format's name in front; reading the disk tells it, too.
    pub fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Found<'_, 'a>>> {
        for format in self.formats() {
            let name = format.about().name();
            let read = format.read(file).map_err(|error| named(name, error))?;
            if let Some(disk) = read {
                let disk = Box::new(Named { format: name, disk });
                return Ok(Some((format, disk)));
            }
        }
        Ok(None)
    }

    /// Every format's own name, in the order of the formats.
    pub fn names(&self) -> Vec<&'static str> {
        self.formats().map(|format| format.about().name()).collect()
    }
}
