//! Sums of the data that goes into images, and of images.

use std::fmt::Write;
use std::fs::File;
use std::io;

use anyhow::{Result, bail};
use disklayout::disk::{Disk as _, SparseFile};
use disklayout::tree::Content;
use fast_md5::Md5;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::checksum::Algorithm;

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

/// The sums of all that is in `file`, in lower-case hexadecimal: each on a thread of its own, where there
/// are some. Holes aren't read.
///
/// # Errors
/// When it can't be read.
pub(super) fn of_open_file(file: &File, algorithms: &[Algorithm]) -> io::Result<Vec<String>> {
    let file = SparseFile::open(file.try_clone()?)?;
    let sums = algorithms.par_iter();
    sums.map(|algorithm| of_file(&file, *algorithm)).collect()
}

fn of_file(file: &SparseFile, algorithm: Algorithm) -> io::Result<String> {
    let mut sum = Sum::new(algorithm);
    let (zeroes, mut buf) = (vec![0; CHUNK], vec![0; CHUNK]);
    let count = |bytes: u64| usize::try_from(bytes).map_or(CHUNK, |bytes| bytes.min(CHUNK));
    let (len, mut at) = (file.len(), 0);
    while at < len {
        let data = file.next_data(at).clamp(at, len);
        while at < data {
            let count = count(data - at);
            sum.update(&zeroes[..count]);
            at += count as u64;
        }
        let hole = file.next_hole(at).max(at + 1).min(len);
        while at < hole {
            let count = count(hole - at);
            file.read_at(&mut buf[..count], at)?;
            sum.update(&buf[..count]);
            at += count as u64;
        }
    }
    Ok(sum.finish())
}

/// A sum of what has been read so far.
enum Sum {
    Sha256(Sha256),
    Md5(Md5),
}

impl Sum {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Md5 => Self::Md5(Md5::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sum) => sum.update(bytes),
            Self::Md5(sum) => sum.update(bytes),
        }
    }

    /// The sum in lower-case hexadecimal.
    fn finish(self) -> String {
        match self {
            Self::Sha256(sum) => hexadecimal(&sum.finalize()),
            Self::Md5(sum) => hexadecimal(&sum.finalize()),
        }
    }
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
    use std::os::unix::fs::FileExt;
    use std::process::Command;

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
    fn an_open_file_is_summed_up_from_its_start() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"abc").unwrap();
        let sums = of_open_file(&file, &[Algorithm::Md5, Algorithm::Sha256]).unwrap();
        // `printf abc | md5sum`
        assert_eq!(sums, ["900150983cd24fb0d6963f7d28e17f72", ABC]);
    }

    #[test]
    fn sums_are_those_of_coreutils_wherever_a_block_ends() {
        let directory = tempfile::tempdir().unwrap();
        let lens = (0..=130).chain([CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 63]);
        let files: Vec<_> = lens
            .map(|len| {
                let path = directory.path().join(len.to_string());
                let bytes: Vec<_> = (0..len).map(|at| (at * at / 7) as u8).collect();
                std::fs::write(&path, bytes).unwrap();
                path
            })
            .collect();
        for (program, algorithm) in [("md5sum", Algorithm::Md5), ("sha256sum", Algorithm::Sha256)] {
            let output = Command::new(program).args(&files).output().unwrap();
            assert!(output.status.success());
            let output = String::from_utf8(output.stdout).unwrap();
            let expected: Vec<_> = output.lines().collect();
            assert_eq!(expected.len(), files.len());
            for (path, expected) in files.iter().zip(expected) {
                let file = File::open(path).unwrap();
                let sum = &of_open_file(&file, &[algorithm]).unwrap()[0];
                assert_eq!(format!("{sum}  {}", path.display()), expected);
            }
        }
    }

    #[test]
    fn holes_count_as_the_zeroes_that_they_are() {
        for (len, pieces) in [
            (0, &[][..]),
            (1, &[]),
            (3 << 20, &[]),
            (3 << 20, &[0]),
            (3 << 20, &[1 << 20]),
            ((3 << 20) - 5, &[5, 2 << 20, (3 << 20) - 9]),
        ] {
            let file = tempfile::tempfile().unwrap();
            let mut bytes = vec![0; len as usize];
            file.set_len(len).unwrap();
            for piece in pieces {
                file.write_all_at(b"abcd", *piece).unwrap();
                bytes[*piece as usize..][..4].copy_from_slice(b"abcd");
            }
            let sums = of_open_file(&file, &[Algorithm::Sha256]).unwrap();
            assert_eq!(sums, [of_bytes(&bytes)], "{len} {pieces:?}");
        }
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
