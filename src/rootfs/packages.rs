//! Packages of Debian in the tree, by its own apt.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use memchr::memmem;

use super::{Assembly, lists};
use crate::rooted::{StandIn, Tree, locate_followed};
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

/// Keeps apt from writing what it has made of its lists: it is only a part of them.
const NO_CACHES: [&str; 4] = [
    "-o",
    "Dir::Cache::pkgcache=",
    "-o",
    "Dir::Cache::srcpkgcache=",
];

/// What has apt follow suggestions too.
const SUGGESTIONS: &[u8] = b"install-suggests";

/// What asks the questions of packages before they are unpacked, and what it can't do without.
const PRECONFIGURE: &str = "/usr/sbin/dpkg-preconfigure";
const EXTRACT_TEMPLATES: &str = "/usr/bin/apt-extracttemplates";

/// Where apt keeps what it has downloaded.
const ARCHIVES: &str = "var/cache/apt/archives";

/// Where the addresses of what it would download are for a moment.
const URIS: &str = "/var/cache/apt/createhdds-uris";

/// Puts them there: `sh -ec SCRIPT sh ARGUMENTS...`.
const PRINT_URIS: &str = "exec apt-get \"$@\" > /var/cache/apt/createhdds-uris";

impl Assembly<'_> {
    /// Reads the lists of packages again, unless that was done in this run with the same sources, or
    /// shortly before it.
    pub(super) fn apt_update(&self) -> Result<()> {
        if self.listed.borrow().as_ref() == Some(&Sources::of(self.tree())?) {
            return Ok(());
        }
        match lists::are_new(self.tree())? {
            true => self.have_old_lists.set(true),
            false => return self.read_lists(),
        }
        self.lists_are_read()
    }

    /// Reads the lists of packages.
    pub(super) fn read_lists(&self) -> Result<()> {
        self.have_old_lists.set(false);
        self.apt_get(&["update"]).context("the lists of packages")?;
        self.lists_are_read()
    }

    /// Takes note of the sources that the lists are of.
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
        let mut installed = self.apt_install(apt, &arguments);
        // A mirror may have replaced a package since.
        if installed.is_err() && self.have_old_lists.get() {
            self.read_lists()?;
            installed = self.apt_install(apt, &arguments);
        }
        installed?;
        match apt.clean {
            true => self.apt_get(&["clean"]),
            false => Ok(()),
        }
    }

    fn apt_install(&self, apt: &Apt, arguments: &[&str]) -> Result<()> {
        let listed = self.listed.borrow();
        let lists = match listed.as_ref().is_some_and(|it| it.mention(SUGGESTIONS)) {
            true => Vec::new(),
            false => lists::shortened(self.tree(), &apt.packages)?,
        };
        drop(listed);
        let caches: &[&str] = if lists.is_empty() { &[] } else { &NO_CACHES };
        let arguments = [&OPTIONS, caches, arguments].concat();
        let stand_ins = [&self.stand_ins[..], &lists, &self.without_questions()?].concat();
        self.take_cached(&stand_ins, &arguments)?;
        let installed = self.run_in_tree_with(&stand_ins, "apt-get", &arguments);
        self.keep_downloaded()?;
        installed
    }

    /// Keeps Perl from being started only to say that there is no apt-utils. Packages ask what they have
    /// to when they are configured.
    fn without_questions(&self) -> Result<Vec<StandIn>> {
        let tree = Tree::open(self.tree())?;
        if tree.has_file(EXTRACT_TEMPLATES)? || !tree.has_file(PRECONFIGURE)? {
            return Ok(Vec::new());
        }
        Ok(vec![StandIn {
            path: PRECONFIGURE.to_owned(),
            contents: b"#!/bin/sh\n".to_vec(),
            permissions: 0o755,
        }])
    }

    fn apt_get(&self, arguments: &[&str]) -> Result<()> {
        let all = [&OPTIONS[..], arguments].concat();
        self.run_in_tree("apt-get", &all)
    }

    /// Puts the packages of the host's directory that `arguments` of apt-get need to where it looks
    /// for them. Others stay: they may be many, and would be in the image.
    fn take_cached(&self, stand_ins: &[StandIn], arguments: &[&str]) -> Result<()> {
        // There may be none yet.
        let Some(cache) = self.package_cache.filter(|cache| cache.is_dir()) else {
            return Ok(());
        };
        let list = [&["-ec", PRINT_URIS, "sh", "--print-uris"], arguments].concat();
        self.run_in_tree_with(stand_ins, "sh", &list)?;
        let tree = Tree::open(self.tree())?;
        let wanted = tree.read(URIS)?.unwrap_or_default();
        super::files::remove(self.tree(), URIS)?;
        let wanted = String::from_utf8_lossy(&wanted);
        let wanted = file_names(&wanted);
        copy_packages(cache, &self.tree().join(ARCHIVES), |name| {
            wanted.contains(name)
        })
    }

    /// Keeps the packages that apt has downloaded in the host's directory.
    fn keep_downloaded(&self) -> Result<()> {
        match self.package_cache {
            Some(cache) => copy_packages(&self.tree().join(ARCHIVES), cache, |_| true),
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

    /// Whether `word`, in small letters, is in any of the files.
    fn mention(&self, word: &[u8]) -> bool {
        let mut texts = self.0.values().map(|text| text.to_ascii_lowercase());
        texts.any(|text| memmem::find(&text, word).is_some())
    }
}

/// The names of the files that apt-get would download: the second word of each line, behind an
/// address between quotes.
fn file_names(uris: &str) -> BTreeSet<&str> {
    let lines = uris.lines().filter(|line| line.starts_with('\''));
    lines
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect()
}

/// Copies the packages in `from` whose names are `wanted` and that `to` hasn't. Each gets its name when
/// it is complete.
fn copy_packages(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> Result<()> {
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
        let is_wanted = name
            .to_str()
            .is_some_and(|name| name.ends_with(".deb") && wanted(name));
        if !is_wanted || target.exists() {
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
        let uris = "Reading package lists...\n\
                    'http://host/a_1.deb' a_1.deb 12 SHA256:00\n'http://host/b' b_1.deb 9 \n";
        assert_eq!(file_names(uris), ["a_1.deb", "b_1.deb"].into());
        for name in ["a_1.deb", "b_1.deb", "c_1.deb", "lock", "partial"] {
            fs::write(from.path().join(name), name).unwrap();
        }
        let to = to.path().join("new");
        fs::create_dir(&to).unwrap();
        fs::write(to.join("b_1.deb"), "older").unwrap();
        copy_packages(from.path(), &to, |name| file_names(uris).contains(name)).unwrap();
        let mut names: Vec<_> = fs::read_dir(&to)
            .unwrap()
            .map(|it| it.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["a_1.deb", "b_1.deb"]);
        assert_eq!(fs::read_to_string(to.join("b_1.deb")).unwrap(), "older");
    }
}
