//! Whatever bytes come, there is a tree or an error.

use proptest::prelude::*;

use super::*;

/// An archive with something of everything.
fn sample() -> Vec<u8> {
    let sparse: &[(&str, &[u8])] = &[
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"sparse"),
        ("GNU.sparse.realsize", b"4096"),
    ];
    let mut map = b"1\n1024\n512\n".to_vec();
    map.resize(1024, 0);
    let acl = b"u::rw,g::r,o::-,u:5:r,g:joe:r";
    Archive::default()
        .directory("d")
        .pax(&[
            ("path", b"d/long"),
            ("mtime", b"-1.5"),
            ("SCHILY.acl.access", acl),
        ])
        .file("f", "data")
        .pax(&[
            ("LIBARCHIVE.xattr.user.a", b"eA=="),
            ("SCHILY.xattr.user.b", b"x"),
        ])
        .link("h", "d/long")
        .symlink("s", "d")
        .pax(sparse)
        .entry(b'0', b"x", b"", &map)
        .entry(b'L', b"", b"", b"longer\0")
        .entry(b'S', b"x", b"", b"")
        .file("d/.wh.a", "")
        .file(".wh..wh..opq", "")
        .file("etc/group", "joe:x:5:\n")
        .bytes(&[0; 1024])
        .file("/joined", "x")
        .end()
}

/// Indexes the bytes and reads every file that came of it.
fn take(bytes: &[u8]) {
    let rules = Rules {
        whiteouts: true,
        lossy: bytes.first().is_some_and(|byte| byte % 2 == 0),
        ..Rules::default()
    };
    let mut tree = FileTree::new(Timestamp::default());
    if add(&mut tree, bytes, &rules).is_ok() {
        for (_, content) in tree.files() {
            let mut left = content.len().min(1 << 20) as usize;
            let mut reader = content.open().unwrap();
            while left > 0 {
                let count = left.min(4096);
                reader.read_exact(&mut vec![0; count]).unwrap();
                left -= count;
            }
        }
    }
}

/// Gives every header the checksum that it has to have.
fn repaired(mut bytes: Vec<u8>) -> Vec<u8> {
    for block in bytes.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        take(&bytes);
    }

    #[test]
    fn changed_archives_do_no_harm(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = sample();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        take(&repaired(bytes));
    }

    #[test]
    fn changed_compressed_archives_do_no_harm(
        index in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        format in 0..super::compressed::ALL.len(),
    ) {
        let compress = super::compressed::ALL[format].1;
        let mut bytes = compress(&sample());
        let index = index.index(bytes.len());
        bytes[index] = byte;
        take(&bytes);
    }
}

#[test]
fn the_sample_is_sound() {
    tree_of(&sample()).unwrap();
}
