//! Archives that are broken, or that want out of the tree.

use super::*;
use crate::error::ErrorKind;

#[test]
fn paths_and_links_that_lead_out_are_refused() {
    let archive = Archive::default;
    let nul: &[(&str, &[u8])] = &[("path", b"a\0b")];
    let nul_link: &[(&str, &[u8])] = &[("linkpath", b"a\0b")];
    let long_name = "n".repeat(256);
    let long_path = "n/".repeat(40_000);
    let long = "t".repeat(4096);
    for (archive, expected) in [
        (archive().file("../f", ""), "'../f' leads upwards"),
        (archive().file("a/../f", ""), "'a/../f' leads upwards"),
        (archive().file("/../f", ""), "'/../f' leads upwards"),
        (archive().file(".", ""), "must end in a file name"),
        (
            archive().file("f", "").link(".", "f"),
            "must end in a file name",
        ),
        (archive().pax(nul).file("a", ""), "contains a NUL byte"),
        (
            archive()
                .pax(&[("path", long_name.as_bytes())])
                .file("a", ""),
            "exceeds 255 bytes",
        ),
        (
            archive()
                .pax(&[("path", long_path.as_bytes())])
                .file("a", ""),
            "more than 65535",
        ),
        (archive().file("f", "").file("f/g", ""), "can't hold others"),
        (
            archive().symlink("s", "/tmp").file("s/g", ""),
            "which isn't there",
        ),
        (archive().symlink("s", ""), "target of 0 bytes"),
        (archive().pax(nul_link).symlink("s", ""), "none of them NUL"),
        (
            archive()
                .pax(&[("linkpath", long.as_bytes())])
                .symlink("s", ""),
            "target of 4096 bytes",
        ),
        (
            archive().link("l", "f"),
            "hard link to 'f', which isn't there",
        ),
        (archive().link("l", "../f"), "'../f' leads upwards"),
        (archive().link("l", "/../f"), "'/../f' leads upwards"),
        (
            archive().directory("d").link("l", "d"),
            "hard link to 'd', which is a directory",
        ),
        (
            archive().link("l", "."),
            "hard link to '', which is a directory",
        ),
    ] {
        let error = error_of(&archive.end());
        assert!(error.message().contains(expected), "{expected}: {error}");
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{error}");
    }
}

#[test]
fn headers_that_lie_are_corrupt() {
    let archive = Archive::default;
    let field = |at, bytes: &'static [u8]| archive().raw(b'0', b"f", b"", &[(at, bytes)]);
    let negative = &[0xFF; 12];
    let below_nobody = b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE";
    for (bytes, expected) in [
        (field(124, negative).end(), "size"),
        (field(124, b"0000000000x\0").end(), "is no octal number"),
        (field(108, below_nobody).end(), "uid is -2"),
        (
            field(108, b"\x80\0\0\x01\0\0\0\0").end(),
            "the highest is 4294967295",
        ),
        (field(124, b"00000002000\0").0, "it ends at byte 512"),
        (field(124, b"77777777777\0").end(), "the archive is cut off"),
        (
            archive()
                .pax(&[("size", b"9223372036854775807")])
                .file("f", "")
                .end(),
            "cut off",
        ),
        (
            archive()
                .pax(&[("size", b"9223372036854775808")])
                .file("f", "")
                .end(),
            "'size'",
        ),
        (
            archive()
                .entry(b'x', b"p", b"", b"99 path=x\n")
                .file("f", "")
                .end(),
            "a record",
        ),
        (archive().file("", "").end(), "an entry without a path"),
        (
            archive().pax(&[("uid", b"1")]).end(),
            "belongs to another member",
        ),
        (
            archive().pax(&[]).pax(&[]).file("f", "").end(),
            "two extended headers",
        ),
        (
            archive().file("f", "x").file("g", "x").0[..1536].to_vec(),
            "cut off",
        ),
        (archive().file("f", "x").0[..700].to_vec(), "cut off"),
    ] {
        let error = error_of(&bytes);
        assert!(error.message().contains(expected), "{expected}: {error}");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
}

#[test]
fn what_is_not_known_is_unsupported() {
    let archive = Archive::default;
    let huge: Fields<'_> = &[USTAR[0], (124, b"00010000000\0")];
    let large: Fields<'_> = &[USTAR[0], (329, b"0010000\0")];
    for (archive, expected, kind) in [
        (
            archive().entry(b'M', b"f", b"", b""),
            "another volume",
            ErrorKind::Unsupported,
        ),
        (
            archive().entry(b'N', b"f", b"", b""),
            "newer one",
            ErrorKind::Unsupported,
        ),
        (
            archive().entry(b'?', b"f", b"", b""),
            "'?'",
            ErrorKind::Unsupported,
        ),
        (
            archive().raw(b'x', b"f", b"", huge),
            "limit is 1048576",
            ErrorKind::Unsupported,
        ),
        (
            archive().raw(b'g', b"f", b"", huge),
            "limit is 1048576",
            ErrorKind::Unsupported,
        ),
        (
            archive().raw(b'L', b"f", b"", huge),
            "limit is 1048576",
            ErrorKind::Unsupported,
        ),
        (
            archive().raw(b'K', b"f", b"", huge),
            "limit is 1048576",
            ErrorKind::Unsupported,
        ),
        (
            archive().raw(b'3', b"f", b"", large),
            "device 4096:0 exceeds",
            ErrorKind::InvalidSpec,
        ),
    ] {
        let error = error_of(&archive.end());
        assert!(error.message().contains(expected), "{expected}: {error}");
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn errors_name_the_archive_the_member_and_the_offset() {
    let archive = Archive::default().file("f", "x");
    let error = error_of(&archive.file("b\n/../\u{e9}", "").end());
    assert_eq!(
        error.to_string(),
        "rootfs: archive 'a.tar', member 'b\\n/../\\xc3\\xa9', header at offset 1024: the path \
         'b\\n/../\\xc3\\xa9' leads upwards by '..'"
    );
}

#[test]
fn slashes_in_front_are_left_out_and_told_unless_rules_are_strict() {
    let archive = Archive::default()
        .entry(b'5', b"/", b"", b"")
        .directory("//etc/")
        .file("/etc/f", "x")
        .link("etc/g", "/etc/f")
        .symlink("etc/s", "/etc/f")
        .file("h", "");
    let archive = archive.end();
    let (tree, notices) = told(&archive, &Rules::default()).unwrap();
    assert_eq!(paths(&tree), ["/etc", "/etc/f", "/etc/g", "/etc/s", "/h"]);
    assert_eq!(node(&tree, "/").attributes.uid, 1000);
    let target = (*b"/etc/f").into();
    assert_eq!(node(&tree, "/etc/s").kind, NodeKind::Symlink(target));
    assert_eq!(
        notices,
        [
            "archive 'a.tar': left out the slash in front of 4 paths (--strict-paths refuses): /, \
             //etc/, /etc/f ..."
        ]
    );
    let strict = Rules {
        strict_paths: true,
        ..Rules::default()
    };
    let error = told(&archive, &strict).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(error.message().contains("'/' is absolute"), "{error}");
    let link = Archive::default().file("f", "").link("g", "/f").end();
    let error = told(&link, &strict).unwrap_err();
    assert!(error.message().contains("'/f' is absolute"), "{error}");
}
