//! What users know a format of files by.

use crate::error::Result;
use crate::fs::{Choice, Options};
use crate::place::Place;

/// The names of a format of files, and what can be chosen in it.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The names that it may be asked for by; the first one is its own.
    pub names: &'static [&'static str],
    /// What names of files in it end in, without the dot.
    pub extension: &'static str,
    /// What can be chosen in it.
    pub choices: &'static [Choice],
}

impl About {
    /// Its own name.
    pub const fn name(&self) -> &'static str {
        self.names[0]
    }

    /// Refuses what was chosen, at `place`, that can't be chosen in it.
    ///
    /// # Errors
    /// `InvalidSpec` at the option's place.
    pub fn check(&self, place: &Place, options: &Options) -> Result<()> {
        options.check(place, self.name(), self.choices)
    }
}
