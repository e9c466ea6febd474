//! From paths to records, by the names that the records hold.

use std::collections::HashMap;

use disklayout::fs::ntfs::format::RECORD_ROOT;
use disklayout::tree::FileTree;
use disklayout::{Error, Result};

use super::record::{Link, Record};
use super::volume::Volume;

/// Which record has which name in which directory.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    numbers: HashMap<Link, u64>,
    /// By the base record: all records of a file or directory.
    records: HashMap<u64, Vec<u64>>,
    /// One more than the highest record in use that was added.
    end: u64,
}

impl Lookup {
    /// Adds the names of all records in use that are higher than those added before.
    ///
    /// # Errors
    /// `Corrupt` or `Io`.
    pub(super) fn add_new(&mut self, volume: &Volume<'_>) -> Result<()> {
        for record in volume.records_from(self.end) {
            self.add(&record?)?;
        }
        Ok(())
    }

    /// Adds the names that `record` holds.
    ///
    /// # Errors
    /// `Corrupt`.
    pub(super) fn add(&mut self, record: &Record) -> Result<()> {
        if record.is_in_use() {
            let links = record.links()?;
            let links = links.into_iter().map(|link| (link, record.base()));
            self.numbers.extend(links);
            self.records
                .entry(record.base())
                .or_default()
                .push(record.number);
            self.end = self.end.max(record.number + 1);
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

    /// The numbers of all records of the file or directory with this base record.
    pub(super) fn records_of(&self, base: u64) -> &[u64] {
        self.records.get(&base).map_or(&[], Vec::as_slice)
    }

    fn child(&self, parent: u64, name: &[u8]) -> Option<u64> {
        let name = std::str::from_utf8(name).ok()?.encode_utf16().collect();
        self.numbers.get(&Link { parent, name }).copied()
    }
}

fn missing(path: &[u8]) -> Error {
    Error::corrupt(
        "the NTFS volume",
        format!("has no file '{}'", path.escape_ascii()),
    )
}
