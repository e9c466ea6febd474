//! Packages of Debian in the tree, by its own apt.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Assembly;
use crate::rooted::locate_followed;
use crate::system::Apt;

/// Options of every run: the tree is thrown away when a run fails, so that nothing has to be on disk
/// before it goes on, and the users of the sandbox are none that could protect anything.
const OPTIONS: [&str; 6] = [
    "-o",
    "APT::Sandbox::User=root",
    "-o",
    "DPkg::Options::=--force-unsafe-io",
    "-o",
    "Dpkg::Use-Pty=0",
];

/// Where apt keeps what it has downloaded.
const ARCHIVES: &str = "var/cache/apt/archives";

impl Assembly<'_> {
    /// Reads the lists of packages again, unless that was done in this run with the same sources.
    pub(super) fn apt_update(&self) -> Result<()> {
        let sources = Sources::of(self.tree())?;
        if self.listed.borrow().as_ref() == Some(&sources) {
            return Ok(());
        }
        self.apt_get(&["update"]).context("the lists of packages")?;
        self.listed.replace(Some(sources));
        Ok(())
    }

    /// Takes note of lists that have just been read.
    pub(super) fn lists_are_read(&self) -> Result<()> {
        self.listed.replace(Some(Sources::of(self.tree())?));
        Ok(())
    }

    /// Installs packages.
    pub(super) fn apt(&self, apt: &Apt) -> Result<()> {
        self.apt_update()?;
        let mut arguments = vec!["-y", "--no-show-progress"];
        if !apt.recommends {
            arguments.push("--no-install-recommends");
        }
        arguments.push("install");
        arguments.extend(apt.packages.iter().map(String::as_str));
        self.take_cached()?;
        let installed = self.apt_get(&arguments);
        self.keep_downloaded()?;
        installed?;
        match apt.clean {
            true => self.apt_get(&["clean"]),
            false => Ok(()),
        }
    }

    fn apt_get(&self, arguments: &[&str]) -> Result<()> {
        let all = [&OPTIONS[..], arguments].concat();
        self.run_in_tree("apt-get", &all)
    }

    /// Puts the packages of the host's directory to where apt looks for them.
    fn take_cached(&self) -> Result<()> {
        match self.package_cache {
            // There may be none yet.
            Some(cache) if cache.is_dir() => copy_packages(cache, &self.tree().join(ARCHIVES)),
            _ => Ok(()),
        }
    }

    /// Keeps the packages that apt has downloaded in the host's directory.
    fn keep_downloaded(&self) -> Result<()> {
        match self.package_cache {
            Some(cache) => copy_packages(&self.tree().join(ARCHIVES), cache),
            None => Ok(()),
        }
    }
}

/// Where packages come from: all of apt's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sources(BTreeMap<PathBuf, Vec<u8>>);

impl Sources {
    /// Those of a tree.
    fn of(tree: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut directories = vec![locate_followed(tree, "/etc/apt".as_ref())?];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).into_iter().flatten() {
                let path = entry?.path();
                match path.is_dir() {
                    true => directories.push(path),
                    // A link that leads out of the tree is none of its files.
                    false => drop(files.insert(path.clone(), fs::read(&path).unwrap_or_default())),
                }
            }
        }
        Ok(Self(files))
    }
}

/// Copies the packages in `from` that `to` hasn't. Each gets its name when it is complete.
fn copy_packages(from: &Path, to: &Path) -> Result<()> {
    let context = || {
        format!(
            "can't copy packages from '{}' to '{}'",
            from.display(),
            to.display()
        )
    };
    fs::create_dir_all(to).with_context(context)?;
    for entry in fs::read_dir(from).with_context(context)? {
        let name = entry.with_context(context)?.file_name();
        let target = to.join(&name);
        if Path::new(&name).extension().is_none_or(|it| it != "deb") || target.exists() {
            continue;
        }
        let unfinished = target.with_extension(format!("tmp{}", std::process::id()));
        fs::copy(from.join(&name), &unfinished).with_context(context)?;
        fs::rename(&unfinished, &target).with_context(context)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_alone_are_copied_and_none_twice() {
        let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for name in ["a_1.deb", "b_1.deb", "lock", "partial"] {
            fs::write(from.path().join(name), name).unwrap();
        }
        let to = to.path().join("new");
        fs::create_dir(&to).unwrap();
        fs::write(to.join("b_1.deb"), "older").unwrap();
        copy_packages(from.path(), &to).unwrap();
        let mut names: Vec<_> = fs::read_dir(&to)
            .unwrap()
            .map(|it| it.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["a_1.deb", "b_1.deb"]);
        assert_eq!(fs::read_to_string(to.join("b_1.deb")).unwrap(), "older");
    }
}
