//! Arbitrary trees, sizes and choices as a filesystem: there is an error, or an image in which a
//! reader that others wrote finds every file.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use disklayout::disk::{Disk, MemDisk};
use disklayout::fs::ext::{Inodes, Journal, Options};
use disklayout::fs::{self, Registry, Request, Unwatched};
use disklayout::tree::{Attributes, Content, Device, FileTree, Node, NodeKind, Xattr, Xattrs};
use disklayout::{Bytes, Identity, Timestamp};
use libfuzzer_sys::fuzz_target;

/// The largest image: it is held in memory as a whole.
const LARGEST: u64 = 24 << 20;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    kind: u8,
    pages: u16,
    is_smallest: bool,
    free: u16,
    block_size: u8,
    inode_size: u8,
    inodes: Option<u16>,
    reserved: Option<u16>,
    has_journal: bool,
    features: Vec<u8>,
    label: Option<&'a str>,
    nodes: Vec<AnyNode<'a>>,
}

#[derive(Arbitrary, Debug)]
struct AnyNode<'a> {
    path: &'a [u8],
    kind: u8,
    data: &'a [u8],
    repeat: u16,
    uid: u32,
    permissions: u16,
    seconds: i64,
    xattrs: Vec<(&'a [u8], &'a [u8])>,
}

const FEATURES: [&str; 16] = [
    "^has_journal",
    "^ext_attr",
    "^resize_inode",
    "^dir_index",
    "^filetype",
    "^extent",
    "^64bit",
    "^flex_bg",
    "metadata_csum_seed",
    "large_dir",
    "^sparse_super",
    "^large_file",
    "^huge_file",
    "^dir_nlink",
    "^metadata_csum",
    "extent",
];

/// ext4-view refuses times before 1970 and those whose lower half has its highest bit set.
const READABLE_SECONDS: i64 = 0x3_7FFF_FFFF;

fuzz_target!(|bytes: &[u8]| {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(bytes)) else {
        return;
    };
    let tree = tree(&input.nodes);
    let options = options(&input);
    // ext4-view takes such inodes for truncated ones.
    let is_readable = options.inode_size != Some(128);
    let request = Request {
        label: input.label,
        options: fs::Options::from(&options),
        tree,
        ..Request::new("fuzz", kind(input.kind), identity())
    };
    let Ok(draft) = Registry::native().draft(request) else {
        return;
    };
    let size = match input.is_smallest {
        true => draft.smallest(Bytes::new(input.free.into())).ok(),
        false => Some(Bytes::new(u64::from(input.pages) * 4096)),
    };
    let Some(size) = size else { return };
    let planned = draft.at(size);
    assert!(planned.is_ok() || !input.is_smallest, "{planned:?}");
    let Ok(plan) = planned else { return };
    let size = size.get();
    if size <= LARGEST {
        let disk = MemDisk::new(size);
        plan.write_all(&disk, &Unwatched).unwrap();
        if is_readable {
            read_back(&disk, plan.tree());
        }
    }
});

fn identity() -> Identity {
    Identity::new("fuzz", Timestamp::from_seconds(1_000_000_000))
}

fn kind(number: u8) -> &'static str {
    ["ext2", "ext3", "ext4"][usize::from(number) % 3]
}

fn options(input: &Input<'_>) -> Options {
    let features = input.features.iter().take(8);
    let features =
        features.map(|number| FEATURES[usize::from(*number) % FEATURES.len()].to_owned());
    Options {
        block_size: [None, Some(1024), Some(2048), Some(4096)][usize::from(input.block_size) % 4],
        inode_size: [None, Some(128), Some(512), Some(1024)][usize::from(input.inode_size) % 4],
        inodes: input
            .inodes
            .map_or(Inodes::Default, |count| Inodes::Count(count.into())),
        reserved: input.reserved.map(u32::from),
        journal: if input.has_journal {
            Journal::Default
        } else {
            Journal::None
        },
        features: features.collect(),
        ..Options::default()
    }
}

fn tree(nodes: &[AnyNode<'_>]) -> FileTree {
    let mut tree = FileTree::new(Timestamp::default());
    let mut last = FileTree::ROOT;
    for any in nodes {
        let path = [b"/", any.path].concat();
        let attributes = Attributes {
            permissions: any.permissions & 0o7777,
            uid: any.uid,
            gid: any.uid,
            mtime: Timestamp::from_seconds(any.seconds & READABLE_SECONDS),
        };
        let device = Device {
            major: any.uid % 4096,
            minor: any.uid >> 12,
        };
        let kind = match any.kind % 8 {
            0 => NodeKind::Directory,
            1 => NodeKind::File(Content::inline(&any.data.repeat(usize::from(any.repeat)))),
            2 if !any.data.is_empty() => NodeKind::Symlink(any.data.into()),
            3 => NodeKind::CharacterDevice(device),
            4 => NodeKind::BlockDevice(device),
            5 => NodeKind::Fifo,
            6 => NodeKind::Socket,
            _ => {
                let _ = tree.link("fuzz", &path, last);
                continue;
            }
        };
        let mut node = Node::new(kind, attributes);
        node.xattrs = Xattrs::new(any.xattrs.iter().map(|(name, value)| Xattr {
            name: [b"user.", *name].concat().into(),
            value: (*value).into(),
        }));
        if let Ok(id) = tree.put("fuzz", &path, node) {
            last = id;
        }
    }
    tree
}

/// Every file has its data.
fn read_back(disk: &MemDisk, tree: &FileTree) {
    let mut image = vec![0; disk.len() as usize];
    disk.read_at(&mut image, 0).unwrap();
    let Ok(ext4) = ext4_view::Ext4::load(Box::new(image)) else {
        return;
    };
    for (path, content) in tree.files() {
        let mut data = vec![0; content.len() as usize];
        content.open().unwrap().read_exact(&mut data).unwrap();
        let path = ext4_view::Path::try_from(path.as_slice()).unwrap();
        let read = ext4
            .read(path)
            .unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert!(read == data, "{path:?}");
    }
}
