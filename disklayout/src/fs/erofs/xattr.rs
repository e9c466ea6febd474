//! Extended attributes: those of one inode lie behind it, those of several in an area of their own.
//!
//! "EROFS - Enhanced Read-Only File System", section "On-disk details": inline and shared xattrs.

use std::collections::HashMap;

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};

use super::format::*;
use crate::fs::misfits::check_xattr;
use crate::tree::{FileTree, Xattr, Xattrs};

/// What names begin with, or all of a name, and its `e_name_index`.
const NAMESPACES: [(&str, u8); 5] = [
    ("user.", EROFS_XATTR_INDEX_USER),
    (
        "system.posix_acl_access",
        EROFS_XATTR_INDEX_POSIX_ACL_ACCESS,
    ),
    (
        "system.posix_acl_default",
        EROFS_XATTR_INDEX_POSIX_ACL_DEFAULT,
    ),
    ("trusted.", EROFS_XATTR_INDEX_TRUSTED),
    ("security.", EROFS_XATTR_INDEX_SECURITY),
];

/// Bytes that the attributes of an inode may take, which `i_xattr_icount` counts in fours.
const BODY_MAX: usize = HEADER + (u16::MAX as usize - 1) * EROFS_XATTR_ALIGN;
const HEADER: usize = size_of::<XattrIbodyHeader>();
/// How many shared attributes an inode can have: `h_shared_count` has 8 bits.
const SHARED_MAX: usize = u8::MAX as usize;

/// The attributes that several inodes have.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The number of each, as inodes refer to it, by its bytes.
    numbers: HashMap<Vec<u8>, u32>,
    /// All of them, one after another.
    pub area: Vec<u8>,
}

impl Shared {
    /// What more than one node of the tree has, in the order of the nodes.
    pub(super) fn of(tree: &FileTree) -> Self {
        let mut counts: HashMap<Vec<u8>, u32> = HashMap::new();
        for entry in entries(tree) {
            *counts.entry(entry).or_default() += 1;
        }
        let mut shared = Self::default();
        for entry in entries(tree).filter(|entry| counts[entry] > 1) {
            let number = (shared.area.len() / EROFS_XATTR_ALIGN) as u32;
            let area = &mut shared.area;
            shared.numbers.entry(entry).or_insert_with_key(|entry| {
                area.extend_from_slice(entry);
                number
            });
        }
        shared
    }

    /// What lies behind an inode that has `xattrs`; nothing where it has none.
    pub(super) fn body(&self, xattrs: &Xattrs) -> Vec<u8> {
        let entries: Vec<_> = xattrs.iter().filter_map(|it| entry(it).ok()).collect();
        if entries.is_empty() {
            return Vec::new();
        }
        let mut numbers = Vec::new();
        let mut own = Vec::new();
        for entry in &entries {
            match self.numbers.get(entry) {
                Some(number) if numbers.len() < SHARED_MAX => numbers.push(U32::new(*number)),
                _ => own.extend_from_slice(entry),
            }
        }
        let header = XattrIbodyHeader {
            h_reserved: U32::ZERO,
            h_shared_count: numbers.len() as u8,
            h_reserved2: [0; 7],
        };
        [header.as_bytes(), numbers.as_bytes(), &own].concat()
    }
}

/// `i_xattr_icount` of an inode whose attributes take `len` bytes.
pub(super) const fn icount(len: usize) -> u16 {
    match len {
        0 => 0,
        _ => ((len - HEADER) / EROFS_XATTR_ALIGN + 1) as u16,
    }
}

/// Whether an inode can have these attributes, none of them shared.
///
/// # Errors
/// Why it can't.
pub(super) fn fit(xattrs: &Xattrs) -> Result<(), String> {
    let mut len = HEADER;
    for xattr in xattrs.iter() {
        check_xattr(xattr)?;
        len += entry(xattr)?.len();
    }
    match len > BODY_MAX {
        true => Err(format!("{len} bytes with it, more than {BODY_MAX}")),
        false => Ok(()),
    }
}

fn entries(tree: &FileTree) -> impl Iterator<Item = Vec<u8>> {
    let all = tree.nodes().flat_map(|(_, node)| node.xattrs.iter());
    all.filter_map(|xattr| entry(xattr).ok())
}

/// An attribute as it is stored, or why it can't be.
fn entry(xattr: &Xattr) -> Result<Vec<u8>, String> {
    let mut namespaces = NAMESPACES.iter();
    let (index, name) = namespaces
        .find_map(|(namespace, index)| {
            let name = xattr.name.strip_prefix(namespace.as_bytes())?;
            let is_prefix = namespace.ends_with('.');
            (is_prefix != name.is_empty()).then_some((*index, name))
        })
        .ok_or_else(|| {
            let known = NAMESPACES.map(|(namespace, _)| namespace).join(", ");
            format!("no namespace of erofs: {known}")
        })?;
    let head = XattrEntry {
        e_name_len: u8::try_from(name.len())
            .map_err(|_| format!("a name of {} bytes, more than 255", name.len()))?,
        e_name_index: index,
        e_value_size: u16::try_from(xattr.value.len())
            .map(U16::new)
            .map_err(|_| format!("{} bytes, more than 65535", xattr.value.len()))?,
    };
    let mut bytes = [head.as_bytes(), name, &xattr.value].concat();
    bytes.resize(bytes.len().next_multiple_of(EROFS_XATTR_ALIGN), 0);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;
    use crate::tree::{Attributes, Content, Node, NodeKind};

    fn xattr(name: &str, value: &[u8]) -> Xattr {
        Xattr {
            name: name.as_bytes().into(),
            value: value.into(),
        }
    }

    #[test]
    fn entries_are_those_of_the_format() {
        for (name, value, expected) in [
            ("user.x", "y", &b"\x01\x01\x01\0xy\0\0"[..]),
            ("security.ab", "cd", b"\x02\x06\x02\0abcd"),
            ("trusted.a", "", b"\x01\x04\0\0a\0\0\0"),
            ("system.posix_acl_access", "abcd", b"\0\x02\x04\0abcd"),
            ("system.posix_acl_default", "", b"\0\x03\0\0"),
        ] {
            assert_eq!(entry(&xattr(name, value.as_bytes())).unwrap(), expected);
        }
        let long = format!("user.{}", "n".repeat(256));
        for (name, size, word) in [
            ("user.", 0, "no namespace"),
            ("system.posix_acl_access2", 0, "no namespace"),
            ("system.nfs4_acl", 0, "no namespace"),
            ("user.x", 65536, "65536 bytes"),
            (&long, 0, "a name of 256 bytes"),
        ] {
            let reason = entry(&xattr(name, &vec![0; size])).unwrap_err();
            assert!(reason.contains(word), "{reason}");
        }
        entry(&xattr("user.x", &[0; 65535])).unwrap();
    }

    #[test]
    fn what_two_nodes_have_is_shared() {
        let mut tree = FileTree::new(Timestamp::default());
        let sets = [
            vec![xattr("user.a", b"1"), xattr("user.b", b"2")],
            vec![xattr("user.b", b"2"), xattr("user.c", b"3")],
            vec![xattr("user.b", b"3")],
        ];
        for (number, set) in sets.iter().enumerate() {
            let kind = NodeKind::File(Content::inline(b""));
            let mut node = Node::new(kind, Attributes::file(Timestamp::default()));
            node.xattrs = Xattrs::new(set.clone());
            let path = format!("/{number}");
            tree.put("t", path.as_bytes(), node).unwrap();
        }
        let shared = Shared::of(&tree);
        assert_eq!(shared.area, b"\x01\x01\x01\0b2\0\0");
        let body = shared.body(&Xattrs::new(sets[0].clone()));
        assert_eq!(body[..16], *b"\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(body[16..], *b"\x01\x01\x01\0a1\0\0");
        assert_eq!(icount(body.len()), 4);
        assert_eq!(shared.body(&Xattrs::new(sets[2].clone())).len(), 20);
        assert_eq!(shared.body(&Xattrs::NONE), b"");
    }
}
