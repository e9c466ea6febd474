//! What stands in a file, and what might.

use std::sync::Arc;

use super::node::{Kind, Node};
use super::place::Place;
use super::value::Value;

/// What stands in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The file as the user calls it.
    pub file: Arc<str>,
    /// All that is in it.
    pub root: Node,
}

impl Document {
    /// The whole of it.
    pub fn root(&self) -> Value<'_> {
        Value::new(&self.root, Place::of_file(&self.file))
    }

    /// What is at `path`, or would be: `groups[2].parts[0]`. Keys in it are plain.
    pub fn spot(&self, path: &str) -> Spot<'_> {
        let root = Spot {
            node: Some(&self.root),
            place: Place::of_file(&self.file),
        };
        let steps = path.split(['.', '[']).filter(|step| !step.is_empty());
        steps.fold(root, |spot, step| {
            match step.strip_suffix(']').map(str::parse) {
                Some(Ok(index)) => spot.index(index),
                _ => spot.key(step),
            }
        })
    }
}

/// A value that may be in a file or not.
#[derive(Clone, Debug)]
pub struct Spot<'a> {
    node: Option<&'a Node>,
    place: Place,
}

impl Spot<'_> {
    /// The value of `key` in the object here.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let node = self.node.and_then(|node| node.get(key));
        let place = self.place.key(key, node.map(|node| node.position));
        Self { node, place }
    }

    /// The value at `index` in the list here.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let node = self.node.and_then(|node| node.item(index));
        let place = self.place.index(index, node.map(|node| node.position));
        Self { node, place }
    }

    /// The value of the first of `keys` that is there.
    pub fn first_of(&self, keys: &[&str]) -> Option<Self> {
        keys.iter().map(|key| self.key(key)).find(Self::is_there)
    }

    /// Whether there is anything; a null is nothing.
    pub fn is_there(&self) -> bool {
        self.node.is_some_and(|node| node.kind != Kind::Null)
    }

    /// Its path, with the position of the nearest value around it that is there.
    pub fn place(&self) -> &Place {
        &self.place
    }
}
