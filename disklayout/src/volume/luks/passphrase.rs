//! What opens a container.

use std::fmt;

use zeroize::Zeroizing;

/// A passphrase: any bytes. It is wiped from memory when it is dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// The passphrase of exactly these bytes: whoever reads them from a file takes a line end away that
    /// doesn't belong to them.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_not_shown() {
        let shown = format!("{:#?}", Passphrase::new("correct horse"));
        assert_eq!(shown, "Passphrase(..)");
    }
}
