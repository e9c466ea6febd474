//! The formats of archives that are known.

use std::sync::Arc;

use super::{Compressed, Filesystem, Format, oci, tar};
use crate::compress::Codec;
use crate::fs::erofs::ErofsFormat;

/// The formats that archives can be asked for in.
#[derive(Clone, Debug)]
pub struct Registry {
    formats: Vec<Arc<dyn Format>>,
}

impl Default for Registry {
    /// All that this library writes.
    fn default() -> Self {
        Self {
            formats: vec![
                Arc::new(tar::Tar),
                Arc::new(Compressed::new(Codec::Gzip)),
                Arc::new(Compressed::new(Codec::Zstd)),
                Arc::new(Compressed::new(Codec::Xz)),
                Arc::new(oci::Oci),
                Arc::new(Filesystem::new(ErofsFormat)),
            ],
        }
    }
}

impl Registry {
    /// The same with another format, which goes behind the others.
    #[must_use]
    pub fn with(mut self, format: impl Format + 'static) -> Self {
        self.formats.push(Arc::new(format));
        self
    }

    /// All formats.
    pub fn formats(&self) -> impl Iterator<Item = &dyn Format> {
        self.formats.iter().map(|format| &**format)
    }

    /// The format that is asked for as `name`.
    pub fn format(&self, name: &str) -> Option<&dyn Format> {
        let mut all = self.formats();
        all.find(|format| format.about().names.contains(&name))
    }

    /// Every format's own name, in the order of the formats.
    pub fn names(&self) -> Vec<&'static str> {
        self.formats().map(|format| format.about().name()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_of_one_format_each() {
        let registry = Registry::default();
        let names: Vec<_> = registry.formats().flat_map(|it| it.about().names).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in registry.names() {
            assert_eq!(registry.format(name).unwrap().about().name(), name);
        }
        assert!(registry.format("zip").is_none());
    }
}
