//! systemd finds a root and its tree by the types and the UUIDs of their partitions.

use std::path::{Path, PathBuf};

use disklayout::disk::{MemDisk, Window};
use disklayout::fs::{FsPlan, Registry, Unwatched};
use disklayout::layout::spec::{Disk, DiskTable, End, Holds, Length, Partition, Start};
use disklayout::layout::{DiskSize, plan};
use disklayout::table::types::PartitionType;
use disklayout::volume::verity::{self, Leaves, Request, RootHash};
use disklayout::{Bytes, Identity, SectorSize, Zeroes, build};
use serde_json::Value;
use testkit::MIB;
use testkit::log::accepted;
use testkit::program::{Verdict, approved};
use testkit::root::is_root;
use testkit::scratch::{Scratch, open};
use testkit::trees::{TIME, data, empty_tree, put, put_directory, request};

use crate::support::create;

/// What systemd calls the processor that the test runs on.
fn processor() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        "aarch64" => "arm64",
        other => panic!("no type of partitions is known for {other}"),
    }
}

/// A root filesystem as small as its content.
fn root_filesystem() -> (Box<dyn FsPlan>, u64) {
    let mut tree = empty_tree();
    for directory in ["/dev", "/proc", "/run", "/sys", "/tmp", "/usr"] {
        put_directory(&mut tree, directory);
    }
    put(
        &mut tree,
        "/etc/os-release",
        b"ID=dissected\nNAME=Dissected\n",
    );
    put(&mut tree, "/usr/data", &data(900_000));
    let draft = Registry::native().draft(request_of(tree)).unwrap();
    let size = draft.smallest(Bytes::new(0)).unwrap();
    (draft.at(size).unwrap(), size.get())
}

fn request_of(tree: disklayout::tree::FileTree) -> disklayout::fs::Request<'static> {
    disklayout::fs::Request {
        tree,
        ..request("erofs")
    }
}

/// A partition of 2 MiB of this type, found by its UUID.
fn partition(number: u64, kind: &str, guid: uuid::Uuid) -> Partition {
    Partition {
        start: Start::Bytes(Bytes::new((1 + 2 * number) * MIB)),
        end: End::Size(Length::Bytes(Bytes::new(2 * MIB))),
        kind: PartitionType::parse(kind).unwrap().into(),
        guid: Some(guid),
        ..Partition::new(format!("parts[{number}]"), Holds::Nothing)
    }
}

fn described(partitions: Vec<Partition>) -> Disk {
    Disk {
        place: "disk".into(),
        size: DiskSize::Fixed(Bytes::new(6 * MIB)),
        multiple: Bytes::new(1),
        sector_size: SectorSize::B512,
        table: DiskTable::GPT,
        partitions,
        blobs: Vec::new(),
        groups: Vec::new(),
        others: Vec::new(),
        kept_table: Vec::new(),
    }
}

/// An image with a root filesystem and its tree.
fn image(path: &Path) -> RootHash {
    let disk = create(path, 6 * MIB);
    let window = |at, len| Window::new(&disk, Bytes::new(at), Bytes::new(len)).unwrap();
    let (filesystem, size) = root_filesystem();
    let root = window(MIB, 2 * MIB);
    filesystem.write_all(&root, &Unwatched).unwrap();
    let identity = Identity::new("disk", TIME);
    let tree = verity::plan(Request::new("parts[1]", Bytes::new(size), &identity)).unwrap();
    let leaves = Leaves::read(&tree, &root).unwrap();
    let hash = tree.write(&leaves, &window(3 * MIB, 2 * MIB)).unwrap();
    let [data_guid, tree_guid] = hash.partition_uuids();
    let kind = format!("root-{}", processor());
    let partitions = vec![
        partition(0, &kind, data_guid),
        partition(1, &format!("{kind}-verity"), tree_guid),
    ];
    let plan = plan(described(partitions), &identity, &Registry::native()).unwrap();
    build(&plan, Zeroes::default(), &disk, &Unwatched).unwrap();
    hash
}

fn dissect(image: &Path, root_hash: &str) -> Verdict<Vec<u8>> {
    let root_hash = format!("--root-hash={root_hash}");
    approved("systemd-dissect", &["--json=short", &root_hash], image)
}

fn made() -> (Scratch, PathBuf, RootHash) {
    let scratch = Scratch::in_temporary_directory();
    let path = scratch.path("verity-root.img");
    let hash = image(&path);
    (scratch, path, hash)
}

/// What the reader of tables and trees finds is the same.
#[test]
fn our_reader_finds_both_partitions() {
    let (_scratch, path, hash) = made();
    let disk = open(&path);
    let table = disklayout::inspect::table(&disk).unwrap();
    let kinds: Vec<_> = table
        .partitions
        .iter()
        .map(|it| it.entry.type_name())
        .collect();
    assert!(
        kinds[1].unwrap().starts_with("Linux root verity ("),
        "{kinds:?}"
    );
    let windows = table.partitions.iter().map(|it| {
        let (at, len) = (
            it.range.offset(SectorSize::B512),
            it.range.size(SectorSize::B512),
        );
        Window::new(&disk, at, len).unwrap()
    });
    let windows: Vec<_> = windows.collect();
    let [data, tree] = &windows[..] else {
        panic!("{kinds:?}");
    };
    let wrong = disklayout::inspect::verity::verify(data, tree, 0, hash.as_bytes());
    assert_eq!(wrong.unwrap(), None);
    let other = MemDisk::new(2 * MIB);
    let wrong = disklayout::inspect::verity::verify(&other, tree, 0, hash.as_bytes());
    assert!(wrong.unwrap().is_some());
}

/// Needs root, and loop devices of the kernel.
#[test]
fn systemd_finds_a_root_by_its_hash() {
    if !is_root() {
        return;
    }
    let (_scratch, path, hash) = made();
    let hash = hash.to_string();
    let said = dissect(&path, &hash).unwrap();
    let said: Value = serde_json::from_slice(&said).unwrap();
    let mounts = said["mounts"].as_array().unwrap();
    let [data, tree] = &mounts[..] else {
        panic!("{said}");
    };
    for (found, designator, filesystem, uuid) in [
        (data, "root", "erofs", &hash[..32]),
        (tree, "root-verity", "DM_verity_hash", &hash[32..]),
    ] {
        assert_eq!(found["designator"], designator, "{said}");
        assert_eq!(found["fstype"], filesystem, "{said}");
        let shown = found["partition_uuid"].as_str().unwrap();
        assert_eq!(shown.replace('-', ""), uuid, "{said}");
    }
    assert_eq!(data["verity"], "yes", "{said}");
    let release = said["osRelease"].to_string();
    assert!(release.contains("ID=dissected"), "{said}");
    accepted("systemd-dissect", &path);
}

/// Not any root would do. Needs root.
#[test]
fn systemd_finds_nothing_by_another_hash() {
    if !is_root() {
        return;
    }
    let (_scratch, path, hash) = made();
    let mut other = hash.to_string();
    let last = if other.ends_with('0') { "1" } else { "0" };
    other.replace_range(63.., last);
    let said = dissect(&path, &other).unwrap_err();
    assert!(said.contains("for specified root hash"), "{said}");
}
