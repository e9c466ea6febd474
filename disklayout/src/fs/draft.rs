//! What is between a request and a plan.

use std::fmt::{Debug, Display};

use super::FsPlan;
use crate::error::{Error, ErrorKind, Result};
use crate::place::Place;
use crate::units::Bytes;

/// A filesystem of which everything is known but its size.
pub trait Draft: Debug + Send {
    /// The smallest size at which it fits and an ordinary user can then write `free` more bytes.
    ///
    /// # Errors
    /// `DoesNotFit` when no size is large enough, `Unsupported` when no room can be left in it.
    fn smallest(&self, free: Bytes) -> Result<Bytes>;

    /// Decides the rest for a partition of `size`; the filesystem may leave a remainder unused.
    ///
    /// # Errors
    /// `DoesNotFit`, with the smallest size at which it fits where there is one.
    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>>;

    /// Why it can't be at a size, with the smallest one at which it can where there is one.
    fn needing(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::DoesNotFit || error.needed().is_some() {
            return error;
        }
        match self.smallest(Bytes::new(0)) {
            Ok(smallest) => error.needing(smallest),
            Err(_) => error,
        }
    }
}

/// A content doesn't fit into a size, and takes `smallest`.
pub(super) fn too_small(place: &Place, size: impl Display, smallest: Bytes) -> Error {
    let message = format!(
        "the content doesn't fit into {size}; the smallest size that holds it is {} bytes \
         ({smallest})",
        smallest.get()
    );
    Error::does_not_fit(place, message).needing(smallest)
}
