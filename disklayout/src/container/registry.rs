//! The formats of image files that are known.

use std::sync::Arc;

use super::{Format, qcow2, raw};

/// The formats that image files can be asked for in.
#[derive(Clone, Debug)]
pub struct Registry {
    formats: Vec<Arc<dyn Format>>,
}

impl Default for Registry {
    /// All that this library writes.
    fn default() -> Self {
        Self {
            formats: vec![Arc::new(raw::Raw), Arc::new(qcow2::Qcow2)],
        }
    }
}

impl Registry {
    /// All formats.
    pub fn formats(&self) -> impl Iterator<Item = &dyn Format> {
        self.formats.iter().map(|format| &**format)
    }

    /// The format that is asked for as `name`.
    pub fn format(&self, name: &str) -> Option<&dyn Format> {
        let mut all = self.formats();
        all.find(|format| format.names().contains(&name))
    }

    /// Every format's own name, in the order of the formats.
    pub fn names(&self) -> Vec<&'static str> {
        self.formats().map(|format| format.names()[0]).collect()
    }
}
