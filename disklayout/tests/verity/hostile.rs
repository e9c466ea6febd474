//! Whatever stands on a disk: an answer, and no panic.

use disklayout::disk::{Disk, MemDisk};
use disklayout::inspect::verity::{root_hash, superblock, verify};
use disklayout::volume::verity::Leaves;
use proptest::prelude::*;
use testkit::random::cases;

use crate::support::{Case, fill};

const CASE: Case = Case::sized(200, 512, 512);

/// Data, its tree and the root hash.
fn sound() -> (MemDisk, MemDisk, Vec<u8>) {
    let data = MemDisk::new(CASE.data_len());
    fill(&data, CASE);
    let plan = CASE.plan(0);
    let hash = MemDisk::new(plan.hash_len().get());
    let root = plan.write(&Leaves::read(&plan, &data).unwrap(), &hash);
    (data, hash, root.unwrap().as_bytes().to_vec())
}

/// Changed bytes, more of them in the fields of the superblock.
fn changes() -> impl Strategy<Value = Vec<(u64, u8)>> {
    let at = prop_oneof![8..16_u64, 64..90_u64, 0..8192_u64];
    prop::collection::vec((at, any::<u8>()), 1..6)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_superblock_and_any_tree_get_an_answer(changes in changes(), offset in 0..4_u64) {
        let (data, hash, root) = sound();
        for (at, byte) in changes {
            if at < hash.len() {
                hash.write_at(&[byte], at).unwrap();
            }
        }
        for offset in [0, offset * 512, u64::MAX - offset] {
            let _ = superblock(&hash, offset);
            let _ = root_hash(&data, &hash, offset);
            let _ = verify(&data, &hash, offset, &root);
        }
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let (data, hash, root) = sound();
    let short = MemDisk::new(CASE.data_len() - 1);
    let error = verify(&short, &hash, 0, &root).unwrap_err();
    assert!(
        error.to_string().contains("protects 102400 bytes of data"),
        "{error}"
    );
    // 2^60 blocks of data.
    hash.write_at(&[0x10], 79).unwrap();
    let error = verify(&data, &hash, 0, &root).unwrap_err();
    assert!(error.to_string().contains("but there are"), "{error}");
    let head = MemDisk::new(512);
    let mut bytes = [0; 512];
    sound().1.read_at(&mut bytes, 0).unwrap();
    head.write_at(&bytes, 0).unwrap();
    let error = verify(&data, &head, 0, &root).unwrap_err();
    assert!(
        error.to_string().contains("doesn't fit on a disk of 512"),
        "{error}"
    );
    let error = verify(&data, &data, 0, &root).unwrap_err();
    assert!(
        error.to_string().contains("there is none at offset 0"),
        "{error}"
    );
}

/// Those of others, which this program doesn't compute, are told apart from damage.
#[test]
fn unknown_trees_are_unsupported() {
    use disklayout::ErrorKind;
    for (at, bytes) in [(12, &[0][..]), (32, b"sha1\0\0"), (8, &[9])] {
        let (data, hash, root) = sound();
        hash.write_at(bytes, at).unwrap();
        let error = verify(&data, &hash, 0, &root).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
}
