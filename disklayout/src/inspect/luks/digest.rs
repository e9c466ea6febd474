//! What tells whether a volume key is the right one.

use super::costs;
use crate::volume::luks::Hash;

/// The longest sum: that of SHA-512.
const LEN_MAX: usize = 64;

/// A digest of the volume key by PBKDF2.
#[derive(Clone, Debug)]
pub(super) struct Digest {
    pub(super) hash: Hash,
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) digest: Vec<u8>,
}

impl Digest {
    /// The same, when it doesn't ask for too much.
    ///
    /// # Errors
    /// What is too much, or too little to tell anything.
    pub(super) fn checked(self) -> Result<Self, String> {
        let len = self.digest.len();
        // What is shorter fits too many keys; LUKS1 has 20 bytes.
        if !(20..=LEN_MAX).contains(&len) {
            return Err(format!(
                "a digest of {len} bytes isn't from 20 to {LEN_MAX}"
            ));
        }
        match costs::pbkdf2_fault(self.iterations) {
            Some(fault) => Err(format!("digest: {fault}")),
            None => Ok(self),
        }
    }

    /// Whether it is that of `key`.
    pub(super) fn is_of(&self, key: &[u8]) -> bool {
        let mut digest = vec![0; self.digest.len()];
        self.hash
            .pbkdf2(key, &self.salt, self.iterations, &mut digest);
        digest == self.digest
    }
}
