//! The one digest that stands for all data.

use std::fmt;

use uuid::Uuid;

/// The digest at the root of a tree: who knows it knows whether any bit of the data was changed.
///
/// It is shown in lower-case hexadecimal digits, as the kernel, veritysetup and systemd take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootHash(Box<[u8]>);

impl RootHash {
    /// `digest` is that of one of the algorithms: 32 bytes at least.
    pub(super) fn new(digest: Box<[u8]>) -> Self {
        debug_assert!(digest.len() >= 32);
        Self(digest)
    }

    /// The digest's bytes, 32 or 64.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The UUIDs of the partition with the data and of that with the tree, by which the
    /// Discoverable Partitions Specification finds both: the first and the last 128 bits.
    pub fn partition_uuids(&self) -> [Uuid; 2] {
        let (first, last) = (self.0.first_chunk::<16>(), self.0.last_chunk::<16>());
        [first, last].map(|bytes| Uuid::from_bytes(bytes.copied().unwrap_or_default()))
    }
}

impl fmt::Display for RootHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_name_the_partitions() {
        for len in [32, 64_u8] {
            let hash = RootHash::new((0..len).collect());
            let [data, tree] = hash.partition_uuids().map(|uuid| uuid.simple().to_string());
            let shown = hash.to_string();
            assert_eq!(data, "000102030405060708090a0b0c0d0e0f");
            assert!(shown.starts_with(&data) && shown.ends_with(&tree));
            assert_eq!(shown.len(), 2 * usize::from(len));
        }
    }
}
