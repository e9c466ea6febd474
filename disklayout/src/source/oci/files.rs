//! The files of an image, wherever they are: in a directory, or in an archive.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::OFlags;
use serde::de::DeserializeOwned;

use super::digest::Digest;
use super::document::Descriptor;
use crate::error::{Error, ErrorKind, Result};
use crate::source::archive::Outlined;
use crate::tree::Section;

/// The longest document in bytes. Registries take 4 MiB.
const DOCUMENT_MAX: u64 = 32 << 20;
/// How many links lead from one name in an archive to a file at most.
const LINKS_MAX: usize = 16;

/// The files of an image.
#[derive(Debug)]
pub(super) struct Files {
    place: String,
    name: String,
    holder: Holder,
}

#[derive(Debug)]
pub(super) enum Holder {
    Directory(PathBuf),
    Archive(Section, BTreeMap<String, Outlined>),
}

impl Files {
    pub(super) fn new(place: &str, name: &str, holder: Holder) -> Self {
        Self {
            place: place.to_owned(),
            name: name.to_owned(),
            holder,
        }
    }

    /// Where the image is in the description.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// What the image is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The bytes of the file at a path; none when there is no such file.
    pub(super) fn find(&self, path: &str) -> Result<Option<Section>> {
        let Some(path) = resolve("", path).filter(|_| !leads_upwards(path)) else {
            let shown = path.escape_debug();
            let message = format!("'{shown}' leads out of the image, whose files lie within it");
            return Err(self.invalid(message));
        };
        match &self.holder {
            Holder::Directory(directory) => self.open(&directory.join(&path), &path),
            Holder::Archive(section, members) => self.member(section, members, path),
        }
    }

    fn open(&self, at: &std::path::Path, path: &str) -> Result<Option<Section>> {
        // What isn't a file may never answer.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = flags.bits().cast_signed();
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(at);
        let file = match opened {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(self.failed(&format!("open '{path}'"), error)),
        };
        let metadata = file.metadata();
        let metadata =
            metadata.map_err(|error| self.failed(&format!("look at '{path}'"), error))?;
        match metadata.is_file() {
            true => Ok(Some(Section::whole(file).part(0, metadata.len()))),
            false => Err(self.invalid(format!("'{path}' is no file"))),
        }
    }

    fn member(
        &self,
        section: &Section,
        members: &BTreeMap<String, Outlined>,
        mut path: String,
    ) -> Result<Option<Section>> {
        for _ in 0..LINKS_MAX {
            let next = match members.get(&path) {
                None => return Ok(None),
                Some(Outlined::File { offset, len }) => {
                    return Ok(Some(section.part(*offset, *len)));
                }
                Some(Outlined::Symlink(target)) => {
                    let directory = path.rsplit_once('/').map_or("", |(it, _)| it);
                    str::from_utf8(target)
                        .ok()
                        .and_then(|it| resolve(directory, it))
                }
                Some(Outlined::Link(target)) => {
                    str::from_utf8(target).ok().and_then(|it| resolve("", it))
                }
                Some(Outlined::Sparse) => {
                    let message = format!(
                        "'{path}' is a sparse file in the archive, of which only \
                                           pieces are there; pack it without --sparse"
                    );
                    return Err(Error::unsupported(&*self.place, self.subject(&message)));
                }
                Some(Outlined::Directory | Outlined::Other) => {
                    return Err(self.invalid(format!("'{path}' is no file")));
                }
            };
            let Some(next) = next else {
                return Err(self.invalid(format!("'{path}' is a link out of the archive")));
            };
            path = next;
        }
        Err(self.invalid(format!("'{path}' is behind too many links")))
    }

    /// The blob with a digest, of which `what` tells the part in the image.
    pub(super) fn blob(&self, what: &str, digest: &Digest) -> Result<Section> {
        self.find(&digest.path())?.ok_or_else(|| {
            self.corrupt(format!(
                "the {what} {digest} is missing: there is no '{}'",
                digest.path()
            ))
        })
    }

    /// The document that a descriptor means, which it describes truly.
    pub(super) fn described<T: DeserializeOwned>(
        &self,
        what: &str,
        descriptor: &Descriptor,
    ) -> Result<(Digest, T)> {
        let digest = self.digest(what, &descriptor.digest)?;
        let section = self.blob(what, &digest)?;
        let bytes = self.bytes(&digest.path(), &section)?;
        self.check_size(what, &digest, descriptor.size, bytes.len() as u64)?;
        self.check_digest(what, &digest, &bytes)?;
        let document = self.parse(&format!("the {what} {digest}"), &bytes)?;
        Ok((digest, document))
    }

    /// # Errors
    /// `Corrupt` when `bytes` have another digest.
    pub(super) fn check_digest(&self, what: &str, digest: &Digest, bytes: &[u8]) -> Result<()> {
        match digest.is_of(bytes) {
            true => Ok(()),
            false => Err(self.corrupt(format!(
                "the {what} {digest} is damaged: its bytes have another digest"
            ))),
        }
    }

    /// # Errors
    /// `Corrupt` when a blob hasn't the size that its descriptor says.
    pub(super) fn check_size(&self, what: &str, of: &Digest, said: u64, is: u64) -> Result<()> {
        match said == is {
            true => Ok(()),
            false => Err(self.corrupt(format!(
                "the {what} {of} is damaged: it has {is} bytes, not the {said} of its descriptor"
            ))),
        }
    }

    /// The document at a path; none when there is no such file.
    pub(super) fn document<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let Some(section) = self.find(path)? else {
            return Ok(None);
        };
        let bytes = self.bytes(path, &section)?;
        self.parse(&format!("'{path}'"), &bytes).map(Some)
    }

    /// All bytes of a document.
    pub(super) fn bytes(&self, path: &str, section: &Section) -> Result<Vec<u8>> {
        let failed = |error| self.failed(&format!("read '{path}'"), error);
        let len = section.len().map_err(failed)?;
        if len > DOCUMENT_MAX {
            let message =
                format!("'{path}' has {len} bytes; a document has {DOCUMENT_MAX} at most");
            return Err(self.invalid(message));
        }
        let mut bytes = vec![0; len as usize];
        let mut done = 0;
        while done < bytes.len() {
            match section.read_at(&mut bytes[done..], done as u64) {
                Ok(0) => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(bytes)
    }

    pub(super) fn parse<T: DeserializeOwned>(&self, what: &str, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes)
            .map_err(|error| self.corrupt(format!("{what} isn't what it should be: {error}")))
    }

    pub(super) fn digest(&self, what: &str, text: &str) -> Result<Digest> {
        Digest::parse(text).map_err(|why| self.invalid(format!("the {what}: {why}")))
    }

    fn subject(&self, message: &str) -> String {
        format!("image '{}': {message}", self.name)
    }

    pub(super) fn corrupt(&self, message: impl AsRef<str>) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            &*self.place,
            self.subject(message.as_ref()),
        )
    }

    pub(super) fn invalid(&self, message: impl AsRef<str>) -> Error {
        Error::invalid(&*self.place, self.subject(message.as_ref()))
    }

    pub(super) fn unsupported(&self, message: impl AsRef<str>) -> Error {
        Error::unsupported(&*self.place, self.subject(message.as_ref()))
    }

    pub(super) fn failed(&self, action: &str, error: io::Error) -> Error {
        Error::io(
            &*self.place,
            self.subject(&format!("can't {action}")),
            error,
        )
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn leads_upwards(path: &str) -> bool {
    path.split('/').any(|name| name == "..")
}

/// Where a relative path leads from a directory, as a path from the top; none where it leads out.
pub(super) fn resolve(directory: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut names: Vec<_> = directory
        .split('/')
        .filter(|name| !name.is_empty())
        .collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            _ => names.push(name),
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_within_the_archive() {
        let symlink = |target: &str| Outlined::Symlink(target.into());
        let members = [
            ("a/layer.tar", Outlined::File { offset: 1, len: 2 }),
            ("b/layer.tar", symlink("../a/layer.tar")),
            ("c/layer.tar", Outlined::Link(b"./b/layer.tar".into())),
            ("out", symlink("../x")),
            ("root", symlink("/a/layer.tar")),
            ("loop", symlink("loop")),
            ("a", Outlined::Directory),
            ("sparse", Outlined::Sparse),
        ];
        let members = members.map(|(path, it)| (path.to_owned(), it)).into();
        let section = Section::whole(tempfile::tempfile().unwrap());
        let files = Files::new("p", "i.tar", Holder::Archive(section, members));
        for path in ["a/layer.tar", "./b//layer.tar", "c/layer.tar"] {
            assert_eq!(files.find(path).unwrap().unwrap().start(), 1, "{path}");
        }
        assert!(files.find("none").unwrap().is_none());
        for (path, why) in [
            ("out", "a link out of the archive"),
            ("root", "a link out of the archive"),
            ("loop", "too many links"),
            ("a", "is no file"),
            ("sparse", "pack it without --sparse"),
            ("/a/layer.tar", "leads out of the image"),
            ("b/../a/layer.tar", "leads out of the image"),
        ] {
            let error = files.find(path).unwrap_err();
            assert!(error.message().starts_with("image 'i.tar': "), "{error}");
            assert!(error.message().contains(why), "{error}");
        }
    }
}
