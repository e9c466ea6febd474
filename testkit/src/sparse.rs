//! Digests of images that are mostly holes, without reading the holes.

use std::fmt::Write;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

/// What is hashed at a time.
const BLOCK: u64 = 4096;

/// The SHA-256 of every block of a file that isn't all zero, each behind its offset.
#[derive(Debug, Default)]
pub struct Blocks(Sha256);

impl Blocks {
    /// No blocks yet, and a sum over the size of the file, `len` bytes, too.
    pub fn new(len: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(len.to_le_bytes());
        Self(hash)
    }

    /// The bytes from `offset` on, a multiple of 4096, up to another one or the file's end.
    pub fn add_all(&mut self, offset: u64, bytes: &[u8]) {
        let offsets = (offset..).step_by(BLOCK as usize);
        for (block, offset) in bytes.chunks(BLOCK as usize).zip(offsets) {
            self.add(offset, block);
        }
    }

    /// The block at `offset`, a multiple of [`BLOCK`]; the file's last one may be shorter.
    fn add(&mut self, offset: u64, block: &[u8]) {
        if *block != [0; BLOCK as usize][..block.len()] {
            self.0.update(offset.to_le_bytes());
            self.0.update(block);
        }
    }

    /// The sum, in hexadecimal digits.
    pub fn sum(self) -> String {
        let mut text = String::new();
        for byte in self.0.finalize() {
            write!(text, "{byte:02x}").unwrap();
        }
        text
    }
}

/// [`Blocks`] of the file at `path`. Where the filesystem happens to store zeros doesn't count.
pub fn digest(path: &Path) -> String {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let len = file.metadata().unwrap().len();
    let mut blocks = Blocks::new(len);
    let mut next = 0;
    while let Some(first) = data_from(&file, next) {
        let end = seek(&file, SeekFrom::Hole(first)).unwrap();
        // Blocks start at multiples of their size, wherever the data does.
        let start = (first / BLOCK * BLOCK).max(next);
        for offset in (start..end).step_by(BLOCK as usize) {
            let mut block = [0; BLOCK as usize];
            let block = &mut block[..BLOCK.min(len - offset) as usize];
            file.read_exact_at(block, offset).unwrap();
            blocks.add(offset, block);
            next = offset + BLOCK;
        }
    }
    blocks.sum()
}

fn data_from(file: &File, offset: u64) -> Option<u64> {
    match seek(file, SeekFrom::Data(offset)) {
        Ok(first) => Some(first),
        Err(Errno::NXIO) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Only bytes and their places count; written zeros are like holes.
#[test]
fn digests_tell_bytes_apart_and_not_holes() {
    let root = tempfile::tempdir().unwrap();
    let digest_of = |len: u64, writes: &[(u64, &[u8])]| {
        let path = root.path().join("file");
        let file = File::create(&path).unwrap();
        file.set_len(len).unwrap();
        for (offset, bytes) in writes {
            file.write_all_at(bytes, *offset).unwrap();
        }
        digest(&path)
    };
    let zeros = [0; 9000];
    let one = digest_of(1 << 20, &[(70_000, b"a")]);
    let mut bytes = vec![0; 1 << 20];
    bytes[70_000] = b'a';
    let mut blocks = Blocks::new(1 << 20);
    blocks.add_all(0, &bytes);
    assert_eq!(one, blocks.sum());
    assert_eq!(one, digest_of(1 << 20, &[(70_000, b"a")]));
    assert_eq!(
        one,
        digest_of(1 << 20, &[(0, &zeros), (70_000, b"a"), (300_001, &zeros)])
    );
    for (len, writes) in [
        (1 << 20, &[(70_001, &b"a"[..])][..]),
        (1 << 20, &[(70_000, b"b")]),
        ((1 << 20) + 1, &[(70_000, b"a")]),
        (1 << 20, &[(70_000, b"a"), ((1 << 20) - 1, b"a")]),
        (1 << 20, &[]),
    ] {
        assert_ne!(one, digest_of(len, writes));
    }
}
