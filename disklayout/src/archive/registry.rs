//! The formats of archives that are known.

use std::sync::Arc;

use super::{Compressed, Filesystem, Format, oci, tar};
use crate::about::About;
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

    /// The format that the name of a file tells by its end: the longest one that is a format's
    /// extension or name, as images have one that ends in that of tar.
    pub fn of_file(&self, file_name: &str) -> Option<&dyn Format> {
        let ends = self.formats().flat_map(|format| {
            let About {
                names, extension, ..
            } = format.about();
            let ends = names.iter().copied().chain([extension]);
            ends.map(move |end| (end, format))
        });
        let is_end = |end: &str| {
            let stem = file_name.strip_suffix(end);
            stem.is_some_and(|stem| stem.ends_with('.'))
        };
        let found = ends.filter(|(end, _)| is_end(end));
        let longest = found.max_by_key(|(end, _)| end.len());
        longest.map(|(_, format)| format)
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
    fn names_of_files_tell_the_format() {
        let registry = Registry::default();
        for (name, expected) in [
            ("a.tar", Some("tar")),
            ("a.b.tgz", Some("tar.gz")),
            (".tar.zst", Some("tar.zst")),
            ("a.txz", Some("tar.xz")),
            ("a.oci.tar", Some("oci")),
            ("a.oci", Some("oci")),
            ("tar", None),
            ("atar", None),
            ("a.tar.img", None),
        ] {
            let found = registry.of_file(name).map(|format| format.about().name());
            assert_eq!(found, expected, "{name}");
        }
    }

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
