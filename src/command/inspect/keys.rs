//! Files of keys that open containers.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use disklayout::volume::luks::Passphrase;
use zeroize::Zeroizing;

use super::Options;
use super::open::STDIN;

/// As many bytes as cryptsetup takes of a key file.
const LONGEST: usize = 8 << 20;

/// A key, and where it is from.
#[derive(Debug)]
pub(super) struct Key {
    pub path: PathBuf,
    pub passphrase: Passphrase,
}

/// Reads all files of keys; relative ones are in `directory`.
pub(super) fn read(directory: &Path, options: &Options) -> Result<Vec<Key>> {
    let is_stdin = |path: &&PathBuf| path.as_path() == Path::new(STDIN);
    let from_stdin = options.key_files.iter().filter(is_stdin).count();
    let is_taken = options.images.iter().any(|path| is_stdin(&path));
    if from_stdin > 1 || (from_stdin > 0 && is_taken) {
        bail!("standard input is read once: it can't be a key and something else");
    }
    let key = |path: &PathBuf| {
        let passphrase = passphrase(directory, path);
        Ok(Key {
            path: path.clone(),
            passphrase: passphrase
                .with_context(|| format!("can't read the key file '{}'", path.display()))?,
        })
    };
    options.key_files.iter().map(key).collect()
}

/// All bytes of a file.
fn passphrase(directory: &Path, path: &Path) -> Result<Passphrase> {
    match path == Path::new(STDIN) {
        true => all(io::stdin().lock()),
        false => all(File::open(directory.join(path))?),
    }
}

/// All bytes of `source`, of which nothing else is left in memory.
fn all(source: impl Read) -> Result<Passphrase> {
    // A buffer that grew would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    source.take(LONGEST as u64 + 1).read_to_end(&mut bytes)?;
    ensure!(!bytes.is_empty(), "it is empty");
    ensure!(
        bytes.len() <= LONGEST,
        "it has more than the {LONGEST} bytes that a key may have"
    );
    Ok(Passphrase::new(bytes.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_all_bytes_of_their_files() {
        assert_eq!(
            all(&b"a\n\0b\n"[..]).unwrap(),
            Passphrase::new(*b"a\n\0b\n")
        );
        let longest = io::repeat(7).take(LONGEST as u64);
        assert!(all(longest).is_ok());
        for (bytes, why) in [
            (0, "is empty"),
            (LONGEST as u64 + 1, "more than the 8388608"),
        ] {
            let error = all(io::repeat(7).take(bytes)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
