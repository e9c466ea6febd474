//! Access control lists with names, and without masks.

use super::*;
use crate::error::ErrorKind;
use crate::source::{Accounts, Exclude};

/// The list, as GNU tar writes it.
const TEXT: &[u8] = b"user::rw-,user:joe:r--,group::---,group:adm:rw-,mask::r--,other::---\n";
const ACCESS: &[u8] = b"system.posix_acl_access";

/// The list with these numbers, as Linux has it; none without a user or a group.
fn list(user: Option<u32>, group: Option<u32>) -> Vec<u8> {
    let entries = [
        Some((1_u16, 6_u16, u32::MAX)),
        user.map(|id| (2, 4, id)),
        Some((4, 0, u32::MAX)),
        group.map(|id| (8, 6, id)),
        Some((0x10, 4, u32::MAX)),
        Some((0x20, 0, u32::MAX)),
    ];
    let mut bytes = vec![2, 0, 0, 0];
    for (tag, permissions, id) in entries.into_iter().flatten() {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&permissions.to_le_bytes());
        bytes.extend_from_slice(&id.to_le_bytes());
    }
    bytes
}

fn with_list(archive: Archive, name: &str) -> Archive {
    archive.pax(&[("SCHILY.acl.access", TEXT)]).file(name, "")
}

#[track_caller]
fn list_of(tree: &FileTree, path: &str) -> Vec<u8> {
    let xattrs = &node(tree, path).xattrs;
    let found = xattrs.iter().find(|xattr| *xattr.name == *ACCESS);
    found.map_or_else(Vec::new, |xattr| xattr.value.to_vec())
}

fn accounts() -> Accounts {
    Accounts::parse(b"joe:x:77:\nadm:x:0:\n", b"adm:x:78:\n")
}

#[test]
fn names_get_the_numbers_of_the_archive_wherever_they_stand_in_it() {
    let archive = with_list(Archive::default(), "f")
        .file("etc/passwd", "root:x:0:0::/:/\njoe:x:1000:1000::/:/\n")
        .file("etc/group", "adm:x:4:\n")
        .link("g", "f");
    let rules = Rules {
        accounts: accounts(),
        ..Rules::default()
    };
    let expected = list(Some(1000), Some(4));
    for rules in [
        rules.clone(),
        Rules {
            target: b"/opt".to_vec(),
            ..rules.clone()
        },
        // The files themselves may stay out, the one that has the list come in by a hard link.
        Rules {
            excluded: vec![Exclude::parse("x", b"/etc").unwrap()],
            ..rules.clone()
        },
        Rules {
            excluded: vec![Exclude::parse("x", b"/f").unwrap()],
            ..rules
        },
    ] {
        for bytes in [
            archive.clone().end(),
            zstd::encode_all(&*archive.clone().end(), 1).unwrap(),
        ] {
            let (tree, notices) = told(&bytes, &rules).unwrap();
            let target = String::from_utf8(rules.target.clone()).unwrap();
            assert_eq!(list_of(&tree, &format!("{target}/g")), expected);
            let permissions = node(&tree, &format!("{target}/g")).attributes.permissions;
            assert_eq!(permissions, 0o640);
            assert_eq!(notices, [""; 0]);
        }
    }
}

#[test]
fn names_get_the_numbers_of_the_tree_below_then_those_of_the_rules() {
    let lower = Archive::default().file("etc/passwd", "joe:x:5:\n").end();
    let upper = with_list(Archive::default(), "f");
    let upper = with_list(upper, "replaced").file("replaced", "").end();
    let rules = Rules {
        accounts: accounts(),
        target: b"/opt".to_vec(),
        ..Rules::default()
    };
    let mut tree = FileTree::new(Timestamp::default());
    add(&mut tree, &lower, &Rules::default()).unwrap();
    add(&mut tree, &upper, &rules).unwrap();
    assert_eq!(list_of(&tree, "/opt/f"), list(Some(5), Some(78)));
    assert!(node(&tree, "/opt/replaced").xattrs.is_empty());
    let notices = tree.take_notices();
    let [notice] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert!(notice.contains("numbers of this machine"), "{notice}");
    assert!(notice.ends_with(": group adm is 78"), "{notice}");
}

#[test]
fn names_that_nobody_knows_are_refused_or_left_out() {
    let archive = with_list(Archive::default(), "d/f").file("etc/group", "adm:x:4:\n");
    let error = error_of(&archive.clone().end());
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    for part in ["the user joe in the ACL of '/d/f'", "(--lossy)"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    let (tree, notices) = told(&archive.end(), &lossy()).unwrap();
    assert_eq!(list_of(&tree, "/d/f"), list(None, Some(4)));
    let [notice] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert!(notice.contains("left out 1 entry of ACLs"), "{notice}");
}

#[test]
fn numbers_in_the_form_of_linux_count_more_than_names() {
    let binary = list(Some(8), Some(9));
    let text: (&str, &[u8]) = ("SCHILY.acl.access", TEXT);
    let bytes: (&str, &[u8]) = ("SCHILY.xattr.system.posix_acl_access", &binary);
    for records in [[text, bytes], [bytes, text]] {
        let tree = tree_of(&Archive::default().pax(&records).file("f", "").end()).unwrap();
        assert_eq!(list_of(&tree, "/f"), binary);
    }
}

#[test]
fn a_mask_that_is_missing_is_made_and_told() {
    let text: &[u8] = b"u::rw,g::-,o::-,u:5:r,g:7:x";
    let archive = Archive::default()
        .pax(&[("SCHILY.acl.access", text)])
        .file("f", "");
    let archive = archive
        .pax(&[("SCHILY.acl.access", text), ("SCHILY.acl.default", text)])
        .directory("d");
    let (tree, notices) = told(&archive.end(), &Rules::default()).unwrap();
    assert_eq!(node(&tree, "/f").attributes.permissions, 0o650);
    let mask = [0x10, 0, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF];
    assert!(
        list_of(&tree, "/f")
            .chunks(4)
            .collect::<Vec<_>>()
            .windows(2)
            .any(|pair| pair.concat() == mask)
    );
    let [notice] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert!(notice.contains("made the mask of 3 ACLs"), "{notice}");
    assert!(notice.contains("of 'f'"), "{notice}");
}
