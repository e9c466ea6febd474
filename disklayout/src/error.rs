//! One error type for the whole library: what kind, where, what, and why.

use std::error::Error as StdError;

use crate::place::Place;
use crate::units::Bytes;

/// Shorthand for a result of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What class of failure an [`Error`] is, for callers that decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The description contradicts itself or its format.
    InvalidSpec,
    /// The description is sound, but there isn't room for it.
    DoesNotFit,
    /// The description is sound, but this program can't build it.
    Unsupported,
    /// Reading or writing failed.
    Io,
    /// Bytes that were read aren't what the format requires.
    Corrupt,
    /// What was given as an archive is something else.
    NotAnArchive,
    /// An external program is missing or failed.
    Tool,
}

/// A failure: its kind, the place it belongs to and a message with the value and the limit.
///
/// The place is an object of the description or one of its fields, a partition or a file.
/// The message never repeats the text of its source.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Error {
    kind: ErrorKind,
    place: Place,
    message: String,
    needed: Option<Bytes>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` at `place`.
    pub fn new(kind: ErrorKind, place: impl Into<Place>, message: impl Into<String>) -> Self {
        Self {
            kind,
            place: place.into(),
            message: message.into(),
            needed: None,
            source: None,
        }
    }

    /// [`ErrorKind::InvalidSpec`] at `place`.
    pub fn invalid(place: impl Into<Place>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidSpec, place, message)
    }

    /// [`ErrorKind::DoesNotFit`] at `place`.
    pub fn does_not_fit(place: impl Into<Place>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::DoesNotFit, place, message)
    }

    /// [`ErrorKind::Unsupported`] at `place`.
    pub fn unsupported(place: impl Into<Place>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, place, message)
    }

    /// [`ErrorKind::Corrupt`] at `place`.
    pub fn corrupt(place: impl Into<Place>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, place, message)
    }

    /// [`ErrorKind::Io`] at `place`, caused by `source`.
    pub fn io(
        place: impl Into<Place>,
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::new(ErrorKind::Io, place, message).with_source(source)
    }

    /// The same error, caused by `source`.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error, where only the size is wrong: a filesystem of `needed` bytes would do.
    #[must_use]
    pub fn needing(mut self, needed: Bytes) -> Self {
        self.needed = Some(needed);
        self
    }

    /// The size of the smallest filesystem that would do, where that is known.
    pub fn needed(&self) -> Option<Bytes> {
        self.needed
    }

    /// The class of this failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where in the description, or on which object, it happened.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The message without its place.
    pub fn message(&self) -> &str {
        &self.message
    }
}
