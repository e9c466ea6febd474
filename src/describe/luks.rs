//! What is usual of containers of LUKS, whatever describes them.

use disklayout::Bytes;
use disklayout::volume::luks::{Argon2Cost, Hash, Kdf, Version};

/// What it costs to try a key, so far as that is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Costs<'a> {
    /// The name of the function.
    pub word: Option<&'a str>,
    /// How often it is repeated.
    pub iterations: Option<u32>,
    /// The memory that it takes.
    pub memory: Option<Bytes>,
    /// How many threads it is made for.
    pub lanes: Option<u32>,
    /// The hash that is repeated.
    pub hash: Option<&'a str>,
}

impl Costs<'_> {
    /// The function with these costs, and with the usual ones of `version` where none are given.
    ///
    /// # Errors
    /// For an unknown name, a cost that the function doesn't have, and memory that isn't whole KiB.
    pub fn of(self, version: Version) -> Result<Kdf, String> {
        let usual = match version {
            Version::Luks1 => "pbkdf2",
            Version::Luks2 => "argon2id",
        };
        match self.word.unwrap_or(usual) {
            "argon2id" => self.argon2().map(Kdf::Argon2id),
            "argon2i" => self.argon2().map(Kdf::Argon2i),
            "pbkdf2" => self.pbkdf2(),
            other => Err(format!(
                "'{other}' makes no key of a passphrase; known are argon2id, argon2i and pbkdf2"
            )),
        }
    }

    fn argon2(self) -> Result<Argon2Cost, String> {
        if self.hash.is_some() {
            return Err("Argon2 has a hash of its own; only pbkdf2 has a choice".to_owned());
        }
        let usual = Argon2Cost::default();
        let memory_kib = match self.memory {
            Some(memory) => kib(memory)?,
            None => usual.memory_kib,
        };
        Ok(Argon2Cost {
            memory_kib,
            iterations: self.iterations.unwrap_or(usual.iterations),
            lanes: self.lanes.unwrap_or(usual.lanes),
        })
    }

    fn pbkdf2(self) -> Result<Kdf, String> {
        if self.memory.is_some() || self.lanes.is_some() {
            return Err("pbkdf2 takes no memory and has no lanes; argon2id has".to_owned());
        }
        let Kdf::Pbkdf2 { hash, iterations } = Kdf::PBKDF2 else {
            return Ok(Kdf::PBKDF2);
        };
        Ok(Kdf::Pbkdf2 {
            hash: match self.hash {
                None => hash,
                Some(word) => named(word).ok_or_else(|| {
                    format!("'{word}' is no hash of pbkdf2; known are sha1, sha256 and sha512")
                })?,
            },
            iterations: self.iterations.unwrap_or(iterations),
        })
    }
}

fn named(word: &str) -> Option<Hash> {
    Hash::ALL.into_iter().find(|hash| hash.name() == word)
}

/// How many KiB these are.
fn kib(memory: Bytes) -> Result<u32, String> {
    let kib = memory.get() / Bytes::KIB;
    let whole = memory.get().is_multiple_of(Bytes::KIB);
    let kib = u32::try_from(kib).ok().filter(|_| whole);
    kib.ok_or_else(|| format!("{memory} aren't whole KiB that Argon2 could take"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_is_usual() {
        let none = Costs::default();
        assert_eq!(none.of(Version::Luks2), Ok(Kdf::default()));
        assert_eq!(none.of(Version::Luks1), Ok(Kdf::PBKDF2));
        let memory = Some(Bytes::new(1 << 20));
        let small = Argon2Cost {
            memory_kib: 1024,
            ..Argon2Cost::default()
        };
        let costs = Costs { memory, ..none };
        assert_eq!(costs.of(Version::Luks2), Ok(Kdf::Argon2id(small)));
    }

    #[test]
    fn costs_of_other_functions_are_refused() {
        let none = Costs::default();
        let word = |word| Costs {
            word: Some(word),
            ..none
        };
        let memory = |bytes| Some(Bytes::new(bytes));
        for (costs, part) in [
            (word("scrypt"), "argon2id, argon2i and pbkdf2"),
            (
                Costs {
                    memory: memory(1 << 20),
                    ..word("pbkdf2")
                },
                "no memory",
            ),
            (
                Costs {
                    hash: Some("sha1"),
                    ..none
                },
                "hash of its own",
            ),
            (
                Costs {
                    hash: Some("md5"),
                    ..word("pbkdf2")
                },
                "sha1, sha256 and sha512",
            ),
            (
                Costs {
                    memory: memory(1500),
                    ..none
                },
                "whole KiB",
            ),
        ] {
            let error = costs.of(Version::Luks2).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
