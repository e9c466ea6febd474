//! The files under a temporary name, so that an interrupt can remove them, and those that have a second
//! name for a time.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::aside::Aside;
use super::directory::Directory;

/// Every temporary file of this process. Clones are the same list.
///
/// A file is made, renamed or removed only while the list is locked, so that whoever holds the
/// list knows exactly what exists.
#[derive(Clone, Debug, Default)]
pub struct Temporaries(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    files: Vec<Temporary>,
    aside: Vec<Aside>,
}

#[derive(Debug)]
struct Temporary {
    directory: Arc<Directory>,
    name: String,
}

/// The list, taken away from every other thread.
#[derive(Debug)]
pub(super) struct Seized<'a>(MutexGuard<'a, List>);

impl Temporaries {
    /// Makes the temporary file `name`.
    pub(super) fn create(&self, directory: &Arc<Directory>, name: &str) -> io::Result<File> {
        let mut list = self.list();
        let file = directory.create_new(name)?;
        list.files.push(Temporary {
            directory: Arc::clone(directory),
            name: name.to_owned(),
        });
        Ok(file)
    }

    /// Renames the temporary file `name` over `to`; it is temporary no more.
    pub(super) fn publish(&self, directory: &Directory, name: &str, to: &str) -> io::Result<()> {
        let mut list = self.list();
        directory.rename(name, to)?;
        forget(&mut list, directory, name);
        Ok(())
    }

    /// Removes the temporary file `name`.
    pub(super) fn discard(&self, directory: &Directory, name: &str) -> io::Result<()> {
        let mut list = self.list();
        forget(&mut list, directory, name);
        directory.remove(name)
    }

    /// Gives an image and what is beside it, by their first names, second ones, until it is known whether
    /// another image takes its place: those that have one then keep the second names alone.
    ///
    /// # Errors
    /// What the filesystem says. The files have their first names alone then.
    pub fn put_aside(
        &self,
        directory: &Arc<Directory>,
        names: &[(String, String)],
    ) -> io::Result<()> {
        let mut list = self.list();
        let mut aside = Aside::new(Arc::clone(directory));
        let added = names
            .iter()
            .try_for_each(|(first, second)| aside.add(first, second));
        if added.is_err() {
            aside.settle()?;
            return added;
        }
        list.aside.push(aside);
        Ok(())
    }

    /// Leaves all files that were put aside one name.
    ///
    /// # Errors
    /// What the filesystem says.
    pub fn settle(&self) -> io::Result<()> {
        let mut list = self.list();
        list.aside.drain(..).try_for_each(|aside| aside.settle())
    }

    /// A file without a name for what this run needs in between; it is gone with the run.
    pub(super) fn scratch(&self, directory: &Directory) -> io::Result<File> {
        match directory.create_unnamed()? {
            Some(file) => Ok(file),
            None => self.lose_name(directory),
        }
    }

    /// Makes a file that has no name any more when this returns.
    fn lose_name(&self, directory: &Directory) -> io::Result<File> {
        // Locked, so that an interrupt comes before or after.
        let _list = self.list();
        let name = format!(".createhdds-{}.tmp", std::process::id());
        let file = directory.create_new(&name)?;
        directory.remove(&name)?;
        Ok(file)
    }

    /// Stops every other thread from making, renaming or removing a temporary file.
    pub(super) fn seize(&self) -> Seized<'_> {
        Seized(self.list())
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seized<'_> {
    /// Removes every temporary file and every second name that isn't needed, and tells which couldn't be.
    pub(super) fn remove_all(&mut self) -> Vec<(String, io::Error)> {
        let List { files, aside } = &mut *self.0;
        let settled = aside.drain(..).map(|aside| {
            let result = aside.settle();
            (aside.image().to_owned(), result)
        });
        let removed = files.drain(..).map(|temporary| {
            let result = temporary.directory.remove(&temporary.name);
            (temporary.name, result)
        });
        settled
            .chain(removed)
            .filter_map(|(name, result)| Some((name, result.err()?)))
            .collect()
    }
}

fn forget(list: &mut List, directory: &Directory, name: &str) {
    list.files
        .retain(|other| other.name != name || !std::ptr::eq(&*other.directory, directory));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_still_temporary_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let directory = Arc::new(Directory::lock(root.path()).unwrap());
        let temporaries = Temporaries::default();
        for name in ["a.tmp", "b.tmp", "c.tmp"] {
            temporaries.create(&directory, name).unwrap();
        }
        temporaries.publish(&directory, "a.tmp", "a").unwrap();
        temporaries.discard(&directory, "b.tmp").unwrap();
        assert!(temporaries.seize().remove_all().is_empty());
        let names: Vec<_> = std::fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["a"]);
    }
}
