//! Files that have a second name while others may take their places.

use std::io;
use std::sync::Arc;

use rustix::io::Errno;

use super::directory::Directory;

/// An image that has a second name, and what is beside it with that name.
#[derive(Debug)]
pub(super) struct Aside {
    directory: Arc<Directory>,
    /// First and second names; those of the image are in front.
    names: Vec<(String, String)>,
}

impl Aside {
    pub(super) const fn new(directory: Arc<Directory>) -> Self {
        let names = Vec::new();
        Self { directory, names }
    }

    /// Gives the file `first` the name `second` too; or only that, where it is somebody else's or the
    /// filesystem gives files one name.
    pub(super) fn add(&mut self, first: &str, second: &str) -> io::Result<()> {
        match self.directory.link(first, second) {
            Ok(()) => {}
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::MLINK) => {
                self.directory.rename(first, second)?;
            }
            Err(error) => return Err(error.into()),
        }
        self.names.push((first.to_owned(), second.to_owned()));
        Ok(())
    }

    /// The first name of the image.
    pub(super) fn image(&self) -> &str {
        self.names.first().map_or("", |(first, _)| first)
    }

    /// Leaves all their second names where another image has the place of this one, or else their first.
    pub(super) fn settle(&self) -> io::Result<()> {
        let Some((image, second)) = self.names.first() else {
            return Ok(());
        };
        if self.name_of(image, second)? == Name::Second {
            return Ok(());
        }
        self.names
            .iter()
            .try_for_each(|(first, second)| self.undo(first, second))
    }

    fn undo(&self, first: &str, second: &str) -> io::Result<()> {
        match self.name_of(first, second)? {
            Name::Both => self.directory.remove(second),
            Name::Moved => self.directory.rename(second, first),
            Name::Second => Ok(()),
        }
    }

    /// What became of the file that was `first`.
    fn name_of(&self, first: &str, second: &str) -> io::Result<Name> {
        let number = |name| {
            let stat = self.directory.stat(name)?;
            Ok::<_, io::Error>(stat.map(|stat| (stat.st_dev, stat.st_ino)))
        };
        Ok(match (number(first)?, number(second)?) {
            (None, Some(_)) => Name::Moved,
            (Some(first), Some(second)) if first == second => Name::Both,
            _ => Name::Second,
        })
    }
}

/// Which name a file has.
#[derive(PartialEq, Eq)]
enum Name {
    Both,
    /// The second, and nothing has the first one.
    Moved,
    /// The second, if any, and the first is none of its own any more.
    Second,
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What files hold, by their names.
    fn found(path: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(path).unwrap().map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        });
        let mut found: Vec<_> = entries.collect();
        found.sort();
        found
    }

    #[test]
    fn second_names_stay_when_another_image_has_the_place() {
        for is_moved in [false, true] {
            for is_replaced in [false, true] {
                let root = tempfile::tempdir().unwrap();
                let at = |name: &str| root.path().join(name);
                for name in ["a", "a.md5"] {
                    fs::write(at(name), "old").unwrap();
                }
                let directory = Arc::new(Directory::lock(root.path()).unwrap());
                let mut aside = Aside::new(directory);
                for (first, second) in [("a", "b"), ("a.md5", "b.md5")] {
                    aside.add(first, second).unwrap();
                    if is_moved {
                        fs::remove_file(at(first)).unwrap();
                    }
                }
                if is_replaced {
                    fs::write(at("new"), "new").unwrap();
                    fs::rename(at("new"), at("a")).unwrap();
                    // The new one has no sums.
                    let _ = fs::remove_file(at("a.md5"));
                }
                aside.settle().unwrap();
                let expected: &[_] = match is_replaced {
                    true => &[("a", "new"), ("b", "old"), ("b.md5", "old")],
                    false => &[("a", "old"), ("a.md5", "old")],
                };
                let expected = expected
                    .iter()
                    .map(|(name, text)| (name.to_string(), text.to_string()));
                assert_eq!(found(root.path()), expected.collect::<Vec<_>>());
            }
        }
    }
}
