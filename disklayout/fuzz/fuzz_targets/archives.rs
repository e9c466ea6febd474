//! Arbitrary bytes as an archive: there is a tree of which every file can be read, or an error.
#![no_main]

use std::io::Write;

use disklayout::Timestamp;
use disklayout::source::{Rules, add_archive};
use disklayout::tree::{Content, FileTree};
use libfuzzer_sys::fuzz_target;

/// How much of a file is read: a small archive may hold large ones.
const LIMIT: u64 = 1 << 20;
/// How many files are read: each one of a compressed archive costs all that is before it.
const FILES: usize = 16;

fuzz_target!(|bytes: &[u8]| {
    for (whiteouts, bytes) in [(false, bytes.to_vec()), (true, repaired(bytes))] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let rules = Rules {
            whiteouts,
            ..Rules::default()
        };
        let mut tree = FileTree::new(Timestamp::default());
        if add_archive(&mut tree, "fuzz", "archive", file, &rules).is_ok() {
            let files = tree.files();
            files.iter().take(FILES).for_each(|(_, content)| read(content));
        }
    }
});

/// The bytes with the right checksum in every header, which chance doesn't find.
fn repaired(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

fn read(content: &Content) {
    let mut reader = content.open().unwrap();
    let mut buffer = [0; 8192];
    let mut left = content.len().min(LIMIT);
    while left > 0 {
        let count = left.min(buffer.len() as u64);
        reader.read_exact(&mut buffer[..count as usize]).unwrap();
        left -= count;
    }
}
