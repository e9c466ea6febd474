//! Images written from plans, and what they are pinned by.

use std::fs::File;
use std::path::Path;

use disklayout::disk::{Disk, MemDisk, SparseFile};
use disklayout::fs::{FsPlan, Unwatched};

use crate::sparse::Blocks;

/// Writes a plan of `size` bytes to a new file.
pub fn write_image(plan: &dyn FsPlan, size: u64, path: &Path) {
    plan.write_all(&sparse_file(size, path), &Unwatched)
        .unwrap();
}

/// A new file of `size` bytes, all of them a hole.
pub fn sparse_file(size: u64, path: &Path) -> SparseFile {
    SparseFile::create(File::create_new(path).unwrap(), size).unwrap_or_else(|error| {
        panic!(
            "can't make a sparse file of {size} bytes: {error}; the largest need 1.8 GiB free in \
             /dev/shm or a TMPDIR on tmpfs or XFS"
        )
    })
}

/// A plan of `size` bytes written in memory.
pub fn in_memory(plan: &dyn FsPlan, size: u64) -> MemDisk {
    let disk = MemDisk::new(size);
    plan.write_all(&disk, &Unwatched).unwrap();
    disk
}

/// All bytes of the image of a plan.
pub fn bytes_of(plan: &dyn FsPlan, size: u64) -> Vec<u8> {
    read(&in_memory(plan, size), 0, usize::try_from(size).unwrap())
}

/// The bytes of a disk from `offset` on.
pub fn read(disk: &dyn Disk, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    disk.read_at(&mut bytes, offset).unwrap();
    bytes
}

/// What the image of a plan is pinned by: the SHA-256 of every block of 4096 bytes that isn't all
/// zero, each behind its offset.
pub fn digest(size: u64, plan: &dyn FsPlan) -> String {
    let mut blocks = Blocks::default();
    blocks.add_all(0, &bytes_of(plan, size));
    blocks.sum()
}
