//! Hash trees of dm-verity, and the data that they belong to.
//!
//! By the Discoverable Partitions Specification the type of a tree's partition tells that of its data's,
//! and their UUIDs are the halves of the root hash.

use disklayout::inspect::verity::{self, Superblock};
use disklayout::table::{Entry, Partition, types};
use uuid::Uuid;

use super::{Device, Devices, Layer};

/// A hash tree with its superblock.
#[derive(Debug)]
pub(in crate::command::inspect) struct HashTree {
    pub superblock: Superblock,
    /// The device with the data, where one is known.
    pub data: Option<usize>,
    /// The digest at its root.
    pub root: Option<Vec<u8>>,
    /// Whether the UUIDs of the partitions of data and tree are the halves of the root hash.
    pub has_uuids: Option<bool>,
    /// Why there is no root hash.
    pub error: Option<String>,
}

impl HashTree {
    pub(super) fn new(superblock: Superblock) -> Self {
        Self {
            superblock,
            data: None,
            root: None,
            has_uuids: None,
            error: Some("there is no partition that its data could be in".to_owned()),
        }
    }
}

impl Devices<'_> {
    /// Finds the data of all trees.
    pub(super) fn find_data(&mut self) {
        for number in 0..self.all.len() {
            let Layer::Verity(Ok(tree)) = &self.all[number].layer else {
                continue;
            };
            let candidates = self.candidates(number, tree.superblock.data_len());
            let roots = candidates.iter().map(|data| self.root(*data, number));
            let found: Vec<_> = candidates.iter().zip(roots).collect();
            let has_uuids = |(data, root): &&(&usize, Result<Vec<u8>, String>)| {
                root.as_ref().is_ok_and(|root| self.has_half(**data, root))
            };
            let Some((data, root)) = found.iter().find(has_uuids).or(found.first()) else {
                continue;
            };
            let is_known = root
                .as_ref()
                .ok()
                .and_then(|root| self.has_halves(**data, number, root));
            let (data, root) = (**data, root.clone());
            if let Layer::Verity(Ok(tree)) = &mut self.all[number].layer {
                tree.data = Some(data);
                tree.has_uuids = is_known;
                tree.error = root.as_ref().err().cloned();
                tree.root = root.ok();
            }
        }
    }

    /// Partitions that may have the data of the tree in `number`: those of the type that its own type is
    /// for, else the one in front of it.
    fn candidates(&self, number: usize, len: u64) -> Vec<usize> {
        let fits = |device: &usize| {
            *device != number && self.all[*device].len().is_some_and(|there| there >= len)
        };
        let wanted = partition(&self.all[number]).and_then(|own| data_type(&own.entry));
        let of_type = self.parts().filter(|device| {
            let kind = partition(&self.all[*device]).and_then(|it| kind(&it.entry));
            kind.is_some() && kind == wanted
        });
        let of_type: Vec<_> = of_type.filter(fits).collect();
        match of_type.is_empty() {
            false => of_type,
            true => self.before(number).into_iter().filter(fits).collect(),
        }
    }

    /// The partition in front of another one on the disk.
    fn before(&self, number: usize) -> Option<usize> {
        let first = |device: &usize| Some(partition(&self.all[*device])?.range.first());
        let own = first(&number)?;
        let parts = self.parts();
        let before = parts.filter(|device| first(device).is_some_and(|first| first < own));
        before.max_by_key(first)
    }

    fn root(&self, data: usize, tree: usize) -> Result<Vec<u8>, String> {
        let (Some(data), Some(tree)) = (self.all[data].disk, self.all[tree].disk) else {
            return Err("it can't be reached".to_owned());
        };
        verity::root_hash(data, tree, 0).map_err(|error| error.to_string())
    }

    /// Whether the data's UUID is the first half of a root hash.
    fn has_half(&self, data: usize, root: &[u8]) -> bool {
        let (Some(own), Some(half)) = (self.guid(data), root.first_chunk::<16>()) else {
            return false;
        };
        own.as_bytes() == half
    }

    /// Whether both UUIDs are the halves, where partitions have any.
    fn has_halves(&self, data: usize, tree: usize, root: &[u8]) -> Option<bool> {
        let (_, own) = (self.guid(data)?, self.guid(tree)?);
        let is_second = root.last_chunk::<16>() == Some(own.as_bytes());
        Some(is_second && self.has_half(data, root))
    }

    fn guid(&self, device: usize) -> Option<Uuid> {
        match partition(&self.all[device])?.entry {
            Entry::Gpt { guid, .. } => Some(guid),
            _ => None,
        }
    }

    /// Holds all data of a tree against it: the first block that is wrong, or why it can't be told. Without
    /// data there is nothing to be done.
    pub(in crate::command::inspect) fn verify(
        &self,
        number: usize,
    ) -> Option<Result<Option<verity::Mismatch>, String>> {
        let Layer::Verity(Ok(tree)) = &self.all[number].layer else {
            return None;
        };
        let disks = (self.all[tree.data?].disk?, self.all[number].disk?);
        let found = verity::verify(disks.0, disks.1, 0, tree.root.as_ref()?);
        Some(found.map_err(|error| error.to_string()))
    }
}

fn partition<'a>(device: &Device<'a>) -> Option<&'a Partition> {
    device.part()?.partition.as_ref()
}

fn kind(entry: &Entry) -> Option<Uuid> {
    match entry {
        Entry::Gpt { kind, .. } => Some(*kind),
        _ => None,
    }
}

/// The type of the data that a partition of this type is the tree of.
fn data_type(entry: &Entry) -> Option<Uuid> {
    kind(entry)?;
    let title = entry.type_name()?;
    let data = title.replacen(" verity (", " (", 1);
    let found = types::named(&data).filter(|found| found.title == data && data != title);
    found.map(|found| found.guid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_trees_have_types_of_data() {
        let entry = |name: &str| Entry::Gpt {
            kind: types::named(name).unwrap().guid,
            guid: Uuid::nil(),
            name: String::new(),
            attributes: 0,
            hybrid: None,
        };
        for name in ["root-x86-64", "usr-arm64", "root-riscv64"] {
            let data = types::named(name).unwrap().guid;
            assert_eq!(
                data_type(&entry(&format!("{name}-verity"))),
                Some(data),
                "{name}"
            );
            for other in [name, &format!("{name}-verity-sig")] {
                assert_eq!(data_type(&entry(other)), None, "{other}");
            }
        }
        assert_eq!(data_type(&entry("linux")), None);
    }
}
