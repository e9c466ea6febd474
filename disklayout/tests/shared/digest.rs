//! What images are pinned by.

use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::{FsPlan, Unwatched};
use sha2::{Digest, Sha256};

/// The SHA-256 of every block of 4096 bytes that isn't all zero, each behind its offset.
pub(crate) fn digest(size: u64, plan: &dyn FsPlan) -> String {
    let disk = MemDisk::new(size);
    plan.write(&disk, &Unwatched).unwrap();
    let mut sum = Sha256::new();
    let mut block = [0; 4096];
    for offset in (0..size).step_by(block.len()) {
        disk.read_at(&mut block, offset).unwrap();
        if block != [0; 4096] {
            sum.update(offset.to_le_bytes());
            sum.update(block);
        }
    }
    let bytes = sum.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
