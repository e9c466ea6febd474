//! ACLs, which XFS keeps in attributes of its own kind.

use crate::inspect::fs::xfs::blocks::{u16_at, u32_at};

/// Under which names they are kept, and what the kernel calls them.
const NAMES: [(&[u8], &[u8]); 2] = [
    (b"SGI_ACL_FILE", b"system.posix_acl_access"),
    (b"SGI_ACL_DEFAULT", b"system.posix_acl_default"),
];

/// Bytes of an entry: what it is for, a number, and permissions.
const ENTRY: usize = 12;
/// Only these have a number.
const USER: u32 = 0x02;
const GROUP: u32 = 0x08;

/// What the kernel calls an attribute of the system that is an ACL.
pub(super) fn name(stored: &[u8]) -> Option<&'static [u8]> {
    let mut names = NAMES.iter();
    let found = names.find(|(name, _)| *name == stored);
    found.map(|(_, shown)| *shown)
}

/// An ACL as Linux' system calls have it (`struct posix_acl_xattr_header`, version 2).
pub(super) fn value(stored: &[u8]) -> Option<Vec<u8>> {
    let count = usize::try_from(u32_at(stored, 0)?).ok()?;
    let entries = stored.get(4..)?.get(..count.checked_mul(ENTRY)?)?;
    let mut value = vec![2, 0, 0, 0];
    for entry in entries.chunks_exact(ENTRY) {
        let tag = u32_at(entry, 0)?;
        let number = match tag {
            USER | GROUP => u32_at(entry, 4)?,
            _ => u32::MAX,
        };
        value.extend(u16::try_from(tag).ok()?.to_le_bytes());
        value.extend(u16_at(entry, 8)?.to_le_bytes());
        value.extend(number.to_le_bytes());
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_users_and_groups_have_numbers() {
        let entry = |tag: u32, id: u32, perm: u16| {
            [
                &tag.to_be_bytes()[..],
                &id.to_be_bytes(),
                &perm.to_be_bytes(),
                &[0; 2],
            ]
            .concat()
        };
        let stored = [
            &2_u32.to_be_bytes()[..],
            &entry(1, 7, 6),
            &entry(2, 1000, 5),
        ]
        .concat();
        let expected = [
            &[2, 0, 0, 0][..],
            &[1, 0, 6, 0, 0xFF, 0xFF, 0xFF, 0xFF],
            &[2, 0, 5, 0, 0xE8, 3, 0, 0],
        ];
        assert_eq!(value(&stored), Some(expected.concat()));
        assert_eq!(value(&stored[..stored.len() - 1]), None);
        assert_eq!(value(&[0xFF; 4]), None);
    }
}
