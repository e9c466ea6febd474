//! Passphrases and secrets of containers that are encrypted.

use std::io::Read;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use disklayout::layout::spec::{Container, Disk};
use disklayout::tree::Content;
use disklayout::volume::luks::{self, Passphrase, Secrets};
use rustix::rand::{GetRandomFlags, getrandom};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::contents::Find;
use crate::image::{Key, KeySource, Keys};

/// More bytes than cryptsetup takes of a key file.
const LONGEST: u64 = 8 << 20;

/// Gives the containers of `disk` their keys.
///
/// # Errors
/// When a passphrase can't be read, is empty, or too long.
pub(super) fn give(disk: &mut Disk, all: &[Keys], find: &dyn Find) -> Result<()> {
    for (container, keys) in disk.encrypted_mut().zip(all) {
        for key in &keys.keys {
            let passphrase = passphrase(key, find).with_context(|| key.place.to_string())?;
            let kdf = key.kdf;
            container.luks.keys.push(luks::Key { passphrase, kdf });
        }
        container.luks.secrets = secrets(keys, &container)?;
    }
    Ok(())
}

/// What the container's own key derives from.
fn secrets(keys: &Keys, container: &Container<'_>) -> Result<Secrets> {
    let mut bytes = Zeroizing::new([0; 32]);
    match &keys.seed {
        Some(seed) => {
            let sum = Sha256::new_with_prefix(b"createhdds LUKS seed\0");
            let Container { within, depth, .. } = container;
            let sum = sum.chain_update(format!("{within}\0{depth}\0"));
            bytes.copy_from_slice(&sum.chain_update(seed).finalize());
        }
        None => {
            let got = getrandom(&mut *bytes, GetRandomFlags::empty());
            let got = got.context("the system gives no random bytes for keys")?;
            ensure!(got == bytes.len(), "the system gives too few random bytes");
        }
    }
    Ok(Secrets::new(*bytes))
}

/// Reads what is in files of the host and what commands say, before anything changes that.
///
/// # Errors
/// When a passphrase can't be read, is empty, or too long.
pub fn read_ahead(keys: &mut Keys) -> Result<()> {
    let none = |name: &str| bail!("there is no '{name}'");
    for key in &mut keys.keys {
        if !matches!(key.source, KeySource::Data(_)) {
            key.source = KeySource::Text(passphrase(key, &none)?);
        }
    }
    Ok(())
}

fn passphrase(key: &Key, find: &dyn Find) -> Result<Passphrase> {
    let bytes = match &key.source {
        KeySource::Text(passphrase) => return Ok(passphrase.clone()),
        KeySource::Data(name) => of_content(&find.file(name)?),
        KeySource::File(path) => {
            let file = std::fs::File::open(path);
            let shown = path.display();
            let file = file.with_context(|| format!("can't read the key file '{shown}'"))?;
            of_file(file).with_context(|| format!("the key file '{shown}'"))
        }
        KeySource::Command(command) => of_command(command),
    }?;
    ensure!(!bytes.is_empty(), "the key is empty");
    Ok(Passphrase::new(bytes.to_vec()))
}

fn of_content(content: &Content) -> Result<Zeroizing<Vec<u8>>> {
    check_length(content.len())?;
    let mut bytes = Zeroizing::new(vec![0; content.len() as usize]);
    content.open()?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn of_file(file: std::fs::File) -> Result<Zeroizing<Vec<u8>>> {
    let bytes = read(file)?;
    check_length(bytes.len() as u64)?;
    Ok(bytes)
}

/// All that comes from `source`, or a byte more than a key has. What is read isn't moved: a buffer that
/// grows would leave copies behind that nobody wipes.
fn read(source: impl Read) -> Result<Zeroizing<Vec<u8>>> {
    let most = LONGEST + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most as usize + 1));
    source.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check_length(len: u64) -> Result<()> {
    ensure!(
        len <= LONGEST,
        "it has {len} bytes or more, and a key has {LONGEST} at most"
    );
    Ok(())
}

/// The first line that a command says.
fn of_command(command: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut shell = Command::new("sh");
    shell
        .args(["-ec", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = shell.spawn().context("can't run the key command")?;
    let said = child
        .stdout
        .take()
        .context("the key command has no output")?;
    let read = read(said);
    let status = child.wait().context("the key command")?;
    let mut bytes = read.context("what the key command says")?;
    // It may have been ended for it.
    check_length(bytes.len() as u64)?;
    if !status.success() {
        bail!("the key command failed: {status}");
    }
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let len = line.strip_suffix(b"\r").unwrap_or(line).len();
    bytes.truncate(len);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use disklayout::volume::luks::Kdf;

    use super::*;

    fn found(source: KeySource) -> Result<Passphrase, String> {
        let key = Key {
            place: "key".into(),
            source,
            kdf: Kdf::default(),
        };
        let mut keys = Keys {
            place: "container".into(),
            keys: vec![key],
            seed: None,
        };
        read_ahead(&mut keys).map_err(|error| format!("{error:#}"))?;
        match keys.keys.remove(0).source {
            KeySource::Text(found) => Ok(found),
            other => Err(format!("{other:?}")),
        }
    }

    fn said(script: &str) -> Result<Passphrase, String> {
        found(KeySource::Command(script.to_owned()))
    }

    #[test]
    fn a_command_gives_its_first_line() {
        for script in [
            "echo secret; echo more",
            "printf secret",
            "printf 'secret\\r\\nmore'",
        ] {
            assert_eq!(said(script), Ok(Passphrase::new("secret")), "{script}");
        }
        assert_eq!(said("printf ' a \\n'"), Ok(Passphrase::new(" a ")));
    }

    #[test]
    fn a_command_that_fails_or_says_nothing_gives_none_and_tells_none() {
        for (script, part) in [
            ("echo secret; exit 7", "failed: exit status: 7"),
            ("false; echo secret", "failed: exit status: 1"),
            ("true", "the key is empty"),
            ("echo; echo secret", "the key is empty"),
            ("head -c 9000000 /dev/zero", "a key has 8388608 at most"),
        ] {
            let error = said(script).unwrap_err();
            assert!(
                error.contains(part) && !error.contains("secret"),
                "{script}: {error}"
            );
        }
    }

    #[test]
    fn a_file_is_a_key_with_all_that_is_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let read = || found(KeySource::File(path.clone()));
        assert!(read().unwrap_err().contains("can't read the key file"));
        std::fs::write(&path, "").unwrap();
        assert!(read().unwrap_err().contains("the key is empty"));
        std::fs::write(&path, "a\nb\0\n").unwrap();
        assert_eq!(read(), Ok(Passphrase::new("a\nb\0\n")));
        std::fs::write(&path, vec![1; (LONGEST + 1) as usize]).unwrap();
        assert!(read().unwrap_err().contains("a key has 8388608 at most"));
    }

    #[test]
    fn what_comes_from_uploads_is_left_to_them() {
        let error = found(KeySource::Data("key".to_owned())).unwrap_err();
        assert_eq!(error, "Data(\"key\")");
    }

    #[test]
    fn nothing_that_could_tell_a_key_is_shown() {
        for source in [
            KeySource::Text(Passphrase::new("secret")),
            KeySource::Command("echo secret".to_owned()),
        ] {
            let shown = format!("{source:?}");
            assert!(!shown.contains("secret"), "{shown}");
        }
    }
}
