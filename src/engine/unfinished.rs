//! The names of unfinished files, and what runs that were killed have left under them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::directory::{Directory, Found};

/// What the name of an unfinished image ends in.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// The longest file name on Linux.
pub(super) const NAME_MAX: usize = 255;

/// How many names an unfinished file may have: files of others may be in the way of some.
const NAMES: u32 = 10;

/// The names of the unfinished `name`, the usual one first.
fn names(name: &str) -> impl Iterator<Item = String> {
    let others = (1..NAMES).map(move |n| format!("{name}.{n}{TEMPORARY_SUFFIX}"));
    std::iter::once(format!("{name}{TEMPORARY_SUFFIX}"))
        .chain(others)
        .filter(|name| name.len() <= NAME_MAX)
}

/// A name for the unfinished `name` at which nothing is. What a killed run has left is removed;
/// any other file stays, whatever it is called.
///
/// # Errors
/// When another run is writing the same file, or when all names are taken.
pub(super) fn free_name(directory: &Directory, name: &str) -> Result<String> {
    let mut free = None;
    let mut taken = Vec::new();
    for candidate in names(name) {
        match look_at(directory, &candidate)? {
            Found::Nothing => free = free.or(Some(candidate)),
            Found::Leftover(_held) => {
                remove_leftover(directory, &candidate)?;
                free = free.or(Some(candidate));
            }
            Found::InUse => bail!(
                "another run is writing '{}': wait until it has ended",
                directory.shown(&candidate)
            ),
            Found::Foreign | Found::Unknown if free.is_none() => taken.push(candidate),
            Found::Foreign | Found::Unknown => {}
        }
    }
    let Some(free) = free else {
        bail!(
            "files that aren't known as leftovers of killed runs have all names that the \
             unfinished {name} may have: move away {}",
            taken.join(", ")
        );
    };
    for name in taken {
        let shown = directory.shown(&name);
        tracing::warn!("'{shown}' stays: it isn't known as the leftover of a killed run");
    }
    Ok(free)
}

fn look_at(directory: &Directory, name: &str) -> Result<Found> {
    let found = directory.look_at(name);
    found.with_context(|| format!("can't look at '{}'", directory.shown(name)))
}

fn remove_leftover(directory: &Directory, name: &str) -> Result<()> {
    let removed = directory.remove_if_there(name);
    removed.with_context(|| format!("can't remove '{}'", directory.shown(name)))?;
    tracing::info!("Removed {name}, left behind by a run that was killed");
    Ok(())
}

/// The unfinished files of a directory that are marked as such. Both lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// What killed runs have left.
    pub leftovers: Vec<String>,
    /// What another run is writing, or may be writing.
    pub in_use: Vec<String>,
}

impl Unfinished {
    /// The files in `directory`.
    ///
    /// # Errors
    /// When the directory can't be listed, or when a file in it can't be looked at.
    pub fn of(directory: &Directory) -> Result<Self> {
        let context = || format!("can't list '{}'", directory.path().display());
        let mut found = Self::default();
        for entry in fs::read_dir(directory.path()).with_context(context)? {
            let name = entry.map(|entry| entry.file_name()).with_context(context)?;
            let Ok(name) = name.into_string() else {
                continue;
            };
            if !name.ends_with(TEMPORARY_SUFFIX) {
                continue;
            }
            match look_at(directory, &name)? {
                Found::Leftover(_) => found.leftovers.push(name),
                Found::InUse | Found::Unknown => found.in_use.push(name),
                Found::Nothing | Found::Foreign => {}
            }
        }
        found.leftovers.sort();
        found.in_use.sort();
        Ok(found)
    }

    /// The files in the directory `path`, in which others may work meanwhile.
    ///
    /// # Errors
    /// Those of [`Self::of`].
    pub fn at(path: &Path) -> Result<Self> {
        let found = Self::of(&Directory::unlocked(path)?)?;
        if found.in_use.is_empty() {
            return Ok(found);
        }
        // Files that other programs write are left over when no other run has the directory.
        match Directory::share(path) {
            Ok(shared) => Self::of(&shared),
            Err(_) => Ok(found),
        }
    }
}
