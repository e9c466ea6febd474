//! A diskimage-builder that is installed: its elements, and what those call.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// Directories of an installation, within that of Python's package.
const ELEMENTS: &str = "elements";
const LIB: &str = "lib";

/// Where distributions have it without Python's package.
const SHARED: &str = "/usr/share/diskimage-builder";

/// What Python prints of its package.
const PACKAGE: &str = "import diskimage_builder as it; print(list(it.__path__)[0])";

/// Its directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installation {
    root: PathBuf,
}

impl Installation {
    /// The one in `given`, where a user has named one: the directory of the package, or its `lib`. Else
    /// the one that is found: by `$_LIB`, in Python's packages, or in /usr/share.
    ///
    /// # Errors
    /// When there is none in `given`.
    pub(super) fn find(
        given: Option<&Path>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Self>> {
        if let Some(given) = given {
            return match Self::at(given) {
                Some(found) => Ok(Some(found)),
                None => bail!(
                    "'{}' has no diskimage-builder: name the directory that has '{ELEMENTS}' in it, \
                     or 'lib' beside that",
                    given.display()
                ),
            };
        }
        let library = variable("_LIB").map(PathBuf::from);
        if let Some(found) = library.as_deref().and_then(Self::at) {
            return Ok(Some(found));
        }
        let python = variable("DIB_PYTHON_EXEC").filter(|it| !it.is_empty());
        let python = python.unwrap_or_else(|| "python3".into());
        let package = package_of(&python);
        let found = package.as_deref().and_then(Self::at);
        Ok(found.or_else(|| Self::at(Path::new(SHARED))))
    }

    fn at(path: &Path) -> Option<Self> {
        let roots = [Some(path), path.parent()].into_iter().flatten();
        let mut roots = roots.filter(|root| root.join(ELEMENTS).is_dir());
        roots.next().map(|root| Self {
            root: root.to_owned(),
        })
    }

    /// The directory of its elements.
    pub(super) fn elements(&self) -> PathBuf {
        self.root.join(ELEMENTS)
    }

    /// The directory of what its elements call: `$_LIB`.
    pub(super) fn lib(&self) -> PathBuf {
        self.root.join(LIB)
    }

    /// The Python that has it, where that is one of its own: a virtual environment around it.
    pub(super) fn python(&self) -> Option<PathBuf> {
        let around = self.root.ancestors();
        let mut around = around.filter(|it| it.join("pyvenv.cfg").is_file());
        around.next().map(|it| it.join("bin/python3"))
    }
}

/// Where Python has the package.
fn package_of(python: &OsString) -> Option<PathBuf> {
    let mut command = Command::new(python);
    command.args(["-c", PACKAGE]).stdin(Stdio::null());
    let said = command.output().ok().filter(|said| said.status.success())?;
    let path = String::from_utf8(said.stdout).ok()?;
    Some(PathBuf::from(path.trim_end()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_where_its_elements_are() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for path in ["one/elements", "one/lib", "two/elements", "two/lib", "none"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        let library = at("two/lib").into_os_string();
        let variable = |name: &str| match name {
            "_LIB" => Some(library.clone()),
            _ => None,
        };
        let find = |given: Option<&Path>| Installation::find(given, variable);
        for given in ["one", "one/lib"] {
            let found = find(Some(&at(given))).unwrap().unwrap();
            assert_eq!(found.elements(), at("one/elements"));
        }
        assert_eq!(find(None).unwrap().unwrap().elements(), at("two/elements"));
        let error = find(Some(&at("none"))).unwrap_err().to_string();
        assert!(error.contains("none' has no diskimage-builder"), "{error}");
    }
}
