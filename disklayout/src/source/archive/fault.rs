//! What is wrong with an archive, before it is known which member of which archive it is.

use std::io;

use crate::error::{Error, ErrorKind};

/// Shorthand for a result whose error has no place yet.
pub(super) type Result<T> = std::result::Result<T, Fault>;

/// A failure without its place.
#[derive(Debug)]
pub(super) struct Fault {
    kind: ErrorKind,
    message: String,
    source: Option<io::Error>,
}

impl Fault {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The bytes aren't what the format requires.
    pub(super) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// The bytes are of another kind.
    pub(super) fn no_archive(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotAnArchive, message)
    }

    /// Whether the bytes are of another kind.
    pub(super) const fn is_no_archive(&self) -> bool {
        matches!(self.kind, ErrorKind::NotAnArchive)
    }

    /// The same, with more to say.
    pub(super) fn with(mut self, more: &str) -> Self {
        self.message.push_str(more);
        self
    }

    /// The bytes are sound but ask for something that can't be.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidSpec, message)
    }

    /// The bytes are sound, but this program doesn't know what to do with them.
    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// Reading failed: by the system, or by a decompressor that found its input corrupt.
    pub(super) fn reading(error: io::Error) -> Self {
        let (kind, message) = match error.kind() {
            _ if error.raw_os_error().is_some() => (ErrorKind::Io, "can't read the archive"),
            io::ErrorKind::Unsupported => (ErrorKind::Unsupported, "can't decompress the archive"),
            _ => (ErrorKind::Corrupt, "can't decompress the archive"),
        };
        Self {
            source: Some(error),
            ..Self::new(kind, message)
        }
    }

    /// The error at `place`; `subject` is the archive and the member.
    pub(super) fn at(self, place: &str, subject: &str) -> Error {
        let error = Error::new(self.kind, place, format!("{subject}: {}", self.message));
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

/// An error of the tree, whose place is the same.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.message())
    }
}
