//! The ends of archives, what follows them, and what is no archive.

use super::*;
use crate::error::ErrorKind;

/// What becomes of an archive: the paths in it, and what is told.
fn taken(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let (tree, notices) = told(bytes, &Rules::default()).unwrap();
    (paths(&tree), notices)
}

fn zeroes(count: usize) -> Vec<u8> {
    vec![0; count]
}

#[test]
fn an_archive_ends_with_zeroes() {
    let archive = Archive::default().file("f", "x");
    for count in [1024, 1536, 9216, 10_240, 10_300, 1 << 20] {
        let (paths, notices) = taken(&archive.clone().bytes(&zeroes(count)).0);
        assert_eq!((&*paths, &*notices), (&["/f".to_owned()][..], &[][..]));
    }
    for (end, expected) in [
        (
            zeroes(512),
            "its end, at offset 1024, is one block of zeroes",
        ),
        (
            zeroes(0),
            "it ends at byte 1024 without the blocks of zeroes",
        ),
    ] {
        let (paths, notices) = taken(&archive.clone().bytes(&end).0);
        assert_eq!(paths, ["/f"]);
        let [notice] = &notices[..] else {
            panic!("{notices:?}");
        };
        assert!(notice.contains(expected), "{expected}: {notice}");
    }
    for end in [zeroes(100), vec![1; 512], vec![1; 100]] {
        let error = error_of(&archive.clone().bytes(&end).0);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
    // Inside a member it is cut off.
    let error = error_of(&archive.clone().pax(&[("uid", b"1")]).0);
    assert!(error.message().contains("belongs to another"), "{error}");
}

#[test]
fn members_behind_an_end_are_taken_and_told() {
    let first = Archive::default()
        .entry(b'g', b"g", b"", &records_of(&[("uid", b"5")]))
        .file("f", "1")
        .file("g", "1");
    let second = Archive::default().file("g", "2").link("h", "f");
    for (between, uid, at) in [
        (
            1024,
            1000,
            "has its end at offset 3072, and members again from offset 4096 on",
        ),
        (
            10_240,
            1000,
            "its end at offset 3072, and members again from offset 13312 on",
        ),
        (
            512,
            5,
            "a block of zeroes at offset 3072, and members again from offset 3584",
        ),
    ] {
        let archive = first.clone().bytes(&zeroes(between)).bytes(&second.0);
        // A third one isn't told again.
        let archive = archive.bytes(&zeroes(2048)).file("third", "").end();
        for bytes in [zstd::encode_all(&*archive, 1).unwrap(), archive] {
            let (tree, notices) = told(&bytes, &Rules::default()).unwrap();
            assert_eq!(paths(&tree), ["/f", "/g", "/h", "/third"]);
            assert_eq!(text(&tree, "/g"), "2");
            // What counts for all members of an archive doesn't count for those of the next.
            assert_eq!(node(&tree, "/g").attributes.uid, uid);
            let [notice] = &notices[..] else {
                panic!("{notices:?}");
            };
            assert!(notice.contains(at), "{at}: {notice}");
        }
    }
    let empty_first = [zeroes(10_240), Archive::default().file("f", "").end()].concat();
    let (paths, notices) = taken(&empty_first);
    assert_eq!((paths.len(), notices.len()), (1, 1));
    let cut = Archive(first.end()).file("h", "x").0;
    assert_eq!(error_of(&cut[..cut.len() - 1]).kind(), ErrorKind::Corrupt);
}

#[test]
fn other_data_behind_an_end_is_told() {
    let archive = Archive::default().file("f", "x").end();
    for (behind, expected) in [
        (
            &b"x"[..],
            "from offset 2048 on, 1 bytes follow that are no member: they are",
        ),
        (&[7; 5000], "5000 bytes follow that are no member"),
        (
            &[&[0; 700][..], b"PK\x03\x04"].concat(),
            "from offset 2560 on, 192 bytes",
        ),
        (
            &[&[0; 512][..], b"PK\x03\x04"].concat(),
            "4 bytes follow that are no member (it seems to be a zip",
        ),
    ] {
        let bytes = [&*archive, behind].concat();
        for bytes in [zstd::encode_all(&*bytes, 1).unwrap(), bytes] {
            let (paths, notices) = taken(&bytes);
            assert_eq!(paths, ["/f"]);
            let [notice] = &notices[..] else {
                panic!("{notices:?}");
            };
            assert!(notice.contains(expected), "{expected}: {notice}");
            assert!(notice.contains("left out"), "{notice}");
        }
    }
}

#[test]
fn an_empty_archive_is_one_of_the_usual_size() {
    for count in [1024, 10_240] {
        for bytes in [zstd::encode_all(&*zeroes(count), 1).unwrap(), zeroes(count)] {
            assert_eq!(taken(&bytes), (vec![], vec![]), "{count}");
        }
    }
    for count in [0, 100, 512, 1025, 1536, 4096, 1_474_560] {
        for bytes in [zstd::encode_all(&*zeroes(count), 1).unwrap(), zeroes(count)] {
            let error = error_of(&bytes);
            let is_cut = error.message().contains("cut off");
            assert!(error.kind() == ErrorKind::NotAnArchive || is_cut, "{error}");
        }
    }
}

#[test]
fn what_is_no_archive_is_refused_with_what_it_seems_to_be() {
    let with = |len: usize, parts: &[(usize, &[u8])]| {
        let mut bytes = zeroes(len);
        for (at, part) in parts {
            bytes[*at..*at + part.len()].copy_from_slice(part);
        }
        bytes
    };
    let mut broken = Archive::default().file("f", "").0;
    broken[0] ^= 1;
    for (bytes, expected) in [
        (broken, "this is no tar archive, neither plain nor"),
        (vec![b'x'; 100], "no tar archive: it has 100 bytes"),
        (vec![], "there is nothing in it"),
        (with(1 << 20, &[]), "nothing but 1048576 bytes of zeroes"),
        (
            with(100_000, &[(1080, b"\x53\xEF")]),
            "an ext2, ext3 or ext4 filesystem",
        ),
        (
            with(100_000, &[(1080, b"\x53\xEF")]),
            "begins with 1024 bytes of zeroes, and no member follows; it seems to be",
        ),
        (with(100_000, &[(32_769, b"CD001")]), "an ISO 9660 image"),
        (
            with(2048, &[(510, b"\x55\xAA")]),
            "a disk image with an MBR",
        ),
        (
            with(4096, &[(510, b"\x55\xAA"), (512, b"EFI PART")]),
            "a disk image with a GPT",
        ),
        (with(2048, &[(0, b"PK\x03\x04")]), "a zip archive"),
        (with(20, &[(0, b"PK\x03\x04")]), "a zip archive"),
        (with(2048, &[(0, b"hsqs")]), "a squashfs filesystem"),
        (with(2048, &[(0, b"QFI\xFB")]), "a qcow2 image"),
        (
            with(2048, &[(0, b"LZIP\x01")]),
            "compressed with lzip, which isn't read: decompress",
        ),
    ] {
        let error = error_of(&bytes);
        assert!(error.message().contains(expected), "{expected}: {error}");
        assert_eq!(error.kind(), ErrorKind::NotAnArchive, "{error}");
        if bytes.len() >= 512 {
            let error = error_of(&zstd::encode_all(&*bytes, 1).unwrap());
            let expected = expected.replace("it seems", "its content seems");
            assert!(error.message().contains(&expected), "{expected}: {error}");
        }
    }
}
