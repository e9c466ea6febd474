//! EROFS, uncompressed: filesystems that are read only.

mod chunks;
mod directory;
pub(crate) mod format;
mod inode;
mod layout;
mod metadata;
mod write;
mod xattr;

use uuid::Uuid;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::misfits::Survey;
use crate::fs::{Choice, Data, Draft, Format, FsPlan, Progress, Request, Summary};
use crate::identity::Timestamp;
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::Bytes;

use layout::Layout;

const NAME: &str = "erofs";

/// The size of a block, which every kernel and every release of erofs-utils reads.
const BLOCK_SIZE: u64 = 1 << BLOCK_BITS;
const BLOCK_BITS: u8 = 12;

/// Bytes of a volume label (`volume_name`).
const LABEL_MAX: usize = 16;

const CHOICES: [Choice; 0] = [];

/// What squashfs calls the choice that isn't offered here.
const COMPRESSION: &str = "compression";

/// Makes EROFS filesystems of blocks of 4096 bytes, without compression.
///
/// A filesystem takes exactly what its content needs, up to 16 TiB; of a larger partition the rest
/// stays unused. Holes of files stay holes. Linux 5.16 reads all of it, 5.4 what has no holes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErofsFormat;

impl Format for ErofsFormat {
    fn names(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn choices(&self) -> &'static [Choice] {
        &CHOICES
    }

    fn draft<'a>(&self, mut request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        let warnings = adapt(&mut request)?;
        check_options(&request)?;
        let volume = Volume {
            label: request.padded_label(NAME)?,
            uuid: request
                .uuid
                .unwrap_or_else(|| request.identity.uuid("filesystem")),
            created: request.identity.time(),
        };
        Ok(Box::new(Plan {
            layout: Layout::new(&request.place, &request.tree, volume.created)?,
            place: request.place,
            volume,
            tree: request.tree,
            warnings,
        }))
    }
}

/// Changes what can't be in the tree: a sentence for each kind of loss.
fn adapt(request: &mut Request<'_>) -> Result<Vec<String>> {
    let mut survey = Survey::new(request, NAME);
    survey.keep_xattrs(&mut request.tree, |_, _, xattrs| xattr::fit(xattrs))?;
    survey.keep_owners(&mut request.tree)?;
    Ok(survey.into_warnings())
}

fn check_options(request: &Request<'_>) -> Result<()> {
    let Request { place, kind, .. } = request;
    if request.options.get(COMPRESSION).is_some() {
        let message = format!("{NAME} is written without compression; squashfs can be compressed");
        return Err(Error::unsupported(place.choice(COMPRESSION), message));
    }
    request.options.check(place, kind, &CHOICES)
}

/// What the superblock tells of the filesystem as a whole.
#[derive(Debug)]
struct Volume {
    label: [u8; LABEL_MAX],
    uuid: Uuid,
    created: Timestamp,
}

/// A filesystem with every place decided.
#[derive(Debug)]
struct Plan {
    place: Place,
    volume: Volume,
    layout: Layout,
    tree: FileTree,
    warnings: Vec<String>,
}

impl Plan {
    fn size(&self) -> Bytes {
        Bytes::new(self.layout.blocks * BLOCK_SIZE)
    }
}

/// Nothing depends on the size.
impl Draft for Plan {
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        if free.get() > 0 {
            let message = format!("nothing can be written to {NAME}, so no room can be left in it");
            return Err(Error::unsupported(&self.place, message));
        }
        Ok(self.size())
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        let needed = self.size();
        if needed > size {
            let message = format!(
                "{} bytes are too few for {NAME}: the content takes {} ({needed})",
                size.get(),
                needed.get()
            );
            return Err(Error::does_not_fit(self.place, message).needing(needed));
        }
        Ok(self)
    }
}

impl FsPlan for Plan {
    fn summary(&self) -> Summary {
        let label = String::from_utf8_lossy(&self.volume.label);
        let label = label.trim_end_matches('\0');
        Summary {
            label: (!label.is_empty()).then(|| label.to_owned()),
            uuid: Some(self.volume.uuid),
            free_blocks: Some(0),
            inodes: Some(self.layout.inodes.len() as u64),
            free_inodes: Some(0),
            ..Summary::new(NAME, BLOCK_SIZE as u32, self.layout.blocks)
        }
    }

    fn tree(&self) -> &FileTree {
        &self.tree
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn cost(&self) -> Bytes {
        let files = self.tree.nodes().filter_map(|(_, node)| layout::file(node));
        let holes: u64 = files.map(|file| file.len() - file.data_len()).sum();
        Bytes::new(self.size().get().saturating_sub(holes))
    }

    fn write(&self, disk: &dyn Disk, _: &dyn Progress) -> Result<Data<'_>> {
        write::write(self, disk)
    }
}
