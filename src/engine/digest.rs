//! SHA-256 sums of the data that goes into images.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use disklayout::tree::Content;
use sha2::{Digest, Sha256};

/// How much is read at once.
const CHUNK: usize = 1 << 17;

/// The sum of `bytes` in lower-case hexadecimal.
pub(super) fn of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The sum of all of `content` in lower-case hexadecimal.
///
/// # Errors
/// When the data can't be read.
pub(super) fn of_content(content: &Content) -> Result<String> {
    let mut reader = content.open()?;
    let mut sum = Sha256::new();
    let mut buf = vec![0; CHUNK];
    let mut left = content.len();
    while left > 0 {
        let count = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        reader.read_exact(&mut buf[..count])?;
        sum.update(&buf[..count]);
        left -= count as u64;
    }
    Ok(hexadecimal(&sum.finalize()))
}

/// The sum of the file at `path` in lower-case hexadecimal.
///
/// # Errors
/// When it can't be read.
pub(super) fn of_file(path: &Path) -> Result<String> {
    let length = path
        .metadata()
        .with_context(|| format!("can't read '{}'", path.display()))?
        .len();
    of_content(&Content::host(path, length))
}

/// Refuses `content`, called `name`, when its sum isn't the `expected` one.
///
/// # Errors
/// When it isn't, or when the data can't be read.
pub(super) fn check(name: &str, content: &Content, expected: &str) -> Result<()> {
    let actual = of_content(content)?;
    if !actual.eq_ignore_ascii_case(expected) {
        bail!("the SHA-256 of '{name}' is {actual}, not {expected} as the configuration says");
    }
    Ok(())
}

/// `bytes` in lower-case hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf abc | sha256sum`
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn sums_are_those_of_sha256sum() {
        assert_eq!(of_bytes(b"abc"), ABC);
        assert_eq!(of_content(&Content::inline(b"abc")).unwrap(), ABC);
        let long = vec![7; 2 * CHUNK + 1];
        assert_eq!(
            of_content(&Content::inline(&long)).unwrap(),
            of_bytes(&long)
        );
    }

    #[test]
    fn a_mismatch_names_the_file_and_both_sums() {
        let content = Content::inline(b"abc");
        check("f", &content, ABC).unwrap();
        check("f", &content, &ABC.to_uppercase()).unwrap();
        let wrong = "0".repeat(64);
        let message = check("f", &content, &wrong).unwrap_err().to_string();
        for part in ["'f'", ABC, &wrong] {
            assert!(message.contains(part), "{message}");
        }
    }
}
