//! Whether anything couldn't be told.

use std::io;

/// The first error of writing. That nobody reads any more is none.
#[derive(Debug, Default)]
pub(super) struct Lost(Option<io::Error>);

impl Lost {
    /// Takes note of what came of writing something.
    pub(super) fn note(&mut self, written: io::Result<()>) {
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
            && self.0.is_none()
        {
            self.0 = Some(error);
        }
    }

    /// The error, once.
    pub(super) fn take(&mut self) -> Option<io::Error> {
        self.0.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_kept_and_a_reader_may_go() {
        let mut lost = Lost::default();
        lost.note(Ok(()));
        lost.note(Err(io::ErrorKind::BrokenPipe.into()));
        assert!(lost.take().is_none());
        lost.note(Err(io::ErrorKind::StorageFull.into()));
        lost.note(Err(io::ErrorKind::Other.into()));
        assert_eq!(lost.take().unwrap().kind(), io::ErrorKind::StorageFull);
        assert!(lost.take().is_none());
    }
}
