//! Where downloaded files are kept, and how they get there in one step.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use disklayout::tree::Content;
use rustix::fs::{FlockOperation, OFlags};

use super::version::Version;
use crate::engine::digest;

/// How many bytes of an address' file name are kept, for people who look into the cache.
const NAME_KEPT: usize = 100;

/// The cache directory: `CREATEHDDS_CACHE_DIR`, else `createhdds` in `XDG_CACHE_HOME` or `~/.cache`.
/// `None` when none of the three variables is set.
pub(super) fn directory(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    // The XDG specification wants relative values ignored.
    let xdg = || set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let home = || set("HOME").map(|home| home.join(".cache"));
    set("CREATEHDDS_CACHE_DIR").or_else(|| Some(xdg().or_else(home)?.join("createhdds")))
}

/// The place of one address in the cache.
#[derive(Debug)]
pub(super) struct Entry {
    path: PathBuf,
}

impl Entry {
    /// The place of `url`, whose path is `url_path`: the sum of the one and the end of the other.
    pub(super) fn new(cache: &Path, url: &str, url_path: &str) -> Self {
        let name = url_path.rsplit('/').next().unwrap_or_default();
        let kept: String = name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
            .take(NAME_KEPT)
            .collect();
        let path = cache.join(format!("{}-{kept}", digest::of_bytes(url.as_bytes())));
        Self { path }
    }

    /// The cached file; `None` when there is none or when its sum isn't the wanted one.
    pub(super) fn content(&self, sha256: Option<&str>) -> Result<Option<Content>> {
        let shown = self.path.display();
        let len = match std::fs::metadata(&self.path) {
            Ok(metadata) if !metadata.is_file() => bail!("'{shown}' is no file: remove it"),
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("can't look at '{shown}'")),
        };
        let path = self.path.clone();
        let content = Content::host(path, len);
        if let Some(wanted) = sha256 {
            let actual = digest::of_content(&content)?;
            if !actual.eq_ignore_ascii_case(wanted) {
                tracing::info!("'{shown}' has the SHA-256 {actual}, not {wanted}");
                return Ok(None);
            }
        }
        Ok(Some(content))
    }
}

/// The part of a file that has arrived so far, locked against other downloads of it.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    target: PathBuf,
}

impl Part {
    /// Opens the part of `entry`, empty when there is none. Waits while another process has it.
    pub(super) fn lock(entry: &Entry) -> Result<Self> {
        let path = with_suffix(&entry.path, ".part");
        let shown = path.display().to_string();
        let result = loop {
            match Self::try_lock(&path) {
                Ok(Some(file)) => break Ok(file),
                Ok(None) => {}
                Err(error) => break Err(error),
            }
        };
        let file = result.with_context(|| format!("can't open and lock '{shown}'"))?;
        let target = entry.path.clone();
        Ok(Self { file, path, target })
    }

    /// `None` when the file was published or removed before it could be locked.
    fn try_lock(path: &Path) -> io::Result<Option<File>> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)?;
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            tracing::info!("Waiting for another download to '{}'", path.display());
            rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        }
        let (ours, named) = (file.metadata()?, std::fs::symlink_metadata(path));
        let same = named.is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino()));
        Ok(same.then_some(file))
    }

    /// How many bytes have arrived.
    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// The version of what has arrived, as far as the server has told it.
    pub(super) fn version(&self) -> Version {
        let text = std::fs::read_to_string(self.version_path());
        Version::from_text(&text.unwrap_or_default())
    }

    /// Drops what has arrived. What comes now belongs to `version`.
    pub(super) fn restart(&mut self, version: &Version) -> io::Result<()> {
        // In this order, no old data can ever stand beside a new version.
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.remember(version)
    }

    /// Takes note that what has arrived belongs to `version`.
    pub(super) fn remember(&self, version: &Version) -> io::Result<()> {
        match version.validator() {
            Some(_) => std::fs::write(self.version_path(), version.to_text()),
            None => remove(&self.version_path()),
        }
    }

    /// Goes to the end of what has arrived.
    pub(super) fn seek_end(&mut self) -> io::Result<u64> {
        self.file.seek(SeekFrom::End(0))
    }

    /// Adds `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// What has arrived, as content.
    pub(super) fn content(&self) -> io::Result<Content> {
        let path = self.path.clone();
        let len = self.len()?;
        Ok(Content::host(path, len))
    }

    /// Makes the complete part the cached file.
    pub(super) fn publish(self) -> io::Result<()> {
        self.file.sync_data()?;
        std::fs::rename(&self.path, &self.target)?;
        remove(&self.version_path())
    }

    /// Removes the part.
    pub(super) fn remove(self) -> io::Result<()> {
        remove(&self.path)?;
        remove(&self.version_path())
    }

    /// Where it is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn version_path(&self) -> PathBuf {
        with_suffix(&self.path, ".validator")
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes a file that may be gone already.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_comes_from_the_first_usable_variable() {
        type Variables = &'static [(&'static str, &'static str)];
        let table: [(Variables, Option<&str>); 7] = [
            (
                &[
                    ("CREATEHDDS_CACHE_DIR", "c"),
                    ("XDG_CACHE_HOME", "/x"),
                    ("HOME", "/h"),
                ],
                Some("c"),
            ),
            (
                &[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")],
                Some("/x/createhdds"),
            ),
            (
                &[("XDG_CACHE_HOME", "x"), ("HOME", "/h")],
                Some("/h/.cache/createhdds"),
            ),
            (
                &[("CREATEHDDS_CACHE_DIR", ""), ("HOME", "/h")],
                Some("/h/.cache/createhdds"),
            ),
            (&[("HOME", "/h")], Some("/h/.cache/createhdds")),
            (&[("HOME", "")], None),
            (&[], None),
        ];
        for (variables, expected) in table {
            let get = |name: &str| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(directory(get), expected.map(PathBuf::from), "{variables:?}");
        }
    }

    #[test]
    fn names_are_safe_and_tell_addresses_apart() {
        let name = |url, path| Entry::new(Path::new("/c"), url, path).path;
        let plain = name("http://h/a/updates.img", "/a/updates.img");
        assert!(plain.to_str().unwrap().ends_with("-updates.img"));
        assert_ne!(plain, name("http://h/b/updates.img", "/b/updates.img"));
        let long_path = format!("/{}", "x".repeat(300));
        let long = name("http://h/x", &long_path);
        assert!(long.file_name().unwrap().len() + ".part.validator".len() <= 255);
        for path in ["/..", "/", "", "/a b%2f\u{e9}", "/.."] {
            let odd = name("http://h/odd", path);
            assert_eq!(odd.parent(), Some(Path::new("/c")), "{path}");
        }
    }
}
