//! Digests of content (OCI image specification, "Digests"): an algorithm and a sum.

use std::fmt;

use sha2::{Digest as _, Sha256, Sha512};

use crate::hexadecimal::hexadecimal;

/// The names of the algorithms, and how many hexadecimal digits their sums have.
const SHA256: (&str, usize) = ("sha256", 64);
const SHA512: (&str, usize) = ("sha512", 128);

/// A digest, well-formed, so that it is safe in a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Digest {
    algorithm: &'static str,
    sum: String,
}

impl Digest {
    /// # Errors
    /// Why it is none that can be verified here.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let shown = text.escape_debug();
        let (name, sum) = text
            .split_once(':')
            .ok_or_else(|| format!("'{shown}' is no digest like sha256:..."))?;
        let known = [SHA256, SHA512].into_iter().find(|(it, _)| *it == name);
        let (algorithm, len) = known.ok_or_else(|| {
            format!("the digest '{shown}' is neither of sha256 nor of sha512, which are known")
        })?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if sum.len() != len || !sum.bytes().all(is_digit) {
            return Err(format!(
                "the digest '{shown}' doesn't have {len} hexadecimal digits in lower case"
            ));
        }
        Ok(Self {
            algorithm,
            sum: sum.to_owned(),
        })
    }

    /// The digest that a file's name says, as `docker save` calls its files: `SUM.json`,
    /// `sha256:SUM`, or below `blobs/sha256/`.
    pub(super) fn of_name(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        let sum = name.split('.').next()?;
        let sum = sum.strip_prefix("sha256:").unwrap_or(sum);
        Self::parse(&format!("{}:{sum}", SHA256.0)).ok()
    }

    /// Where a layout has the blob.
    pub(super) fn path(&self) -> String {
        format!("blobs/{}/{}", self.algorithm, self.sum)
    }

    /// Whether these bytes have it.
    pub(super) fn is_of(&self, bytes: &[u8]) -> bool {
        let mut sum = self.begin();
        sum.update(bytes);
        sum.finish() == *self
    }

    /// Begins a sum by the same algorithm.
    pub(super) fn begin(&self) -> Sum {
        match self.algorithm == SHA512.0 {
            true => Sum::Sha512(Sha512::new()),
            false => Sum::Sha256(Sha256::new()),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.sum)
    }
}

/// A sum in the making.
#[derive(Clone, Debug)]
pub(super) enum Sum {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Sum {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sum) => sum.update(bytes),
            Self::Sha512(sum) => sum.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Digest {
        let (algorithm, sum) = match self {
            Self::Sha256(sum) => (SHA256.0, hexadecimal(sum.finalize())),
            Self::Sha512(sum) => (SHA512.0, hexadecimal(sum.finalize())),
        };
        Digest { algorithm, sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_verified_and_is_safe_in_a_path_is_a_digest() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest = Digest::parse(&format!("sha256:{empty}")).unwrap();
        assert!(digest.is_of(b"") && !digest.is_of(b"x"));
        assert_eq!(digest.path(), format!("blobs/sha256/{empty}"));
        let long = Digest::parse(&format!("sha512:{}", "ab".repeat(64))).unwrap();
        assert!(!long.is_of(b""));
        for text in [
            "",
            empty,
            "sha256:",
            "sha256:../../../etc/passwd",
            "sha512:00",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            &format!("sha256:{}", empty.to_uppercase()),
            &format!("sha256:{empty}0"),
        ] {
            assert!(Digest::parse(text).is_err(), "{text}");
        }
        for name in ["{}.json", "sha256:{}", "blobs/sha256/{}", "{}.tar.gz"] {
            let found = Digest::of_name(&name.replace("{}", empty));
            assert_eq!(found.as_ref(), Some(&digest), "{name}");
        }
        assert_eq!(Digest::of_name("config.json"), None);
    }
}
