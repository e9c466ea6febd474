//! Directories of more than one block: a tree that is searched by the hash of a name.
//!
//! "ext4 Data Structures and Algorithms", section 4.3.3 (hash tree directories). The root comes
//! first, then the index blocks from the upper level to the lower one, then the leaves, which are
//! ordinary blocks of a directory. A reader that knows of no index sees the index blocks as unused
//! space.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};

use super::checksum::Crc;
use super::directory::{Entry, Index, Shape, entry_length};
use super::format::*;
use super::hash::{Hash, NameHash};

/// The bytes of the root before its entries: `.`, `..` and `dx_root_info`.
const ROOT_HEAD: usize = 2 * entry_length(2) + size_of::<DxRootInfo>();
/// The bytes of another index block before its entries: what looks like one unused entry.
const NODE_HEAD: usize = size_of::<DirEntry>();
/// The hash in an index entry is even. One more means that the leaf before ends in the same hash.
const CONTINUED: u32 = 1;

/// How the blocks of a directory are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub blocks: u64,
    pub form: Form,
}

/// Whether there is an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One entry after another; what is left of the blocks is empty.
    Linear,
    /// An index with so many levels below its root; the inode has `EXT4_INDEX_FL`.
    Indexed { indirect_levels: u8 },
}

impl Form {
    /// Whether only `large_dir` allows it.
    pub(super) const fn needs_large_dir(self) -> bool {
        matches!(
            self,
            Self::Indexed {
                indirect_levels: 2..
            }
        )
    }
}

/// How a directory with these names beside `.` and `..` is stored: with an index when it takes more
/// than one block and one is wanted and possible.
pub(super) fn plan(shape: Shape, names: &[&[u8]]) -> Plan {
    let lengths = names.iter().map(|name| name.len());
    let linear = Plan {
        blocks: shape.blocks([1, 2].into_iter().chain(lengths)),
        form: Form::Linear,
    };
    let Some(index) = shape.index.filter(|_| linear.blocks > 1) else {
        return linear;
    };
    let sorted = sorted(index.hash, names.iter().copied());
    let leaves = leaves(shape, &sorted, |name| names[name].len()).len() as u64;
    depth(shape, index, leaves).map_or(linear, |(indirect_levels, nodes)| Plan {
        blocks: 1 + nodes + leaves,
        form: Form::Indexed { indirect_levels },
    })
}

/// All blocks of a directory as planned. `own` are `.` and `..`, `checksum` is what the inode's
/// checksums start from.
pub(super) fn render(
    shape: Shape,
    plan: Plan,
    own: &[Entry<'_>; 2],
    entries: &[Entry<'_>],
    checksum: Crc,
) -> Vec<u8> {
    match (plan.form, shape.index) {
        (Form::Indexed { indirect_levels }, Some(index)) => {
            let sorted = sorted(index.hash, entries.iter().map(|entry| entry.name));
            let leaves = leaves(shape, &sorted, |entry| entries[entry].name.len());
            let mut bytes = Vec::with_capacity(plan.blocks as usize * shape.block_size as usize);
            let tree = Tree { shape, checksum };
            tree.render_index(own, &leaves, indirect_levels, &mut bytes);
            tree.render_leaves(entries, &sorted, &leaves, &mut bytes);
            bytes
        }
        _ => shape.render(&[own, entries].concat(), plan.blocks, checksum),
    }
}

/// A name by its hash and its position in the order given.
type Hashed = (Hash, u32);

/// Names in the order of their hashes.
fn sorted<'a>(hash: NameHash, names: impl Iterator<Item = &'a [u8]>) -> Vec<Hashed> {
    let hashed = names
        .zip(0..)
        .map(|(name, position)| (hash.of(name), position));
    let mut sorted: Vec<_> = hashed.collect();
    sorted.sort_unstable();
    sorted
}

/// A leaf: what the index says of it and where it ends among the sorted names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leaf {
    hash: u32,
    end: usize,
}

/// Puts as many names as fit into each leaf.
fn leaves(shape: Shape, sorted: &[Hashed], length: impl Fn(usize) -> usize) -> Vec<Leaf> {
    let mut leaves: Vec<Leaf> = Vec::new();
    let mut used = shape.capacity();
    let mut before = None;
    for (end, (hash, position)) in (1..).zip(sorted) {
        let length = entry_length(length(*position as usize));
        used += length;
        match leaves.last_mut() {
            Some(leaf) if used <= shape.capacity() => leaf.end = end,
            _ => {
                let continued = before == Some(hash.major);
                let hash = hash.major | if continued { CONTINUED } else { 0 };
                leaves.push(Leaf { hash, end });
                used = length;
            }
        }
        before = Some(hash.major);
    }
    leaves
}

/// How many entries an index block holds after `head` bytes.
const fn limit(shape: Shape, head: usize) -> usize {
    let tail = if shape.has_checksums {
        size_of::<DxTail>()
    } else {
        0
    };
    (shape.block_size as usize - head - tail) / size_of::<DxEntry>()
}

/// The levels below the root that lead to so many leaves, and their index blocks.
fn depth(shape: Shape, index: Index, leaves: u64) -> Option<(u8, u64)> {
    let (in_root, in_node) = (limit(shape, ROOT_HEAD), limit(shape, NODE_HEAD));
    let (mut children, mut nodes) = (leaves, 0);
    for levels in 0..=index.most_levels {
        if children <= in_root as u64 {
            return Some((levels, nodes));
        }
        children = children.div_ceil(in_node as u64);
        nodes += children;
    }
    None
}

/// Renders the blocks of an indexed directory.
struct Tree {
    shape: Shape,
    checksum: Crc,
}

impl Tree {
    fn render_index(&self, own: &[Entry<'_>; 2], leaves: &[Leaf], levels: u8, bytes: &mut Vec<u8>) {
        let in_node = limit(self.shape, NODE_HEAD);
        let mut tiers: Vec<Vec<u32>> = vec![leaves.iter().map(|leaf| leaf.hash).collect()];
        for tier in 0..usize::from(levels) {
            let firsts = tiers[tier].iter().step_by(in_node).copied();
            tiers.push(firsts.collect());
        }
        let (root, node) = (self.root_head(own, levels), self.node_head());
        let mut below = 1;
        for (tier, hashes) in tiers.iter().enumerate().rev() {
            let (head, in_block) = if tier == usize::from(levels) {
                (&root, limit(self.shape, ROOT_HEAD))
            } else {
                (&node, in_node)
            };
            for children in hashes.chunks(in_block) {
                self.render_index_block(head, children, below, bytes);
                below += children.len() as u32;
            }
        }
    }

    /// `.` and `..`, which reaches to the block's end, so that the rest isn't taken for entries.
    fn root_head(&self, own: &[Entry<'_>; 2], indirect_levels: u8) -> Vec<u8> {
        let mut head = Vec::with_capacity(ROOT_HEAD);
        let first = entry_length(1);
        let lengths = [first, self.shape.block_size as usize - first];
        for (entry, length) in own.iter().zip(lengths) {
            self.shape.render_entry(entry, length, &mut head);
            head.resize(head.len().next_multiple_of(4), 0);
        }
        let info = DxRootInfo {
            reserved_zero: U32::ZERO,
            hash_version: DX_HASH_HALF_MD4,
            info_length: size_of::<DxRootInfo>() as u8,
            indirect_levels,
            unused_flags: 0,
        };
        head.extend_from_slice(info.as_bytes());
        head
    }

    fn node_head(&self) -> Vec<u8> {
        let unused = Entry {
            name: b"",
            inode: 0,
            file_type: 0,
        };
        let mut head = Vec::with_capacity(NODE_HEAD);
        let length = self.shape.block_size as usize;
        self.shape.render_entry(&unused, length, &mut head);
        head
    }

    /// One index block; its children have consecutive blocks from `first` on.
    fn render_index_block(&self, head: &[u8], hashes: &[u32], first: u32, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        let end = start + self.shape.block_size as usize;
        let counts = DxCountLimit {
            limit: U16::new(limit(self.shape, head.len()) as u16),
            count: U16::new(hashes.len() as u16),
        };
        bytes.extend_from_slice(head);
        bytes.extend_from_slice(counts.as_bytes());
        bytes.extend_from_slice(U32::new(first).as_bytes());
        for (hash, block) in hashes.iter().zip(first..).skip(1) {
            let entry = DxEntry {
                hash: U32::new(*hash),
                block: U32::new(block),
            };
            bytes.extend_from_slice(entry.as_bytes());
        }
        if !self.shape.has_checksums {
            bytes.resize(end, 0);
            return;
        }
        // The tail counts as if its own checksum were zero; unused entries don't count.
        let mut tail = DxTail {
            dt_reserved: U32::ZERO,
            dt_checksum: U32::ZERO,
        };
        let checksum = self
            .checksum
            .update(&bytes[start..])
            .update(tail.as_bytes());
        tail.dt_checksum = U32::new(checksum.get());
        bytes.resize(end - size_of::<DxTail>(), 0);
        bytes.extend_from_slice(tail.as_bytes());
    }

    fn render_leaves(
        &self,
        entries: &[Entry<'_>],
        sorted: &[Hashed],
        leaves: &[Leaf],
        bytes: &mut Vec<u8>,
    ) {
        let mut start = 0;
        let mut of_leaf = Vec::new();
        for leaf in leaves {
            let names = &sorted[start..leaf.end];
            of_leaf.clear();
            of_leaf.extend(names.iter().map(|(_, entry)| entries[*entry as usize]));
            self.shape.render_block(&of_leaf, self.checksum, bytes);
            start = leaf.end;
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn shape(block_size: u32, has_checksums: bool, most_levels: u8) -> Shape {
        let hash = NameHash::new(Uuid::nil());
        Shape {
            block_size,
            has_checksums,
            has_file_types: true,
            index: Some(Index { hash, most_levels }),
        }
    }

    fn numbered(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("{number:0>252}")).collect()
    }

    fn planned(shape: Shape, names: &[String]) -> Plan {
        let names: Vec<_> = names.iter().map(String::as_bytes).collect();
        plan(shape, &names)
    }

    /// Blocks of 1 KiB hold three names of 252 bytes, with a checksum or without.
    const A_LEAF: usize = 3;

    #[test]
    fn the_index_begins_with_the_second_block_and_grows_by_one_level_past_what_it_holds() {
        let indexed = |indirect_levels| Form::Indexed { indirect_levels };
        // 123 entries in the root.
        for (names, blocks, form) in [
            (3, 1, Form::Linear),
            (4, 3, indexed(0)),
            (123 * A_LEAF, 124, indexed(0)),
            (123 * A_LEAF + 1, 1 + 1 + 124, indexed(1)),
        ] {
            let plan = planned(shape(1024, true, 2), &numbered(names));
            assert_eq!(plan, Plan { blocks, form }, "{names} names");
        }
    }

    /// 123 entries in the root, 126 in the other index blocks.
    #[test]
    fn every_level_multiplies_the_leaves() {
        for (leaves, one_level, two_levels) in [
            (123, Some((0, 0)), Some((0, 0))),
            (124, Some((1, 1)), Some((1, 1))),
            (126, Some((1, 1)), Some((1, 1))),
            (127, Some((1, 2)), Some((1, 2))),
            (123 * 126, Some((1, 123)), Some((1, 123))),
            (123 * 126 + 1, None, Some((2, 124 + 1))),
            (123 * 126 * 126, None, Some((2, 123 * 126 + 123))),
            (123 * 126 * 126 + 1, None, None),
        ] {
            for (most_levels, expected) in [(1, one_level), (2, two_levels)] {
                let shape = shape(1024, true, most_levels);
                let found = depth(shape, shape.index.unwrap(), leaves);
                assert_eq!(found, expected, "{leaves} leaves");
            }
        }
        let forms = [0, 1, 2].map(|indirect_levels| Form::Indexed { indirect_levels });
        assert_eq!(forms.map(Form::needs_large_dir), [false, false, true]);
    }

    #[test]
    fn limits_are_those_of_the_kernel() {
        for (block_size, has_checksums, in_root, in_node) in [
            (1024, false, 124, 127),
            (1024, true, 123, 126),
            (4096, false, 508, 511),
            (4096, true, 507, 510),
        ] {
            let shape = shape(block_size, has_checksums, 1);
            assert_eq!(limit(shape, ROOT_HEAD), in_root);
            assert_eq!(limit(shape, NODE_HEAD), in_node);
        }
    }

    #[test]
    fn what_no_index_can_hold_stays_linear() {
        let names = numbered(123 * A_LEAF + 1);
        let plan = planned(shape(1024, true, 0), &names);
        assert_eq!((plan.form, plan.blocks), (Form::Linear, 124));
        assert_eq!(planned(shape(1024, true, 2).linear(), &names), plan);
    }

    #[test]
    fn every_plan_is_rendered_in_as_many_blocks() {
        for names in [0, 3, 4, 5, 123 * A_LEAF, 123 * A_LEAF + 1, 1000] {
            for has_checksums in [false, true] {
                let shape = shape(1024, has_checksums, 1);
                let names = numbered(names);
                let entries: Vec<_> = names.iter().map(|name| entry(name)).collect();
                let plan = planned(shape, &names);
                let bytes = render(shape, plan, &Entry::own(12, 2), &entries, Crc::START);
                assert_eq!(bytes.len() as u64, plan.blocks * 1024);
            }
        }
    }

    fn entry(name: &str) -> Entry<'_> {
        Entry {
            name: name.as_bytes(),
            inode: 12,
            file_type: EXT4_FT_REG_FILE,
        }
    }

    /// Names of 248 bytes of which two and two share a hash.
    fn colliding() -> Vec<String> {
        let pairs = [
            [143_923, 347_282],
            [22_027, 358_448],
            [188_727, 332_796],
            [28_223, 205_380],
        ];
        let numbers = pairs.into_iter().flatten();
        numbers.map(|number| format!("{number:0>248}")).collect()
    }

    /// Three names fill a leaf, so that every other pair is cut in two.
    #[test]
    fn names_of_one_hash_in_two_leaves_are_continued() {
        let names = colliding();
        let shape = shape(1024, true, 1);
        let hash = NameHash::new(Uuid::nil());
        let sorted = sorted(hash, names.iter().map(String::as_bytes));
        let hashes: Vec<_> = sorted.iter().map(|(hash, _)| hash.major).collect();
        let leaves = leaves(shape, &sorted, |name| names[name].len());
        let expected = [(hashes[0], 3), (hashes[3] | CONTINUED, 6), (hashes[6], 8)];
        assert_eq!(leaves, expected.map(|(hash, end)| Leaf { hash, end }));
        assert_eq!(hashes[2], hashes[3]);

        let entries: Vec<_> = names.iter().map(|name| entry(name)).collect();
        let plan = planned(shape, &names);
        let bytes = render(shape, plan, &Entry::own(12, 2), &entries, Crc::START);
        let root: Vec<_> = bytes[32..56]
            .chunks(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect();
        assert_eq!(root, [123 | 3 << 16, 1, hashes[3] | 1, 2, hashes[6], 3]);
    }
}
