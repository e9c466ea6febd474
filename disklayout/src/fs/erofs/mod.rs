//! EROFS, uncompressed: filesystems that are read only.

mod chunks;
mod directory;
pub(crate) mod format;
mod inode;
mod layout;
mod metadata;
mod write;
mod xattr;

use std::borrow::Cow;

use uuid::Uuid;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::misfits::{Changes, Survey};
use crate::fs::{Choice, Formatter, FsPlan, Progress, Request, Summary};
use crate::identity::Timestamp;
use crate::place::{Field, Place};
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
pub struct ErofsFormatter;

impl Formatter for ErofsFormatter {
    fn names(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn choices(&self) -> &'static [Choice] {
        &CHOICES
    }

    fn plan(&self, mut request: Request<'_>) -> Result<Box<dyn FsPlan>> {
        let (changes, warnings) = misfits(&request)?;
        changes.apply(&mut request.tree);
        let (volume, layout) = decide(&request, &request.tree)?;
        let needed = size(&layout);
        if needed > request.size {
            let message = format!(
                "{} bytes are too few for {NAME}: the content takes {} ({needed})",
                request.size.get(),
                needed.get()
            );
            return Err(Error::does_not_fit(&request.place, message));
        }
        Ok(Box::new(Plan {
            place: request.place.clone(),
            volume,
            layout,
            tree: request.tree,
            warnings,
        }))
    }

    fn smallest(&self, request: &Request<'_>, free: Bytes) -> Result<Bytes> {
        if free.get() > 0 {
            let message = format!("nothing can be written to {NAME}, so no room can be left in it");
            return Err(Error::unsupported(&request.place, message));
        }
        let mut tree = Cow::Borrowed(&request.tree);
        misfits(request)?.0.applied(&mut tree);
        let (_, layout) = decide(request, &tree)?;
        Ok(size(&layout))
    }
}

/// What has to change in the tree, and a sentence for each kind of loss.
fn misfits(request: &Request<'_>) -> Result<(Changes, Vec<String>)> {
    let mut survey = Survey::new(request, NAME);
    let mut changes = survey.find_xattrs(&request.tree, |_, _, xattrs| xattr::fit(xattrs))?;
    changes.add(survey.find_owners(&request.tree)?);
    Ok((changes, survey.into_warnings()))
}

fn decide(request: &Request<'_>, tree: &FileTree) -> Result<(Volume, Layout)> {
    check_options(request)?;
    let volume = Volume {
        label: check_label(request)?,
        uuid: request
            .uuid
            .unwrap_or_else(|| request.identity.uuid("filesystem")),
        created: request.identity.time(),
    };
    let layout = Layout::new(&request.place, tree, volume.created)?;
    Ok((volume, layout))
}

fn check_options(request: &Request<'_>) -> Result<()> {
    let Request { place, kind, .. } = request;
    if request.options.get(COMPRESSION).is_some() {
        let message = format!("{NAME} is written without compression; squashfs can be compressed");
        return Err(Error::unsupported(place.choice(COMPRESSION), message));
    }
    request.options.check(place, kind, &CHOICES)
}

fn check_label(request: &Request<'_>) -> Result<[u8; LABEL_MAX]> {
    let label = request.label.unwrap_or_default().as_bytes();
    let refuse = |why: String| {
        let message = format!("label '{}' {why}", label.escape_ascii());
        Err(Error::invalid(request.place.field(Field::Label), message))
    };
    if label.len() > LABEL_MAX {
        let len = label.len();
        return refuse(format!("has {len} bytes, {NAME} holds {LABEL_MAX} at most"));
    }
    if label.contains(&0) {
        return refuse("contains a NUL byte".to_owned());
    }
    Ok(std::array::from_fn(|i| label.get(i).copied().unwrap_or(0)))
}

fn size(layout: &Layout) -> Bytes {
    Bytes::new(layout.blocks * BLOCK_SIZE)
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
        Bytes::new(size(&self.layout).get().saturating_sub(holes))
    }

    fn write(&self, disk: &dyn Disk, progress: &dyn Progress) -> Result<()> {
        write::write(self, disk, progress)
    }
}
