//! Sparse files in all four forms.

use super::*;
use crate::tree::Extent;

const DATA: [u8; 1024] = [b'd'; 1024];

/// A piece of 512 bytes at 1024 and one at 4096 of 8192 bytes.
fn check(tree: &FileTree, path: &str) {
    let NodeKind::File(content) = &node(tree, path).kind else {
        panic!("{path} is no file");
    };
    let pieces: Vec<_> = content
        .extents()
        .map(|Extent { logical, len, .. }| (logical, len))
        .collect();
    assert_eq!(pieces, [(1024, 512), (4096, 512)], "{path}");
    let bytes = read(content);
    let holes = [&bytes[..1024], &bytes[1536..4096], &bytes[4608..]].concat();
    assert_eq!(bytes.len(), 8192);
    assert!(holes.iter().all(|byte| *byte == 0) && bytes[1024] == b'd' && bytes[4607] == b'd');
}

fn numbers(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(text.len().next_multiple_of(512), 0);
    bytes
}

#[test]
fn pax_has_three_versions() {
    let first: &[(&str, &[u8])] = &[
        ("GNU.sparse.size", b"8192"),
        ("GNU.sparse.numblocks", b"3"),
        ("GNU.sparse.offset", b"1024"),
        ("GNU.sparse.numbytes", b"512"),
        ("GNU.sparse.offset", b"4096"),
        ("GNU.sparse.numbytes", b"512"),
        ("GNU.sparse.offset", b"8192"),
        ("GNU.sparse.numbytes", b"0"),
    ];
    let second: &[(&str, &[u8])] = &[
        ("GNU.sparse.size", b"8192"),
        ("GNU.sparse.name", b"0.1"),
        ("GNU.sparse.map", b"1024,512,4096,512,8192,0"),
    ];
    let third: &[(&str, &[u8])] = &[
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"1.0"),
        ("GNU.sparse.realsize", b"8192"),
    ];
    let in_front = numbers("3\n1024\n512\n4096\n512\n8192\n0\n");
    let archive = Archive::default()
        .pax(first)
        .entry(b'0', b"0.0", b"", &DATA)
        .pax(second)
        .entry(b'0', b"GNUSparseFile.0/0.1", b"", &DATA)
        .pax(third)
        .entry(
            b'0',
            b"GNUSparseFile.0/1.0",
            b"",
            &[&in_front, &DATA[..]].concat(),
        )
        .file("end", "x");
    let tree = tree_of(&archive.end()).unwrap();
    for path in ["/0.0", "/0.1", "/1.0"] {
        check(&tree, path);
    }
    assert_eq!(text(&tree, "/end"), "x");
}

#[test]
fn the_size_counts_that_goes_with_the_map() {
    let in_front = numbers("3\n1024\n512\n4096\n512\n8192\n0\n");
    let stored = [&in_front, &DATA[..]].concat();
    let version: [(&str, &[u8]); 4] = [
        ("size", b"8192"),
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.realsize", b"8192"),
    ];
    let map: [(&str, &[u8]); 3] = [
        ("GNU.sparse.size", b"8192"),
        ("size", b"8192"),
        ("GNU.sparse.map", b"1024,512,4096,512,8192,0"),
    ];
    // The size of the extended header may also be the only one that is right.
    let right: [(&str, &[u8]); 3] = [map[0], ("size", b"1024"), map[2]];
    let wrong: Fields<'_> = &[USTAR[0], (124, b"00000000777\0")];
    let archive = Archive::default()
        .pax(&version)
        .entry(b'0', b"a", b"", &stored)
        .pax(&map)
        .entry(b'0', b"b", b"", &DATA)
        .pax(&right)
        .raw(b'0', b"c", b"", wrong)
        .data(&DATA)
        .file("end", "x");
    let tree = tree_of(&archive.end()).unwrap();
    for path in ["/a", "/b", "/c"] {
        check(&tree, path);
    }
    assert_eq!(text(&tree, "/end"), "x");
}

/// A sparse header of GNU tar with its pieces, and the blocks for those that have no room in it.
fn old(pieces: &[(u64, u64)], real_size: u64, data: &[u8]) -> Archive {
    let text = |(offset, len): &(u64, u64)| format!("{offset:011o}\0{len:011o}\0").into_bytes();
    let all: Vec<_> = pieces.iter().map(text).collect();
    let (in_header, others) = all.split_at(all.len().min(4));
    let more = [u8::from(!others.is_empty())];
    let (size, real_size) = (
        format!("{:011o}\0", data.len()),
        format!("{real_size:011o}\0"),
    );
    let fields: Fields<'_> = &[
        GNU[0],
        (124, size.as_bytes()),
        (386, &in_header.concat()),
        (482, &more),
        (483, real_size.as_bytes()),
    ];
    let mut archive = Archive::default().raw(b'S', b"old", b"", fields);
    let mut blocks = others.chunks(21).peekable();
    while let Some(block) = blocks.next() {
        let mut bytes = block.concat();
        bytes.resize(504, 0);
        bytes.push(u8::from(blocks.peek().is_some()));
        archive = archive.data(&bytes);
    }
    archive.data(data)
}

#[test]
fn gnu_tar_has_maps_in_headers_and_in_blocks_after_them() {
    let tree = tree_of(&old(&[(1024, 512), (4096, 512), (8192, 0)], 8192, &DATA).end()).unwrap();
    check(&tree, "/old");
    for count in [4, 5, 25, 26, 60_u64] {
        let pieces: Vec<_> = (0..count).map(|index| (index * 1024, 512)).collect();
        let data = vec![b'd'; 512 * pieces.len()];
        let tree = tree_of(&old(&pieces, count * 1024, &data).file("end", "x").end()).unwrap();
        let NodeKind::File(content) = &node(&tree, "/old").kind else {
            panic!("no file");
        };
        assert_eq!(content.extents().count() as u64, count);
        assert_eq!(content.data_len(), 512 * count);
        assert_eq!(text(&tree, "/end"), "x");
    }
}

#[test]
fn maps_that_lie_are_refused() {
    let pax = |records: &[(&str, &[u8])], data: &[u8]| {
        Archive::default().pax(records).entry(b'0', b"f", b"", data)
    };
    let version: &[(&str, &[u8])] = &[("GNU.sparse.major", b"2")];
    let sizeless: &[(&str, &[u8])] = &[("GNU.sparse.map", b"0,512")];
    let with_map = |map: &'static [u8]| -> [(&'static str, &'static [u8]); 2] {
        [("GNU.sparse.size", b"8192"), ("GNU.sparse.map", map)]
    };
    let in_front: &[(&str, &[u8])] = &[("GNU.sparse.major", b"1"), ("GNU.sparse.realsize", b"9")];
    let endless = old(&[(0, 512); 5], 512, &[b'd'; 2560]).0;
    let endless = Archive(endless[..512].to_vec());
    for (archive, expected) in [
        (pax(version, b""), "version 2.0"),
        (pax(sizeless, &DATA[..512]), "without its size"),
        (
            pax(&with_map(b"0,512"), &DATA),
            "512 bytes of data, the archive 1024",
        ),
        (
            pax(&with_map(b"0,1024"), &DATA[..512]),
            "1024 bytes of data, the archive 512",
        ),
        (
            pax(&with_map(b"512,512,0,512"), &DATA),
            "after one that ends at 1024",
        ),
        (
            pax(&with_map(b"0,512,511,512"), &DATA),
            "after one that ends at 512",
        ),
        (pax(&with_map(b"8192,1024"), &DATA), "exceed its 8192 bytes"),
        (pax(in_front, b""), "isn't lines of numbers"),
        (pax(in_front, &numbers("1\n0\n")), "isn't lines of numbers"),
        (
            pax(in_front, &numbers("5000000\n")),
            "more than 4194304 pieces",
        ),
        (
            old(&[(512, 512), (0, 512)], 1024, &DATA),
            "after one that ends at 1024",
        ),
        (endless, "the archive is cut off"),
    ] {
        let error = error_of(&archive.end());
        assert!(error.message().contains(expected), "{expected}: {error}");
    }
}
