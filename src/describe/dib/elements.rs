//! Elements: directories with scripts of the phases of a build, found by their names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Files that tell what an element needs, and what it stands for.
const DEPENDENCIES: &str = "element-deps";
const PROVISIONS: &str = "element-provides";

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name: that of its directory, behind all links.
    pub name: String,
    /// Its directory.
    pub path: PathBuf,
    /// The elements that it needs.
    pub depends: BTreeSet<String>,
    /// The elements in whose place it is.
    pub provides: BTreeSet<String>,
}

/// All elements that can be named.
#[derive(Clone, Debug, Default)]
pub struct Library {
    elements: BTreeMap<String, Element>,
    /// Those that are hidden by others of their names.
    hidden: Vec<Element>,
}

impl Library {
    /// Reads the elements in directories. Of two with one name the one in the earlier directory counts.
    ///
    /// # Errors
    /// When one of `directories` is none, or what an element needs can't be read.
    pub fn read(directories: &[PathBuf]) -> Result<Self> {
        let mut library = Self::default();
        for directory in directories {
            let is_directory = directory.is_dir();
            if !is_directory {
                bail!(
                    "'{}' of the elements' path is no directory: leave it out of ELEMENTS_PATH",
                    directory.display()
                );
            }
            let context = || format!("can't read the elements in '{}'", directory.display());
            for element in elements_in(directory).with_context(context)? {
                library.add(element);
            }
        }
        Ok(library)
    }

    fn add(&mut self, element: Element) {
        match self.elements.get(&element.name) {
            Some(first) if first.path == element.path => {}
            Some(_) => self.hidden.push(element),
            None => drop(self.elements.insert(element.name.clone(), element)),
        }
    }

    /// The element of this name.
    pub fn get(&self, name: &str) -> Option<&Element> {
        self.elements.get(name)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.elements.keys().map(String::as_str)
    }

    /// What should be said of `elements`, each a sentence: which of them hide others.
    pub fn warnings(&self, elements: &[&Element]) -> impl Iterator<Item = String> {
        self.hidden.iter().filter_map(|hidden| {
            let first = elements.iter().find(|it| it.name == hidden.name)?;
            Some(format!(
                "the element '{}' is taken from '{}'; the one in '{}' is hidden by it",
                hidden.name,
                first.path.display(),
                hidden.path.display()
            ))
        })
    }
}

/// The elements in a directory, sorted by name.
fn elements_in(directory: &Path) -> io::Result<Vec<Element>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let path = fs::canonicalize(path)?;
        // A name that isn't UTF-8 can't be typed, and no other element can need it.
        let Some(name) = path.file_name().and_then(|it| it.to_str()) else {
            continue;
        };
        let element = Element {
            name: name.to_owned(),
            depends: names_in(&path.join(DEPENDENCIES))?,
            provides: names_in(&path.join(PROVISIONS))?,
            path: path.clone(),
        };
        found.insert(name.to_owned(), element);
    }
    Ok(found.into_values().collect())
}

/// The names in a file, one a line; none where there is no file.
fn names_in(path: &Path) -> io::Result<BTreeSet<String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => {
            let message = format!("{}: {error}", path.display());
            return Err(io::Error::new(error.kind(), message));
        }
    };
    let lines = text.lines().map(str::trim);
    Ok(lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Makes elements below `root`: `DIRECTORY/NAME`, what it needs and what it provides.
    pub(in super::super) fn make(root: &Path, elements: &[(&str, &str, &str)]) {
        for (path, depends, provides) in elements {
            let path = root.join(path);
            fs::create_dir_all(&path).unwrap();
            for (file, names) in [(DEPENDENCIES, depends), (PROVISIONS, provides)] {
                if !names.is_empty() {
                    fs::write(path.join(file), names.replace(' ', "\n") + "\n\n").unwrap();
                }
            }
        }
    }

    #[test]
    fn the_first_directory_counts_and_names_are_behind_links() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        make(
            root.path(),
            &[
                ("one/a", "b c", ""),
                ("two/a", "", ""),
                ("two/b", "", "x  y"),
                ("else/real", "", ""),
            ],
        );
        std::os::unix::fs::symlink(at("else/real"), at("one/link")).unwrap();
        fs::write(at("one/file"), "").unwrap();
        let library = Library::read(&[at("one"), at("two"), at("two")]).unwrap();
        assert_eq!(library.names().collect::<Vec<_>>(), ["a", "b", "real"]);
        let a = library.get("a").unwrap();
        assert_eq!(a.path, fs::canonicalize(at("one/a")).unwrap());
        assert_eq!(a.depends, ["b".to_owned(), "c".to_owned()].into());
        let b = library.get("b").unwrap();
        assert_eq!(b.provides, ["x".to_owned(), "y".to_owned()].into());
        let warned: Vec<_> = library.warnings(&[a]).collect();
        assert!(warned[0].contains("one/a'; the one in '"), "{warned:?}");
        assert_eq!(library.warnings(&[b]).count(), 0);
        let error = Library::read(&[at("one/file")]).unwrap_err().to_string();
        assert!(
            error.contains("one/file' of the elements' path is no directory"),
            "{error}"
        );
    }
}
