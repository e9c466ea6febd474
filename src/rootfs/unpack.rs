//! An archive of a root filesystem that is unpacked into the tree, or was unpacked before and is kept.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Error, Result};
use disklayout::source::open_compressed;

use super::Assembly;
use super::kept::{Beginning, Kept};
use crate::rooted::Tree;
use crate::system::{Action, Step};

impl Assembly<'_> {
    /// Puts what is in the archive of the step with the index `unpack`, plain or compressed, into the
    /// tree. Where unpacked ones are kept, the tree begins as that, if it has nothing but directories
    /// so far.
    ///
    /// # Errors
    /// When it can't be unpacked.
    pub fn unpack(&mut self, steps: &[Step], unpack: usize) -> Result<Beginning> {
        let Action::Unpack(archive) = &steps[unpack].action else {
            return Ok(Beginning::default());
        };
        if let Some(cache) = self.root_cache
            && let Some(directories) = only_directories(self.tree())?
        {
            let kept = Kept::of(cache, archive)?;
            if let Some(beginning) = self.begin_with_kept(&kept, archive, steps, unpack)? {
                for directory in directories {
                    Tree::open(self.tree())?.make_directory(&directory)?;
                }
                self.kept = Some(kept);
                return Ok(beginning);
            }
        }
        self.unpack_to(archive, self.tree())?;
        Ok(Beginning::default())
    }

    /// Unpacks `archive` with GNU tar. Devices are left out: a system has its own in /dev as soon as
    /// it runs, and no ordinary user may make any.
    pub(super) fn unpack_to(&self, archive: &Path, directory: &Path) -> Result<()> {
        let mut command = Command::new("tar");
        // What it says is looked at.
        command.env("LC_ALL", "C.UTF-8").arg("-C").arg(directory);
        command.args(["--numeric-owner", "--xattrs", "--xattrs-include=*"]);
        command.args(["--exclude=./dev/*", "--exclude=dev/*"]);
        let context = || format!("can't unpack '{}'", archive.display());
        let file = File::open(archive).with_context(context)?;
        // Decompressed beside it, which takes a third of the time of gzip.
        let unpacked = match open_compressed(file).with_context(context)? {
            // Of a pipe it would read 20 blocks at once.
            Some(input) => {
                command.args(["--read-full-records", "--blocking-factor=512", "-xf", "-"]);
                self.run_on_host_with(command, input)
            }
            None => {
                command.arg("-xf").arg(archive);
                self.run_on_host(command)
            }
        };
        unpacked.map_err(explained).with_context(context)
    }
}

/// What tar says of what a sandbox of an ordinary user can't have, and what to do.
const LIMITS: [(&str, &str); 2] = [
    (
        ": Cannot change ownership to uid ",
        "it has owners beyond those of the sandbox: give yourself more subordinate ids, by lines of \
         your name, a first number and a count in /etc/subuid and /etc/subgid, or run it as root",
    ),
    (
        ": Cannot mknod: Operation not permitted",
        "it has devices outside of /dev, which root alone can make: run it as root, or have an archive \
         without them",
    ),
];

/// The same error, with its reason where that is one of the limits of a sandbox.
fn explained(error: Error) -> Error {
    let said = format!("{error:#}");
    let reason = LIMITS.into_iter().find(|(part, _)| said.contains(part));
    match reason {
        Some((_, reason)) => error.context(reason),
        None => error,
    }
}

/// The directories in a tree that has nothing else, by their paths; `None` of one that has.
fn only_directories(tree: &Path) -> Result<Option<Vec<String>>> {
    let mut found = vec![String::new()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        for entry in fs::read_dir(tree.join(path.trim_start_matches('/')))? {
            let entry = entry?;
            let name = entry.file_name();
            let (true, Some(name)) = (entry.file_type()?.is_dir(), name.to_str()) else {
                return Ok(None);
            };
            found.push(format!("{path}/{name}"));
        }
        next += 1;
    }
    found.remove(0);
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tree_of_directories_has_nothing_else() {
        let tree = tempfile::tempdir().unwrap();
        let directories = || {
            let found = only_directories(tree.path()).unwrap();
            found.map(|mut found| {
                found.sort();
                found.join(" ")
            })
        };
        assert_eq!(directories().as_deref(), Some(""));
        fs::create_dir_all(tree.path().join("boot/efi")).unwrap();
        fs::create_dir_all(tree.path().join("home")).unwrap();
        assert_eq!(directories().as_deref(), Some("/boot /boot/efi /home"));
        fs::write(tree.path().join("boot/efi/file"), "").unwrap();
        assert_eq!(directories(), None);
    }
}
