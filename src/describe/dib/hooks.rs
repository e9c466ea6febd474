//! What elements have for a build, merged into one tree: scripts by their phases, and files for them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::elements::Element;
use super::parts::{Parts, compare};

/// Directories of elements that are no part of a build.
const LEFT_OUT: [&str; 2] = ["tests", "__pycache__"];

/// What a file ends with that Python has made of another one.
const COMPILED: &str = ".pyc";

/// The files of elements that a build uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Where everything comes from, by its path in the tree: `install.d/10-a`.
    entries: BTreeMap<String, PathBuf>,
}

impl Hooks {
    /// Those of `elements`: their directories, but for `tests`, and the files beside them. Directories
    /// of one name become one.
    ///
    /// # Errors
    /// When two elements have different files in one place below a directory, and when one can't be
    /// read.
    pub fn merge(elements: &[&Element]) -> Result<Self> {
        let mut hooks = Self::default();
        for element in elements {
            let context = || format!("can't read the element '{}'", element.name);
            for (name, path) in entries(&element.path).with_context(context)? {
                if name.starts_with('.') {
                    continue;
                }
                if path.is_dir() && !LEFT_OUT.contains(&name.as_str()) {
                    hooks
                        .entries
                        .entry(name.clone())
                        .or_insert_with(|| path.clone());
                    hooks.add(&name, &path)?;
                } else if path.is_file() && !name.ends_with(COMPILED) {
                    // Each has a file that tells what it is, and what it needs.
                    hooks.entries.entry(name).or_insert(path);
                }
            }
        }
        Ok(hooks)
    }

    /// Adds what is in a directory of an element. Links stay links.
    fn add(&mut self, place: &str, directory: &Path) -> Result<()> {
        let context = || format!("can't read '{}'", directory.display());
        for (name, path) in entries(directory).with_context(context)? {
            // What is deeper is taken as a whole.
            if name.starts_with('.') && !place.contains('/') {
                continue;
            }
            let place = format!("{place}/{name}");
            let is_directory = fs::symlink_metadata(&path).with_context(context)?.is_dir();
            match self.entries.get(&place) {
                None => drop(self.entries.insert(place.clone(), path.clone())),
                Some(other) if is_directory && other.is_dir() => {}
                // Of files for scripts it makes no difference whose it is; of scripts it does.
                Some(other) if place.matches('/').count() > 1 && is_same(other, &path) => {}
                Some(other) => bail!(
                    "'{}' and '{}' are both {place} of the build: rename one of them",
                    other.display(),
                    path.display()
                ),
            }
            if is_directory {
                self.add(&place, &path)?;
            }
        }
        Ok(())
    }

    /// The same without the scripts called `names`, whatever phase they are for.
    #[must_use]
    pub fn without(mut self, names: &[String]) -> Self {
        self.entries.retain(|place, _| {
            let script = place.split_once(".d/").map(|(_, name)| name);
            script.is_none_or(|script| !names.iter().any(|name| name == script))
        });
        self
    }

    /// Where everything comes from, by its path in the tree, directories before what is in them.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.entries
            .iter()
            .map(|(place, path)| (place.as_str(), path.as_path()))
    }

    /// The names of what is run of a directory, in their order.
    pub fn parts(&self, directory: &str, parts: &Parts) -> Vec<&str> {
        let inside = format!("{directory}/");
        let entries = self.entries.range(inside.clone()..);
        let entries = entries.map_while(|(place, path)| Some((place.strip_prefix(&inside)?, path)));
        let found = entries.filter(|(name, path)| !name.contains('/') && parts.has(name, path));
        let mut names: Vec<_> = found.map(|(name, _)| name).collect();
        names.sort_by(|a, b| compare(a, b));
        names
    }

    /// Whether any element has a directory of this name.
    pub fn has(&self, directory: &str) -> bool {
        self.entries.contains_key(directory)
    }
}

/// What is in a directory, sorted, by its names.
fn entries(directory: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            let message = format!("the name '{}' isn't UTF-8", entry.path().display());
            return Err(io::Error::other(message));
        };
        found.insert(name.to_owned(), entry.path());
    }
    Ok(found)
}

/// Whether two files hold the same.
fn is_same(one: &Path, other: &Path) -> bool {
    let read = |path: &Path| path.is_file().then(|| fs::read(path).ok()).flatten();
    matches!((read(one), read(other)), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::elements::Library;
    use super::*;

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn merged(root: &Path) -> Result<Hooks> {
        let library = Library::read(&[root.to_path_buf()]).unwrap();
        let names: Vec<_> = library.names().collect();
        let elements: Vec<_> = names.iter().filter_map(|name| library.get(name)).collect();
        Hooks::merge(&elements)
    }

    #[test]
    fn directories_of_one_name_become_one() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for path in [
            "a/install.d/10-a",
            "a/install.d/helper/x",
            "a/README.rst",
            "a/static/etc/one",
            "a/static/etc/.hidden",
            "a/static/.hidden",
            "a/tests/install.d/99-never",
            "a/module.pyc",
            "a/.hidden",
            "a/install.d/.hidden",
            "b/install.d/9-b",
            "b/README.rst",
            "b/static/etc/two",
            "b/install.d/helper/y",
            "b/same/in/file",
            "a/same/in/file",
        ] {
            put(&at(path), "text");
        }
        symlink("../files/linked", at("b/install.d/80-link")).unwrap();
        put(&at("b/files/linked"), "");
        let hooks = merged(root.path()).unwrap();
        let places: Vec<_> = hooks.entries().map(|(place, _)| place).collect();
        let expected = [
            "README.rst",
            "files",
            "files/linked",
            "install.d",
            "install.d/10-a",
            "install.d/80-link",
            "install.d/9-b",
            "install.d/helper",
            "install.d/helper/x",
            "install.d/helper/y",
            "same",
            "same/in",
            "same/in/file",
            "static",
            "static/etc",
            "static/etc/.hidden",
            "static/etc/one",
            "static/etc/two",
        ];
        assert_eq!(places, expected);
        let scripts = Parts::scripts(None).unwrap();
        assert_eq!(
            hooks.parts("install.d", &scripts),
            ["9-b", "10-a", "80-link"]
        );
        assert!(hooks.parts("root.d", &scripts).is_empty() && !hooks.has("root.d"));
    }

    #[test]
    fn two_files_in_one_place_are_refused() {
        for [one, other] in [
            ["a/install.d/33-same", "b/install.d/33-same"],
            ["a/install.d/33-same/in", "b/install.d/33-same"],
            ["a/static/etc/file", "b/static/etc/file"],
            ["a/install.d/44-equal", "b/install.d/44-equal"],
        ] {
            let root = tempfile::tempdir().unwrap();
            put(&root.path().join(one), "one");
            let text = if other.contains("equal") {
                "one"
            } else {
                "other"
            };
            put(&root.path().join(other), text);
            let error = merged(root.path()).unwrap_err().to_string();
            assert!(error.contains("rename one of them"), "{error}");
        }
    }

    #[test]
    fn scripts_can_be_left_out_by_name() {
        let root = tempfile::tempdir().unwrap();
        for path in [
            "a/install.d/10-a",
            "a/root.d/10-a",
            "a/static/10-a",
            "a/10-a",
        ] {
            put(&root.path().join(path), "");
        }
        let hooks = merged(root.path()).unwrap().without(&["10-a".to_owned()]);
        let places: Vec<_> = hooks.entries().map(|(place, _)| place).collect();
        let expected = ["10-a", "install.d", "root.d", "static", "static/10-a"];
        assert_eq!(places, expected);
    }
}
