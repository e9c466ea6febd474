//! Data with a tree, in short.

use std::fs::File;
use std::path::{Path, PathBuf};

use disklayout::disk::{Disk, SparseFile};
use disklayout::volume::verity::{self, Algorithm, Leaves, Plan, Request, RootHash};
use disklayout::{Bytes, Identity, Timestamp};
use testkit::program::{Verdict, run};
use testkit::scratch::{Scratch, open};

pub(crate) const UUID: &str = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";

/// How many bytes of salt veritysetup takes by itself.
pub(crate) const SALT: usize = 32;

/// A tree as a test asks for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub blocks: u64,
    pub data_block: u32,
    pub hash_block: u32,
    pub algorithm: Algorithm,
    pub salt: usize,
}

impl Case {
    /// What veritysetup chooses by itself, above so many blocks.
    pub(crate) const fn of(blocks: u64) -> Self {
        Self {
            blocks,
            data_block: 4096,
            hash_block: 4096,
            algorithm: Algorithm::Sha256,
            salt: SALT,
        }
    }

    pub(crate) const fn sized(blocks: u64, data_block: u32, hash_block: u32) -> Self {
        Self {
            data_block,
            hash_block,
            ..Self::of(blocks)
        }
    }

    pub(crate) fn data_len(self) -> u64 {
        self.blocks * u64::from(self.data_block)
    }

    pub(crate) fn salt(self) -> Vec<u8> {
        (1..=self.salt).map(|at| at as u8).collect()
    }

    /// What is asked of the library, with the tree at `offset`.
    pub(crate) fn request(self, offset: u64) -> Request {
        let identity = Identity::new("verity", Timestamp::default());
        Request {
            data_block: self.data_block,
            hash_block: self.hash_block,
            hash_offset: Bytes::new(offset),
            algorithm: self.algorithm,
            salt: self.salt(),
            uuid: UUID.parse().unwrap(),
            ..Request::new("parts[1]", Bytes::new(self.data_len()), &identity)
        }
    }

    pub(crate) fn plan(self, offset: u64) -> Plan {
        verity::plan(self.request(offset)).unwrap()
    }

    /// What is asked of veritysetup: data, hash file and options.
    pub(crate) fn format(self, data: &Path, hash: &Path, more: &[String]) -> Verdict<String> {
        let salt: String = self.salt().iter().map(|it| format!("{it:02x}")).collect();
        let mut arguments = vec![
            "format".to_owned(),
            data.to_str().unwrap().to_owned(),
            hash.to_str().unwrap().to_owned(),
            format!("--uuid={UUID}"),
            format!("--hash={}", self.algorithm.name()),
            format!("--data-block-size={}", self.data_block),
            format!("--hash-block-size={}", self.hash_block),
            format!("--salt={}", if salt.is_empty() { "-" } else { &salt }),
        ];
        arguments.extend_from_slice(more);
        let said = run("veritysetup", &arguments)?;
        let root = said
            .lines()
            .find_map(|line| line.strip_prefix("Root hash:"));
        Ok(root.unwrap().trim().to_owned())
    }
}

/// Bytes that differ from block to block; every fifth stretch of 37 blocks is zero, and so is a block
/// here and there.
pub(crate) fn fill(disk: &dyn Disk, case: Case) {
    let words = case.data_block as usize / 8;
    for block in 0..case.blocks {
        if block / 37 % 5 == 3 || block % 11 == 7 {
            continue;
        }
        let mut state = block.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut bytes = Vec::with_capacity(words * 8);
        for _ in 0..words {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_le_bytes());
        }
        disk.write_at(&bytes, block * u64::from(case.data_block))
            .unwrap();
    }
}

pub(crate) fn create(path: &Path, len: u64) -> SparseFile {
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(true);
    SparseFile::create(options.open(path).unwrap(), len).unwrap()
}

/// Data and its tree in files of their own.
#[derive(Debug)]
pub(crate) struct Pair {
    pub scratch: Scratch,
    pub data: PathBuf,
    pub hash: PathBuf,
    pub plan: Plan,
    pub root: RootHash,
}

impl Pair {
    pub(crate) fn new(case: Case) -> Self {
        let scratch = Scratch::new();
        let (data, hash) = (scratch.path("data.img"), scratch.path("hash.img"));
        fill(&create(&data, case.data_len()), case);
        let plan = case.plan(0);
        let leaves = Leaves::read(&plan, &open(&data)).unwrap();
        let root = plan.write(&leaves, &create(&hash, plan.hash_len().get()));
        Self {
            scratch,
            data,
            hash,
            plan,
            root: root.unwrap(),
        }
    }
}

/// What veritysetup says of data and a tree that it reads on its own.
pub(crate) fn verify(data: &Path, hash: &Path, root: &str, more: &[&str]) -> Verdict<()> {
    let (data, hash) = (data.to_str().unwrap(), hash.to_str().unwrap());
    let arguments = [&["verify", data, hash, root][..], more].concat();
    run("veritysetup", &arguments).map(drop)
}
