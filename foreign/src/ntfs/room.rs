//! About how much room a tree takes in a volume: mkntfs and ntfscp decide, so this is an upper
//! bound of what they were seen to take.

use disklayout::tree::{FileTree, NodeId, NodeKind};
use disklayout::{Bytes, SectorSize};

use super::geometry::{Geometry, min_size};

/// A file of this size or less is in its record, whatever its name.
const RESIDENT: u64 = 200;
/// Bytes of a block of an index.
const INDEX_BLOCK: u64 = 4096;
/// Bytes of an index entry beside its name, and of a name's unit.
const INDEX_ENTRY: u64 = 16 + 66;
const UNIT: u64 = 2;
/// Entries of about this many bytes are in the directory's record.
const INDEX_IN_RECORD: u64 = 300;
/// What the tables of records and clusters grow by at a time, and what may be left over.
const SLACK: u64 = 256 << 10;

/// The smallest partition, on a disk with such sectors, that surely holds `tree` and `free` bytes
/// more; `None` if no volume does.
pub(super) fn smallest(tree: &FileTree, free: Bytes, sector: SectorSize) -> Option<Bytes> {
    let mut size = min_size(sector).get();
    loop {
        let geometry = Geometry::new(Bytes::new(size), sector)?;
        let needed = demand(tree, &geometry).checked_add(free.get())?;
        let missing = needed.saturating_sub(geometry.free.get());
        if missing == 0 {
            return Some(Bytes::new(size));
        }
        size = size
            .checked_add(missing)?
            .checked_next_multiple_of(sector.get())?;
    }
}

/// What the data of files takes at least.
pub(super) fn least(tree: &FileTree, geometry: &Geometry) -> u64 {
    let cluster = u64::from(geometry.cluster_size);
    let sizes = tree.files().into_iter().map(|(_, content)| content.len());
    let in_clusters = sizes.filter(|&size| size > u64::from(geometry.record_size));
    in_clusters.fold(0_u64, |sum, size| {
        sum.saturating_add(size.div_ceil(cluster).saturating_mul(cluster))
    })
}

/// An upper bound of what files, directories and their records take.
fn demand(tree: &FileTree, geometry: &Geometry) -> u64 {
    let cluster = u64::from(geometry.cluster_size);
    let record = u64::from(geometry.record_size);
    let nodes = tree.nodes().map(|(id, node)| {
        let data = match &node.kind {
            NodeKind::Directory => index(tree, id),
            NodeKind::File(content) if content.len() > RESIDENT => content.len(),
            _ => 0,
        };
        record.saturating_add(data.checked_next_multiple_of(cluster).unwrap_or(u64::MAX))
    });
    nodes.fold(SLACK, u64::saturating_add)
}

/// What a directory's entries take: blocks that names were put into in their order stay half empty.
fn index(tree: &FileTree, directory: NodeId) -> u64 {
    let entries = tree.entries(directory).map(|(name, _)| {
        // A unit of UTF-16 takes a byte of UTF-8 at least.
        (INDEX_ENTRY + UNIT * name.len() as u64).next_multiple_of(8)
    });
    match entries.sum() {
        0..=INDEX_IN_RECORD => 0,
        bytes => (bytes * 9 / 4).next_multiple_of(INDEX_BLOCK) + INDEX_BLOCK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::Timestamp;
    use disklayout::tree::{Attributes, Content};

    #[test]
    fn sizes_follow_the_content() {
        for sector in [SectorSize::B512, SectorSize::B4096] {
            check_sizes(sector);
        }
    }

    fn check_sizes(sector: SectorSize) {
        let smallest = |tree: &FileTree, free| super::smallest(tree, free, sector);
        let empty = FileTree::new(Timestamp::default());
        let none = Bytes::new(0);
        let least = smallest(&empty, none).unwrap();
        assert!(least.get().is_multiple_of(sector.get()));
        assert!(least.get() < 2 * Bytes::MIB);
        let with_room = smallest(&empty, Bytes::new(10 * Bytes::MIB)).unwrap();
        assert!((10..16).contains(&(with_room.get() / Bytes::MIB)));
        let mut tree = empty;
        let mut put = |len| {
            let attributes = Attributes::file(Timestamp::default());
            let content = Content::host("/nowhere", len);
            tree.put_file("t", b"/f", content, attributes).unwrap();
            smallest(&tree, none)
        };
        let gib = put(Bytes::GIB).unwrap();
        assert!(gib.get() > Bytes::GIB && gib.get() < Bytes::GIB + 16 * Bytes::MIB);
        assert_eq!(put(u64::MAX), None);
    }
}
