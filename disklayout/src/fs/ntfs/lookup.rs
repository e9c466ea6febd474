//! From paths to records, by the names that the records hold.

use std::collections::HashMap;

use super::format::RECORD_ROOT;
use super::record::{Link, Record};
use super::volume::Volume;
use crate::error::{Error, Result};
use crate::tree::FileTree;

/// Which record has which name in which directory.
#[derive(Debug, Default)]
pub(super) struct Lookup(HashMap<Link, u64>);

impl Lookup {
    /// The names of all files of a volume.
    ///
    /// # Errors
    /// `Corrupt` or `Io`.
    pub(super) fn of_volume(volume: &Volume<'_>) -> Result<Self> {
        let mut lookup = Self::default();
        for record in volume.records() {
            lookup.add(&record?)?;
        }
        Ok(lookup)
    }

    /// Adds the names that `record` holds.
    ///
    /// # Errors
    /// `Corrupt`.
    pub(super) fn add(&mut self, record: &Record) -> Result<()> {
        if record.is_in_use() {
            let links = record.links()?;
            self.0
                .extend(links.into_iter().map(|link| (link, record.base())));
        }
        Ok(())
    }

    /// The record of the file or directory at an absolute path.
    ///
    /// # Errors
    /// `Corrupt` when there is none.
    pub(super) fn path(&self, path: &[u8]) -> Result<u64> {
        let names = path.split(|&byte| byte == b'/');
        let mut names = names.filter(|name| !name.is_empty());
        names
            .try_fold(RECORD_ROOT, |parent, name| self.child(parent, name))
            .ok_or_else(|| missing(path))
    }

    /// The record of every node of a tree, by the node's number.
    ///
    /// # Errors
    /// `Corrupt` when one of them is missing.
    pub(super) fn tree(&self, tree: &FileTree) -> Result<Vec<u64>> {
        let mut records = vec![RECORD_ROOT; tree.slots()];
        for (id, _) in tree.nodes() {
            for (name, child) in tree.entries(id) {
                let record = self.child(records[id.index()], name);
                records[child.index()] = record.ok_or_else(|| missing(name))?;
            }
        }
        Ok(records)
    }

    fn child(&self, parent: u64, name: &[u8]) -> Option<u64> {
        let name = std::str::from_utf8(name).ok()?.encode_utf16().collect();
        self.0.get(&Link { parent, name }).copied()
    }
}

fn missing(path: &[u8]) -> Error {
    Error::corrupt(
        "the NTFS volume",
        format!("has no file '{}'", path.escape_ascii()),
    )
}
