//! What of a tree can't be held is refused or left out.

use crate::error::{Error, Result};
use crate::fs::Misfits;

/// Something that can't be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// What it is one of, in the plural.
    pub kind: &'static str,
    /// Which one it is, and why.
    pub example: String,
}

/// Refuses the first loss, or makes a sentence of all of them, which are of one kind.
///
/// # Errors
/// `Unsupported` at `place`.
pub(super) fn settle(
    place: &str,
    misfits: Misfits,
    mut losses: impl Iterator<Item = Loss>,
) -> Result<Option<String>> {
    let Some(first) = losses.next() else {
        return Ok(None);
    };
    if misfits == Misfits::Refuse {
        return Err(Error::unsupported(place, first.example));
    }
    let count = 1 + losses.count();
    Ok(Some(format!(
        "{count} {} left out: {}",
        first.kind, first.example
    )))
}
