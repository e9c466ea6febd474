//! Superblock and tree are those of veritysetup.

use std::fs;

use disklayout::inspect::verity::{root_hash, superblock, verify as inspected};
use disklayout::volume::verity::{Algorithm, Leaves};
use testkit::checkers::fields;
use testkit::log::SAMPLE;
use testkit::log::accepted;
use testkit::program::approved_text;
use testkit::scratch::{Scratch, open};

use crate::support::{Case, Pair, SALT, UUID, create, fill, verify};

/// Around what a block and a level hold, at most sizes of blocks, with all lengths of salt.
fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = [1, 2, 127, 128, 129, 16_383, 16_384, 16_385]
        .map(Case::of)
        .into();
    cases.extend([
        Case::sized(1, 512, 512),
        Case::sized(16, 512, 512),
        Case::sized(17, 512, 512),
        Case::sized(65_537, 512, 512),
        Case::sized(16_385, 512, 4096),
        Case::sized(1000, 4096, 1024),
        Case::sized(33, 65_536, 4096),
        Case::sized(2049, 512, 65_536),
        Case::sized(20_000, 512, 524_288),
        Case::sized(100, 8192, 16_384),
    ]);
    cases.extend([0, 1, 55, 56, 63, 64, 65, 256].map(|salt| Case {
        salt,
        ..Case::of(130)
    }));
    let sha512 = [1, 64, 65, 4096, 4097].map(|blocks| Case {
        algorithm: Algorithm::Sha512,
        salt: blocks as usize % 257,
        ..Case::sized(blocks, 1024, 4096)
    });
    cases.extend(sha512);
    cases
}

#[test]
fn every_byte_is_that_of_veritysetup() {
    for case in cases() {
        let pair = Pair::new(case);
        let theirs = pair.scratch.path(&format!("{SAMPLE}hash.img"));
        let root = case.format(&pair.data, &theirs, &[]).unwrap();
        assert_eq!(pair.root.to_string(), root, "{case:?}");
        let (ours, theirs) = (fs::read(&pair.hash).unwrap(), fs::read(theirs).unwrap());
        assert_eq!(ours.len(), theirs.len(), "{case:?}");
        let differs = ours
            .iter()
            .zip(&theirs)
            .position(|(one, other)| one != other);
        assert_eq!(differs, None, "{case:?}");
        verify(&pair.data, &pair.hash, &root, &[]).unwrap();
        accepted("veritysetup", &pair.hash);
    }
}

/// One device for both: the superblock may be anywhere behind the data, the blocks of the tree
/// are where multiples of their size are.
#[test]
fn behind_the_data_it_is_the_same() {
    for (case, behind) in [
        (Case::of(1), 0),
        (Case::of(129), 0),
        (Case::of(300), 4096),
        (Case::of(300), 512),
        (Case::sized(300, 512, 4096), 512),
        (Case::sized(300, 4096, 65_536), 0),
        (Case::sized(1001, 1024, 512), 1536),
    ] {
        let offset = case.data_len() + behind;
        let scratch = Scratch::new();
        let (ours, theirs) = (scratch.path("both.img"), scratch.path("sample-both.img"));
        let plan = case.plan(offset);
        let end = plan.hash_range().end;
        assert_eq!(plan.hash_len().get(), end - offset);
        for path in [&ours, &theirs] {
            fill(&create(path, end), case);
        }
        let disk = open(&ours);
        let root = plan
            .write(&Leaves::read(&plan, &disk).unwrap(), &disk)
            .unwrap();
        let (blocks, at) = (
            format!("--data-blocks={}", case.blocks),
            format!("--hash-offset={offset}"),
        );
        let said = case.format(&theirs, &theirs, &[blocks.clone(), at.clone()]);
        assert_eq!(root.to_string(), said.unwrap(), "{case:?}");
        let same = fs::read(&ours).unwrap() == fs::read(&theirs).unwrap();
        assert!(same, "{case:?} at {offset}");
        verify(&ours, &ours, &root.to_string(), &[&blocks, &at]).unwrap();
        accepted("veritysetup", &ours);
        let wrong = inspected(&disk, &disk, offset, root.as_bytes());
        assert_eq!(wrong.unwrap(), None, "{case:?}");
    }
}

#[test]
fn the_superblock_tells_what_was_asked_for() {
    for case in [
        Case::of(300),
        Case {
            salt: 0,
            ..Case::sized(17, 1024, 512)
        },
        Case {
            algorithm: Algorithm::Sha512,
            ..Case::of(1)
        },
    ] {
        let pair = Pair::new(case);
        let text = approved_text("veritysetup", &["dump"], &pair.hash).unwrap();
        let told = fields(&text);
        let found = superblock(&open(&pair.hash), 0).unwrap().unwrap();
        let salt: String = found.salt.iter().map(|it| format!("{it:02x}")).collect();
        let blocks: u64 = pair.plan.levels().iter().map(|level| level.blocks).sum();
        for (name, value) in [
            ("UUID", UUID.to_owned()),
            ("UUID", found.uuid.to_string()),
            ("Hash type", found.hash_type.to_string()),
            ("Data blocks", found.data_blocks.to_string()),
            ("Data block size", found.data_block_size.to_string()),
            ("Hash blocks", blocks.to_string()),
            ("Hash block size", found.hash_block_size.to_string()),
            ("Hash algorithm", found.algorithm),
            (
                "Salt",
                if salt.is_empty() {
                    "-".to_owned()
                } else {
                    salt
                },
            ),
            (
                "Hash device size",
                format!("{} [bytes]", pair.plan.hash_len().get()),
            ),
        ] {
            assert_eq!(told[name], value, "{case:?}");
        }
        assert_eq!(found.salt, case.salt());
        assert_eq!(pair.plan.data_blocks(), case.blocks);
    }
}

/// The reader needs no tree of ours.
#[test]
fn what_veritysetup_made_is_verified() {
    for case in [
        Case::of(1),
        Case::of(16_385),
        Case::sized(1000, 512, 512),
        Case {
            algorithm: Algorithm::Sha512,
            salt: 0,
            ..Case::of(65)
        },
    ] {
        let scratch = Scratch::new();
        let (data, hash) = (
            scratch.path("sample-data.img"),
            scratch.path("sample-hash.img"),
        );
        fill(&create(&data, case.data_len()), case);
        let root = case.format(&data, &hash, &[]).unwrap();
        let (data, hash) = (open(&data), open(&hash));
        let found = root_hash(&data, &hash, 0).unwrap();
        let shown: String = found.iter().map(|it| format!("{it:02x}")).collect();
        assert_eq!(shown, root, "{case:?}");
        assert_eq!(inspected(&data, &hash, 0, &found).unwrap(), None);
    }
}

/// Salt and UUID that nobody gave come from the name, whatever else is asked for.
#[test]
fn an_identity_gives_what_nobody_gave() {
    use disklayout::volume::verity::Request;
    use disklayout::{Bytes, Identity, Timestamp};
    let of = |name: &str, len| {
        let identity = Identity::new(name, Timestamp::default());
        let request = Request::new("parts[1]", Bytes::new(len), &identity);
        (request.salt, request.uuid)
    };
    let (salt, uuid) = of("one", 4096);
    assert_eq!(salt.len(), SALT);
    assert_eq!(of("one", 8192), (salt.clone(), uuid));
    let other = of("other", 4096);
    assert!(other.0 != salt && other.1 != uuid);
    let numbers: std::collections::BTreeSet<_> = salt.chunks(8).collect();
    assert_eq!(numbers.len(), 4);
}
