//! Extended attributes and ACLs.

use super::*;
use crate::error::ErrorKind;
use crate::tree::Xattrs;

fn attribute(xattrs: &Xattrs, name: &str) -> Option<Vec<u8>> {
    let found = xattrs.iter().find(|xattr| *xattr.name == *name.as_bytes());
    found.map(|xattr| xattr.value.to_vec())
}

/// `user::rw-,user:5:r--,group::r--,mask::r--,other::---` as Linux has it.
const ACL: &[u8] =
    b"\x02\0\0\0\x01\0\x06\0\xFF\xFF\xFF\xFF\x02\0\x04\0\x05\0\0\0\x04\0\x04\0\xFF\xFF\
    \xFF\xFF\x10\0\x04\0\xFF\xFF\xFF\xFF\x20\0\0\0\xFF\xFF\xFF\xFF";

#[test]
fn attributes_and_lists_come_from_every_key() {
    let text = b"user::rw-,group::r--,other::---,user:5:r--,mask::r--";
    let minimal = b"user::rwx,group::r-x,other::--x";
    let archive = Archive::default()
        .pax(&[
            ("SCHILY.xattr.user.a", b"\0\n="),
            ("SCHILY.xattr.user.empty", b""),
            ("LIBARCHIVE.xattr.user.b%3d", b"AP8"),
            ("RHT.security.selinux", b"system_u:object_r:etc_t:s0"),
            ("SCHILY.acl.access", text),
        ])
        .file("f", "")
        .pax(&[
            ("SCHILY.xattr.system.posix_acl_access", ACL),
            ("SCHILY.acl.default", text),
        ])
        .directory("d")
        .pax(&[("SCHILY.acl.access", minimal)])
        .file("minimal", "")
        .pax(&[("SCHILY.xattr.security.selinux", b"x\0")])
        .file("one", "")
        .pax(&[("SCHILY.xattr.security.selinux", b"x\0")])
        .file("two", "");
    let tree = tree_of(&archive.end()).unwrap();
    for (path, name, value) in [
        ("/f", "user.a", &b"\0\n="[..]),
        ("/f", "user.b=", b"\0\xFF"),
        ("/f", "user.empty", b""),
        ("/f", "security.selinux", b"system_u:object_r:etc_t:s0\0"),
        ("/f", "system.posix_acl_access", ACL),
        ("/d", "system.posix_acl_access", ACL),
        ("/d", "system.posix_acl_default", ACL),
        ("/one", "security.selinux", b"x\0"),
    ] {
        let found = attribute(&node(&tree, path).xattrs, name);
        assert_eq!(found.as_deref(), Some(value), "{path} {name}");
    }
    assert_eq!(node(&tree, "/f").xattrs.iter().len(), 5);
    assert!(node(&tree, "/minimal").xattrs.is_empty());
    assert_eq!(node(&tree, "/minimal").attributes.permissions, 0o751);
    let [one, two] = ["/one", "/two"].map(|path| node(&tree, path).xattrs.iter().next().unwrap());
    assert!(std::ptr::eq(one, two));
}

#[test]
fn attributes_that_linux_refuses_are_refused() {
    let acl = b"u::rw,g::r,o::-";
    let joe = b"u::rw,g::r,o::-,m::r,u:joe:r";
    let typed = |typeflag| Archive::default().entry(typeflag, b"f", b"x", b"").0;
    let file = typed(b'0');
    for (key, value, member, kind, expected) in [
        (
            "SCHILY.acl.default",
            &acl[..],
            &file,
            ErrorKind::InvalidSpec,
            "a file can't have system",
        ),
        (
            "SCHILY.acl.access",
            acl,
            &typed(b'2'),
            ErrorKind::InvalidSpec,
            "a symbolic link can't",
        ),
        (
            "SCHILY.acl.access",
            joe,
            &file,
            ErrorKind::InvalidSpec,
            "has a name and no number",
        ),
        (
            "SCHILY.acl.access",
            b"u::rw",
            &file,
            ErrorKind::Corrupt,
            "0 entries 'group::'",
        ),
        (
            "SCHILY.xattr.system.posix_acl_access",
            b"x",
            &file,
            ErrorKind::Corrupt,
            "1 bytes",
        ),
        (
            "SCHILY.xattr.",
            b"x",
            &file,
            ErrorKind::Corrupt,
            "called ''",
        ),
        (
            "LIBARCHIVE.xattr.a",
            b"*",
            &file,
            ErrorKind::Corrupt,
            "base 64",
        ),
    ] {
        let archive = Archive::default().pax(&[(key, value)]).bytes(member);
        let error = error_of(&archive.end());
        assert!(error.message().contains(expected), "{expected}: {error}");
        assert_eq!(error.kind(), kind, "{error}");
    }
}
