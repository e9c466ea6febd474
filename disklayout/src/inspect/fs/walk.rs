//! Everything that has a name, in the order of a sorted tree.

use std::collections::{HashMap, HashSet};
use std::vec::IntoIter;

use crate::error::{Error, Result};
use crate::inspect::fs::Filesystem;
use crate::inspect::fs::listing::{Budget, Listing};
use crate::inspect::fs::node::{Node, NodeKind, Place};

/// More levels than a path of `PATH_MAX` bytes can have.
const DEPTH_MAX: usize = 2048;

/// A name and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The path from the root directory, which is `/`.
    pub path: Vec<u8>,
    /// How many directories are above it.
    pub depth: usize,
    /// What is there.
    pub node: Node,
    /// The first path that leads to the same node, when this isn't it.
    pub link_to: Option<Vec<u8>>,
}

impl Entry {
    /// The last name of the path; empty for the root directory.
    pub fn name(&self) -> &[u8] {
        let start = self.path.iter().rposition(|byte| *byte == b'/');
        &self.path[start.map_or(0, |start| start + 1)..]
    }
}

/// Names and what they lead to.
type Entries = IntoIter<(Vec<u8>, Node)>;

/// What no other node has.
type Identity = (Option<u64>, u64);

/// A walk that goes on where it was interrupted.
#[derive(Debug)]
pub struct Walk<'a> {
    filesystem: &'a Filesystem<'a>,
    budget: Budget,
    directories: HashSet<Identity>,
    first_paths: HashMap<Identity, Vec<u8>>,
    /// The directories around the next entry: how long their paths are, and what is left of them.
    open: Vec<(usize, Entries)>,
    path: Vec<u8>,
    root: Option<Node>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(filesystem: &'a Filesystem<'a>, root: Node) -> Result<Self> {
        let directories = filesystem.reader()?.directories(filesystem.area.len());
        Ok(Self {
            filesystem,
            budget: Budget::new(directories),
            directories: HashSet::new(),
            first_paths: HashMap::new(),
            open: Vec::new(),
            path: Vec::new(),
            root: Some(root),
        })
    }

    /// The next entry: the root directory, then every directory's entries by their names, each
    /// directory before what is in it.
    ///
    /// # Errors
    /// `Corrupt` or `Io` at the directory that can't be read, or the inode one of its names leads
    /// to; `Unsupported` where it is in more directories than are followed. There is nothing to be
    /// had after an error.
    #[expect(clippy::should_implement_trait, reason = "it stops at an error")]
    pub fn next(&mut self) -> Result<Option<Entry>> {
        let next = self.step();
        if next.is_err() {
            self.open.clear();
        }
        next
    }

    fn step(&mut self) -> Result<Option<Entry>> {
        if let Some(root) = self.root.take() {
            self.enter(&root)?;
            return Ok(Some(Entry {
                path: b"/".to_vec(),
                depth: 0,
                node: root,
                link_to: None,
            }));
        }
        while let Some((length, entries)) = self.open.last_mut() {
            self.path.truncate(*length);
            let Some((name, node)) = entries.next() else {
                self.open.pop();
                continue;
            };
            self.path.push(b'/');
            self.path.extend(name);
            return self.entry(node).map(Some);
        }
        Ok(None)
    }

    fn entry(&mut self, node: Node) -> Result<Entry> {
        let depth = self.open.len();
        let mut link_to = None;
        if node.kind == NodeKind::Directory {
            self.enter(&node)?;
        } else if node.links.is_some_and(|links| links > 1) {
            link_to = self.first_paths.get(&node.identity()).cloned();
            if link_to.is_none() {
                self.first_paths.insert(node.identity(), self.path.clone());
            }
        }
        Ok(Entry {
            path: self.path.clone(),
            depth,
            node,
            link_to,
        })
    }

    fn enter(&mut self, directory: &Node) -> Result<()> {
        let place = || match self.path.escape_ascii().to_string() {
            path if path.is_empty() => "/".to_owned(),
            path => path,
        };
        let is_new = self.directories.insert(directory.identity());
        // Several names may lead to nothing.
        if !is_new && directory.place != Place::Empty {
            let message = "another name leads to this directory";
            return Err(Error::corrupt(place(), message));
        }
        if self.open.len() == DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} directories are above it");
            return Err(Error::unsupported(place(), message));
        }
        let mut listing = Listing::new(&mut self.budget);
        let reader = self.filesystem.reader()?;
        reader.list(directory, &mut listing)?;
        self.open
            .push((self.path.len(), listing.sorted().into_iter()));
        Ok(())
    }
}
