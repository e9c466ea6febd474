//! Extended attributes that Linux has a use for.

use crate::tree::Xattr;

/// What names begin with, in any filesystem of Linux.
const NAMESPACES: [&str; 3] = ["user.", "trusted.", "security."];
/// Names that are known as a whole: access control lists.
const ACLS: [&str; 2] = ["system.posix_acl_access", "system.posix_acl_default"];
/// The longest name in bytes (`XATTR_NAME_MAX`).
const NAME_MAX: usize = 255;
/// The longest value in bytes (`XATTR_SIZE_MAX`).
pub const VALUE_MAX: usize = 65_536;

/// `POSIX_ACL_XATTR_VERSION`.
const ACL_VERSION: [u8; 4] = 2u32.to_le_bytes();
/// `ACL_USER` and `ACL_GROUP`, which have a number.
const TAGS_WITH_ID: [u16; 2] = [0x02, 0x08];
/// `ACL_USER_OBJ`, `ACL_GROUP_OBJ`, `ACL_MASK`, `ACL_OTHER`.
const TAGS_WITHOUT_ID: [u16; 4] = [0x01, 0x04, 0x10, 0x20];

/// Refuses what no filesystem of Linux has: other namespaces, such as those of macOS, names and
/// values that are too long, and ACLs that no kernel reads.
///
/// # Errors
/// The reason.
pub fn check_xattr(xattr: &Xattr) -> Result<(), String> {
    let Xattr { name, value } = xattr;
    let is_acl = ACLS.iter().any(|acl| **name == *acl.as_bytes());
    let is_in = |space: &str| name.len() > space.len() && name.starts_with(space.as_bytes());
    if !is_acl && !NAMESPACES.iter().any(|space| is_in(space)) {
        return Err("Linux has user., trusted., security. and ACLs only".to_owned());
    }
    if name.len() > NAME_MAX {
        return Err(format!(
            "a name of {} bytes, more than {NAME_MAX}",
            name.len()
        ));
    }
    if value.len() > VALUE_MAX {
        return Err(format!("{} bytes, more than {VALUE_MAX}", value.len()));
    }
    if is_acl { check_acl(value) } else { Ok(()) }
}

/// Refuses a value that Linux doesn't take for an access control list.
///
/// # Errors
/// The reason.
pub fn check_acl(value: &[u8]) -> Result<(), String> {
    let entries = value.strip_prefix(&ACL_VERSION).ok_or_else(|| {
        let start = value[..value.len().min(4)].escape_ascii();
        format!("an ACL has to begin with the version 2 in four bytes, not with '{start}'")
    })?;
    let (entries, rest) = entries.as_chunks::<8>();
    for [tag, tag_high, _, _, id @ ..] in entries {
        let tag = u16::from_le_bytes([*tag, *tag_high]);
        if TAGS_WITH_ID.contains(&tag) && *id == [0xFF; 4] {
            return Err("an entry of the ACL is of nobody, 4294967295".to_owned());
        }
        if !TAGS_WITH_ID.contains(&tag) && !TAGS_WITHOUT_ID.contains(&tag) {
            return Err(format!("in an ACL there is no tag {tag:#x}"));
        }
    }
    match rest.len() {
        0 => Ok(()),
        left => Err(format!("the last entry of the ACL has {left} bytes, not 8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &[u8]) -> Result<(), String> {
        check_xattr(&Xattr {
            name: name.as_bytes().into(),
            value: value.into(),
        })
    }

    #[test]
    fn namespaces_of_linux_are_taken_and_no_others() {
        let longest = format!("user.{}", "n".repeat(250));
        for name in [
            "user.a",
            "trusted.a",
            "security.selinux",
            "user..",
            &longest,
        ] {
            check(name, &[0; VALUE_MAX]).unwrap();
        }
        for name in [
            "com.apple.provenance",
            "system.nfs4_acl",
            "system.posix_acl_access2",
            "user.",
            "user",
            "",
            &format!("{longest}n"),
        ] {
            check(name, b"").unwrap_err();
        }
        check("user.a", &[0; VALUE_MAX + 1]).unwrap_err();
    }

    #[test]
    fn what_no_kernel_reads_is_no_acl() {
        const START: &[u8] = &[2, 0, 0, 0];
        let acl = |entries: &[[u8; 8]]| [START, entries.as_flattened()].concat();
        let own = [1, 0, 6, 0, 255, 255, 255, 255];
        let of_five = [2, 0, 6, 0, 5, 0, 0, 0];
        for value in [acl(&[]), acl(&[own]), acl(&[own, of_five])] {
            check(ACLS[0], &value).unwrap();
        }
        for (value, reason) in [
            (vec![], "version 2"),
            (vec![1, 0, 0, 0], "version 2"),
            (acl(&[own])[..9].to_vec(), "has 5 bytes"),
            (acl(&[[3, 0, 6, 0, 0, 0, 0, 0]]), "no tag 0x3"),
            (acl(&[[8, 0, 6, 0, 255, 255, 255, 255]]), "nobody"),
        ] {
            let said = check(ACLS[1], &value).unwrap_err();
            assert!(said.contains(reason), "{said}");
        }
    }
}
