//! How keys are made of passphrases.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version as Argon2Version};
use zeroize::Zeroizing;

use super::hash::Hash;
use super::passphrase::Passphrase;

/// How a passphrase becomes the key of a key slot, and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kdf {
    /// Argon2id (RFC 9106), for LUKS2.
    Argon2id(Argon2Cost),
    /// Argon2i (RFC 9106), for LUKS2.
    Argon2i(Argon2Cost),
    /// PBKDF2 with HMAC (RFC 8018), for both versions; the only one that GRUB 2.06 knows.
    Pbkdf2 {
        /// The hash of HMAC.
        hash: Hash,
        /// How often it is repeated: 1000 times at least.
        iterations: u32,
    },
}

/// What Argon2 costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory in KiB: 32 to 4194304, and 8 for each lane at least.
    pub memory_kib: u32,
    /// Passes over the memory: 4 at least.
    pub iterations: u32,
    /// Threads that can work at once, from 1 to 4. The result depends on it.
    pub lanes: u32,
}

/// The most memory, in KiB, as cryptsetup has it: 4 GiB.
pub(crate) const MEMORY_MAX: u32 = 4 << 20;
const MEMORY_MIN: u32 = 32;
/// The fewest passes that cryptsetup makes a key slot with.
const PASSES_MIN: u32 = 4;
const LANES_MAX: u32 = 4;
/// The fewest iterations of PBKDF2, for keys that are random as well.
pub(crate) const PBKDF2_MIN: u32 = 1000;

impl Default for Argon2Cost {
    /// 64 MiB, four passes, four lanes: small virtual machines can do it too.
    fn default() -> Self {
        Self {
            memory_kib: 64 << 10,
            iterations: 4,
            lanes: 4,
        }
    }
}

impl Default for Kdf {
    /// Argon2id.
    fn default() -> Self {
        Self::Argon2id(Argon2Cost::default())
    }
}

impl Kdf {
    /// PBKDF2 with SHA-256 and 600,000 iterations.
    pub const PBKDF2: Self = Self::Pbkdf2 {
        hash: Hash::Sha256,
        iterations: 600_000,
    };

    /// What is wrong with a description.
    pub(super) fn fault(&self) -> Option<String> {
        match *self {
            Self::Pbkdf2 { iterations, .. } if iterations < PBKDF2_MIN => Some(format!(
                "{iterations} iterations of PBKDF2 are too few; give {PBKDF2_MIN} at least"
            )),
            Self::Pbkdf2 { .. } => None,
            Self::Argon2id(cost) | Self::Argon2i(cost) => cost.fault(),
        }
    }

    /// Whether it takes memory that isn't there for everybody at once.
    pub(super) const fn takes_memory(&self) -> bool {
        !matches!(self, Self::Pbkdf2 { .. })
    }

    /// The key of `len` bytes that `passphrase` leads to.
    ///
    /// # Errors
    /// Why there is none: costs that make no sense, or too little memory.
    pub(crate) fn derive(
        &self,
        passphrase: &Passphrase,
        salt: &[u8],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut key = Zeroizing::new(vec![0; len]);
        let (algorithm, cost) = match *self {
            Self::Pbkdf2 { hash, iterations } => {
                hash.pbkdf2(passphrase.bytes(), salt, iterations, &mut key);
                return Ok(key);
            }
            Self::Argon2id(cost) => (Algorithm::Argon2id, cost),
            Self::Argon2i(cost) => (Algorithm::Argon2i, cost),
        };
        let params = Params::new(cost.memory_kib, cost.iterations, cost.lanes, Some(len));
        let params = params.map_err(|error| format!("{self}: {error}"))?;
        let mut memory = memory(params.block_count()).ok_or_else(|| {
            let memory = cost.memory_kib;
            format!("there is no memory for {memory} KiB that {self} asks for")
        })?;
        let argon2 = Argon2::new(algorithm, Argon2Version::V0x13, params);
        argon2
            .hash_password_into_with_memory(
                passphrase.bytes(),
                salt,
                &mut key,
                memory.as_mut_slice(),
            )
            .map_err(|error| format!("{self}: {error}"))?;
        Ok(key)
    }
}

impl Argon2Cost {
    fn fault(&self) -> Option<String> {
        let Self {
            memory_kib,
            iterations,
            lanes,
        } = *self;
        if !(1..=LANES_MAX).contains(&lanes) {
            return Some(format!(
                "{lanes} lanes of Argon2 are not from 1 to {LANES_MAX}"
            ));
        }
        let least = MEMORY_MIN.max(8 * lanes);
        if !(least..=MEMORY_MAX).contains(&memory_kib) {
            return Some(format!(
                "{memory_kib} KiB of memory for Argon2 are not from {least} to {MEMORY_MAX} KiB"
            ));
        }
        (iterations < PASSES_MIN).then(|| {
            format!("{iterations} iterations of Argon2 are too few; give {PASSES_MIN} at least")
        })
    }
}

/// Memory that is wiped when it isn't needed any more.
fn memory(blocks: usize) -> Option<Zeroizing<Vec<Block>>> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(blocks).ok()?;
    memory.resize(blocks, Block::default());
    Some(Zeroizing::new(memory))
}

impl fmt::Display for Kdf {
    /// As `argon2id (65536 KiB, 4 iterations, 4 lanes)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, cost) = match self {
            Self::Pbkdf2 { hash, iterations } => {
                return write!(f, "pbkdf2-{hash} ({iterations} iterations)");
            }
            Self::Argon2id(cost) => ("argon2id", cost),
            Self::Argon2i(cost) => ("argon2i", cost),
        };
        let Argon2Cost {
            memory_kib,
            iterations,
            lanes,
        } = cost;
        write!(
            f,
            "{name} ({memory_kib} KiB, {iterations} iterations, {lanes} lanes)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argon2(memory_kib: u32, iterations: u32, lanes: u32) -> Kdf {
        Kdf::Argon2id(Argon2Cost {
            memory_kib,
            iterations,
            lanes,
        })
    }

    #[test]
    fn costs_are_those_that_cryptsetup_takes() {
        let pbkdf2 = |iterations| Kdf::Pbkdf2 {
            hash: Hash::Sha256,
            iterations,
        };
        for kdf in [
            Kdf::default(),
            Kdf::PBKDF2,
            pbkdf2(1000),
            argon2(32, 4, 1),
            argon2(32, u32::MAX, 4),
            argon2(MEMORY_MAX, 4, 4),
        ] {
            assert_eq!(kdf.fault(), None, "{kdf}");
        }
        for (kdf, wrong) in [
            (pbkdf2(999), "999 iterations of PBKDF2"),
            (argon2(31, 4, 1), "31 KiB"),
            (argon2(MEMORY_MAX + 1, 4, 1), "4194305 KiB"),
            (argon2(64, 3, 1), "3 iterations of Argon2"),
            (argon2(64, 4, 0), "0 lanes"),
            (argon2(64, 4, 5), "5 lanes"),
        ] {
            let fault = kdf.fault().unwrap();
            assert!(fault.contains(wrong), "{fault}");
        }
    }

    /// By ARGON2ID of OpenSSL 3.5.
    #[test]
    fn argon2_is_that_of_others() {
        let key = argon2(64, 4, 2)
            .derive(&Passphrase::new("password"), b"somesalt", 32)
            .unwrap();
        assert_eq!(key[..4], EXPECTED);
        let said = argon2(8, 1, 4).derive(&Passphrase::new(""), b"somesalt", 32);
        assert!(said.unwrap_err().contains("argon2id (8 KiB"));
    }

    const EXPECTED: [u8; 4] = [0x70, 0xAE, 0x46, 0x4C];
}
