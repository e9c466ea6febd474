//! Extended attributes and ACLs.

use super::*;
use crate::error::ErrorKind;
use crate::source::Owners;
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

/// Formats refuse it, or leave it out.
#[test]
fn a_list_that_nobody_can_read_is_kept_as_it_is_unless_its_text_is_there() {
    let member = Archive::default().file("f", "").0;
    let key = "SCHILY.xattr.system.posix_acl_access";
    let text = ("SCHILY.acl.access", &b"user::rwx,group::r-x,other::---"[..]);
    for (records, expected) in [
        (&[(key, &b"x"[..])][..], &[&b"x"[..]][..]),
        (&[(key, b"x"), text], &[]),
    ] {
        let archive = Archive::default().pax(records).bytes(&member);
        let tree = tree_of(&archive.end()).unwrap();
        let node = tree.node(tree.find(b"/f").unwrap());
        let values: Vec<_> = node.xattrs.iter().map(|xattr| &*xattr.value).collect();
        assert_eq!(values, expected);
    }
}

#[test]
fn attributes_that_linux_refuses_are_refused() {
    let file = Archive::default().file("f", "").0;
    for (key, value, member, kind, expected) in [
        (
            "SCHILY.acl.access",
            &b"u::rw"[..],
            &file,
            ErrorKind::Corrupt,
            "0 entries 'group::'",
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

#[test]
fn what_linux_cant_have_is_refused_or_left_out() {
    let acl = b"u::rw,g::r,o::-";
    let large = vec![0; 65_537];
    let long = format!("SCHILY.xattr.user.{}", "x".repeat(251));
    let typed = |typeflag| Archive::default().entry(typeflag, b"f", b"x", b"").0;
    let file = typed(b'0');
    for (key, value, member, expected) in [
        (
            "SCHILY.acl.default",
            &acl[..],
            &file,
            "a file can't have system.posix_acl_default of 'f'",
        ),
        (
            "SCHILY.acl.access",
            acl,
            &typed(b'2'),
            "a symbolic link can't",
        ),
        (
            "SCHILY.acl.ace",
            b"everyone@:r::allow",
            &file,
            "an NFSv4 ACL (SCHILY.acl.ace), which Linux can't have of 'f'",
        ),
        (
            "SCHILY.xattr.com.apple.ResourceFork",
            &large,
            &file,
            "'com.apple.ResourceFork' of 65537 bytes, more than 65536 of 'f'",
        ),
        (&long, b"x", &file, "a name of 256 bytes, more than 255"),
    ] {
        let archive = Archive::default().pax(&[(key, value)]).bytes(member).end();
        let error = error_of(&archive);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        let (tree, notices) = told(&archive, &lossy()).unwrap();
        assert!(node(&tree, "/f").xattrs.is_empty());
        let [notice] = &notices[..] else {
            panic!("{notices:?}");
        };
        assert!(notice.contains("left out 1 "), "{notice}");
        for text in [error.message(), notice] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(error.message().contains("(--lossy)"), "{error}");
        // What stays out needs no permission to be lost.
        let excluded = vec![crate::source::Exclude::parse("x", b"f").unwrap()];
        let rules = Rules {
            excluded,
            ..Rules::default()
        };
        assert_eq!(told(&archive, &rules).unwrap().1, [""; 0]);
    }
}

#[test]
fn attributes_of_any_namespace_are_taken_as_they_are() {
    let archive = Archive::default()
        .pax(&[
            ("LIBARCHIVE.xattr.com.apple.provenance", b"AQAA"),
            ("SCHILY.xattr.com.apple.provenance", b"x"),
        ])
        .file("f", "");
    let tree = tree_of(&archive.end()).unwrap();
    let found = attribute(&node(&tree, "/f").xattrs, "com.apple.provenance");
    assert!(found.is_some());
}

#[test]
fn nobody_owns_nothing() {
    let nobody: &[u8] = &[0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];
    let negative: &[u8] = &[0xFF; 8];
    for (at, number, option) in [
        (108, nobody, "--map-users 4294967295:0"),
        (108, negative, "--map-users 4294967295:0"),
        (116, nobody, "--map-groups 4294967295:0"),
        (116, negative, "--map-groups 4294967295:0"),
    ] {
        let archive = Archive::default().raw(b'0', b"f", b"", &[(at, number), GNU[0]]);
        let archive = archive.end();
        let error = error_of(&archive);
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{error}");
        for part in ["member 'f'", option, "--owner"] {
            assert!(error.message().contains(part), "{part}: {error}");
        }
        let mapping = crate::source::Mapping::parse("x", "4294967295:7").unwrap();
        for owners in [
            Owners::Forced { uid: 7, gid: 7 },
            Owners::Mapped {
                users: vec![mapping],
                groups: vec![mapping],
            },
        ] {
            let rules = Rules {
                owners,
                ..Rules::default()
            };
            let attributes = node(&told(&archive, &rules).unwrap().0, "/f").attributes;
            assert!(attributes.uid == 7 || attributes.gid == 7);
        }
    }
}
