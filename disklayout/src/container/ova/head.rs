//! What is in front of the disk: the descriptor, the manifest, and the disk's own header.

use sha2::{Digest, Sha256};

use super::descriptor::descriptor;
use super::member::{BLOCK, header};
use super::options::Chosen;
use crate::hexadecimal::hexadecimal;
use crate::identity::Timestamp;

/// The digits of a SHA-256.
const DIGITS: usize = 64;

/// What is in front of a disk, as long whatever that becomes.
#[derive(Debug)]
pub(super) struct Head {
    chosen: Chosen,
    /// Bytes of the disk.
    size: u64,
    time: u64,
    /// Bytes of the descriptor.
    descriptor: usize,
}

impl Head {
    /// That of a disk of `size` bytes.
    pub(super) fn new(chosen: Chosen, size: u64, time: Timestamp) -> Self {
        // No number of bytes has more digits.
        let longest = descriptor(&chosen, size, u64::MAX).len();
        Self {
            chosen,
            size,
            time: time.seconds.max(0).unsigned_abs(),
            descriptor: longest,
        }
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> u64 {
        let manifest = self.manifest("", "").len() + 2 * DIGITS;
        let files = [self.descriptor, manifest];
        let members = files.map(|len| BLOCK + (len as u64).next_multiple_of(BLOCK));
        members.into_iter().sum::<u64>() + BLOCK
    }

    /// The head of a disk that takes `len` bytes in the archive and has the SHA-256 `sum`.
    pub(super) fn bytes(&self, len: u64, sum: &str) -> Vec<u8> {
        let mut text = descriptor(&self.chosen, self.size, len).into_bytes();
        // What is behind the root element may be white.
        text.resize(self.descriptor, b'\n');
        let own = hexadecimal(Sha256::digest(&text));
        let manifest = self.manifest(&own, sum).into_bytes();
        let mut bytes = Vec::new();
        self.add(&mut bytes, &self.chosen.file("ovf"), &text);
        self.add(&mut bytes, &self.chosen.file("mf"), &manifest);
        bytes.extend_from_slice(&header(&self.chosen.disk_file(), len, self.time));
        bytes
    }

    fn add(&self, bytes: &mut Vec<u8>, name: &str, content: &[u8]) {
        bytes.extend_from_slice(&header(name, content.len() as u64, self.time));
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK as usize), 0);
    }

    fn manifest(&self, descriptor: &str, disk: &str) -> String {
        let (ovf, vmdk) = (self.chosen.file("ovf"), self.chosen.disk_file());
        format!("SHA256({ovf})= {descriptor}\nSHA256({vmdk})= {disk}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Options;

    #[test]
    fn it_is_as_long_whatever_the_disk_becomes() {
        let chosen = Chosen::of(&"t".into(), &Options::default()).unwrap();
        let head = Head::new(chosen, 5 << 30, Timestamp::default());
        for len in [0, 1 << 20, u64::MAX] {
            let bytes = head.bytes(len, &"f".repeat(DIGITS));
            assert_eq!(bytes.len() as u64, head.len());
        }
    }
}
