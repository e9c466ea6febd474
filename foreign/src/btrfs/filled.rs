//! The data of files on its way into a staging directory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use disklayout::disk::Disk;
use disklayout::fs::Progress;
use disklayout::fs::copy::{Data, Piece};
use disklayout::tree::{FileTree, NodeKind};
use disklayout::{Place, Result};

/// Files begin at multiples of this, with so much or more between them.
const GAP: u64 = 4096;

/// Copies the data of all files of `tree` to the files at `places`, by the nodes' indexes; those
/// have the right lengths already, and holes stay holes.
///
/// # Errors
/// `Io` when reading or writing fails.
pub(super) fn fill(
    place: &Place,
    tree: &FileTree,
    places: &[PathBuf],
    progress: &dyn Progress,
) -> Result<()> {
    let mut files = Vec::new();
    let mut pieces = Vec::new();
    let mut end = 0;
    for (id, node) in tree.nodes() {
        let NodeKind::File(content) = &node.kind else {
            continue;
        };
        if content.is_empty() {
            pieces.push(Piece::of_empty(content));
            continue;
        }
        files.push((end, places[id.index()].clone()));
        pieces.push(Piece {
            content,
            logical: 0,
            len: content.len(),
            disk: end,
            ends_file: true,
        });
        end = (end + content.len()).next_multiple_of(GAP) + GAP;
    }
    let disk = Files { files, len: end };
    Data::of_list(place, 1, pieces).copy(&disk, progress)
}

/// Many files as one disk.
#[derive(Debug)]
struct Files {
    /// Where each begins, ascending.
    files: Vec<(u64, PathBuf)>,
    len: u64,
}

impl Files {
    fn open(&self, offset: u64) -> io::Result<(File, u64)> {
        let after = self.files.partition_point(|(start, _)| *start <= offset);
        let index = after.checked_sub(1).ok_or(io::ErrorKind::InvalidInput)?;
        let (start, path) = &self.files[index];
        let file = File::options().read(true).write(true).open(path)?;
        Ok((file, offset - start))
    }
}

impl Disk for Files {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let (file, within) = self.open(offset)?;
        file.read_exact_at(buf, within)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let (file, within) = self.open(offset)?;
        file.write_all_at(buf, within)
    }
}
