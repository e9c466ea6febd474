//! Extended attributes: what of them lies in an inode, the block for what doesn't fit there, and
//! the values that fit into neither and get inodes of their own (`ea_inode`).
//!
//! "ext4 Data Structures and Algorithms", section 4.5 (extended attributes).

use std::borrow::Cow;

use thiserror::Error;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromZeros, IntoBytes};

use super::checksum::Crc;
use super::format::*;
use crate::fs::misfits::{VALUE_MAX, check_acl};
use crate::tree::{Xattr, Xattrs};

/// What names begin with, or all of a name, and its `e_name_index`.
const NAMESPACES: [(&str, u8); 7] = [
    ("user.", 1),
    (POSIX_ACL_ACCESS, EXT4_XATTR_INDEX_POSIX_ACL_ACCESS),
    (POSIX_ACL_DEFAULT, EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT),
    ("trusted.", 4),
    ("security.", EXT4_XATTR_INDEX_SECURITY),
    ("system.richacl", 8),
    ("gnu.", 10),
];
const POSIX_ACL_ACCESS: &str = "system.posix_acl_access";
const POSIX_ACL_DEFAULT: &str = "system.posix_acl_default";

/// What an ACL of system calls, and one on disk, begin with.
const ACL_VERSION_BYTES: usize = 4;
const ACL_VERSION_ON_DISK: [u8; 4] = 1u32.to_le_bytes();
/// The tags of users and groups with a number: `ACL_USER`, `ACL_GROUP`.
const ACL_TAGS_WITH_ID: [u8; 2] = [0x02, 0x08];

/// A list of entries ends in four bytes of zero.
const END_OF_ENTRIES: usize = 4;
const MAGIC: usize = 4;

/// Whether values may be in inodes of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outside {
    Never,
    /// Where there is no room for them.
    Allowed,
}

/// A value in an inode of its own, which several attributes may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ValueInode {
    pub number: u32,
    /// The value's checksum.
    pub hash: u32,
}

/// The extended attributes of an inode as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    /// What follows the inode's extra fields; empty when there is nothing.
    pub in_inode: Vec<u8>,
    /// The block of what didn't fit, without its checksum. Inodes with equal blocks may share one.
    pub block: Option<Vec<u8>>,
}

/// Where the attributes of an inode are.
#[derive(Debug)]
pub(super) struct Arranged<'a> {
    inode: Place<'a>,
    block: Place<'a>,
}

/// Why attributes can't be stored.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Problem {
    #[error(
        "ext filesystems have {} only, with names up to 255 bytes",
        NAMESPACES.map(|(namespace, _)| namespace).join(", ")
    )]
    Namespace,
    #[error("{0}")]
    Acl(String),
    #[error(
        "{bytes} bytes and {needed} with its name, where {in_inode} are left in the inode and \
         {in_block} in its block of {block_size}"
    )]
    TooLarge {
        bytes: usize,
        needed: usize,
        in_inode: usize,
        in_block: usize,
        block_size: usize,
    },
}

/// Finds places for attributes: in the inode, which has `in_inode_room` bytes after its extra
/// fields, in a block, and for values outside of both where they may be, the longest first.
pub(super) fn arrange(
    xattrs: &Xattrs,
    in_inode_room: usize,
    block_size: usize,
    outside: Outside,
) -> Result<Arranged<'_>, Problem> {
    let attributes = xattrs.iter().map(Attribute::new);
    let mut attributes = attributes.collect::<Result<Vec<_>, _>>()?;
    loop {
        attributes.sort_by(|a, b| a.preference().cmp(&b.preference()));
        let problem = match divide(&attributes, in_inode_room, block_size) {
            Ok(arranged) => return Ok(arranged),
            Err(problem) => problem,
        };
        let inside = attributes.iter_mut().filter(|it| !it.is_outside);
        match inside.max_by_key(|it| it.value.len()) {
            Some(longest)
                if outside == Outside::Allowed
                    && (1..=VALUE_MAX).contains(&longest.value.len()) =>
            {
                longest.is_outside = true;
            }
            _ => return Err(problem),
        }
    }
}

/// Whether attributes can be stored.
pub(super) fn check(
    xattrs: &Xattrs,
    in_inode_room: usize,
    block_size: usize,
    outside: Outside,
) -> Result<(), Problem> {
    arrange(xattrs, in_inode_room, block_size, outside).map(drop)
}

fn divide<'a>(
    attributes: &[Attribute<'a>],
    in_inode_room: usize,
    block_size: usize,
) -> Result<Arranged<'a>, Problem> {
    let mut inode = Place::new(in_inode_room.saturating_sub(MAGIC), 0);
    let mut block = Place::new(block_size, size_of::<XattrHeader>());
    for attribute in attributes {
        let needed = attribute.len();
        if needed <= inode.left {
            inode.add(attribute.clone());
        } else if needed <= block.left {
            block.add(attribute.clone());
        } else {
            return Err(Problem::TooLarge {
                bytes: attribute.value.len(),
                needed,
                in_inode: inode.left,
                in_block: block.left,
                block_size,
            });
        }
    }
    Ok(Arranged { inode, block })
}

impl Arranged<'_> {
    /// The values that entries of the inode refer to.
    pub(super) fn outside_in_inode(&self) -> impl Iterator<Item = &[u8]> {
        self.inode.outside()
    }

    /// The values that entries of the block refer to.
    pub(super) fn outside_in_block(&self) -> impl Iterator<Item = &[u8]> {
        self.block.outside()
    }

    /// Stores all of it. `find` tells where the values are that are outside.
    pub(super) fn store(mut self, find: impl Fn(&[u8]) -> ValueInode) -> Stored {
        Stored {
            in_inode: self.inode.render_in_inode(&find),
            block: self.block.render_block(&find),
        }
    }
}

/// Completes a block of attributes: which block it is, how many inodes have it, and its checksum.
pub(super) fn finish_block(bytes: &mut [u8], block: u64, inodes: u32, seed: Option<Crc>) {
    let refcount = std::mem::offset_of!(XattrHeader, h_refcount);
    bytes[refcount..][..4].copy_from_slice(&inodes.to_le_bytes());
    let checksum = std::mem::offset_of!(XattrHeader, h_checksum);
    bytes[checksum..][..4].fill(0);
    if let Some(seed) = seed {
        let crc = seed.update(&block.to_le_bytes()).update(bytes);
        bytes[checksum..][..4].copy_from_slice(&crc.get().to_le_bytes());
    }
}

/// An attribute in the terms of the format.
#[derive(Clone, Debug)]
struct Attribute<'a> {
    name_index: u8,
    name: &'a [u8],
    value: Cow<'a, [u8]>,
    /// Its value is in an inode of its own.
    is_outside: bool,
}

impl<'a> Attribute<'a> {
    fn new(xattr: &'a Xattr) -> Result<Self, Problem> {
        let full_name = &*xattr.name;
        let found = NAMESPACES.iter().find_map(|(namespace, index)| {
            let name = full_name.strip_prefix(namespace.as_bytes())?;
            // A name is either a namespace and more, or well known as a whole.
            (name.is_empty() != namespace.ends_with('.')).then_some((*index, name))
        });
        let (name_index, name) = found
            .filter(|(_, name)| name.len() <= usize::from(u8::MAX))
            .ok_or(Problem::Namespace)?;
        let value = if is_acl(name_index) {
            check_acl(&xattr.value).map_err(Problem::Acl)?;
            Cow::Owned(acl_on_disk(&xattr.value))
        } else {
            Cow::Borrowed(&*xattr.value)
        };
        Ok(Self {
            name_index,
            name,
            value,
            is_outside: false,
        })
    }

    /// Bytes of the entry and the value.
    fn len(&self) -> usize {
        self.entry_len() + self.value_len()
    }

    fn entry_len(&self) -> usize {
        size_of::<XattrEntry>() + self.name.len().next_multiple_of(4)
    }

    /// Bytes of the value beside the entry.
    fn value_len(&self) -> usize {
        match self.is_outside {
            true => 0,
            false => self.value.len().next_multiple_of(4),
        }
    }

    /// What goes into the inode first: what a kernel reads at every access, then what is small.
    fn preference(&self) -> impl Ord {
        let class = match self.name_index {
            EXT4_XATTR_INDEX_SECURITY => 0,
            index if is_acl(index) => 1,
            _ => 2,
        };
        (class, self.len(), self.position())
    }

    /// The order of entries in a block, by which kernels search.
    fn position(&self) -> (u8, usize, &'a [u8]) {
        (self.name_index, self.name.len(), self.name)
    }

    /// `e_hash`: the name's bytes and then the value's words, rotated by 5 and 16 bits. Bytes count
    /// as unsigned. Of a value outside its checksum is the only word.
    fn hash(&self, outside: Option<ValueInode>) -> u32 {
        let name = self
            .name
            .iter()
            .fold(0u32, |hash, byte| hash.rotate_left(5) ^ u32::from(*byte));
        if let Some(inode) = outside {
            return name.rotate_left(16) ^ inode.hash;
        }
        self.value.chunks(4).fold(name, |hash, bytes| {
            let word = std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0));
            hash.rotate_left(16) ^ u32::from_le_bytes(word)
        })
    }
}

const fn is_acl(name_index: u8) -> bool {
    matches!(
        name_index,
        EXT4_XATTR_INDEX_POSIX_ACL_ACCESS | EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT
    )
}

/// From the form of system calls to that on disk: another version, and no number where the tag
/// says all.
fn acl_on_disk(value: &[u8]) -> Vec<u8> {
    let mut stored = ACL_VERSION_ON_DISK.to_vec();
    for entry in value[ACL_VERSION_BYTES..].chunks(8) {
        let kept = if ACL_TAGS_WITH_ID.contains(&entry[0]) {
            8
        } else {
            4
        };
        stored.extend_from_slice(&entry[..kept]);
    }
    stored
}

/// Where attributes are stored: entries after a head, values from the end.
#[derive(Debug)]
struct Place<'a> {
    size: usize,
    head: usize,
    left: usize,
    attributes: Vec<Attribute<'a>>,
}

impl<'a> Place<'a> {
    fn new(size: usize, head: usize) -> Self {
        Self {
            size,
            head,
            left: size.saturating_sub(head + END_OF_ENTRIES),
            attributes: Vec::new(),
        }
    }

    fn add(&mut self, attribute: Attribute<'a>) {
        self.left -= attribute.len();
        self.attributes.push(attribute);
    }

    fn outside(&self) -> impl Iterator<Item = &[u8]> {
        let outside = self.attributes.iter().filter(|it| it.is_outside);
        outside.map(|attribute| &*attribute.value)
    }

    /// In an inode only what is outside has hashes: nothing is shared.
    fn render_in_inode(&mut self, find: &impl Fn(&[u8]) -> ValueInode) -> Vec<u8> {
        if self.attributes.is_empty() {
            return Vec::new();
        }
        let mut bytes = EXT4_XATTR_MAGIC.to_le_bytes().to_vec();
        bytes.extend(self.render(|attribute| {
            let outside = attribute.is_outside.then(|| find(&attribute.value));
            let hash = outside.map_or(0, |_| attribute.hash(outside));
            (outside, hash)
        }));
        bytes
    }

    fn render_block(&mut self, find: &impl Fn(&[u8]) -> ValueInode) -> Option<Vec<u8>> {
        if self.attributes.is_empty() {
            return None;
        }
        let mut all = 0u32;
        let mut bytes = self.render(|attribute| {
            let outside = attribute.is_outside.then(|| find(&attribute.value));
            let hash = attribute.hash(outside);
            all = all.rotate_left(16) ^ hash;
            (outside, hash)
        });
        let mut header = XattrHeader::new_zeroed();
        header.h_magic = U32::new(EXT4_XATTR_MAGIC);
        header.h_refcount = U32::new(1);
        header.h_blocks = U32::new(1);
        header.h_hash = U32::new(all);
        bytes[..self.head].copy_from_slice(header.as_bytes());
        Some(bytes)
    }

    /// `entry` tells where the value is if it is outside, and the hash.
    fn render(
        &mut self,
        mut entry: impl FnMut(&Attribute<'a>) -> (Option<ValueInode>, u32),
    ) -> Vec<u8> {
        self.attributes
            .sort_by(|a, b| a.position().cmp(&b.position()));
        let mut bytes = vec![0; self.size];
        let (mut start, mut end) = (self.head, self.size);
        for attribute in &self.attributes {
            end -= attribute.value_len();
            if !attribute.is_outside {
                bytes[end..][..attribute.value.len()].copy_from_slice(&attribute.value);
            }
            // What is empty or outside is nowhere.
            let is_here = attribute.value_len() > 0;
            let (outside, hash) = entry(attribute);
            let entry = XattrEntry {
                e_name_len: attribute.name.len() as u8,
                e_name_index: attribute.name_index,
                e_value_offs: U16::new(if is_here { end as u16 } else { 0 }),
                e_value_inum: U32::new(outside.map_or(0, |inode| inode.number)),
                e_value_size: U32::new(attribute.value.len() as u32),
                e_hash: U32::new(hash),
            };
            let (fixed, name) = bytes[start..end].split_at_mut(size_of::<XattrEntry>());
            fixed.copy_from_slice(entry.as_bytes());
            name[..attribute.name.len()].copy_from_slice(attribute.name);
            start += attribute.entry_len();
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use uuid::uuid;

    use super::*;

    const BLOCK: usize = 1024;

    fn store(xattrs: &Xattrs, room: usize, block_size: usize) -> Result<Stored, Problem> {
        let arranged = arrange(xattrs, room, block_size, Outside::Never)?;
        Ok(arranged.store(|_| unreachable!("nothing is outside")))
    }

    fn xattr(name: &[u8], value: &[u8]) -> Xattr {
        Xattr {
            name: name.into(),
            value: value.into(),
        }
    }

    /// `setfacl -m u:1000:rwx,g:100:r-x` on a file of the mode 0644, as `getfattr` gives it.
    const ACL: &str = "0200000001000600ffffffff02000700e803000004000400ffffffff\
                       080005006400000010000700ffffffff20000400ffffffff";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<_> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
        let pairs = digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8);
        pairs.collect()
    }

    fn sample() -> Xattrs {
        Xattrs::new([
            xattr(b"user.a", b"12345"),
            xattr(b"user.\xC3\xA4", b"\xFF\x80v"),
            xattr(b"user.empty", b""),
            xattr(b"system.posix_acl_access", &bytes(ACL)),
            xattr(b"trusted.t", &[b'x'; 100]),
            xattr(b"security.selinux", b"system_u:object_r:etc_t:s0\0"),
        ])
    }

    /// A head and a tail, zeroes between.
    fn spread(length: usize, head: &str, tail: &str) -> Vec<u8> {
        let (mut all, tail) = (bytes(head), bytes(tail));
        all.resize(length - tail.len(), 0);
        all.extend(tail);
        all
    }

    /// Bytes after an inode's extra fields, what is there, number and bytes of the block.
    type Recorded = (usize, Vec<u8>, Option<(u64, Vec<u8>)>);

    /// The sample as Linux 6.18 stored it, set attribute by attribute in the order of entries.
    fn recorded() -> [Recorded; 3] {
        let x = "78".repeat(100);
        let acl = "010000000100060002000700e8030000040004000800050064000000\
                   1000070020000400";
        let selinux = "73797374656d5f753a6f626a6563745f723a6574635f743a73300000";
        let in_block = spread(
            BLOCK,
            "000002ea010000000100000000cc7114548262680000000000000000000000000101f80300000000\
             0500000067343132610000000201f4030000000003000000ff80b218c3a400000501000000000000\
             00000000f94e6706656d7074790000000002d00300000000240000004700f60301046c0300000000\
             6400000078780c7874000000\
             07065003000000001b000000e200d30d73656c696e757800",
            &format!("{selinux}{x}{acl}ff8076003132333435000000"),
        );
        let in_both = (
            spread(
                96,
                "000002ea02015800000000000300000000000000c3a4000007063c00000000001b00000000000000\
                 73656c696e757800",
                &format!("{selinux}ff807600"),
            ),
            spread(
                BLOCK,
                "000002ea010000000100000046074b4acbd0b4a30000000000000000000000000101f80300000000\
                 050000006734313261000000050100000000000000000000f94e6706656d7074790000000002d403\
                 00000000240000004700f60301047003000000006400000078780c7874000000",
                &format!("{x}{acl}3132333435000000"),
            ),
        );
        let in_inode = spread(
            352,
            "000002ea010154010000000005000000000000006100000002015001000000000300000000000000c3a40000\
             05010000000000000000000000000000656d70747900000000022c0100000000240000000000000001\
             04c800000000006400000000000000740000000706ac00000000001b0000000000000073656c696e7578",
            &format!("{selinux}{x}{acl}ff8076003132333435000000"),
        );
        [
            (0, Vec::new(), Some((48, in_block))),
            (96, in_both.0, Some((48, in_both.1))),
            (352, in_inode, None),
        ]
    }

    #[test]
    fn attributes_are_stored_as_the_kernel_does() {
        let seed = Crc::of_filesystem(uuid!("6ba7b810-9dad-11d1-80b4-00c04fd430c8"));
        for (room, in_inode, block) in recorded() {
            let mut stored = store(&sample(), room, BLOCK).unwrap();
            assert_eq!(stored.in_inode, in_inode, "{room} bytes in the inode");
            let number = block.as_ref().map_or(0, |(number, _)| *number);
            if let Some(bytes) = &mut stored.block {
                finish_block(bytes, number, 1, Some(seed));
            }
            assert_eq!(stored.block, block.map(|(_, block)| block), "{room} bytes");
        }
    }

    #[test]
    fn without_attributes_nothing_is_stored() {
        assert_eq!(store(&Xattrs::NONE, 96, BLOCK), Ok(Stored::default()));
    }

    #[test]
    fn equal_blocks_differ_only_when_finished() {
        let blocks = [1, 2].map(|_| store(&sample(), 0, BLOCK).unwrap().block.unwrap());
        let [mut one, mut other] = blocks;
        assert_eq!(one, other);
        finish_block(&mut one, 1, 1, None);
        finish_block(&mut other, 1, 1024, None);
        assert_eq!(
            (&one[4..8], &other[4..8]),
            (&[1, 0, 0, 0][..], &[0, 4, 0, 0][..])
        );
        finish_block(&mut one, 1, 1024, Some(Crc::START));
        finish_block(&mut other, 2, 1024, Some(Crc::START));
        assert_ne!(one[16..20], other[16..20]);
        assert_eq!(one[20..], other[20..]);
    }

    /// In the inode 92 bytes are left of 96, in the block 988 of 1024.
    #[test]
    fn what_fits_exactly_is_stored_and_one_byte_more_is_refused() {
        let user = |length: usize| xattr(b"user.name", &vec![b'v'; length]);
        for (in_inode_room, length, is_in_inode) in [
            (96, 68, true),
            (96, 69, false),
            (96, 968, false),
            (0, 968, false),
        ] {
            let stored = store(&Xattrs::new([user(length)]), in_inode_room, BLOCK).unwrap();
            assert_eq!(stored.block.is_none(), is_in_inode, "{length}");
            assert_eq!(stored.in_inode.is_empty(), !is_in_inode, "{length}");
        }
        let problem = store(&Xattrs::new([user(969)]), 96, BLOCK).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "969 bytes and 992 with its name, where 88 are left in the inode and 988 in its block \
             of 1024"
        );
    }

    #[test]
    fn the_inode_is_for_security_first_and_then_for_what_is_small() {
        let xattrs = Xattrs::new([
            xattr(b"security.a", &[1; 40]),
            xattr(b"trusted.b", &[2; 8]),
            xattr(b"user.c", &[3; 4]),
        ]);
        let stored = store(&xattrs, 96, BLOCK).unwrap();
        // The names' own bytes, where the second entry has them.
        assert_eq!(stored.in_inode[4..6], [1, 1]);
        assert_eq!(stored.in_inode[20], b'c');
        assert_eq!(stored.in_inode[40], b'a');
        assert_eq!(stored.block.unwrap()[48], b'b');
    }

    #[test]
    fn names_without_a_known_namespace_are_refused() {
        let names = ["foo.bar", "user.", "user", "system.other", "security.", ""];
        let more = "system.posix_acl_access.";
        let long = format!("user.{}", "n".repeat(256));
        for name in names.into_iter().chain([more, &long]) {
            let problem = store(&Xattrs::new([xattr(name.as_bytes(), b"")]), 96, BLOCK);
            assert_eq!(problem, Err(Problem::Namespace), "{name}");
        }
        assert_eq!(
            Problem::Namespace.to_string(),
            "ext filesystems have user., system.posix_acl_access, system.posix_acl_default, \
             trusted., security., system.richacl, gnu. only, with names up to 255 bytes"
        );
        store(
            &Xattrs::new([xattr(&long.as_bytes()[..260], b"")]),
            96,
            BLOCK,
        )
        .unwrap();
    }

    #[test]
    fn what_is_no_acl_is_refused() {
        let name = POSIX_ACL_DEFAULT.as_bytes();
        for value in ["", "01000000", "020000000100", "020000000300060000000000"] {
            let problem = store(&Xattrs::new([xattr(name, &bytes(value))]), 96, BLOCK);
            assert!(matches!(problem, Err(Problem::Acl(_))), "{value}");
        }
    }

    #[test]
    fn the_longest_values_go_outside_until_the_rest_fits() {
        let xattrs = Xattrs::new([
            xattr(b"user.a", &[1; 500]),
            xattr(b"user.b", &[2; 600]),
            xattr(b"user.c", &[3; 700]),
            xattr(b"user.d", b"4"),
        ]);
        check(&xattrs, 96, BLOCK, Outside::Never).unwrap_err();
        let arranged = arrange(&xattrs, 96, BLOCK, Outside::Allowed).unwrap();
        let lengths =
            |values: &mut dyn Iterator<Item = &[u8]>| values.map(<[u8]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(&mut arranged.outside_in_inode()), [600, 700]);
        assert_eq!(lengths(&mut arranged.outside_in_block()), [0; 0]);
        let stored = arranged.store(|value| ValueInode {
            number: value.len() as u32,
            hash: 0x1234_5678,
        });
        // An entry: the length of the name and its index, no offset, inode, size, hash.
        let entry = &stored.in_inode[4..24];
        assert_eq!(entry[..4], [1, 1, 0, 0]);
        assert_eq!(entry[4..8], 600u32.to_le_bytes());
        assert_eq!(entry[8..12], 600u32.to_le_bytes());
        let hash = u32::from(b'b').rotate_left(16) ^ 0x1234_5678;
        assert_eq!(entry[12..16], hash.to_le_bytes());
    }

    #[test]
    fn no_value_is_longer_than_linux_takes_and_names_stay_inside() {
        let longest = |len: usize| Xattrs::new([xattr(b"user.a", &vec![1; len])]);
        check(&longest(VALUE_MAX), 96, BLOCK, Outside::Allowed).unwrap();
        check(&longest(VALUE_MAX + 1), 96, BLOCK, Outside::Allowed).unwrap_err();
        let names = (0..60).map(|number| xattr(format!("user.{number:020}").as_bytes(), b"1"));
        check(&Xattrs::new(names), 96, BLOCK, Outside::Allowed).unwrap_err();
    }
}
